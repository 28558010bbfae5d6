//! Session policies and other options of STS: what is sent, what AWS allows then, what is cached, what is rejected.

use std::path::PathBuf;

use hatbox_sandbox::CONTAINER_PATH;
use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::log::{LogEntry, SignedWith};
use serde_json::Value;

use crate::cast::{CONTAINER_TOKEN, PHONE};
use crate::fixture::Fixture;
use crate::run::Run;

const CONFIG: &str = "\
[profile jan-work]
[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
[profile with-mfa]
mfa_serial = arn:aws:iam::111122223333:mfa/jan
source_profile = jan-work
[profile sso]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1
sso_account_id = 444455556666
sso_role_name = Developer
";
const READER: &str = "arn:aws:iam::444455556666:role/reader";
const ADMIN: &str = "arn:aws:iam::444455556666:role/admin";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
pub(crate) const LIST_ONLY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:List*","Resource":"*"}]}"#;

pub(crate) fn policy(fixture: &Fixture, text: &str) -> PathBuf {
    let path = fixture.path("policy.json");
    std::fs::write(&path, text).unwrap();
    path
}

/// Runs `exec` with these flags and a call to S3.
pub(crate) fn s3(fixture: &Fixture, flags: &[&str], words: &[&str]) -> Run {
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    fixture
        .hatbox(&["exec"])
        .args(flags)
        .args(["--", hatbox, "sandbox", "s3"])
        .args(words)
        .env("HATBOX_SANDBOX", fixture.world().id)
}

fn calls(fixture: &Fixture, action: &str) -> Vec<LogEntry> {
    fixture.log().into_iter().filter(|entry| entry.action == action).collect()
}

#[test]
fn a_session_may_do_no_more_than_its_policies_allow() {
    let fixture = Fixture::with_config(CONFIG);
    s3(&fixture, &["reader"], &["mb", "s3://first-bucket"]).run().ok();
    let file = policy(&fixture, LIST_ONLY);
    for flags in [
        &["--read-only", "reader"][..],
        &["--policy-arn", READ_ONLY, "reader"],
        &["--policy", file.to_str().unwrap(), "reader"],
    ] {
        s3(&fixture, flags, &["ls"]).run().ok();
        let denied = s3(&fixture, flags, &["mb", "s3://second-bucket"]).run();
        assert_ne!(denied.code(), Some(0), "{flags:?}");
        assert!(denied.stderr.contains("AccessDenied"), "{flags:?}: {}", denied.stderr);
    }
    let sent = calls(&fixture, "AssumeRole");
    let of = |name: &str| sent.iter().filter(|call| call.parameters.contains_key(name)).count();
    // `--read-only` is short for that ARN, so the second run uses the cached session of the first.
    assert_eq!((of("PolicyArns.member.1.arn"), of("Policy")), (1, 1), "{sent:?}");
}

#[test]
fn each_restriction_has_a_session_of_its_own_and_the_full_one_stays_what_it_was() {
    let fixture = Fixture::with_config(CONFIG);
    let count = |flags: &[&str]| {
        fixture.hatbox(&["exec"]).args(flags).args(["reader", "--", "true"]).run().ok();
        calls(&fixture, "AssumeRole").len()
    };
    let file = policy(&fixture, LIST_ONLY);
    let file = file.to_str().unwrap();
    assert_eq!([count(&[]), count(&["--read-only"]), count(&["--policy", file])], [1, 2, 3]);
    assert_eq!([count(&[]), count(&["--read-only"]), count(&["--policy", file])], [3, 3, 3]);
    // The content of the file counts, not its name.
    policy(&fixture, &LIST_ONLY.replace("List", "Get"));
    assert_eq!(count(&["--policy", file]), 4);
    assert_eq!(count(&["--policy-arn", READ_ONLY]), 4, "the same policy by its ARN");
    assert_eq!(count(&["--session-tag", "team=a"]), 5);
    assert_eq!(count(&["--session-tag", "team=a", "--transitive-tag", "team"]), 6);
    assert_eq!([count(&["--source-identity", "jan"]), count(&["--external-id", "abc"])], [7, 8]);
}

#[test]
fn the_options_of_a_role_go_out_in_the_place_of_the_profiles() {
    let fixture = Fixture::with_config(
        &CONFIG.replace("role/reader\n", "role/reader\nexternal_id = of-the-profile\nsession_tags = a=1\n"),
    );
    let flags = [
        "--external-id",
        "from-a-flag",
        "--session-tag",
        "team=a",
        "--session-tag",
        "cost=7",
        "--transitive-tag",
        "team",
        "--source-identity",
        "jan",
    ];
    fixture.hatbox(&["exec"]).args(flags).args(["reader", "--", "true"]).run().ok();
    let sent = &calls(&fixture, "AssumeRole")[0].parameters;
    let text = |name: &str| sent.get(name).map(String::as_str);
    assert_eq!(text("SourceIdentity"), Some("jan"));
    assert_eq!((text("Tags.member.1.Key"), text("Tags.member.2.Value")), (Some("team"), Some("7")));
    assert_eq!((text("Tags.member.3.Key"), text("TransitiveTagKeys.member.1")), (None, Some("team")));
    assert!(sent.contains_key("ExternalId"));
}

#[test]
fn a_role_without_a_profile_is_assumed_with_what_the_profile_gives() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["exec", "--role-arn", READER, "jan-work", "--", "true"]).run().ok();
    let first = &calls(&fixture, "AssumeRole")[0];
    assert_eq!((first.resource.as_deref(), first.signed_with), (Some(READER), SignedWith::AccessKey));
    let json = fixture.hatbox(&["export", "--format", "json", "--role-arn", ADMIN, "reader"]).run().ok();
    let printed: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(printed["AccountId"], "444455556666");
    let last = calls(&fixture, "AssumeRole").pop().unwrap();
    assert_eq!((last.resource.as_deref(), last.signed_with), (Some(ADMIN), SignedWith::Role));
    // With the device of the profile.
    let guarded = "arn:aws:iam::444455556666:role/guarded";
    let code = fixture.code(PHONE);
    fixture.hatbox(&["exec", "--role-arn", guarded, "-t", &code, "with-mfa", "--", "true"]).run().ok();
}

