//! What `hatbox why` learns from AWS after a denied call, and what it does without permission to ask.

use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::world::{MfaDevice, Role, World, WorldSecret};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cast::{OTHER_PHONE, PEOPLE, PHONE, TOKEN, WORK};
use crate::fixture::Fixture;
use crate::run::Outcome;

const JAN: &str = "arn:aws:iam::111122223333:user/jan";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
const ANSWERED: &str = "Checked now sts:GetCallerIdentity, iam:ListMFADevices, iam:GetRole, \
                        iam:GetAccountAuthorizationDetails";

fn policy(statements: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn allow(actions: &Value) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": "*" })
}

fn trusting(principal: &str, condition: &Value) -> String {
    policy(&json!([{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": principal }, "Condition": condition,
    }]))
}

/// Sets up a world in which jan may read IAM in addition to these actions, and a role of her account has this trust
/// policy.
fn world(world: &mut World, actions: &[&str], trust: &str) {
    let people = world.accounts.get_mut(PEOPLE).unwrap();
    let actions: Vec<_> = actions.iter().chain(&["iam:Get*", "iam:List*"]).collect();
    let jan = people.users.get_mut("jan").unwrap();
    jan.policies = [("own".to_owned(), policy(&json!([allow(&json!(actions))])))].into();
    let made = Timestamp::now().checked_sub(SignedDuration::from_hours(500)).unwrap();
    let like = people.roles["iam"].clone();
    let ops = Role { trust: trust.to_owned(), created_at: made, ..like };
    people.roles.insert("Ops".to_owned(), ops);
}

/// A fixture with jan's key, and the profile `ops` for this role with these lines.
fn fixture_in(role: &str, lines: &str, change: impl FnOnce(&mut World)) -> Fixture {
    let fixture = Fixture::empty_in(&["jan-work"], change);
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    fixture.write_config(&format!(
        "[profile jan-work]\n\n[profile ops]\nsource_profile = jan-work\nrole_arn = {role}\n{lines}"
    ));
    fixture
}

fn fixture(lines: &str, change: impl FnOnce(&mut World)) -> Fixture {
    fixture_in("arn:aws:iam::111122223333:role/Ops", lines, change)
}

fn refuse(fixture: &Fixture) -> Outcome {
    fixture.hatbox(&["exec", "--no-session", "ops", "--", "true"]).run().expect_code(125)
}

/// Returns the page without its line breaks.
fn why(fixture: &Fixture, flags: &[&str]) -> String {
    let page = fixture.hatbox(&["why"]).args(flags).run().ok().stdout;
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_asked(fixture: &Fixture, told: &str) {
    let at_once = refuse(fixture).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!at_once.contains(told), "it is known without asking: {at_once}");
    let page = why(fixture, &[]);
    assert!(page.contains(ANSWERED), "{page}");
    assert!(page.contains(told), "{told}\n{page}");
}

#[test]
fn own_policies_that_do_not_allow_it_are_seen() {
    let fixture = fixture("", |w| world(w, &["s3:*"], &trusting(ACCOUNT, &json!({}))));
    assert_asked(
        &fixture,
        "Most likely jan's own policies do not allow sts:AssumeRole on Ops (IAM, just now).",
    );
}

#[test]
fn a_user_who_has_passkeys_only_gets_a_hint_about_them() {
    let fixture = fixture("", |w| {
        world(w, &["sts:*"], &trusting(JAN, &json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } })));
        let devices = &mut w.accounts.get_mut(PEOPLE).unwrap().mfa_devices;
        devices.retain(|serial, _| ![PHONE, OTHER_PHONE, TOKEN].contains(&serial.as_str()));
        let passkey = MfaDevice {
            seed: WorldSecret::new("A".repeat(32)),
            user: Some("jan".to_owned()),
            enabled_at: Some(Timestamp::now()),
            last_step: None,
        };
        devices.insert("arn:aws:iam::111122223333:u2f/user/jan/key-ABC".to_owned(), passkey);
    });
    assert_asked(
        &fixture,
        "Most likely a passkey gives no code, and AWS's API accepts only codes: jan has no other device \
         (IAM, just now).",
    );
}

