//! Interrupted rotations: lost answers, failed calls, kills and a full disk.

use hatbox_sandbox::control::FaultKind;
use hatbox_sandbox::world::Key;

use crate::fixture::{Fixture, masked};
use crate::rotate::{actions, answer, check_done, fail, fixture, keys, working_key};
use crate::run::{Outcome, finish, wait_until};
use crate::strace::{Injected, inject_at_each_write, is_strace_there};

#[test]
fn a_key_whose_answer_was_lost_is_found_and_deleted_also_when_the_clock_is_wrong() {
    for offset in ["0", "600", "-600"] {
        let fixture = fixture();
        fail(&fixture, FaultKind::DropAnswer, 1, "CreateAccessKey");
        let run = fixture.hatbox(&["rotate", "jan-work"]).env("HATBOX_TEST_CLOCK_OFFSET", offset).run().ok();
        assert!(run.stderr.contains("no response to CreateAccessKey"), "{}", run.stderr);
        assert!(run.stderr.contains("it was created, and its secret did not arrive"), "{}", run.stderr);
        check_done(&fixture, offset);
    }
}

/// Interrupts a rotation: the answer to CreateAccessKey is lost, and looking for the key fails. Returns that key.
fn lose_key(fixture: &Fixture) -> Key {
    // The first list is from before the key; the second would contain it.
    fail(fixture, FaultKind::DropAnswer, 1, "CreateAccessKey");
    fail(fixture, FaultKind::DropConnection, 3, "GetAccessKeyLastUsed");
    let lost = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(1);
    assert!(lost.stderr.contains("to go on: hatbox rotate jan-work"), "{}", lost.stderr);
    assert_eq!(keys(fixture).len(), 2);
    let stored = working_key(fixture, "jan-work", "in between");
    keys(fixture).into_iter().find(|key| key.id != stored).unwrap()
}

#[test]
fn a_key_that_an_earlier_rotation_may_have_created_is_deleted_only_after_a_yes() {
    let fixture = fixture();
    let lost = lose_key(&fixture);
    // As far as AWS shows, the user may have created the key as well.
    for _ in 0..2 {
        let asked = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(4);
        assert!(
            asked.stderr.contains(&format!("has the active access key {} (created ", masked(&lost.id))),
            "{}",
            asked.stderr
        );
        assert!(
            asked.stderr.contains("cannot ask for confirmation: there is no terminal"),
            "{}",
            asked.stderr
        );
        assert!(keys(&fixture).iter().any(|key| key.id == lost.id));
        fail(&fixture, FaultKind::AccessDenied("no".to_owned()), 1, "GetAccessKeyLastUsed");
    }
    answer(&fixture, "no\r", 130);
    assert!(keys(&fixture).iter().any(|key| key.id == lost.id));
    answer(&fixture, "yes\r", 0);
    check_done(&fixture, "after");
}

#[test]
fn a_key_that_was_created_by_hand_and_stored_is_not_taken_for_a_lost_one() {
    let fixture = fixture();
    let other = lose_key(&fixture);
    let add = fixture
        .hatbox(&["add", "--env", "--no-add-config", "other"])
        .env("AWS_ACCESS_KEY_ID", &other.id)
        .env("AWS_SECRET_ACCESS_KEY", other.secret.expose());
    add.run().ok();
    let run = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(3);
    assert!(run.stderr.contains("stored for profile `other`"), "{}", run.stderr);
    assert_eq!(working_key(&fixture, "other", "after"), other.id);
    working_key(&fixture, "jan-work", "after");
    let status = fixture.hatbox(&["rotate", "--status"]).run().ok();
    assert_eq!(status.stdout, "No unfinished rotations.\n");
}

#[test]
fn a_lost_key_is_not_deleted_where_aws_does_not_say_whether_it_was_used() {
    let fixture = fixture();
    fail(&fixture, FaultKind::DropAnswer, 1, "CreateAccessKey");
    fail(&fixture, FaultKind::AccessDenied("no".to_owned()), 1, "GetAccessKeyLastUsed");
    let asked = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(4);
    assert!(asked.stderr.contains("which the rotation may have created"), "{}", asked.stderr);
    assert_eq!(keys(&fixture).len(), 2);
    answer(&fixture, "yes\r", 0);
    check_done(&fixture, "after");
}

