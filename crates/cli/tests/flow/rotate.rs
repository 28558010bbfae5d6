//! `hatbox rotate` with the sandbox's IAM: each step, each way in which it can stop, and how it resumes.

use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::log::SignedWith;
use hatbox_sandbox::world::{Key, KeyStatus, World};
use serde_json::{Value, json};

use crate::cast::{PEOPLE, PHONE};
use crate::fixture::{Fixture, masked};
use crate::run::Run;
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]
[profile hub]
role_arn = arn:aws:iam::777788889999:role/hub
source_profile = jan-work
[profile spoke]
role_arn = arn:aws:iam::777788889999:role/spoke
source_profile = hub
";
const MFA_CONFIG: &str = "\
[profile jan-work]
mfa_serial = arn:aws:iam::111122223333:mfa/jan
";

/// Lets jan change her own access keys, under `condition` if there is one (such as MFA).
fn allow_own_keys(world: &mut World, condition: Option<Value>) {
    let mut statement = json!({
        "Effect": "Allow",
        "Action": "iam:*AccessKey*",
        "Resource": "arn:aws:iam::111122223333:user/${aws:username}",
    });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let jan = world.accounts.get_mut(PEOPLE).unwrap().users.get_mut("jan").unwrap();
    jan.policies.insert("own-keys".to_owned(), policy);
}

fn fixture_with(keys: &[&str], config: &str, condition: Option<Value>) -> Fixture {
    let fixture = Fixture::empty_in(keys, |world| allow_own_keys(world, condition));
    fixture.write_config(config);
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    fixture
}

pub(crate) fn fixture() -> Fixture {
    fixture_with(&["jan-work"], CONFIG, None)
}

/// Returns jan's keys in AWS.
pub(crate) fn keys(fixture: &Fixture) -> Vec<Key> {
    fixture.world().accounts[PEOPLE].users["jan"].keys.clone()
}

/// Returns the id of the stored key, after checking that it works.
pub(crate) fn working_key(fixture: &Fixture, profile: &str, when: &str) -> String {
    let exported = fixture.hatbox(&["export", "-n", profile]).run();
    assert_eq!(exported.code(), Some(0), "{when}: {}", exported.stderr);
    let id = exported.stdout.lines().next().unwrap().trim_start_matches("AWS_ACCESS_KEY_ID=").to_owned();
    let secret = exported.stdout.lines().nth(1).unwrap().trim_start_matches("AWS_SECRET_ACCESS_KEY=");
    let key = keys(fixture).into_iter().find(|key| key.id == id);
    let key = key.unwrap_or_else(|| panic!("{when}: the stored key is not there any more"));
    assert_eq!((key.secret.expose(), key.status), (secret, KeyStatus::Active), "{when}");
    id
}

/// Checks that the rotation is complete: there is one key, it is stored, and no rotation is recorded.
pub(crate) fn check_done(fixture: &Fixture, when: &str) {
    let stored = working_key(fixture, "jan-work", when);
    let there: Vec<_> = keys(fixture).into_iter().map(|key| key.id).collect();
    assert_eq!(there, [stored], "{when}");
    let status = fixture.hatbox(&["rotate", "--status"]).run().ok();
    assert_eq!(status.stdout, "No unfinished rotations.\n", "{when}");
}

pub(crate) fn actions(fixture: &Fixture, after: usize) -> Vec<String> {
    fixture.log().into_iter().skip(after).map(|entry| entry.action).collect()
}

pub(crate) fn fail(fixture: &Fixture, kind: FaultKind, times: u32, action: &str) {
    let fault = Fault { kind, times: Some(times), action: Some(action.to_owned()) };
    fixture.client().add_fault(&fault).unwrap();
}

/// Stores the fixture's first key for another profile too.
pub(crate) fn add_twin(fixture: &Fixture) -> Run {
    let key = fixture.key("jan-work");
    fixture
        .hatbox(&["add", "--env", "--no-add-config", "twin"])
        .env("AWS_ACCESS_KEY_ID", &key.id)
        .env("AWS_SECRET_ACCESS_KEY", key.secret.expose())
}

