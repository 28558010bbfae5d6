//! `hatbox trust snapshot` with the sandbox's IAM: what it saves, what may be missing, and what it never asks for.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::cast::{KIMS_PHONE, OTHER_PHONE, PHONE, TOKEN};
use crate::fixture::Fixture;

/// Profiles that may read all of IAM in either account, only account details, and nothing.
const CONFIG: &str = "\
[profile jan-work]
[profile people]
role_arn = arn:aws:iam::111122223333:role/iam
source_profile = jan-work
[profile work]
role_arn = arn:aws:iam::444455556666:role/iam
source_profile = jan-work
[profile details]
role_arn = arn:aws:iam::111122223333:role/iam-details
source_profile = jan-work
[profile nothing]
role_arn = arn:aws:iam::444455556666:role/reader
source_profile = jan-work
";

fn load(fixture: &Fixture, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture.path(name)).unwrap()).unwrap()
}

fn snapshot(fixture: &Fixture, arguments: &[&str], name: &str) -> crate::run::Run {
    let path = fixture.path(name);
    fixture.hatbox(&["trust", "snapshot", "-o", path.to_str().unwrap()]).args(arguments)
}

/// Returns the calls to IAM so far.
fn iam_calls(fixture: &Fixture) -> Vec<String> {
    fixture.log().into_iter().filter(|entry| entry.service == "iam").map(|entry| entry.action).collect()
}

#[test]
fn a_snapshot_holds_two_accounts_with_devices_and_longest_sessions_and_no_secret() {
    let fixture = Fixture::with_config(CONFIG);
    let run = snapshot(&fixture, &["--profile", "people", "--profile", "work"], "iam.json").run().ok();
    assert_eq!(run.stdout, "");
    let end = "saved 2 accounts, 2 users and 17 roles in `DIR/iam.json`\n";
    assert!(fixture.shown(&run.stderr).ends_with(end), "{}", run.stderr);
    assert!(
        fixture.shown(&run.stderr).contains("hatbox: using the IAM endpoint SANDBOX (not AWS)\n"),
        "{}",
        run.stderr
    );
    let mode = std::fs::metadata(fixture.path("iam.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = load(&fixture, "iam.json");
    assert_eq!(kept["schema"], 1);
    let [people, work] = kept["accounts"].as_array().unwrap().as_slice() else { unreachable!() };
    assert_eq!((&people["account"], &work["account"]), (&json!("111122223333"), &json!("444455556666")));
    assert_eq!(people["mfa_devices"], json!({ "jan": [TOKEN, PHONE, OTHER_PHONE], "kim": [KIMS_PHONE] }));
    assert_eq!(work["roles"]["admin"]["max_session_duration"], 43200);
    assert_eq!(work["roles"]["short"]["max_session_duration"], 3600);
    let guarded = work["details"]["RoleDetailList"]
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["RoleName"] == "guarded")
        .unwrap();
    // Policies are saved as JSON, rather than as the URL-encoded text that the API returns.
    let condition = &guarded["AssumeRolePolicyDocument"]["Statement"][0]["Condition"];
    assert_eq!(*condition, json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }));
    let text = kept.to_string();
    let key = fixture.key("jan-work");
    assert!(!text.contains(&key.id) && !text.contains(key.secret.expose()) && !text.contains("PHONEA"));
}

#[test]
fn a_snapshot_is_read_by_read_actions_alone_those_that_a_dry_run_names() {
    let fixture = Fixture::with_config(CONFIG);
    let run = fixture.hatbox(&["trust", "snapshot", "--profile", "people", "--dry-run"]).run().ok();
    assert_eq!(fixture.log().len(), 0);
    snapshot(&fixture, &["--profile", "people"], "iam.json").run().ok();
    let calls = iam_calls(&fixture);
    assert!(!calls.is_empty());
    for call in &calls {
        assert!(call.starts_with("Get") || call.starts_with("List"), "{call}");
        assert!(run.stdout.contains(&format!("  iam:{call} ")), "{call} is not in:\n{}", run.stdout);
    }
    let named = run.stdout.lines().filter_map(|line| line.trim_start().strip_prefix("iam:"));
    for action in named.map(|rest| rest.split(' ').next().unwrap()) {
        assert!(calls.iter().any(|call| call == action), "{action} was not asked for");
    }
}

#[test]
fn what_a_profile_may_not_read_is_said_and_left_out_but_for_the_details() {
    let fixture = Fixture::with_config(CONFIG);
    let run = snapshot(&fixture, &["--profile", "details"], "iam.json").run().ok();
    for note in [
        "account 111122223333: the account's name is not known: AccessDenied: ",
        "account 111122223333: how long sessions of roles may be is not known: AccessDenied: ",
        "account 111122223333: the MFA devices of 2 of 2 users are not known: AccessDenied: ",
    ] {
        assert!(run.stderr.contains(note), "{note} is not in:\n{}", run.stderr);
    }
    let kept = load(&fixture, "iam.json");
    // Unknown is not the same as none.
    assert_eq!(kept["accounts"][0]["mfa_devices"], json!({}));
    assert_eq!(kept["accounts"][0]["roles"], json!({}));
    let run = snapshot(&fixture, &["--profile", "people", "--profile", "nothing"], "both.json")
        .run()
        .expect_code(1);
    let error = "error: could not read the account's IAM (profile `nothing`)\n  caused by: AccessDenied: ";
    assert!(run.stderr.contains(error), "{}", run.stderr);
    let hint = "hint: `nothing` needs the permission `iam:GetAccountAuthorizationDetails`\n";
    assert!(run.stderr.ends_with(hint), "{}", run.stderr);
    // Either everything that was requested is saved, or nothing.
    assert!(!fixture.path("both.json").exists());
}