#[test]
fn a_request_that_did_not_arrive_is_sent_again_three_times() {
    let fixture = fixture();
    fail(&fixture, FaultKind::DropConnection, 2, "CreateAccessKey");
    fixture.hatbox(&["rotate", "jan-work"]).run().ok();
    check_done(&fixture, "the third arrived");
    fail(&fixture, FaultKind::DropConnection, 3, "CreateAccessKey");
    let run = fixture.hatbox(&["rotate", "jan-work"]).run().expect_code(1);
    assert!(run.stderr.contains("when the network works again: hatbox rotate jan-work"), "{}", run.stderr);
    fixture.hatbox(&["rotate", "jan-work"]).run().ok();
    check_done(&fixture, "after");
}

#[test]
fn a_new_key_that_is_not_known_everywhere_yet_is_waited_for() {
    let fixture = fixture();
    fail(&fixture, FaultKind::KeyNotKnownYet, 2, "UpdateAccessKey");
    fail(&fixture, FaultKind::DelayMillis(1500), 1, "CreateAccessKey");
    let rotate = fixture.hatbox(&["rotate", "jan-work"]).spawn();
    // GetCallerIdentity has been called with the old key; the next call uses the new one.
    wait_until("ListAccessKeys", || actions(&fixture, 0).contains(&"ListAccessKeys".to_owned()));
    fail(&fixture, FaultKind::KeyNotKnownYet, 2, "GetCallerIdentity");
    finish(rotate, "rotate").ok();
    let count = |action: &str| actions(&fixture, 0).iter().filter(|made| *made == action).count();
    assert_eq!((count("GetCallerIdentity"), count("UpdateAccessKey")), (4, 3));
    check_done(&fixture, "after");
}

#[test]
fn a_new_key_that_cannot_be_stored_is_kept_until_it_can() {
    let fixture = fixture();
    fail(&fixture, FaultKind::DelayMillis(1500), 1, "CreateAccessKey");
    let rotate = fixture.hatbox(&["rotate", "jan-work"]).spawn();
    wait_until("ListAccessKeys", || actions(&fixture, 0).contains(&"ListAccessKeys".to_owned()));
    let (store, away) = (fixture.store(), fixture.path("away"));
    std::fs::rename(&store, &away).unwrap();
    let failed = finish(rotate, "rotate");
    assert_ne!(failed.code(), Some(0), "{}", failed.stderr);
    assert!(failed.stderr.contains("nothing is lost: the old key works"), "{}", failed.stderr);
    assert_eq!(keys(&fixture).len(), 2);
    std::fs::rename(&away, &store).unwrap();
    let again = check_interrupted(&fixture, "the store is back");
    assert!(again.stderr.contains("going on with the rotation begun at"), "{}", again.stderr);
    assert_eq!(actions(&fixture, 0).iter().filter(|action| *action == "CreateAccessKey").count(), 1);
}

/// Checks an interrupted rotation: the stored key works, and the next run completes it.
fn check_interrupted(fixture: &Fixture, when: &str) -> Outcome {
    working_key(fixture, "jan-work", when);
    let again = fixture.hatbox(&["rotate", "jan-work"]).run();
    if again.code() == Some(4) {
        // It was killed after CreateAccessKey, before the answer was recorded.
        assert!(again.stderr.contains("which the rotation may have created"), "{when}: {}", again.stderr);
        answer(fixture, "yes\r", 0);
    } else {
        assert_eq!(again.code(), Some(0), "{when}: {}", again.stderr);
    }
    let there: Vec<_> = keys(fixture).into_iter().map(|key| key.id).collect();
    assert_eq!(there, [working_key(fixture, "jan-work", when)], "{when}");
    again
}

#[test]
fn a_rotation_killed_at_any_write_leaves_a_key_that_works_and_goes_on() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let rotate = fixture.hatbox(&["rotate", "-n", "jan-work"]);
    let resumed = std::cell::Cell::new(0);
    let count = inject_at_each_write(&fixture, &rotate, Injected::Kill, |when| {
        let again = check_interrupted(&fixture, when);
        resumed.set(resumed.get() + usize::from(again.stderr.contains("going on with the rotation")));
    });
    assert!(count >= 39, "only {count} points");
    assert!(resumed.get() >= 10, "only {} were resumed", resumed.get());
}

#[test]
fn a_rotation_that_meets_a_full_disk_at_any_write_loses_no_key() {
    if !is_strace_there() {
        return;
    }
    let fixture = fixture();
    let rotate = fixture.hatbox(&["rotate", "-n", "jan-work"]);
    let count = inject_at_each_write(&fixture, &rotate, Injected::Error("ENOSPC"), |when| {
        check_interrupted(&fixture, when);
    });
    assert!(count >= 30, "only {count} points");
}
