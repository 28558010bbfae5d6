//! `each` and signals: Ctrl-C, Ctrl-Z, a terminal that closes, and the progress bar.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::exec_terminal::say_go;
use crate::fixture::Fixture;
use crate::prompts::assert_code;
use crate::run::{finish, wait_until};
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]

[profile a]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/a

[profile b]
include_profile = a

[profile c]
include_profile = a
";

/// Returns the process ids that commands wrote to the files of these profiles.
fn pids(fixture: &Fixture, profiles: &[&str]) -> Vec<i32> {
    let path = |profile: &str| fixture.path(&format!("home/pid-{profile}"));
    wait_until("commands run", || {
        profiles
            .iter()
            .all(|profile| fs::read_to_string(path(profile)).is_ok_and(|text| text.ends_with('\n')))
    });
    profiles
        .iter()
        .map(|profile| fs::read_to_string(path(profile)).unwrap().trim().parse().unwrap())
        .collect()
}

/// Returns the process state, such as `S` or `T`; `None` if the process has ended.
fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

fn has_proc() -> bool {
    let has_proc = Path::new("/proc/self/stat").exists();
    if !has_proc {
        eprintln!("skipped: there is no /proc here");
    }
    has_proc
}

const LOOP: &str = "echo $$ >\"$HOME/pid-$HATBOX\"; while :; do sleep 0.05; done";

#[test]
fn ctrl_c_ends_the_commands_in_order_and_starts_no_more() {
    let fixture = Fixture::with_config(CONFIG);
    let script = format!("trap 'echo cleaned; exit 5' INT; {LOOP}");
    let mut terminal = Terminal::start_wide(
        &fixture.hatbox(&["each", "-j2", "a", "b", "c", "--", "sh", "-c", &script]),
        120,
    );
    pids(&fixture, &["a", "b"]);
    terminal.type_keys("\x03");
    assert_code(terminal.wait(), 130, &terminal);
    let screen = terminal.screen().join("\n");
    for line in ["a | cleaned", "b | cleaned", "failed: a (exit code 5), b (exit code 5); not started: 1"] {
        assert!(screen.contains(line), "{screen}");
    }
    assert!(!fixture.path("home/pid-c").exists());
    assert!(terminal.has_modes_of_before());
}

#[test]
fn the_second_ctrl_c_kills_the_commands_with_all_that_they_started() {
    if !has_proc() {
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    let script = format!("trap '' INT; sh -c 'echo $$ >\"$HOME/pid-child-$HATBOX\"; exec sleep 60' & {LOOP}");
    let mut terminal =
        Terminal::start(&fixture.hatbox(&["each", "-j2", "a", "b", "--", "sh", "-c", &script]));
    let running = pids(&fixture, &["a", "b", "child-a", "child-b"]);
    terminal.type_keys("\x03");
    terminal.wait_for("Ctrl-C again kills them", 1);
    assert!(running.iter().all(|pid| state(*pid).is_some()));
    terminal.type_keys("\x03");
    assert_code(terminal.wait(), 130, &terminal);
    wait_until("all are gone", || running.iter().all(|pid| matches!(state(*pid), None | Some('Z'))));
}

#[test]
fn a_signal_to_hatbox_reaches_the_commands_and_is_its_exit_code() {
    let fixture = Fixture::with_config(CONFIG);
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let child = fixture.hatbox(&["each", "-j2", "a", "b", "--", "sh", "-c", LOOP]).spawn();
        pids(&fixture, &["a", "b"]);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let outcome = finish(child, "each").expect_code(code);
        let number = code - 128;
        let summary = format!("failed: a (signal {number}), b (signal {number})\n");
        assert!(outcome.stderr.ends_with(&summary), "{}", outcome.stderr);
        for name in ["a", "b"] {
            fs::remove_file(fixture.path(&format!("home/pid-{name}"))).unwrap();
        }
    }
}

#[test]
fn when_hatbox_is_killed_the_commands_end() {
    if !has_proc() || cfg!(not(target_os = "linux")) {
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    let child = fixture.hatbox(&["each", "-j2", "a", "b", "--", "sh", "-c", LOOP]).spawn();
    let running = pids(&fixture, &["a", "b"]);
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    finish(child, "each");
    wait_until("the commands are gone", || running.iter().all(|pid| matches!(state(*pid), None | Some('Z'))));
}

#[test]
fn ctrl_z_stops_the_commands_too_and_fg_continues_all() {
    if !has_proc() {
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    // Not a loop of short commands: one that is stopped between vfork and exec keeps its shell from stopping.
    let script =
        "mkfifo $HOME/go-$HATBOX; echo $$ >$HOME/pid-$HATBOX; read x <$HOME/go-$HATBOX; echo went on";
    let mut terminal = Terminal::start(&fixture.hatbox(&["each", "-j2", "a", "b", "--", "sh", "-c", script]));
    let running = pids(&fixture, &["a", "b"]);
    terminal.type_keys("\x1a");
    let own = terminal.pid().as_raw_nonzero().get();
    wait_until("all are stopped", || running.iter().chain([&own]).all(|pid| state(*pid) == Some('T')));
    let _kept = ["go-a", "go-b"].map(|name| say_go(&fixture.home().join(name)));
    terminal.signal(Signal::CONT);
    assert_code(terminal.wait(), 0, &terminal);
    let screen = terminal.screen().join("\n");
    assert!(screen.contains("a | went on") && screen.contains("b | went on"), "{screen}");
}

#[test]
fn on_a_terminal_a_bar_is_shown_below_the_lines_and_erased() {
    let fixture = Fixture::with_config(CONFIG);
    let script = "echo first; while [ ! -e \"$HOME/go-$HATBOX\" ]; do sleep 0.02; done; echo last";
    let mut terminal =
        Terminal::start(&fixture.hatbox(&["each", "-j2", "a", "b", "c", "--", "sh", "-c", script]));
    terminal.wait_for_prompt("[----------------] 0 of 3: a, b");
    fs::write(fixture.path("home/go-a"), "").unwrap();
    terminal.wait_for_prompt("[#####-----------] 1 of 3: b, c");
    let screen = terminal.screen();
    assert!(
        screen.contains(&"a | first".to_owned()) && screen.contains(&"a | last".to_owned()),
        "{screen:?}"
    );
    for profile in ["b", "c"] {
        fs::write(fixture.path(&format!("home/go-{profile}")), "").unwrap();
    }
    assert_code(terminal.wait(), 0, &terminal);
    let screen = terminal.screen();
    assert_eq!(screen.iter().filter(|line| line.ends_with(" | last")).count(), 3, "{screen:?}");
    assert!(!screen.iter().any(|line| line.contains('[')), "{screen:?}");
    let plain = fixture.hatbox(&["each", "a", "--", "true"]).env("TERM", "dumb");
    let mut terminal = Terminal::start(&plain);
    assert_code(terminal.wait(), 0, &terminal);
    assert_eq!(terminal.transcript(), "");
}