#[test]
fn a_user_without_mfa_asks_iam_with_the_key_itself() {
    let fixture = Fixture::with_config(CONFIG);
    let run = snapshot(&fixture, &["--profile", "jan-work"], "iam.json").run().expect_code(1);
    // IAM denies the key itself. A session without MFA would be rejected whatever its permissions.
    assert!(run.stderr.contains("AccessDenied: User: arn:aws:iam::111122223333:user/jan"), "{}", run.stderr);
    assert!(fixture.log().iter().all(|entry| entry.action != "GetSessionToken"));
}

#[test]
fn where_no_one_can_be_asked_a_flag_gives_the_code_to_each_command_that_asks_iam() {
    let config = CONFIG.replace("[profile work]", &format!("[profile work]\nmfa_serial = {PHONE}"));
    let fixture = Fixture::with_config(&config);
    let role = "arn:aws:iam::444455556666:role/guarded";
    let file = fixture.path("iam.json").to_str().unwrap().to_owned();
    for line in [
        &["trust", "snapshot", "--profile", "work", "-o", &file][..],
        &["trust", "who", role, "--from", "live:work"],
        &["trust", "lint", "--from", "live:work"],
        &["trust", "require-mfa", role, "--profile", "work"],
    ] {
        let calls = fixture.log().len();
        let unanswered = fixture.hatbox(line).run().expect_code(4);
        let hint = "hatbox: hint: or give the code: --mfa-token CODE\n";
        assert!(unanswered.stderr.contains(hint), "{line:?}: {}", unanswered.stderr);
        assert_eq!(fixture.log().len(), calls);
        let code = fixture.code(PHONE);
        let run = fixture.hatbox(line).args(["-t", &code]).run();
        assert!(!run.stderr.contains("hatbox: error"), "{line:?}: {}", run.stderr);
        assert!(fixture.log()[calls..].iter().any(|call| call.mfa_present == Some(true)), "{line:?}");
        fixture.hatbox(&["clear"]).run().ok();
    }
}

#[test]
fn an_older_snapshot_is_replaced_and_one_account_is_kept_once() {
    let fixture = Fixture::with_config(CONFIG);
    std::fs::write(fixture.path("iam.json"), "old").unwrap();
    let twice = ["--profile", "people", "--profile", "details"];
    let run = snapshot(&fixture, &twice, "iam.json").run().ok();
    let warning = "warning: account 111122223333 of `details` was read by an earlier profile already\n";
    assert!(run.stderr.contains(warning), "{}", run.stderr);
    assert_eq!(load(&fixture, "iam.json")["accounts"].as_array().unwrap().len(), 1);
    let printed = fixture.hatbox(&["trust", "snapshot", "-o", "-"]).env("AWS_PROFILE", "people").run().ok();
    assert_eq!(serde_json::from_str::<Value>(&printed.stdout).unwrap()["schema"], 1);
}

#[test]
fn iam_is_found_by_its_own_address_and_plain_http_to_another_machine_is_refused() {
    let fixture = Fixture::with_config(CONFIG);
    let far = snapshot(&fixture, &["--profile", "people"], "iam.json");
    let run = far.env("AWS_ENDPOINT_URL_IAM", "http://iam.example").run().expect_code(3);
    assert!(run.stderr.contains("`http://iam.example`: plain http to another machine"), "{}", run.stderr);
    let dead = snapshot(&fixture, &["--profile", "people"], "iam.json");
    let run = dead.env("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:9").run().expect_code(1);
    assert!(
        run.stderr.contains("hatbox: using the IAM endpoint http://127.0.0.1:9 (not AWS)\n"),
        "{}",
        run.stderr
    );
    assert!(iam_calls(&fixture).is_empty());
}

#[test]
fn a_sandbox_left_behind_is_asked_with_no_real_key() {
    let fixture = Fixture::with_config(CONFIG);
    snapshot(&fixture, &["--profile", "people"], "iam.json").run().ok();
    let calls = fixture.log().len();
    let run = snapshot(&fixture, &["--profile", "people"], "iam.json").env("HATBOX_SANDBOX", "0000").run();
    let run = run.expect_code(3);
    assert!(
        run.stderr.contains("the access key of `people` was not created by this sandbox"),
        "{}",
        run.stderr
    );
    assert_eq!(fixture.log().len(), calls);
}
