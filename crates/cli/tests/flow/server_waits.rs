//! A renewal that waits for AWS, for a program or for the user delays nothing else: no answer, no other profile, no
//! warning, and no signal.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;

use hatbox_sandbox::control::{Fault, FaultKind};
use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

use crate::cast::{OTHER_PHONE, PHONE};
use crate::fixture::Fixture;
use crate::run::{Run, finish, wait_until};
use crate::served::{Address, Served, server_directories};
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile guarded]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/deploy
mfa_serial = arn:aws:iam::111122223333:mfa/jan

[profile other]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/admin
mfa_serial = arn:aws:iam::111122223333:mfa/other-phone
";

const MINUTE: i64 = 60;

/// A profile `slow`, whose program gives credentials for an hour, and hangs when it is asked again.
struct Slow {
    fixture: Fixture,
}

impl Slow {
    fn new() -> Self {
        let fixture = Fixture::with_config(CONFIG);
        let end = (Timestamp::now() + SignedDuration::from_hours(1)).strftime("%Y-%m-%dT%H:%M:%SZ");
        let never = fixture.path("never");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &never,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let giver = fixture.write_program(
            "giver",
            &format!(
                "if [ -e '{once}' ]; then echo $$ >'{hangs}.part'; mv '{hangs}.part' '{hangs}'; read -r x <'{never}'; fi; \
                 touch '{once}'; printf '{{\"Version\": 1, \"AccessKeyId\": \"ASIAIOSFODNN7EXAMPLE\", \"SecretAccessKey\": \
                 \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\", \"SessionToken\": \"t\", \"Expiration\": \"{end}\"}}'",
                once = fixture.path("once").display(),
                hangs = fixture.path("hangs").display(),
                never = never.display(),
            ),
        );
        let slow = format!("[profile slow]\ncredential_process = {}\n", giver.display());
        fixture.write_config(&format!("{CONFIG}\n{slow}"));
        Self { fixture }
    }

    /// The process that hangs, once it does.
    fn wait_for_hang(&self) -> Pid {
        let hangs = self.fixture.path("hangs");
        wait_until("the program hangs", || hangs.exists());
        let text = std::fs::read_to_string(&hangs).unwrap();
        Pid::from_raw(text.trim().parse().unwrap()).unwrap()
    }
}

/// A running `hatbox serve`, whose clock can be moved.
struct Serve<'a> {
    fixture: &'a Fixture,
    child: Child,
    shown: Value,
}

fn serve(fixture: &Fixture, profiles: &[&str]) -> Run {
    let run = fixture.hatbox(&["serve", "--json"]).args(profiles);
    run.env("HATBOX_TEST_CLOCK_FILE", fixture.path("clock"))
}

fn move_clock(fixture: &Fixture, seconds: i64) {
    std::fs::write(fixture.path("clock"), seconds.to_string()).unwrap();
    fixture.client().set_clock_offset(seconds).unwrap();
}

impl<'a> Serve<'a> {
    fn start(fixture: &'a Fixture, profiles: &[&str]) -> Self {
        let mut child = serve(fixture, profiles).spawn();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.ends_with("\n}\n") {
            assert!(stdout.read_line(&mut text).unwrap() > 0, "{text}");
        }
        child.stdout = Some(stdout.into_inner());
        Self { fixture, child, shown: serde_json::from_str(&text).unwrap() }
    }

    fn address(&self, profile: &str) -> Address {
        address_of(&self.shown[profile])
    }

    /// Sends a signal, and returns what was printed to stderr. Nothing may be left behind.
    fn end(self, signal: Signal) -> String {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let outcome = finish(self.child, "serve");
        assert_eq!((outcome.code(), outcome.signal()), (Some(0), None), "{signal:?}: {}", outcome.stderr);
        assert_eq!(server_directories(self.fixture), [] as [std::path::PathBuf; 0], "{signal:?}");
        outcome.stderr
    }
}

fn address_of(shown: &Value) -> Address {
    let text = |name: &str| shown[name].as_str().unwrap().to_owned();
    Address::new(
        &text("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        Path::new(&text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")),
    )
}

