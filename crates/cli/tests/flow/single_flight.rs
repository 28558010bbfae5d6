//! Many processes that need the same session: one prompt and one call; and what happens to the processes that wait.

use std::process::Child;

use hatbox_sandbox::control::{Fault, FaultKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::cast::PHONE;
use crate::fixture::{Fixture, PASSPHRASE};
use crate::run::{Outcome, Run, finish};
use crate::terminal::Terminal;

const CODE: &str = "MFA code for arn:aws:iam::111122223333:mfa/jan:";
const ROLES: [&str; 5] = ["admin", "reader", "deploy", "a", "b"];

/// Fifty profiles whose roles all start from jan's session with MFA.
fn config(mfa_process: Option<&str>) -> String {
    let process = mfa_process.map(|command| format!("mfa_process = {command}\n")).unwrap_or_default();
    let mut text = format!("[profile jan-work]\nmfa_serial = {PHONE}\n{process}");
    for number in 0..50 {
        let role = ROLES[number % ROLES.len()];
        text.push_str(&format!(
            "\n[profile p{number}]\nsource_profile = jan-work\nmfa_serial = {PHONE}\n\
             role_arn = arn:aws:iam::444455556666:role/{role}\nrole_session_name = p{number}\n"
        ));
    }
    text.push_str(
        "\n[profile plain]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/reader\n",
    );
    text
}

fn run_all(runs: impl Iterator<Item = Run>) -> Vec<Outcome> {
    let children: Vec<Child> = runs.map(|run| run.spawn()).collect();
    children.into_iter().map(|child| finish(child, "one of many")).collect()
}

fn count(fixture: &Fixture, action: &str) -> usize {
    fixture.log().iter().filter(|entry| entry.action == action).count()
}

/// Writes a program that records its call, waits, and prints a code. Returns a function that counts the calls.
fn write_phone(fixture: &Fixture, seconds: &str, code: &str) -> impl Fn() -> usize + use<> {
    let asked = fixture.path("home/asked");
    std::fs::write(&asked, "").unwrap();
    fixture.write_program("phone", &format!("echo x >>'{}'; sleep {seconds}; echo {code}", asked.display()));
    move || std::fs::read_to_string(&asked).unwrap().lines().count()
}

#[test]
fn fifty_cold_profiles_of_one_source_ask_once_and_get_one_session() {
    let fixture = Fixture::with_config(&config(Some("phone")));
    let asked = write_phone(&fixture, "0.5", &fixture.code(PHONE));
    let run = |n: usize| fixture.hatbox(&["exec", &format!("p{n}"), "--", "printenv", "AWS_VAULT"]);
    let outcomes = run_all((0..50).map(run));
    for (number, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(outcome.ok().stdout, format!("p{number}\n"));
    }
    assert_eq!((asked(), count(&fixture, "GetSessionToken")), (1, 1));
    assert_eq!(count(&fixture, "AssumeRole"), 50, "each has its own session name");
    for outcome in run_all((0..5).map(run)) {
        outcome.ok();
    }
    assert_eq!(fixture.log().len(), 51, "and the next time nothing is called");
}

#[test]
fn fifty_of_one_profile_make_one_call() {
    let fixture = Fixture::with_config(&config(None));
    fixture.client().add_fault(&Fault::once(FaultKind::DelayMillis(500))).unwrap();
    let key = ["exec", "plain", "--", "printenv", "AWS_ACCESS_KEY_ID"];
    let outcomes = run_all((0..50).map(|_| fixture.hatbox(&key)));
    let mut ids: Vec<_> = outcomes.into_iter().map(|outcome| outcome.ok().stdout).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "all have the same credentials");
    assert_eq!(count(&fixture, "AssumeRole"), 1);
}

#[test]
fn a_locked_store_is_unlocked_once_for_all() {
    let fixture = Fixture::with_config(&config(None));
    fixture.hatbox(&["lock"]).run().ok();
    let (asked, secret) = (fixture.path("home/asked"), fixture.path("home/secret"));
    std::fs::write(&secret, PASSPHRASE).unwrap();
    fixture.write_program("opener", &format!("echo x >>'{}'; cat '{}'", asked.display(), secret.display()));
    fixture.write_settings("backend = \"file\"\npassphrase_command = \"opener\"\n");
    let run = |_| fixture.hatbox(&["exec", "-n", "jan-work", "--", "true"]).without("HATBOX_FILE_PASSPHRASE");
    let outcomes = run_all((0..10).map(run));
    let has_keyring = !outcomes.iter().any(|outcome| outcome.stderr.contains("keyring"));
    for outcome in outcomes {
        outcome.ok();
    }
    if !has_keyring {
        eprintln!("skipped: the kernel keyring cannot be used here");
        return;
    }
    assert_eq!(std::fs::read_to_string(asked).unwrap().lines().count(), 1);
}

#[test]
fn those_who_wait_end_as_the_holder_does_when_the_code_is_refused() {
    let fixture = Fixture::with_config(&config(Some("phone")));
    let asked = write_phone(&fixture, "2", "000000");
    let run = |n: usize| fixture.hatbox(&["exec", &format!("p{n}"), "--", "true"]);
    let outcomes = run_all((0..10).map(run));
    for outcome in outcomes {
        let outcome = outcome.expect_code(125);
        let headline =
            "error: access denied: the key of `jan-work` got no session (sts:GetSessionToken, AccessDenied)";
        assert!(outcome.stderr.contains(headline), "{}", outcome.stderr);
    }
    assert_eq!((asked(), fixture.log().len()), (1, 1), "nobody asks again, nothing is sent again");
    // A later process asks again.
    let asked = write_phone(&fixture, "0", &fixture.code(PHONE));
    run(0).run().ok();
    assert_eq!(asked(), 1);
}

