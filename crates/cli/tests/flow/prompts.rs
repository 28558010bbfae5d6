//! Prompts on a pseudo-terminal: what is asked, what stays on the screen, and how each prompt ends.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::cast::PHONE;
use crate::fixture::{Fixture, PASSPHRASE};
use crate::run::Run;
use crate::terminal::Terminal;
use crate::unanswered::ask;

pub(crate) const CONFIG: &str = "\
[profile jan-work]

[profile guarded]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/guarded
mfa_serial = arn:aws:iam::111122223333:mfa/jan
";
pub(crate) const NEW: &str = "New passphrase:";
pub(crate) const AGAIN: &str = "Repeat the passphrase:";
pub(crate) const OPENING: &str = "Passphrase of the hatbox store:";
pub(crate) const CODE: &str = "MFA code for arn:aws:iam::111122223333:mfa/jan:";
pub(crate) const ID: &str = "Access key id for `jan-work`:";
pub(crate) const SECRET: &str = "Secret access key (not shown):";
const SERIAL: &str = "MFA device (arn:aws:iam::ACCOUNT:mfa/NAME, Enter for none):";

/// Runs hatbox without the passphrase in a variable, so that it must ask.
pub(crate) fn asking(fixture: &Fixture, arguments: &[&str]) -> Run {
    fixture.hatbox(arguments).without("HATBOX_FILE_PASSPHRASE")
}

pub(crate) fn locked(config: &str) -> Fixture {
    let fixture = Fixture::with_config(config);
    fixture.hatbox(&["lock"]).run().ok();
    fixture
}

pub(crate) fn assert_code(status: ExitStatus, code: i32, terminal: &Terminal) {
    assert_eq!(status.code(), Some(code), "{}", terminal.screen().join("\n"));
}

#[test]
fn add_asks_for_everything_and_leaves_no_question_on_the_screen() {
    let fixture = Fixture::empty(&["jan-work"]);
    let key = fixture.key("jan-work");
    let mut terminal =
        Terminal::start(&asking(&fixture, &["add", "--no-check", "--region", "eu-west-1", "jan-work"]));
    terminal.wait_for_prompt(ID);
    terminal.type_keys("AKIA too short\r");
    terminal.wait_for(ID, 2);
    terminal.wait_for_prompt(ID);
    terminal.type_keys(&format!("{}\r", key.id));
    terminal.wait_for_prompt(SECRET);
    terminal.type_keys(&format!("{}\r", key.secret.expose()));
    terminal.wait_for_prompt(SERIAL);
    // The most common mistake: the user's ARN instead of the device's.
    terminal.type_keys("arn:aws:iam::111122223333:user/jan\r");
    terminal.wait_for(SERIAL, 2);
    terminal.wait_for_prompt(SERIAL);
    terminal.type_keys(&format!("{PHONE}\r"));
    terminal.wait_for_prompt(NEW);
    terminal.type_keys(&format!("{PASSPHRASE}\r"));
    terminal.wait_for_prompt(AGAIN);
    terminal.type_keys(&format!("{PASSPHRASE}\r"));
    assert_code(terminal.wait(), 0, &terminal);
    let screen = terminal.screen();
    for question in [ID, SECRET, SERIAL, NEW, AGAIN] {
        assert!(
            !screen.iter().any(|line| line.contains(question)),
            "{question} stays:\n{}",
            screen.join("\n")
        );
    }
    assert!(!screen.iter().any(|line| line.contains("the ARN of a user")), "a reason goes with its question");
    let transcript = terminal.transcript();
    assert!(transcript.contains("This is the ARN of a user: expected"), "{transcript}");
    assert!(!transcript.contains(key.secret.expose()) && !transcript.contains(PASSPHRASE), "never echoed");
    assert!(terminal.has_modes_of_before());
    let config = std::fs::read_to_string(fixture.config_path()).unwrap();
    assert_eq!(config, format!("[profile jan-work]\nregion=eu-west-1\nmfa_serial={PHONE}\n"));
    fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"]).run().ok();
}