/// Rotates on a terminal, and answers the prompt.
pub(crate) fn answer(fixture: &Fixture, answer: &str, code: i32) {
    let mut terminal = Terminal::start_wide(&fixture.hatbox(&["rotate", "jan-work"]), 300);
    terminal.wait_for("(y|N)", 1);
    terminal.type_keys(answer);
    assert_eq!(terminal.wait().code(), Some(code), "{:?}", terminal.screen());
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one_in_the_right_order() {
    let fixture = fixture();
    let old = fixture.key("jan-work").id.clone();
    fixture.hatbox(&["exec", "hub", "--", "true"]).run().ok();
    let before = fixture.log().len();
    let run = fixture.hatbox(&["rotate", "jan-work"]).run().ok();
    let new = working_key(&fixture, "jan-work", "after");
    assert_ne!(new, old);
    assert_eq!(
        fixture.shown(&run.stderr),
        format!(
            "hatbox: using the STS endpoint SANDBOX (not AWS)\n\
             hatbox: using the IAM endpoint SANDBOX (not AWS)\n\
             hatbox: rotated the access key of `jan-work`: {} is stored, {} is deleted\n\
             hatbox: deleted 1 cached session of the old key\n",
            masked(&new),
            masked(&old)
        )
    );
    assert_eq!(
        actions(&fixture, before),
        [
            "GetCallerIdentity",
            "ListAccessKeys",
            "CreateAccessKey",
            "GetCallerIdentity",
            "UpdateAccessKey",
            "DeleteAccessKey"
        ]
    );
    // Once it is stored, the new key signs.
    let signed: Vec<_> = fixture.log().into_iter().skip(before).map(|entry| entry.key.unwrap()).collect();
    let (by_old, by_new) = signed.split_at(3);
    assert!(by_old.iter().all(|key| *key == masked(&old)), "{signed:?}");
    assert!(by_new.iter().all(|key| *key == masked(&new)), "{signed:?}");
    check_done(&fixture, "after");
    fixture.hatbox(&["exec", "spoke", "--", "true"]).run().ok();
}

#[test]
fn of_a_role_the_key_at_the_end_of_its_chain_is_rotated_and_json_says_which() {
    let fixture = fixture();
    let old = fixture.key("jan-work").id.clone();
    let run = fixture.hatbox(&["rotate", "--json", "spoke"]).run().ok();
    assert!(
        run.stderr.contains("hatbox: `spoke` uses the access key of `jan-work`, which is rotated\n"),
        "{}",
        run.stderr
    );
    let new = working_key(&fixture, "jan-work", "after");
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        printed,
        json!({
            "profile": "jan-work",
            "other_profiles": [],
            "user": "arn:aws:iam::111122223333:user/jan",
            "old_access_key": masked(&old),
            "new_access_key": masked(&new),
            "resumed": false,
            "sessions_deleted": 0,
        })
    );
    check_done(&fixture, "after");
}

#[test]
fn a_key_that_is_stored_for_two_profiles_is_replaced_for_both() {
    let fixture = fixture();
    add_twin(&fixture).run().ok();
    let run = fixture.hatbox(&["rotate", "twin"]).run().ok();
    assert!(run.stderr.contains("the same key was stored for `jan-work`: the new one"), "{}", run.stderr);
    assert_eq!(working_key(&fixture, "twin", "after"), working_key(&fixture, "jan-work", "after"));
    check_done(&fixture, "after");
}