#[test]
fn a_device_that_the_config_does_not_name_is_found() {
    let mfa = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    let fixture = fixture("", |w| world(w, &["sts:*"], &trusting(JAN, &mfa)));
    assert_asked(&fixture, "and the role requires MFA (IAM, just now).");
    let page = why(&fixture, &[]);
    let line = page.split("mfa_serial = ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    fixture.write_config(&format!(
        "[profile jan-work]\n\n[profile ops]\nsource_profile = jan-work\n\
         role_arn = arn:aws:iam::111122223333:role/Ops\nmfa_serial = {line}\n"
    ));
    let code = fixture.code(&line);
    fixture.hatbox(&["exec", "--no-session", "-t", &code, "ops", "--", "true"]).run().ok();
}

#[test]
fn a_missing_role_and_one_that_denies_have_different_reports() {
    let slip = "arn:aws:iam::111122223333:role/OpsX";
    let fixture = fixture_in(slip, "", |w| world(w, &["sts:*"], &trusting(ACCOUNT, &json!({}))));
    assert_asked(&fixture, "Most likely there is no role `OpsX` (IAM, just now); there is `Ops`.");
    // Without permission to list all roles, a single call for the role is enough.
    let fixture = fixture_in(slip, "", |w| {
        world(w, &["sts:*"], &trusting(ACCOUNT, &json!({})));
        let jan = w.accounts.get_mut(PEOPLE).unwrap().users.get_mut("jan").unwrap();
        let own = policy(&json!([allow(&json!(["sts:*", "iam:GetRole"]))]));
        jan.policies = [("own".to_owned(), own)].into();
    });
    refuse(&fixture);
    let page = why(&fixture, &[]);
    assert!(page.contains("there is no role `OpsX` in 111122223333 (IAM, just now)"), "{page}");
}

#[test]
fn a_boundary_a_deleted_user_and_a_condition_are_seen() {
    let boundary = "arn:aws:iam::111122223333:policy/Small";
    let bounded = fixture("", |w| {
        world(w, &["sts:*"], &trusting(ACCOUNT, &json!({})));
        let people = w.accounts.get_mut(PEOPLE).unwrap();
        let small = policy(&json!([allow(&json!(["s3:*", "iam:Get*", "iam:List*"]))]));
        people.managed_policies.insert(boundary.to_owned(), small);
        people.users.get_mut("jan").unwrap().boundary = Some(boundary.to_owned());
    });
    assert_asked(
        &bounded,
        "Most likely a permissions boundary on jan leaves out sts:AssumeRole (IAM, just now).",
    );

    let gone = trusting("AIDACKCEVSQ6C2EXAMPLE", &json!({}));
    let deleted = fixture("", |w| world(w, &["sts:*"], &gone));
    assert_asked(&deleted, "names a deleted user (AIDACKCEVSQ6C2EXAMPLE; IAM, just now).");

    let elsewhere = json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } });
    let office = fixture("", |w| world(w, &["sts:*"], &trusting(ACCOUNT, &elsewhere)));
    assert_asked(&office, "allowed only from 203.0.113.0/24 (IAM, just now)");
}

#[test]
fn a_role_that_was_seconds_old_is_to_be_tried_again() {
    let fixture = fixture("", |w| {
        world(w, &["sts:*"], &trusting(ACCOUNT, &json!({})));
        w.accounts.get_mut(PEOPLE).unwrap().roles.get_mut("Ops").unwrap().created_at = Timestamp::now();
    });
    let denied = format!("User: {JAN} is not authorized to perform: sts:AssumeRole on resource: Ops");
    fixture.client().add_fault(&Fault::once(FaultKind::AccessDenied(denied))).unwrap();
    assert_asked(&fixture, "s old (IAM, just now), and IAM needs some seconds.");
    fixture.hatbox(&["exec", "--no-session", "ops", "--", "true"]).run().ok();
}

#[test]
fn a_deny_of_the_organization_is_reported_at_once_in_the_words_of_aws() {
    let fixture = fixture("", |w| world(w, &["sts:*"], &trusting(ACCOUNT, &json!({}))));
    let policy = "arn:aws:organizations::999999999999:policy/o-a1b2c3/service_control_policy/p-12345";
    let denied = format!(
        "User: {JAN} is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::111122223333:role/Ops with an explicit deny in a service control policy: {policy}"
    );
    fixture.client().add_fault(&Fault::once(FaultKind::AccessDenied(denied))).unwrap();
    let told = format!("your organization denies it by a service control policy ({policy})");
    let report = refuse(&fixture).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(report.contains(&told), "{report}");
    assert!(why(&fixture, &[]).contains(&told));
}