#[test]
fn a_new_passphrase_is_asked_for_twice_until_both_agree_and_must_not_be_empty() {
    let fixture = Fixture::empty(&["jan-work"]);
    let mut terminal = Terminal::start(&fixture.add_run("jan-work", &[]).without("HATBOX_FILE_PASSPHRASE"));
    terminal.wait_for_prompt(NEW);
    terminal.type_keys("\r");
    terminal.wait_for("The passphrase cannot be empty.", 1);
    terminal.wait_for(NEW, 2);
    terminal.wait_for_prompt(NEW);
    terminal.type_keys("one of them\r");
    terminal.wait_for_prompt(AGAIN);
    terminal.type_keys("other\r");
    terminal.wait_for("The passphrases do not match.", 1);
    terminal.wait_for_prompt(NEW);
    // Backspace deletes a character, Ctrl-U the line; arrow keys do nothing.
    terminal.type_keys(&format!("wrong\x15{PASSPHRASE}xy\x7f\x08\x1b[D\x1b[A\r"));
    terminal.wait_for_prompt(AGAIN);
    terminal.type_keys(&format!("{PASSPHRASE}\r"));
    assert_code(terminal.wait(), 0, &terminal);
    fixture.hatbox(&["lock"]).run().ok();
    fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"]).run().ok();
}

#[test]
fn a_wrong_passphrase_may_be_corrected_twice() {
    let fixture = locked(CONFIG);
    let exec = asking(&fixture, &["exec", "-n", "jan-work", "--", "echo", "in"]);
    let mut terminal = Terminal::start_wide(&exec, 120);
    for attempt in 1..=3 {
        terminal.wait_for(OPENING, attempt);
        terminal.wait_for_prompt(OPENING);
        terminal.type_keys("wrong\r");
    }
    assert_code(terminal.wait(), 125, &terminal);
    let screen = terminal.screen().join("\n");
    assert!(
        screen.ends_with(
            "Wrong passphrase. Try again in 1 s.\n\
             Wrong passphrase. Try again in 2 s.\n\
             hatbox: error: the file store is locked\n\
             \x20 caused by: the passphrase is wrong\n\
             hatbox: hint: the passphrase is the one chosen when the store was created; it cannot be recovered"
        ),
        "{screen}"
    );
    assert!(!screen.contains(OPENING));

    let mut terminal = Terminal::start(&exec);
    terminal.wait_for_prompt(OPENING);
    terminal.type_keys("wrong\r");
    terminal.wait_for("Wrong passphrase.", 1);
    terminal.wait_for_prompt(OPENING);
    terminal.type_keys(&format!("{PASSPHRASE}\r"));
    assert_code(terminal.wait(), 0, &terminal);
    assert_eq!(terminal.screen(), ["Wrong passphrase. Try again in 1 s.", "in"]);
    // The store is unlocked: the next command does not ask.
    asking(&fixture, &["exec", "-n", "jan-work", "--", "true"]).run().ok();

    // The user can cancel without waiting.
    fixture.hatbox(&["lock"]).run().ok();
    let mut terminal = Terminal::start(&exec);
    terminal.wait_for_prompt(OPENING);
    terminal.type_keys("wrong\r");
    terminal.wait_for("Try again in 1 s.", 1);
    terminal.type_keys("\x03");
    let status = terminal.wait();
    assert!(status.signal() == Some(2) || status.code() == Some(130), "{status}");
}

#[test]
fn an_empty_passphrase_is_refused_at_opening_whatever_it_comes_from() {
    let fixture = locked(CONFIG);
    let mut terminal = Terminal::start(&asking(&fixture, &["export", "-n", "jan-work"]));
    terminal.wait_for_prompt(OPENING);
    terminal.type_keys("\r");
    assert_code(terminal.wait(), 2, &terminal);
    assert!(terminal.screen().join("\n").contains("is empty"));
    let variable = fixture.hatbox(&["export", "-n", "jan-work"]).env("HATBOX_FILE_PASSPHRASE", "").run();
    assert!(variable.expect_code(2).stderr.contains("the passphrase from HATBOX_FILE_PASSPHRASE is empty"));
}

#[test]
fn the_code_is_asked_for_on_the_terminal_whatever_the_streams_are() {
    let fixture = Fixture::with_config(CONFIG);
    let code = fixture.code(PHONE);
    let out = fixture.path("home/out");
    let script =
        format!("exec \"$0\" exec guarded -- sh -c 'echo $AWS_VAULT' >'{}' 2>&1 </dev/null", out.display());
    let shell = Run::new("/bin/sh", fixture.variables()).args(["-c", &script, env!("CARGO_BIN_EXE_hatbox")]);
    let mut terminal = Terminal::start_with_streams_elsewhere(&shell);
    terminal.wait_for_prompt(CODE);
    terminal.type_keys(&format!("{code}\r"));
    assert_code(terminal.wait(), 0, &terminal);
    assert_eq!(terminal.screen(), Vec::<String>::new(), "question and code are erased");
    assert!(terminal.transcript().contains(&code), "a code is shown while it is typed");
    let out = std::fs::read_to_string(out).unwrap();
    assert_eq!(fixture.shown(&out), "hatbox: using the STS endpoint SANDBOX (not AWS)\nguarded\n");
}