#[test]
fn a_renewal_that_hangs_delays_no_answer_no_other_profile_and_no_warning() {
    let slow = Slow::new();
    let fixture = &slow.fixture;
    let serve = Serve::start(fixture, &["slow", "reader"]);
    let (hanging, reader) = (serve.address("slow"), serve.address("reader"));
    let (of_slow, of_reader) = (hanging.key_id(), reader.key_id());
    move_clock(fixture, 46 * MINUTE);
    assert_eq!(hanging.key_id(), of_slow, "the credentials that are still valid");
    let program = slow.wait_for_hang();
    assert_eq!(hanging.key_id(), of_slow);
    wait_until("the other profile", || reader.key_id() != of_reader);
    move_clock(fixture, 55 * MINUTE + 30);
    assert_eq!(hanging.key_id(), of_slow);
    move_clock(fixture, 61 * MINUTE);
    let (status, body) = hanging.get();
    assert_eq!((status, &body["Code"]), (503, &Value::from("NotReady")), "{body}");
    assert_eq!(reader.get().0, 200);
    assert!(test_kill_process(program).is_ok(), "all of this while the program hangs");
    let said = serve.end(Signal::TERM);
    assert!(said.contains("the credentials of `slow` have expired and could not be renewed"), "{said}");
    assert!(!said.contains("`reader`"), "{said}");
    wait_until("the end of the program", || test_kill_process(program).is_err());
}

#[test]
fn the_end_is_announced_while_the_renewal_hangs() {
    let slow = Slow::new();
    let served = Served::start(&slow.fixture, &["slow"]);
    served.move_clock(&slow.fixture, 46 * MINUTE);
    served.address.key_id();
    let program = slow.wait_for_hang();
    for (minutes, said) in [(51, "expire in 9m"), (56, "expire in 4m"), (59, "s and could not be renewed")] {
        served.move_clock(&slow.fixture, minutes * MINUTE + 30);
        // As after the machine slept: a request makes the server look at the clock at once.
        served.address.key_id();
        wait_until(said, || served.said().contains(said));
    }
    assert!(test_kill_process(program).is_ok());
    assert_eq!(served.address.get().0, 200);
    served.end();
    wait_until("the end of the program", || test_kill_process(program).is_err());
}

#[test]
fn a_signal_ends_serve_during_a_renewal_and_leaves_nothing() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let slow = Slow::new();
        let serve = Serve::start(&slow.fixture, &["slow"]);
        serve.address("slow").key_id();
        move_clock(&slow.fixture, 46 * MINUTE);
        serve.address("slow").key_id();
        let program = slow.wait_for_hang();
        serve.end(signal);
        wait_until("the end of the program", || test_kill_process(program).is_err());
    }
}

#[test]
fn a_signal_ends_serve_at_rest_and_leaves_nothing() {
    let fixture = Fixture::with_config(CONFIG);
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let serve = Serve::start(&fixture, &["reader"]);
        serve.address("reader").key_id();
        let said = serve.end(signal);
        assert!(!said.contains("warning"), "{said}");
    }
}

/// Programs started for a renewal must be able to end by a signal, although `serve` holds signals back.
#[test]
fn what_serve_starts_holds_no_signal_back() {
    let fixture = Fixture::with_config(CONFIG);
    let seen = fixture.path("seen");
    let end = (Timestamp::now() + SignedDuration::from_hours(1)).strftime("%Y-%m-%dT%H:%M:%SZ");
    // Not by a shell, which may clear the mask itself.
    let giver = fixture.write_program(
        "giver",
        &format!(
            "grep SigBlk /proc/self/status >>'{}'; printf '{{\"Version\": 1, \"AccessKeyId\": \"ASIAIOSFODNN7EXAMPLE\", \
             \"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\", \"SessionToken\": \"t\", \"Expiration\": \"{end}\"}}'",
            seen.display(),
        ),
    );
    fixture.write_config(&format!("[profile given]\ncredential_process = {}\n", giver.display()));
    let serve = Serve::start(&fixture, &["given"]);
    let masks = || std::fs::read_to_string(&seen).unwrap();
    let before = masks().lines().count();
    move_clock(&fixture, 46 * MINUTE);
    serve.address("given").key_id();
    wait_until("the renewal", || masks().lines().count() > before);
    let masks = masks();
    assert!(masks.lines().all(|line| Some(line) == masks.lines().next()), "{masks}");
    serve.end(Signal::TERM);
}

/// Waits until the address was printed on a wide terminal, and returns it.
fn address_on(terminal: &Terminal, profile: &str) -> Address {
    terminal.wait_for("serving credentials", 1);
    let text = terminal.transcript();
    let start = text.find("{\r\n").unwrap();
    let end = text.rfind("\n}").unwrap() + 2;
    let shown: Value = serde_json::from_str(&text[start..end]).unwrap();
    address_of(&shown[profile])
}