#[test]
fn what_may_not_be_read_is_passed_over_without_a_word() {
    let other = format!("arn:aws:iam::{WORK}:role/strangers");
    let fixture = fixture_in(&other, "", |_| ());
    refuse(&fixture);
    let outcome = fixture.hatbox(&["why"]).run().expect_code(6);
    assert!(outcome.stdout.contains("Checked now   sts:GetCallerIdentity\n"), "{}", outcome.stdout);
    assert!(!outcome.stderr.contains("denied") && !outcome.stderr.contains("iam:"), "{}", outcome.stderr);
    let debug = fixture.hatbox(&["why", "--debug"]).run().expect_code(6).stderr;
    assert!(debug.contains("iam:ListMFADevices: AccessDenied"), "{debug}");
    let asked: Vec<_> = fixture.log().into_iter().map(|entry| entry.action).collect();
    assert!(!asked.contains(&"GetRole".to_owned()), "the role is of another account: {asked:?}");
}

#[test]
fn nothing_is_asked_offline_with_a_locked_store_or_with_another_key() {
    let fixture = fixture("", |w| world(w, &["s3:*"], &trusting(ACCOUNT, &json!({}))));
    refuse(&fixture);
    let calls = fixture.log().len();
    let offline = fixture.hatbox(&["why", "--offline"]).run().expect_code(6);
    assert!(!offline.stdout.contains("Checked now") && offline.stderr.is_empty(), "{}", offline.stderr);
    let json = fixture.hatbox(&["why", "--offline", "--json"]).run().expect_code(6).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["asked"], json!([]));

    fixture.hatbox(&["lock"]).run().ok();
    let locked = fixture.hatbox(&["why"]).without("HATBOX_FILE_PASSPHRASE").run().expect_code(6);
    assert!(locked.stderr.contains("AWS was not asked: the store is locked"), "{}", locked.stderr);
    assert!(locked.stdout.contains("Everything that was checked"), "{}", locked.stdout);
    assert_eq!(fixture.log().len(), calls, "nobody was called");

    let other = fixture.key("root").clone();
    fixture
        .hatbox(&["add", "--env", "--force", "jan-work"])
        .env("AWS_ACCESS_KEY_ID", &other.id)
        .env("AWS_SECRET_ACCESS_KEY", other.secret.expose())
        .run()
        .ok();
    let changed = fixture.hatbox(&["why"]).run().expect_code(6).stderr;
    assert!(changed.contains("`ops` has other credentials now"), "{changed}");
    assert_eq!(fixture.log().len(), calls);
}

#[test]
fn an_iam_that_does_not_answer_is_asked_once() {
    let fixture = fixture("", |w| world(w, &["s3:*"], &trusting(ACCOUNT, &json!({}))));
    refuse(&fixture);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let why = fixture.hatbox(&["why", "--debug"]).env("AWS_ENDPOINT_URL_IAM", format!("http://{nobody}"));
    let outcome = why.run().expect_code(6);
    assert!(outcome.stdout.contains("Checked now   sts:GetCallerIdentity\n"), "{}", outcome.stdout);
    assert_eq!(outcome.stderr.matches("iam:").count(), 1, "{}", outcome.stderr);
}

#[test]
fn keys_in_a_file_need_no_store_and_none_is_made() {
    let fixture = Fixture::empty_in(&["jan-work"], |w| world(w, &["s3:*"], &trusting(ACCOUNT, &json!({}))));
    let key = fixture.key("jan-work").clone();
    fixture.write_config(
        "[profile ops]\nsource_profile = plain\nrole_arn = arn:aws:iam::111122223333:role/Ops\n",
    );
    let credentials = fixture.home().join(".aws/credentials");
    let text =
        format!("[plain]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret.expose());
    std::fs::write(&credentials, text).unwrap();
    std::fs::set_permissions(&credentials, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    refuse(&fixture);
    assert!(why(&fixture, &[]).contains(ANSWERED));
    assert!(!fixture.store().exists(), "a question makes no store");
}

#[test]
fn json_lists_what_was_asked() {
    let fixture = fixture("", |w| world(w, &["s3:*"], &trusting(ACCOUNT, &json!({}))));
    refuse(&fixture);
    let json: Value = serde_json::from_str(&fixture.hatbox(&["why", "--json"]).run().ok().stdout).unwrap();
    let asked =
        ["sts:GetCallerIdentity", "iam:ListMFADevices", "iam:GetRole", "iam:GetAccountAuthorizationDetails"];
    assert_eq!(json["asked"], json!(asked));
    let own = json["causes"].as_array().unwrap().iter().find(|cause| cause["number"] == 6).unwrap();
    assert_eq!(own["evidence"], "computed");
}
