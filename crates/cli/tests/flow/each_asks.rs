//! `each` asks once for what the profiles share, before any command runs.

use std::fs;

use crate::cast::{OTHER_PHONE, PHONE};
use crate::fixture::Fixture;
use crate::prompts::{CODE, assert_code};
use crate::terminal::Terminal;

/// Three roles of a user with one device, and two of another user with another device.
const CONFIG: &str = "\
[profile jan-work]
mfa_serial = arn:aws:iam::111122223333:mfa/jan

[profile a]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/a
mfa_serial = arn:aws:iam::111122223333:mfa/jan

[profile b]
include_profile = a
role_arn = arn:aws:iam::444455556666:role/b

[profile guarded]
include_profile = a
role_arn = arn:aws:iam::444455556666:role/guarded

[profile other]
mfa_serial = arn:aws:iam::111122223333:mfa/other-phone

[profile other-a]
source_profile = other
role_arn = arn:aws:iam::444455556666:role/a
mfa_serial = arn:aws:iam::111122223333:mfa/other-phone

[profile other-b]
include_profile = other-a
role_arn = arn:aws:iam::444455556666:role/b

[profile open]
source_profile = other
role_arn = arn:aws:iam::444455556666:role/reader
";

fn scene() -> Fixture {
    let fixture = Fixture::with_keys(&["jan-work", "other"]);
    fixture.write_config(CONFIG);
    fixture
}

fn calls(fixture: &Fixture, action: &str) -> usize {
    fixture.log().iter().filter(|entry| entry.action == action).count()
}

#[test]
fn one_code_serves_all_roles_of_a_user_and_is_asked_for_before_any_command() {
    let fixture = scene();
    let ran = fixture.path("home/ran");
    let run = fixture.hatbox(&[
        "each",
        "a",
        "b",
        "guarded",
        "other-*",
        "open",
        "--",
        "sh",
        "-c",
        "echo x >>$HOME/ran",
    ]);
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt(CODE);
    terminal.type_keys(&format!("{}\r", fixture.code(PHONE)));
    terminal.wait_for_prompt(&format!("MFA code for {OTHER_PHONE}:"));
    assert!(!ran.exists(), "not before all questions are answered, also where none is needed");
    terminal.type_keys(&format!("{}\r", fixture.code(OTHER_PHONE)));
    assert_code(terminal.wait(), 0, &terminal);
    assert_eq!(fs::read_to_string(ran).unwrap().lines().count(), 6);
    assert_eq!((calls(&fixture, "GetSessionToken"), calls(&fixture, "AssumeRole")), (2, 6));
    let again = fixture.hatbox(&["each", "a", "b", "guarded", "other-*", "open", "--", "true"]).run().ok();
    assert_eq!((again.stderr.as_str(), fixture.log().len()), ("", 8), "all is cached");
}

#[test]
fn a_question_that_is_cancelled_runs_nothing() {
    let fixture = scene();
    let run =
        fixture.hatbox(&["each", "open", "a", "b", "--", "touch", fixture.path("ran").to_str().unwrap()]);
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt(CODE);
    terminal.type_keys("\x03");
    assert_code(terminal.wait(), 130, &terminal);
    assert!(!fixture.path("ran").exists());
}

#[test]
fn what_fails_for_one_fails_for_all_that_share_it_and_is_not_tried_again() {
    let fixture = scene();
    let line = ["each", "-t", "000000", "a", "b", "guarded", "open", "--", "echo", "ran"];
    let outcome = fixture.hatbox(&line).run().expect_code(125);
    assert_eq!(outcome.stdout, "open    | ran\n");
    assert_eq!(calls(&fixture, "GetSessionToken"), 1);
    for label in ["b       | ", "guarded | "] {
        let error = format!("{label}hatbox: error: profile `a` failed with the same error: ");
        assert!(outcome.stderr.contains(&error), "{}", outcome.stderr);
    }
    // If the user cannot be asked, each group reports that once, and the other profiles run.
    let outcome =
        fixture.hatbox(&["each", "a", "b", "other-a", "open", "--", "echo", "ran"]).run().expect_code(125);
    assert_eq!(outcome.stdout, "open    | ran\n");
    let alone = "no terminal to ask on";
    assert_eq!(outcome.stderr.lines().filter(|line| line.contains(alone)).count(), 3, "{}", outcome.stderr);
}

