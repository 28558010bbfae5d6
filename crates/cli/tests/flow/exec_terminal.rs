//! A command of `exec` on a terminal: signals, job control and resizing work as without hatbox, and the shell sees the
//! same exit status.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use crate::exec::CONFIG;
use crate::fixture::Fixture;
use crate::run::{Run, wait_until};
use crate::served::{Address, server_directories};
use crate::terminal::Terminal;

const HATBOX: &str = env!("CARGO_BIN_EXE_hatbox");

fn exec(fixture: &Fixture, script: &str) -> Run {
    fixture.hatbox(&["exec", "-n", "jan-work", "--", "sh", "-c", script])
}

/// Writes a line into a named pipe, which keeps it until the result is dropped, even without a reader.
pub(crate) fn say_go(pipe: &Path) -> File {
    let mut pipe = File::options().read(true).write(true).open(pipe).unwrap();
    pipe.write_all(b"go\n").unwrap();
    pipe
}

/// An interactive shell in which `$H` is hatbox, without start-up files.
fn shell(fixture: &Fixture) -> Run {
    Run::new("bash", fixture.variables())
        .args(["--norc", "--noprofile", "--noediting", "-i"])
        .env("PS1", "ready> ")
        .env("H", HATBOX)
}

#[test]
fn ctrl_c_reaches_the_command_once_and_nothing_else_is_there_to_get_it() {
    let fixture = Fixture::with_config(CONFIG);
    let script = "trap 'n=$((n+1)); echo interrupted $n' INT; echo up $$; \
                  while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; echo after $n; exit 7";
    let mut terminal = Terminal::start(&exec(&fixture, script));
    terminal.wait_for(&format!("up {}", terminal.pid().as_raw_nonzero()), 1);
    terminal.type_keys("\x03");
    terminal.wait_for("interrupted 1", 1);
    std::fs::write(fixture.path("home/go"), "").unwrap();
    assert_eq!(terminal.wait().code(), Some(7), "{:?}", terminal.screen());
    terminal.wait_for("after 1", 1);
    let mut plain = Terminal::start(&exec(&fixture, "echo up; exec sleep 60"));
    plain.wait_for("up", 1);
    plain.type_keys("\x03");
    assert_eq!(plain.wait().signal(), Some(libc::SIGINT));
}

/// The server is not in a process group of the terminal.
#[test]
fn ctrl_c_reaches_the_command_beside_a_server_and_the_server_goes_on() {
    let fixture = Fixture::with_config(CONFIG);
    let script = "trap 'n=$((n+1)); echo interrupted $n' INT; env -0 >\"$HOME/env\"; echo up $$; \
                  while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; echo after $n; exit 7";
    let run = fixture.hatbox(&["exec", "--server", "reader", "--", "sh", "-c", script]);
    let mut terminal = Terminal::start(&run);
    terminal.wait_for(&format!("up {}", terminal.pid().as_raw_nonzero()), 1);
    let text = std::fs::read_to_string(fixture.path("home/env")).unwrap();
    let variable = |name: &str| {
        let pairs = text.split_terminator('\0').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(found, _)| *found == name).unwrap().1.to_owned()
    };
    let server = Address::new(
        &variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        Path::new(&variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")),
    );
    let id = server.key_id();
    terminal.type_keys("\x03");
    terminal.wait_for("interrupted 1", 1);
    assert_eq!(server.key_id(), id);
    std::fs::write(fixture.path("home/go"), "").unwrap();
    assert_eq!(terminal.wait().code(), Some(7), "{:?}", terminal.screen());
    assert!(terminal.transcript().contains("after 1"));
    wait_until("the server's end", || server_directories(&fixture).is_empty());
}