#[test]
fn a_role_is_assumed_without_any_profile_by_what_the_machine_has() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let exec = fixture.hatbox(&["exec", "--role-arn", READER, "--", "printenv", "AWS_ACCOUNT_ID"]);
    let nothing = exec.run().expect_code(125);
    let error = "profile `default` is neither in the config nor in the store";
    assert!(nothing.stderr.contains(error), "{}", nothing.stderr);
    let url = format!("{}{CONTAINER_PATH}", fixture.client().url());
    let in_container = |run: Run| {
        run.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN)
    };
    assert_eq!(in_container(exec).run().ok().stdout, "444455556666\n");
    let export = fixture.hatbox(&["export", "--format", "json", "--role-arn", READER]);
    in_container(export).run().ok();
    let sent = calls(&fixture, "AssumeRole");
    assert_eq!(sent.len(), 1, "the session is cached");
    assert_eq!((sent[0].resource.as_deref(), sent[0].signed_with), (Some(READER), SignedWith::Role));
    let key = fixture.key("jan-work");
    let with_key = |run: Run| {
        run.env("AWS_ACCESS_KEY_ID", key.id.as_str()).env("AWS_SECRET_ACCESS_KEY", key.secret.expose())
    };
    let exec = fixture.hatbox(&["exec", "--role-arn", READER, "--", "printenv", "AWS_ACCOUNT_ID"]);
    assert_eq!(with_key(exec).run().ok().stdout, "444455556666\n");
    assert_eq!(calls(&fixture, "AssumeRole")[1].signed_with, SignedWith::AccessKey);
    // The credentials in the environment cannot be requested as another profile.
    let named = with_key(fixture.hatbox(&["exec", "other", "--", "true"])).run().expect_code(125);
    assert!(named.stderr.contains("profile `other` is neither"), "{}", named.stderr);
}

#[test]
fn a_users_own_permissions_are_narrowed_by_get_federation_token() {
    let fixture = Fixture::with_config(CONFIG);
    let file = policy(&fixture, LIST_ONLY);
    let export = ["export", "--format", "json", "--policy", file.to_str().unwrap(), "-d", "2h", "jan-work"];
    fixture.hatbox(&export).run().ok();
    let calls = calls(&fixture, "GetFederationToken");
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].parameters.get("Name").map(String::as_str), Some("hatbox-jan-work"));
    assert!(calls[0].parameters.contains_key("Policy"));
    assert_eq!((calls[0].signed_with, calls[0].granted_seconds), (SignedWith::AccessKey, Some(7200)));
    // It is cached like any other session.
    fixture.hatbox(&export).run().ok();
    assert_eq!(self::calls(&fixture, "GetFederationToken").len(), 1);
    assert_eq!(self::calls(&fixture, "GetSessionToken").len(), 0);
    let fault = Fault {
        kind: FaultKind::AccessDenied(
            "User: arn:aws:iam::111122223333:user/jan is not authorized to perform: sts:GetFederationToken"
                .to_owned(),
        ),
        times: Some(1),
        action: Some("GetFederationToken".to_owned()),
    };
    fixture.client().add_fault(&fault).unwrap();
    let denied = fixture.hatbox(&["export", "--fresh", "--read-only", "jan-work"]).run().expect_code(1);
    let hint = "hint: the user needs the permission sts:GetFederationToken";
    assert!(denied.stderr.contains(hint), "{}", denied.stderr);
}

