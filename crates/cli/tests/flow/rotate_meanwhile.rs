//! What happens to stored keys that change during a rotation.

use std::process::Child;

use hatbox_sandbox::control::FaultKind;
use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::Fixture;
use crate::rotate::{actions, add_twin, check_done, fail, fixture, keys, working_key};
use crate::run::{finish, wait_until};

#[test]
fn two_rotations_of_one_key_do_not_run_at_once() {
    let fixture = fixture();
    fail(&fixture, FaultKind::DelayMillis(2000), 1, "CreateAccessKey");
    let first = fixture.hatbox(&["rotate", "jan-work"]).spawn();
    wait_until("ListAccessKeys", || actions(&fixture, 0).contains(&"ListAccessKeys".to_owned()));
    let second = fixture.hatbox(&["rotate", "spoke"]).run().expect_code(3);
    assert!(second.stderr.contains("is being rotated by another hatbox (process "), "{}", second.stderr);
    finish(first, "the first").ok();
    assert_eq!(actions(&fixture, 0).iter().filter(|action| *action == "CreateAccessKey").count(), 1);
    check_done(&fixture, "after");
}

/// Suspends a rotation at CreateAccessKey.
fn suspend_rotation(fixture: &Fixture) -> Child {
    fail(fixture, FaultKind::DelayMillis(1500), 1, "CreateAccessKey");
    let rotate = fixture.hatbox(&["rotate", "jan-work"]).spawn();
    wait_until("ListAccessKeys", || actions(fixture, 0).contains(&"ListAccessKeys".to_owned()));
    kill_process(Pid::from_child(&rotate), Signal::STOP).unwrap();
    rotate
}

#[test]
fn while_a_key_is_rotated_no_stored_key_is_added_imported_or_removed() {
    let fixture = fixture();
    let plain = "[plain]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = \
                 wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n";
    std::fs::write(fixture.path("home/.aws/credentials"), plain).unwrap();
    let rotate = suspend_rotation(&fixture);
    for run in [
        add_twin(&fixture),
        fixture.add_run("jan-work", &["--no-add-config", "--force"]),
        fixture.hatbox(&["remove", "-f", "jan-work"]),
        fixture.hatbox(&["import", "credentials", "--keep", "--no-check"]),
        fixture.hatbox(&["rotate", "jan-work"]),
    ] {
        let refused = run.run().expect_code(3);
        let shown = format!(
            "the access key of `jan-work` is being rotated by another hatbox (process {})",
            rotate.id()
        );
        assert!(refused.stderr.contains(&shown), "{}", refused.stderr);
    }
    kill_process(Pid::from_child(&rotate), Signal::CONT).unwrap();
    finish(rotate, "rotate").ok();
    check_done(&fixture, "after");
}

#[test]
fn a_profile_that_got_the_old_key_before_a_rotation_goes_on_gets_the_new_one() {
    let check = |fixture: &Fixture, when: &str| {
        add_twin(fixture).run().ok();
        let run = fixture.hatbox(&["rotate", "jan-work"]).run().ok();
        assert!(run.stderr.contains("the same key was stored for `twin`: the new"), "{when}: {}", run.stderr);
        assert_eq!(working_key(fixture, "twin", when), working_key(fixture, "jan-work", when));
        check_done(fixture, when);
    };
    for action in ["UpdateAccessKey", "DeleteAccessKey"] {
        let fixture = fixture();
        fail(&fixture, FaultKind::AccessDenied("no".to_owned()), 1, action);
        fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(1);
        check(&fixture, action);
    }
    let fixture = fixture();
    let mut rotate = kill_at_verify(&fixture);
    rotate.wait().unwrap();
    check(&fixture, "created");
}

/// Kills a rotation after the new key was recorded and before it was stored.
fn kill_at_verify(fixture: &Fixture) -> Child {
    fail(fixture, FaultKind::DelayMillis(1500), 1, "CreateAccessKey");
    let mut rotate = fixture.hatbox(&["rotate", "jan-work"]).spawn();
    wait_until("ListAccessKeys", || actions(fixture, 0).contains(&"ListAccessKeys".to_owned()));
    fail(fixture, FaultKind::KeyNotKnownYet, 100, "GetCallerIdentity");
    wait_until("a second GetCallerIdentity", || {
        actions(fixture, 0).iter().filter(|action| *action == "GetCallerIdentity").count() >= 2
    });
    rotate.kill().unwrap();
    fixture.client().clear_faults().unwrap();
    rotate
}