#[test]
fn where_a_policy_requires_mfa_one_code_is_enough_for_all_steps() {
    let mfa = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    let fixture = fixture_with(&["jan-work"], MFA_CONFIG, Some(mfa.clone()));
    let refused = fixture.hatbox(&["rotate", "-n", "jan-work"]).run().expect_code(1);
    assert!(
        refused.stderr.contains("hint: `jan-work` needs the permission `iam:CreateAccessKey`"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("set `mfa_serial` in [profile jan-work]"), "{}", refused.stderr);
    let before = fixture.log().len();
    let code = fixture.code(PHONE);
    fixture.hatbox(&["rotate", "-t", &code, "jan-work"]).run().ok();
    let calls: Vec<_> = fixture.log().into_iter().skip(before).collect();
    assert_eq!(calls.iter().filter(|call| call.action == "GetSessionToken").count(), 1);
    let of_iam = calls.iter().filter(|call| call.service == "iam");
    assert!(of_iam.clone().all(|call| call.signed_with == SignedWith::SessionToken && call.status == 200));
    assert_eq!(of_iam.count(), 4);
    check_done(&fixture, "after");
}

#[test]
fn a_call_that_aws_denies_leaves_a_key_that_works_and_the_next_rotation_goes_on() {
    for (action, step) in [
        ("GetCallerIdentity", None),
        ("CreateAccessKey", None),
        ("UpdateAccessKey", Some("stored")),
        ("DeleteAccessKey", Some("deactivated")),
    ] {
        let fixture = fixture();
        fail(&fixture, FaultKind::AccessDenied("no".to_owned()), 1, action);
        let denied = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(1);
        assert!(denied.stderr.contains("AccessDenied"), "{action}: {}", denied.stderr);
        let stored = working_key(&fixture, "jan-work", action);
        let status = fixture.hatbox(&["rotate", "--status", "--json"]).run().ok();
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        let first = &status["rotations"][0];
        let doctor = fixture.hatbox(&["doctor", "--json"]).run().stdout;
        assert_eq!(doctor.contains("rotation-unfinished"), step.is_some(), "{action}: {doctor}");
        assert_eq!(first["step"].as_str(), step, "{action}");
        let again = fixture.hatbox(&["rotate", "jan-work"]).run().ok();
        if step.is_some() {
            assert!(denied.stderr.contains("to finish: hatbox rotate jan-work"), "{}", denied.stderr);
            assert!(again.stderr.contains("going on with the rotation begun at"), "{}", again.stderr);
            assert_eq!(working_key(&fixture, "jan-work", action), stored, "the same key stays");
        }
        check_done(&fixture, action);
    }
}

#[test]
fn who_may_not_list_keys_can_rotate_them() {
    let fixture = fixture();
    fail(&fixture, FaultKind::AccessDenied("no".to_owned()), 1, "ListAccessKeys");
    let run = fixture.hatbox(&["rotate", "jan-work"]).run().ok();
    assert!(run.stderr.contains("(iam:ListAccessKeys)"), "{}", run.stderr);
    check_done(&fixture, "after");
}

#[test]
fn a_second_key_is_named_and_deleted_only_when_it_is_inactive_and_after_a_yes() {
    let fixture = fixture_with(&["jan-work", "other"], CONFIG, None);
    let other = fixture.key("other").id.clone();
    let active = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(3);
    let shown = format!("the other one is the active access key {} (created ", masked(&other));
    assert!(active.stderr.contains(&shown) && active.stderr.contains("never used"), "{}", active.stderr);
    fixture.client().set_key_status(&other, KeyStatus::Inactive).unwrap();
    let no_terminal = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(4);
    assert!(
        no_terminal.stderr.contains("the other one is the inactive access key"),
        "{}",
        no_terminal.stderr
    );
    answer(&fixture, "no\r", 130);
    assert_eq!(keys(&fixture).len(), 2);
    answer(&fixture, "yes\r", 0);
    check_done(&fixture, "after");
}

#[test]
fn a_second_key_that_is_stored_as_well_is_left_alone() {
    let fixture = fixture_with(&["jan-work", "other"], CONFIG, None);
    fixture.add_run("other", &["--no-add-config"]).run().ok();
    let run = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(3);
    assert!(run.stderr.contains("stored for profile `other`"), "{}", run.stderr);
    assert_eq!(keys(&fixture).len(), 2);
}

#[test]
fn what_is_no_stored_key_of_a_user_is_not_rotated() {
    let fixture = fixture();
    let root = fixture.key("root");
    fixture
        .hatbox(&["add", "--env", "--no-add-config", "root"])
        .env("AWS_ACCESS_KEY_ID", &root.id)
        .env("AWS_SECRET_ACCESS_KEY", root.secret.expose())
        .run()
        .ok();
    let of_root = fixture.hatbox(&["rotate", "-n", "root"]).run().expect_code(3);
    assert!(of_root.stderr.contains("is not an IAM user's"), "{}", of_root.stderr);
    fixture.write_config("[profile ci]\ncredential_source = Environment\n[profile plain]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n");
    let ci = fixture.hatbox(&["rotate", "ci"]).env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    ci.env("AWS_SECRET_ACCESS_KEY", "x").run().expect_code(2);
    let plain = fixture.hatbox(&["rotate", "plain"]).run().expect_code(2);
    assert!(plain.stderr.contains("hint: hatbox import credentials"), "{}", plain.stderr);
    let unknown = fixture.hatbox(&["rotate", "nope"]).run().expect_code(2);
    assert!(unknown.stderr.contains("nope"), "{}", unknown.stderr);
    assert_eq!(keys(&fixture).len(), 1);
}

#[test]
fn all_rotates_what_is_old_enough_and_goes_on_after_a_failure() {
    let fixture = fixture();
    let all = ["rotate", "--all", "--older-than", "90d", "--yes"];
    assert_eq!(fixture.hatbox(&all).run().ok().stderr, "hatbox: no access key is due\n");
    fixture.advance(91 * 24 * 3600);
    let asked = fixture.hatbox(&all[..4]).run().expect_code(4);
    assert!(asked.stderr.contains("cannot ask for confirmation: there is no terminal"), "{}", asked.stderr);
    let root = fixture.key("root");
    fixture
        .hatbox(&["add", "--env", "--no-add-config", "a-root"])
        .env("AWS_ACCESS_KEY_ID", &root.id)
        .env("AWS_SECRET_ACCESS_KEY", root.secret.expose())
        .run()
        .ok();
    let run = fixture.hatbox(&["rotate", "--all", "-n", "--yes", "--json"]).run().expect_code(1);
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed["failed"][0]["profile"], "a-root");
    assert_eq!(printed["rotated"][0]["profile"], "jan-work");
    assert!(run.stderr.contains("1 of 2 access keys were not rotated"), "{}", run.stderr);
    assert_eq!(fixture.hatbox(&all).run().ok().stderr, "hatbox: no access key is due\n");
    for (flags, error) in [
        (&["--older-than", "90d"][..], "--older-than requires --all"),
        (&["--yes", "jan-work"], "--yes requires --all"),
    ] {
        let refused = fixture.hatbox(&["rotate"]).args(flags).run().expect_code(2);
        assert!(refused.stderr.contains(error), "{}", refused.stderr);
    }
    for bad in
        [&["rotate", "--older-than", "90d", "jan-work"][..], &["rotate", "--all", "--older-than", "1w"]]
    {
        fixture.hatbox(bad).run().expect_code(2);
    }
}

#[test]
fn as_aws_vault_it_prints_what_aws_vault_prints() {
    let fixture = fixture();
    let old = fixture.key("jan-work").id.clone();
    let run = fixture.aws_vault(&["rotate", "-n", "jan-work"]).run().ok();
    let new = working_key(&fixture, "jan-work", "after");
    let shown = |id: &str| format!("****************{}", &id[id.len() - 4..]);
    assert_eq!(
        run.stdout,
        format!(
            "Rotating credentials stored for profile 'jan-work' using master credentials (takes 10-20 seconds)\n\
             Creating a new access key\nCreated new access key {}\nDeleting old access key {}\nDeleted old access key {}\n\
             Finished rotating access key\n",
            shown(&new),
            shown(&old),
            shown(&old)
        )
    );
    fixture.aws_vault(&["rotate", "nope"]).run().expect_code(1);
}