#[test]
fn a_restricted_session_without_the_device_of_the_profile_is_a_warning() {
    let fixture = Fixture::with_config(
        &CONFIG.replace("[profile jan-work]\n", &format!("[profile jan-work]\nmfa_serial = {PHONE}\n")),
    );
    let warning = "hatbox: warning: ~/.aws/config:2: the MFA device of `jan-work` is not used: a user's session is \
                   restricted by GetFederationToken, which accepts no MFA code\n";
    for command in
        [&["export", "--read-only", "jan-work"][..], &["exec", "--read-only", "jan-work", "--", "true"]]
    {
        let run = fixture.hatbox(command).run().ok();
        assert!(run.stderr.contains(warning), "{}", run.stderr);
    }
    let role = fixture.hatbox(&["explain", "--read-only", "reader"]).run().ok();
    assert!(!role.stderr.contains("GetFederationToken"), "{}", role.stderr);
}

#[test]
fn what_cannot_be_restricted_is_refused() {
    let fixture = Fixture::with_config(CONFIG);
    let sso = fixture.hatbox(&["export", "--read-only", "sso"]).run().expect_code(3);
    assert!(
        sso.stderr.contains("come from SSO (Identity Center), and cannot be restricted by a session policy"),
        "{}",
        sso.stderr
    );
    assert!(sso.stderr.contains("--role-arn ARN"), "{}", sso.stderr);
    fixture.hatbox(&["explain", "--read-only", "--role-arn", READER, "sso"]).run().ok();
    let user = fixture.hatbox(&["export", "--source-identity", "jan", "jan-work"]).run().expect_code(2);
    assert!(user.stderr.contains("`--source-identity` is for a role"), "{}", user.stderr);
}

#[test]
fn what_sts_would_refuse_is_an_error_before_the_call() {
    let fixture = Fixture::with_config(CONFIG);
    let long = LIST_ONLY.replace('*', &"x".repeat(1100));
    let twice = format!("{READ_ONLY}x");
    let file = fixture.path("policy.json").to_str().unwrap().to_owned();
    let eleven: Vec<&str> = (0..11).flat_map(|_| ["--policy-arn", READ_ONLY]).collect();
    for (text, flags, said) in [
        ("", &["--policy", &file][..], "invalid policy"),
        ("{}x", &["--policy", &file], "invalid policy"),
        (&long, &["--policy", &file], "AWS accepts at most 2048 characters of session policies"),
        (LIST_ONLY, &["--policy", "/nonexistent"], "could not read the policy"),
        (LIST_ONLY, &["--policy", "/dev/zero"], "policy"),
        (LIST_ONLY, &["--policy-arn", READER], "expected `arn:aws:iam::ACCOUNT:policy/NAME`"),
        (LIST_ONLY, &eleven, "AWS accepts at most 10 managed policies for a session: 11 are given"),
        (LIST_ONLY, &["--role-arn", &twice], "--role-arn"),
        (LIST_ONLY, &["--session-tag", "a"], "--session-tag"),
        (LIST_ONLY, &["--session-tag", "a=1,b=2"], "repeat the flag for each tag"),
        (LIST_ONLY, &["--session-tag", "a=1", "--session-tag", "A=2"], "twice"),
        (LIST_ONLY, &["--source-identity", "x"], "--source-identity"),
        (LIST_ONLY, &["--external-id", "a b"], "--external-id"),
    ] {
        policy(&fixture, text);
        let run = fixture.hatbox(&["export"]).args(flags).args(["reader"]).run().expect_code(2);
        assert!(run.stderr.contains(said), "{flags:?}: {}", run.stderr);
    }
    assert_eq!(fixture.log().len(), 0);
}

#[test]
fn explain_shows_what_restricts_a_session() {
    let fixture = Fixture::with_config(CONFIG);
    let file = policy(&fixture, LIST_ONLY);
    let flags = ["--policy", file.to_str().unwrap(), "--read-only", "reader"];
    let text = fixture.hatbox(&["explain"]).args(flags).run().ok().stdout;
    let shown = format!("a policy of {} characters", LIST_ONLY.len());
    assert!(text.contains(&shown), "{text}");
    assert!(text.contains(READ_ONLY) && text.contains("--read-only"), "{text}");
    let json = fixture.hatbox(&["explain", "--json"]).args(flags).run().ok().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let step = json["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(step["policy"]["value"], LIST_ONLY);
    assert_eq!(step["policy_arns"][0]["value"], READ_ONLY);
    let user = fixture.hatbox(&["explain", "--read-only", "jan-work"]).run().ok().stdout;
    assert!(user.contains("GetFederationToken accepts no MFA code"), "{user}");
}