#[test]
fn a_code_on_the_command_line_is_for_the_first_that_needs_one() {
    let fixture = scene();
    let code = fixture.code(PHONE);
    let outcome =
        fixture.hatbox(&["each", "open", "a", "b", "guarded", "-t", &code, "--", "true"]).run().ok();
    assert_eq!(calls(&fixture, "GetSessionToken"), 1, "{}", outcome.stderr);
    // New sessions are needed, but not one for each profile.
    fixture.advance(60);
    let code = fixture.code(PHONE);
    fixture.hatbox(&["each", "--fresh", "a", "b", "guarded", "-t", &code, "--", "true"]).run().ok();
    assert_eq!((calls(&fixture, "GetSessionToken"), calls(&fixture, "AssumeRole")), (2, 7));
}

#[test]
fn roles_that_need_a_code_each_are_named_and_all_are_asked_for_first() {
    let fixture = scene();
    let run =
        fixture.hatbox(&["each", "-d", "2h", "a", "b", "--", "touch", fixture.path("ran").to_str().unwrap()]);
    let mut terminal = Terminal::start_wide(&run, 300);
    terminal.wait_for_prompt(CODE);
    terminal.wait_for(&format!("2 MFA codes of {PHONE} are needed, one for each role"), 1);
    terminal.type_keys(&format!("{}\r", fixture.code(PHONE)));
    terminal.wait_for(CODE, 2);
    assert!(!fixture.path("ran").exists());
    terminal.type_keys("\x03");
    assert_code(terminal.wait(), 130, &terminal);
}

#[test]
fn without_a_store_one_code_is_enough_and_nothing_is_left() {
    let fixture = Fixture::empty(&["jan-work"]);
    fixture.write_config(CONFIG);
    let key = fixture.key("jan-work");
    let credentials = format!(
        "[jan-work]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        key.id,
        key.secret.expose()
    );
    fs::write(fixture.path("home/.aws/credentials"), credentials).unwrap();
    fs::create_dir(fixture.path("tmp")).unwrap();
    let code = fixture.code(PHONE);
    let run = fixture.hatbox(&["each", "a", "b", "guarded", "-t", &code, "--", "true"]);
    run.env("TMPDIR", fixture.path("tmp")).run().ok();
    assert_eq!((calls(&fixture, "GetSessionToken"), calls(&fixture, "AssumeRole")), (1, 3));
    assert_eq!(fs::read_dir(fixture.path("tmp")).unwrap().count(), 0);
    assert!(!fixture.path("home/.cache/hatbox/sessions").exists());
}

#[test]
fn a_locked_store_is_asked_for_once_and_never_by_a_dry_run() {
    let fixture = scene();
    fixture.hatbox(&["lock"]).run().ok();
    let locked = |words: &[&str]| fixture.hatbox(words).without("HATBOX_FILE_PASSPHRASE");
    let shown = locked(&["each", "--dry-run", "a", "open"]).run().ok();
    assert_eq!(shown.stdout, "a     444455556666  locked\nopen  444455556666  locked\n");
    let mut terminal = Terminal::start(&locked(&["each", "open", "other-a", "--dry-run"]));
    assert_code(terminal.wait(), 0, &terminal);
    assert!(!terminal.transcript().contains("Passphrase"));
    let outcome = locked(&["each", "open", "--", "true"]).run().expect_code(125);
    assert!(outcome.stderr.starts_with("hatbox: error: "), "{}", outcome.stderr);
}