#[test]
fn those_who_wait_end_when_the_question_is_cancelled() {
    let fixture = Fixture::with_config(&config(None));
    let mut terminal = Terminal::start(&fixture.hatbox(&["exec", "p0", "--", "true"]));
    terminal.wait_for_prompt(CODE);
    let children: Vec<_> =
        (1..6).map(|n| fixture.hatbox(&["exec", &format!("p{n}"), "--", "true"]).spawn()).collect();
    for child in &children {
        wait_for_words(child);
    }
    terminal.type_keys("\x03");
    assert_eq!(terminal.wait().code(), Some(130));
    for child in children {
        let outcome = finish(child, "a waiter").expect_code(130);
        let pid = terminal.pid().as_raw_nonzero();
        let waiting = format!("hatbox: waiting for the MFA code of {PHONE} (process {pid} on /dev/pts/");
        assert!(outcome.stderr.starts_with(&waiting), "{}", outcome.stderr);
        let end = "hatbox: error: the MFA prompt was cancelled\n\
             hatbox: hint: another hatbox process waiting on the same session failed with this; run the command again\n";
        assert!(outcome.stderr.ends_with(end), "{}", outcome.stderr);
    }
    assert_eq!(fixture.log(), []);
}

/// Waits until a child has written to stderr, without reading it.
fn wait_for_words(child: &Child) {
    let limit = Timespec { tv_sec: 30, tv_nsec: 0 };
    let stderr = child.stderr.as_ref().unwrap();
    assert_eq!(poll(&mut [PollFd::new(stderr, PollFlags::IN)], Some(&limit)), Ok(1));
}

#[test]
fn a_waiter_can_be_interrupted() {
    let fixture = Fixture::with_config(&config(None));
    let holder = Terminal::start(&fixture.hatbox(&["exec", "p0", "--", "true"]));
    holder.wait_for_prompt(CODE);
    let mut waiter = Terminal::start_wide(&fixture.hatbox(&["exec", "p1", "--", "true"]), 200);
    waiter.wait_for("waiting for", 1);
    // The terminal turns it into a signal: this process shows no prompt, so the terminal is in its usual mode.
    waiter.type_keys("\x03");
    let status = waiter.wait();
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(signal, Some(Signal::INT.as_raw()), "{status}");
}

#[test]
fn a_question_is_taken_over_with_enter_and_the_other_one_ends_as_answered() {
    let fixture = Fixture::with_config(&config(None));
    let exec = |n: usize| fixture.hatbox(&["exec", &format!("p{n}"), "--", "echo", "in"]);
    let mut left = Terminal::start_wide(&exec(0), 200);
    left.wait_for_prompt(CODE);
    let mut right = Terminal::start_wide(&exec(1), 200);
    right.wait_for("press Enter alone to answer here instead", 1);
    // A code that is typed too early is not used as an answer, and hatbox says so.
    right.type_keys("123456\r");
    right.wait_for("your input was not used: press Enter alone", 1);
    right.type_keys("\r");
    right.wait_for_prompt(CODE);
    left.wait_for("answered on another terminal", 1);
    right.type_keys(&format!("{}\r", fixture.code(PHONE)));
    assert_eq!(right.wait().code(), Some(0), "{:?}", right.screen());
    assert_eq!(left.wait().code(), Some(0), "{:?}", left.screen());
    assert_eq!(left.screen().last().unwrap(), "in");
    assert!(left.has_modes_of_before() && right.has_modes_of_before());
    assert_eq!(count(&fixture, "GetSessionToken"), 1);
}

#[test]
fn a_suspended_holder_blocks_no_one_for_good() {
    let fixture = Fixture::with_config(&config(None));
    let exec = |n: usize| fixture.hatbox(&["exec", &format!("p{n}"), "--", "echo", "in"]);
    let mut suspended = Terminal::start_wide(&exec(0), 200);
    suspended.wait_for_prompt(CODE);
    suspended.signal(Signal::STOP);
    let mut other = Terminal::start_wide(&exec(1), 200);
    other.wait_for("was first and does not respond; going on without it", 1);
    other.wait_for_prompt(CODE);
    other.type_keys(&format!("{}\r", fixture.code(PHONE)));
    assert_eq!(other.wait().code(), Some(0), "{:?}", other.screen());
    // When it continues in the foreground, the work is already done.
    suspended.signal(Signal::CONT);
    assert_eq!(suspended.wait().code(), Some(0), "{:?}", suspended.screen());
    assert_eq!(count(&fixture, "GetSessionToken"), 1);
}

#[test]
fn a_holder_that_was_killed_blocks_no_one() {
    let fixture = Fixture::with_config(&config(None));
    let terminal = Terminal::start(&fixture.hatbox(&["exec", "p0", "--", "true"]));
    terminal.wait_for_prompt(CODE);
    terminal.signal(Signal::KILL);
    let code = fixture.code(PHONE);
    let run = fixture.hatbox(&["exec", "p1", "-t", &code, "--", "true"]).run().ok();
    assert!(!run.stderr.contains("waiting"), "{}", run.stderr);
}

#[test]
fn a_code_given_by_flag_is_not_spent_by_others() {
    let fixture = Fixture::with_config(&config(None));
    let code = fixture.code(PHONE);
    let run = |n: usize| fixture.hatbox(&["exec", &format!("p{n}"), "-t", &code, "--", "true"]);
    let outcomes = run_all((0..10).map(run));
    for outcome in outcomes {
        outcome.ok();
    }
    assert_eq!(count(&fixture, "GetSessionToken"), 1, "the code went out once");
}