#[test]
fn the_command_sees_the_terminals_size_and_each_change_of_it() {
    let fixture = Fixture::with_config(CONFIG);
    let script = "trap 'echo now $(stty size)' WINCH; echo first $(stty size); \
                  while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done";
    let mut terminal = Terminal::start_wide(&exec(&fixture, script), 100);
    terminal.wait_for("first 40 100", 1);
    terminal.resize(90, 30);
    terminal.wait_for("now 30 90", 1);
    std::fs::write(fixture.path("home/go"), "").unwrap();
    assert!(terminal.wait().success());
}

/// Ctrl-Z, `bg` and `fg` work as with the command itself, also with a server and in `each`.
#[test]
fn a_shell_stops_and_continues_what_hatbox_runs() {
    let fixture = Fixture::with_config(CONFIG);
    // Not a loop of short commands: one that is stopped between vfork and exec keeps its shell from stopping.
    let script = "mkfifo \\$HOME/go; echo up; read x <\\$HOME/go; echo done, with \\$HATBOX";
    for (verb, profile, goes_on) in [
        ("exec -n", "jan-work", "fg"),
        ("exec -n", "jan-work", "bg"),
        ("exec --server", "reader", "fg"),
        ("each -n", "jan-work", "fg"),
    ] {
        let go = fixture.path("home/go");
        let mut terminal = Terminal::start(&shell(&fixture));
        terminal.wait_for_prompt("ready>");
        terminal.type_keys(&format!("$H {verb} {profile} -- sh -c \"{script}\"\r"));
        terminal.wait_for("up\r\n", 1);
        terminal.type_keys("\x1a");
        terminal.wait_for("Stopped", 1);
        terminal.type_keys("echo shell is $((40 + 2))\r");
        terminal.wait_for("shell is 42", 1);
        let _kept = say_go(&go);
        let done = format!("done, with {profile}");
        assert!(!terminal.transcript().contains(&done), "{verb} went on while it was stopped");
        terminal.type_keys(&format!("{goes_on}\r"));
        terminal.wait_for(&done, 1);
        terminal.type_keys("wait; echo waited $((40 + 2))\r");
        terminal.wait_for("waited 42", 1);
        terminal.wait_for_prompt("ready>");
        terminal.type_keys("exit\r");
        assert!(terminal.wait().success(), "{:?}", terminal.screen());
        assert!(terminal.has_modes_of_before(), "{verb}");
        std::fs::remove_file(&go).unwrap();
    }
}

#[test]
fn a_shell_sees_the_end_of_the_command_as_without_hatbox() {
    let fixture = Fixture::with_config(CONFIG);
    std::fs::write(fixture.path("bin/plain-text"), "x").unwrap();
    for (command, code) in [
        ("sh -c 'exit 7'", 7),
        ("sh -c 'kill -TERM $$'", 143),
        ("sh -c 'kill -INT $$'", 130),
        ("sh -c 'kill -QUIT $$'", 131),
        ("sh -c 'kill -KILL $$'", 137),
        ("no-such-command", 127),
        ("plain-text", 126),
    ] {
        let line = format!("\"$H\" exec -n jan-work -- {command}; echo code $?");
        let run = Run::new("sh", fixture.variables()).args(["-c", &line]).env("H", HATBOX);
        assert!(run.run().ok().stdout.ends_with(&format!("code {code}\n")), "{command}");
        let line = format!("\"$H\" each -n jan-work -- {command}; echo code $?");
        let run = Run::new("sh", fixture.variables()).args(["-c", &line]).env("H", HATBOX);
        assert!(run.run().ok().stdout.ends_with(&format!("code {code}\n")), "each: {command}");
    }
    // hatbox failed before it ran the command: exit code 125, rather than its own codes.
    for verb in ["exec", "exec --server", "each"] {
        let line = format!("\"$H\" {verb} none -- true; echo code $?");
        let run = Run::new("sh", fixture.variables()).args(["-c", &line]).env("H", HATBOX);
        assert_eq!(run.run().ok().stdout, "code 125\n", "{verb}");
    }
}