/// As by another machine that uses the same store: its locks are separate.
#[test]
fn a_new_key_stays_on_record_where_the_old_one_was_removed_while_it_was_verified() {
    let fixture = fixture();
    let mut killed = kill_at_verify(&fixture);
    killed.wait().unwrap();
    fail(&fixture, FaultKind::DelayMillis(3000), 2, "GetCallerIdentity");
    let before = fixture.log().len();
    let rotate = fixture.hatbox(&["rotate", "jan-work"]).spawn();
    wait_until("GetCallerIdentity", || actions(&fixture, before).contains(&"GetCallerIdentity".to_owned()));
    kill_process(Pid::from_child(&rotate), Signal::STOP).unwrap();
    let records = fixture.path("home/.local/share/hatbox/rotations");
    // The other machine has no record of the rotation.
    let away = fixture.path("away");
    std::fs::rename(&records, &away).unwrap();
    let state = fixture.path("other-state");
    fixture.hatbox(&["remove", "-f", "jan-work"]).env("XDG_STATE_HOME", &state).run().ok();
    std::fs::rename(&away, &records).unwrap();
    kill_process(Pid::from_child(&rotate), Signal::CONT).unwrap();
    let stopped = finish(rotate, "rotate").expect_code(3);
    assert!(
        stopped.stderr.contains("was replaced or removed in the store during its rotation"),
        "{}",
        stopped.stderr
    );
    let status = fixture.hatbox(&["rotate", "--status", "--json"]).run().ok();
    assert!(status.stdout.contains("\"step\": \"created\""), "{}", status.stdout);
    assert_eq!(keys(&fixture).len(), 2);
    // When the old key is stored again, the rotation can be resumed.
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    fixture.hatbox(&["rotate", "jan-work"]).run().ok();
    check_done(&fixture, "after");
}

#[test]
fn a_key_that_was_added_during_a_rotation_is_not_replaced_by_the_rotation() {
    let fixture = fixture();
    fail(&fixture, FaultKind::AccessDenied("no".to_owned()), 1, "UpdateAccessKey");
    fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(1);
    // The old key is still active, and the user stores it again.
    fixture.add_run("jan-work", &["--no-add-config", "--force"]).run().ok();
    let run = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(3);
    assert!(run.stderr.contains("another access key was stored for `jan-work`"), "{}", run.stderr);
    assert!(run.stderr.contains("has two access keys already"), "{}", run.stderr);
    assert_eq!(working_key(&fixture, "jan-work", "after"), fixture.key("jan-work").id);
    // Removing the key removes its record too.
    let fixture = self::fixture();
    fail(&fixture, FaultKind::AccessDenied("no".to_owned()), 1, "UpdateAccessKey");
    fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(1);
    let removed = fixture.hatbox(&["remove", "-f", "jan-work"]).run().ok();
    assert!(removed.stderr.contains("its rotation was not finished"), "{}", removed.stderr);
    let status = fixture.hatbox(&["rotate", "--status"]).run().ok();
    assert_eq!(status.stdout, "No unfinished rotations.\n");
}

#[test]
fn a_store_gets_no_new_identity_while_a_rotation_is_under_way() {
    let fixture = fixture();
    fail(&fixture, FaultKind::AccessDenied("no".to_owned()), 1, "DeleteAccessKey");
    fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(1);
    let refused = fixture.hatbox(&["store", "rekey"]).run().expect_code(3);
    assert!(
        refused.stderr.contains("the rotation of the access key of `jan-work` is not finished"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("hatbox rotate jan-work"), "{}", refused.stderr);
    fixture.hatbox(&["rotate", "jan-work"]).run().ok();
    check_done(&fixture, "after");
    fixture.hatbox(&["store", "rekey"]).run().ok();
}