#[test]
fn serve_asks_on_its_terminal_one_question_at_a_time() {
    let fixture = Fixture::with_config(CONFIG);
    let mut terminal = Terminal::start_wide(&serve(&fixture, &["guarded", "other", "reader"]), 300);
    for device in [PHONE, OTHER_PHONE] {
        terminal.wait_for_prompt(&format!("MFA code for {device}:"));
        terminal.type_keys(&format!("{}\n", fixture.client().code(device).unwrap().code));
    }
    let (guarded, other) = (address_on(&terminal, "guarded"), address_on(&terminal, "other"));
    let reader = address_on(&terminal, "reader");
    let before = [guarded.key_id(), other.key_id(), reader.key_id()];
    move_clock(&fixture, 46 * MINUTE);
    reader.key_id();
    wait_until("the profile without a question", || reader.key_id() != before[2]);
    let mut asked = Vec::new();
    for _ in 0..2 {
        terminal.wait_for_prompt("MFA code for ");
        let line = terminal.screen().pop().unwrap();
        let device = if line.contains(PHONE) { PHONE } else { OTHER_PHONE };
        assert!(!asked.contains(&device), "{line}");
        terminal.type_keys(&format!("{}\n", fixture.client().code(device).unwrap().code));
        let (address, first) = if device == PHONE { (&guarded, &before[0]) } else { (&other, &before[1]) };
        wait_until(device, || address.key_id() != *first);
        asked.push(device);
    }
    terminal.signal(Signal::INT);
    assert_eq!(terminal.wait().code(), Some(0));
    let screen = terminal.screen().join("\n");
    assert!(!screen.contains("MFA code") && !screen.contains("waiting for"), "{screen}");
}

#[test]
fn a_signal_during_a_question_of_serve_removes_it_and_leaves_nothing() {
    let fixture = Fixture::with_config(CONFIG);
    let mut terminal = Terminal::start_wide(&serve(&fixture, &["guarded"]), 300);
    let prompt = format!("MFA code for {PHONE}:");
    terminal.wait_for_prompt(&prompt);
    terminal.type_keys(&format!("{}\n", fixture.client().code(PHONE).unwrap().code));
    address_on(&terminal, "guarded").key_id();
    move_clock(&fixture, 46 * MINUTE);
    address_on(&terminal, "guarded").key_id();
    terminal.wait_for_prompt(&prompt);
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.wait().code(), Some(0));
    assert!(terminal.has_modes_of_before());
    assert!(!terminal.screen().join("\n").contains("MFA code"), "{:?}", terminal.screen());
    assert_eq!(server_directories(&fixture), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_server_whose_command_never_started_ends_and_gives_the_terminal_back() {
    let fixture = Fixture::with_config(CONFIG);
    // The terminal stays with its shell.
    let script = "\"$0\" \"$@\" & echo pid=$!.; wait $!; echo ended; read -r line; echo got=$line";
    let run = fixture.hatbox(&["exec", "--server", "guarded", "--", "true"]).under("sh", &["-c", script]);
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt(&format!("MFA code for {PHONE}:"));
    let text = terminal.transcript();
    let pid = text.split_once("pid=").unwrap().1.split_once('.').unwrap().0.parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    terminal.wait_for("ended", 1);
    wait_until("the modes of before", || terminal.has_modes_of_before());
    terminal.type_keys("mine\n");
    terminal.wait_for("got=mine", 1);
    terminal.wait();
    assert_eq!(server_directories(&fixture), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_slow_renewal_draws_nothing_on_the_terminal_of_the_command() {
    let fixture = Fixture::with_config(CONFIG);
    let clock = fixture.path("clock");
    let script =
        "echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE\"; read -r x";
    let run = fixture
        .hatbox(&["exec", "--server", "reader", "--", "sh", "-c", script])
        .env("HATBOX_TEST_CLOCK_FILE", &clock);
    let mut terminal = Terminal::start_wide(&run, 300);
    terminal.wait_for(".token", 1);
    let text = terminal.transcript();
    let line = text.lines().find(|line| line.starts_with("http://")).unwrap();
    let (uri, token) = line.trim_end().split_once(' ').unwrap();
    let address = Address::new(uri, Path::new(token));
    let first = address.key_id();
    let fault =
        Fault { kind: FaultKind::DelayMillis(700), times: None, action: Some("AssumeRole".to_owned()) };
    fixture.client().add_fault(&fault).unwrap();
    std::fs::write(&clock, (46 * MINUTE).to_string()).unwrap();
    fixture.client().set_clock_offset(46 * MINUTE).unwrap();
    wait_until("renewed credentials", || address.key_id() != first);
    terminal.type_keys("\n");
    assert_eq!(terminal.wait().code(), Some(0));
    let transcript = terminal.transcript();
    assert!(!transcript.contains("waiting for"), "{transcript}");
}