#[test]
fn a_wrong_code_is_asked_for_again_up_to_three_times() {
    let fixture = Fixture::with_config(CONFIG);
    let exec = fixture.hatbox(&["exec", "guarded", "--", "echo", "in"]);
    let mut terminal = Terminal::start(&exec);
    terminal.wait_for_prompt(CODE);
    // Input that cannot be a code does not count as an attempt.
    terminal.type_keys("12 45\r");
    for attempt in 2..=4 {
        terminal.wait_for(CODE, attempt);
        terminal.wait_for_prompt(CODE);
        terminal.type_keys(&format!("00000{attempt}\r"));
    }
    assert_code(terminal.wait(), 125, &terminal);
    let transcript = terminal.transcript();
    assert!(transcript.contains("An MFA code has six digits."), "{transcript}");
    assert_eq!(
        transcript.matches("AWS rejected the code: wait for the next one.").count(),
        2,
        "{transcript}"
    );
    let screen = fixture.shown(&terminal.screen().join("\n"));
    assert!(!screen.contains("wait for the next one"), "reasons are erased with their question: {screen}");
    assert!(screen.contains("each code works once"), "{screen}");
    assert_eq!(fixture.log().len(), 3);

    let code = fixture.code(PHONE);
    let mut terminal = Terminal::start(&fixture.hatbox(&["exec", "guarded", "--", "echo", "in"]));
    terminal.wait_for_prompt(CODE);
    terminal.type_keys("000000\r");
    terminal.wait_for(CODE, 2);
    terminal.wait_for_prompt(CODE);
    terminal.type_keys(&format!(" {code} \r"));
    assert_code(terminal.wait(), 0, &terminal);
    let screen = terminal.screen();
    assert_eq!(screen.last().unwrap(), "in");
    assert!(!screen.join("\n").contains(CODE) && !screen.join("\n").contains(&code));
}

#[test]
fn overwriting_and_removing_take_a_yes_and_nothing_else() {
    let fixture = Fixture::with_config(CONFIG);
    for (which, no) in [("overwrite", "n"), ("overwrite", ""), ("removal", "nein"), ("removal", "")] {
        let mut terminal = ask(&fixture, which);
        terminal.type_keys(&format!("{no}\r"));
        let code = terminal.wait().code();
        assert_eq!(code, Some(i32::from(which == "overwrite")), "{which} `{no}`");
        fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"]).run().ok();
    }
    for (which, yes) in [("overwrite", "y"), ("overwrite", "YES"), ("removal", "Yes")] {
        let mut terminal = ask(&fixture, which);
        terminal.type_keys(&format!("{yes}\r"));
        assert_code(terminal.wait(), 0, &terminal);
    }
    assert_eq!(fixture.hatbox(&["list", "--credentials"]).run().ok().stdout, "");
}

#[test]
fn a_question_is_erased_also_where_it_wraps_and_left_where_nothing_can_be_erased() {
    let fixture = Fixture::with_config(CONFIG);
    let mut narrow = Terminal::start_wide(&fixture.hatbox(&["exec", "guarded", "--", "echo", "in"]), 20);
    narrow.wait_for("mfa/jan: ", 1);
    let code = fixture.code(PHONE);
    narrow.type_keys(&format!("{code}\r"));
    assert_code(narrow.wait(), 0, &narrow);
    assert!(!narrow.screen().concat().contains("MFA code"), "{:?}", narrow.screen());

    let dumb = fixture.hatbox(&["exec", "--fresh", "guarded", "--", "echo", "in"]).env("TERM", "dumb");
    let mut terminal = Terminal::start(&dumb);
    terminal.wait_for_prompt(CODE);
    terminal.type_keys("\x03");
    assert_code(terminal.wait(), 130, &terminal);
    assert!(terminal.screen().iter().any(|line| line.starts_with(CODE)));
    assert!(!terminal.transcript().contains('\x1b'), "a dumb terminal gets no escapes");
}

#[test]
fn what_was_typed_before_a_question_does_not_answer_it() {
    let fixture = Fixture::with_config(CONFIG);
    let script = "sleep 0.5; exec \"$0\" remove jan-work";
    let shell = Run::new("/bin/sh", fixture.variables()).args(["-c", script, env!("CARGO_BIN_EXE_hatbox")]);
    let mut terminal = Terminal::start(&shell);
    terminal.type_keys("y\r");
    terminal.wait_for("Delete the access key", 1);
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.type_keys("\x03");
    assert_code(terminal.wait(), 130, &terminal);
}
