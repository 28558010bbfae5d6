//! Prompts without an answer: cancelled, interrupted by a signal, timed out, or without a terminal.

use rustix::process::Signal;

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::prompts::{AGAIN, CODE, CONFIG, ID, NEW, OPENING, SECRET, asking, assert_code, locked};
use crate::run::Run;
use crate::terminal::Terminal;

/// Starts a command that prompts, and waits for the prompt.
pub(crate) fn ask(fixture: &Fixture, which: &str) -> Terminal {
    let (run, answers, question): (Run, &[(&str, &str)], &str) = match which {
        "new passphrase" => (fixture.add_run("jan-work", &[]).without("HATBOX_FILE_PASSPHRASE"), &[], NEW),
        "its repetition" => {
            let run = fixture.add_run("jan-work", &[]).without("HATBOX_FILE_PASSPHRASE");
            (run, &[(NEW, "long enough\r")], AGAIN)
        }
        "a short new passphrase" => {
            let run = fixture.add_run("jan-work", &[]).without("HATBOX_FILE_PASSPHRASE");
            (run, &[(NEW, "x\r")], "Use it anyway? (y|N) ")
        }
        "access key id" => (asking(fixture, &["add", "jan-work"]), &[], ID),
        "secret" => (asking(fixture, &["add", "jan-work"]), &[(ID, "AKIAIOSFODNN7EXAMPLE\r")], SECRET),
        "passphrase" => (asking(fixture, &["exec", "-n", "jan-work", "--", "true"]), &[], OPENING),
        "code" => (fixture.hatbox(&["exec", "guarded", "--", "true"]), &[], CODE),
        "overwrite" => (fixture.add_run("jan-work", &[]), &[], "`jan-work` already has the access key"),
        "removal" => (fixture.hatbox(&["remove", "jan-work"]), &[], "Delete the access key"),
        other => panic!("no question {other}"),
    };
    let terminal = Terminal::start(&run);
    for (earlier, answer) in answers {
        terminal.wait_for_prompt(earlier);
        terminal.type_keys(answer);
    }
    terminal.wait_for_prompt(question);
    assert!(!terminal.has_modes_of_before(), "a question changes the modes");
    terminal
}

fn fixture_for(which: &str) -> Fixture {
    match which {
        "new passphrase" | "its repetition" | "a short new passphrase" | "access key id" | "secret" => {
            Fixture::empty(&["jan-work"])
        }
        "passphrase" => locked(CONFIG),
        _ => Fixture::with_config(CONFIG),
    }
}

const QUESTIONS: [&str; 9] = [
    "new passphrase",
    "its repetition",
    "a short new passphrase",
    "access key id",
    "secret",
    "passphrase",
    "code",
    "overwrite",
    "removal",
];

#[test]
fn ctrl_c_and_ctrl_d_at_any_question_end_with_130_and_nothing_done() {
    for which in QUESTIONS {
        let fixture = fixture_for(which);
        for key in ["\x03", "\x04", "half\x03"] {
            let before = fixture.files();
            let mut terminal = ask(&fixture, which);
            terminal.type_keys(key);
            assert_code(terminal.wait(), 130, &terminal);
            assert!(terminal.has_modes_of_before(), "{which}: the modes");
            let screen = terminal.screen().join("\n");
            assert!(screen.contains("hatbox: error: "), "{which}: {screen}");
            assert!(screen.contains("cancelled"), "{which}: {screen}");
            let is_lock = |path: &std::path::PathBuf| path.to_string_lossy().ends_with("lock");
            let after: Vec<_> = fixture.files().into_iter().filter(|path| !is_lock(path)).collect();
            let before: Vec<_> = before.into_iter().filter(|path| !is_lock(path)).collect();
            assert_eq!(after, before, "{which}");
        }
    }
}

#[test]
fn a_signal_at_a_question_restores_the_terminal_first() {
    for which in ["new passphrase", "passphrase", "code", "removal"] {
        let fixture = fixture_for(which);
        for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
            let mut terminal = ask(&fixture, which);
            terminal.signal(signal);
            let status = terminal.wait();
            let number = std::os::unix::process::ExitStatusExt::signal(&status);
            assert_eq!(number, Some(signal.as_raw()), "{which}: a signal does its own work: {status}");
            assert!(terminal.has_modes_of_before(), "{which}: the modes after {signal:?}");
        }
    }
}

#[test]
fn without_a_terminal_the_way_out_is_named() {
    let fixture = locked(CONFIG);
    let outcome = asking(&fixture, &["export", "-n", "jan-work"]).run().expect_code(4);
    let expected = "hatbox: error: the file store is locked\n\
         \x20 caused by: the store is locked, and there is no way to ask for its passphrase\n\
         hatbox: hint: run it on a terminal, pass --passphrase-fd N, or set `passphrase_file` or `passphrase_command` in hatbox's settings\n";
    assert_eq!(outcome.stderr, expected);
    let exec = asking(&fixture, &["exec", "-n", "jan-work", "--", "true"]).run().expect_code(125);
    assert_eq!(exec.stderr, expected);
    asking(&fixture, &["remove", "-f", "jan-work"]).run().expect_code(4);
    let code = fixture.hatbox(&["export", "guarded"]).run().expect_code(4);
    assert_eq!(
        fixture.shown(&code.stderr),
        format!(
            "hatbox: using the STS endpoint SANDBOX (not AWS)\n\
             hatbox: error: an MFA code of {PHONE} is needed, and there is no terminal to ask on\n\
             hatbox: hint: run it once on a terminal: later commands use the cached session\n\
             hatbox: hint: or be asked in a window: set `prompt = \"pinentry\"` (or zenity, kdialog) in hatbox's settings\n\
             hatbox: hint: or give the code: --mfa-token CODE\n\
             hatbox: hint: or set `mfa_process` in the profile to a command that prints the code\n"
        )
    );
    assert_eq!(fixture.log(), [], "nothing was sent");
}

#[test]
fn a_question_without_an_answer_ends_by_itself() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.write_settings("backend = \"file\"\nprompt_timeout = \"1s\"\n");
    let mut terminal = ask(&fixture, "code");
    assert_code(terminal.wait(), 125, &terminal);
    let screen = fixture.shown(&terminal.screen().join("\n"));
    assert!(screen.ends_with("caused by: no answer within 1 s"), "{screen}");
    assert!(terminal.has_modes_of_before());
}
