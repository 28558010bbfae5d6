//! Programs that prompt on the terminal themselves: they own it while they run, and hatbox gets it back.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::{Fixture, PASSPHRASE};
use crate::run::{Run, finish};
use crate::terminal::Terminal;

/// Reads from the terminal like a program started by hand, which only works in the foreground.
const ASKS: &str = "stty -echo </dev/tty; printf 'opener: ' >/dev/tty; IFS= read -r text </dev/tty; \
                    stty echo </dev/tty; printf '%s' \"$text\"";

fn locked() -> (Fixture, Run) {
    let fixture = Fixture::with_config("[profile jan-work]\n");
    fixture.hatbox(&["lock"]).run().ok();
    fixture.write_program("opener", ASKS);
    fixture.write_settings("passphrase_command = \"opener\"\n");
    let run =
        fixture.hatbox(&["exec", "-n", "jan-work", "--", "sh", "-c", "read x </dev/tty; echo \"got $x\""]);
    let run = run.without("HATBOX_FILE_PASSPHRASE");
    (fixture, run)
}

#[test]
fn a_helper_asks_at_the_terminal_and_the_child_reads_from_it_afterwards() {
    let (_fixture, run) = locked();
    let mut terminal = Terminal::start(&run);
    terminal.wait_for("opener: ", 1);
    terminal.type_keys(&format!("{PASSPHRASE}\n"));
    terminal.type_keys("keys\n");
    terminal.wait_for("got keys", 1);
    assert!(terminal.wait().success());
    assert!(terminal.has_modes_of_before());
}

#[test]
fn ctrl_c_ends_a_helper_and_hatbox_with_it() {
    let (_fixture, run) = locked();
    let mut terminal = Terminal::start(&run);
    terminal.wait_for("opener: ", 1);
    terminal.type_keys("\x03");
    assert_eq!(terminal.wait().signal(), Some(libc::SIGINT));
}

#[test]
fn ctrl_z_leaves_no_helper_stopped_for_good() {
    let (_fixture, run) = locked();
    let mut terminal = Terminal::start(&run);
    terminal.wait_for("opener: ", 1);
    terminal.type_keys("\x1a");
    terminal.type_keys(&format!("{PASSPHRASE}\nkeys\n"));
    terminal.wait_for("got keys", 1);
    assert!(terminal.wait().success());
}

/// Starts a child process and waits; both write down their process ids.
const WAITS: &str = "sleep 300 & echo $! >>\"$HOME/pids\"; echo $$ >>\"$HOME/pids\"; wait";

/// Returns the processes that [`WAITS`] wrote down, once both have started.
fn waiting(fixture: &Fixture) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let text = std::fs::read_to_string(fixture.home().join("pids")).unwrap_or_default();
        if text.lines().count() == 2 && text.ends_with('\n') {
            return text.lines().map(str::to_owned).collect();
        }
        assert!(Instant::now() < end, "the helper does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns whether the process runs: a zombie does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn wait_for_end(pids: &[String], what: &str) {
    let end = Instant::now() + Duration::from_secs(20);
    while pids.iter().any(|pid| runs(pid)) {
        assert!(Instant::now() < end, "{what}: a helper outlives hatbox");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_signal_to_hatbox_alone_ends_its_helpers_with_it() {
    let config = "[profile guarded]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\n\
                  mfa_serial = arn:aws:iam::111122223333:mfa/jan\nmfa_process = waits\n";
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        for which in ["mfa_process", "passphrase_command", "on a terminal", "store command"] {
            let fixture = Fixture::with_config(config);
            fixture.write_program("waits", WAITS);
            let mut run = fixture.hatbox(&["exec", "guarded", "--", "true"]);
            if which == "passphrase_command" {
                fixture.hatbox(&["lock"]).run().ok();
                fixture.write_settings("passphrase_command = \"waits\"\n");
                run = run.without("HATBOX_FILE_PASSPHRASE");
            }
            if which == "store command" {
                fixture.write_settings("backend = \"command\"\nstore_command = \"waits\"\n");
            }
            let what = format!("{which}, {signal:?}");
            if which == "on a terminal" {
                let mut terminal = Terminal::start(&run);
                let pids = waiting(&fixture);
                terminal.signal(signal);
                assert_eq!(terminal.wait().signal(), Some(signal.as_raw()), "{what}");
                wait_for_end(&pids, &what);
            } else {
                let child = run.spawn();
                let pids = waiting(&fixture);
                kill_process(Pid::from_child(&child), signal).unwrap();
                let outcome = finish(child, &what);
                assert_eq!(outcome.signal(), Some(signal.as_raw()), "{what}: {}", outcome.stderr);
                wait_for_end(&pids, &what);
            }
            // The test ends with `hatbox lock`, which must not wait for the helper.
            fixture.write_settings("");
        }
    }
}

#[test]
fn a_signal_that_hatbox_inherited_as_ignored_ends_nothing() {
    let fixture = Fixture::with_config("[profile jan-work]\n");
    fixture.hatbox(&["lock"]).run().ok();
    let script = format!(
        "touch \"$HOME/started\"; while ! test -e \"$HOME/go\"; do sleep 0.01; done; echo '{PASSPHRASE}'"
    );
    fixture.write_program("opener", &script);
    fixture.write_settings("passphrase_command = \"opener\"\n");
    let run =
        fixture.hatbox(&["exec", "-n", "jan-work", "--", "echo", "done"]).without("HATBOX_FILE_PASSPHRASE");
    // As under nohup(1), which also replaces the terminal.
    let child = run.under("sh", &["-c", "trap '' HUP; exec \"$@\"", "sh"]).spawn();
    let end = Instant::now() + Duration::from_secs(20);
    while !fixture.home().join("started").exists() {
        assert!(Instant::now() < end, "the helper does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    std::fs::write(fixture.home().join("go"), "").unwrap();
    assert_eq!(finish(child, "ignoring HUP").ok().stdout, "done\n");
}

/// An empty or relative entry of PATH is the working directory, where anyone may have put a program.
#[test]
fn a_program_in_the_working_directory_is_never_run() {
    let fixture = Fixture::with_config(
        "[profile admin]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/admin\n\
         mfa_serial = arn:aws:iam::111122223333:mfa/jan\n[profile jan-work]\n",
    );
    let here = fixture.path("here");
    std::fs::create_dir_all(&here).unwrap();
    for program in ["ykman", "zenity"] {
        let path = here.join(program);
        std::fs::write(&path, "#!/bin/sh\ntouch \"$HOME/ran\"\necho 123456\n").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    // Also for a program that the config names, which the shell searches for.
    fixture.write_program("../here/giver", "#!/bin/sh\ntouch \"$HOME/ran\"\necho 123456\n");
    let config = std::fs::read_to_string(fixture.config_path()).unwrap();
    fixture.write_config(&format!(
        "{config}\n[profile given]\nsource_profile = jan-work\nmfa_process = giver\n\
         role_arn = arn:aws:iam::444455556666:role/admin\nmfa_serial = arn:aws:iam::111122223333:mfa/jan\n"
    ));
    let line = "cd \"$HERE\" && exec \"$0\" exec given -- true";
    let run = Run::new("/bin/sh", fixture.variables()).env("HERE", &here).env("PATH", ".::/usr/bin:/bin");
    run.args(["-c", line, env!("CARGO_BIN_EXE_hatbox")]).run().expect_code(125);
    assert!(!fixture.path("home/ran").exists());
    for start in [".:", ":", "here:", "./:", "../fixture:"] {
        for program in ["ykman", "zenity"] {
            let line = "cd \"$HERE\" && exec \"$0\" \"$@\"";
            let run = Run::new("/bin/sh", fixture.variables())
                .env("HERE", &here)
                .args([
                    "-c",
                    line,
                    env!("CARGO_BIN_EXE_hatbox"),
                    "exec",
                    "--prompt",
                    program,
                    "admin",
                    "--",
                    "true",
                ])
                .env("PATH", format!("{start}/usr/bin:/bin"));
            let refused = run.run();
            assert!(!fixture.path("home/ran").exists(), "{start} {program}");
            if !std::path::Path::new("/usr/bin").join(program).exists() {
                assert_eq!(refused.code(), Some(125), "{}", refused.stderr);
                let expected = format!("`{program}` was not found in PATH");
                assert!(refused.stderr.contains(&expected), "{}", refused.stderr);
            }
        }
    }
}

/// Records that it runs, and waits until the file `go` exists.
const HOLDS: &str = "touch \"$HOME/started\"; while ! test -e \"$HOME/go\"; do sleep 0.01; done";

fn let_go(fixture: &Fixture) {
    std::fs::write(fixture.home().join("go"), "").unwrap();
}

#[test]
fn a_slow_store_program_is_shown_on_a_terminal_while_it_lasts() {
    let fixture = Fixture::with_config("[profile jan-work]\n");
    fixture.write_program("keeper", &format!("cat >/dev/null; {HOLDS}; echo '{{}}'"));
    fixture.write_settings("backend = \"command\"\nstore_command = \"keeper\"\n");
    let mut terminal = Terminal::start(&fixture.hatbox(&["store", "status"]));
    terminal.wait_for("waiting for `store_command` (up to 30 s; Ctrl-C cancels)", 1);
    let_go(&fixture);
    terminal.wait();
    let screen = terminal.screen().join("\n");
    assert!(!screen.contains("waiting for"), "it is left there: {screen}");
    fixture.write_settings("");
}

/// The helper uses the terminal for longer than hatbox waits before it shows a line.
#[test]
fn no_line_is_shown_over_what_a_helper_has_on_the_terminal() {
    let asks = "stty -echo </dev/tty; printf 'keeper: ' >/dev/tty; IFS= read -r text </dev/tty; sleep 1; \
                stty echo </dev/tty";
    let guarded = "[profile guarded]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\n\
                   mfa_serial = arn:aws:iam::111122223333:mfa/jan\nmfa_process = keeper\n";
    for setting in ["mfa_process", "passphrase_command", "store_command"] {
        let fixture = Fixture::with_config(guarded);
        let mut run = fixture.hatbox(&["exec", "guarded", "--", "true"]);
        fixture.write_program("keeper", asks);
        if setting == "passphrase_command" {
            fixture.hatbox(&["lock"]).run().ok();
            fixture.write_settings("passphrase_command = \"keeper\"\n");
            run = run.without("HATBOX_FILE_PASSPHRASE");
        }
        if setting == "store_command" {
            // Without a terminal the helper must not ask, and answers nothing; the call that may ask follows.
            let says = |error: &str| format!("echo '{{\"version\":1,\"error\":\"{error}\"}}'");
            let locked =
                format!("case $(cat) in *'\"may_ask\":true'*) ;; *) {}; exit;; esac", says("locked"));
            fixture.write_program("keeper", &format!("{locked}; {asks}; {}", says("refused")));
            fixture.write_settings("backend = \"command\"\nstore_command = \"keeper\"\n");
        }
        let mut terminal = Terminal::start(&run);
        terminal.wait_for("keeper: ", 1);
        terminal.type_keys("\n");
        terminal.wait();
        assert!(!terminal.transcript().contains("waiting for"), "{setting}: {}", terminal.transcript());
        fixture.write_settings("");
    }
}

/// hatbox cannot see the program's own output, so it prints its line once and keeps it.
#[test]
fn on_a_terminal_a_slow_helper_is_named_once_with_the_way_to_stop_it() {
    let fixture = Fixture::with_config(
        "[profile guarded]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\n\
         mfa_serial = arn:aws:iam::111122223333:mfa/jan\nmfa_process = phone\n",
    );
    fixture.write_program("phone", &format!("{HOLDS}; echo none"));
    let line = "hatbox: waiting for `mfa_process` of profile `guarded` (up to 60 s; Ctrl-C cancels)";
    let mut terminal = Terminal::start_wide(&fixture.hatbox(&["exec", "guarded", "--", "true"]), 200);
    terminal.wait_for(line, 1);
    let_go(&fixture);
    terminal.wait();
    assert_eq!(terminal.transcript().matches("waiting for").count(), 1, "{}", terminal.transcript());
    // Ctrl-C stops it.
    std::fs::remove_file(fixture.home().join("go")).unwrap();
    let mut terminal = Terminal::start_wide(&fixture.hatbox(&["exec", "guarded", "--", "true"]), 200);
    terminal.wait_for(line, 1);
    terminal.type_keys("\x03");
    let status = terminal.wait();
    assert!(!status.success(), "{status}");
}

#[test]
fn without_a_terminal_a_slow_helper_is_named_once_under_the_name_of_the_call() {
    let fixture = Fixture::with_config(
        "[profile guarded]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\n\
         mfa_serial = arn:aws:iam::111122223333:mfa/jan\nmfa_process = phone\n",
    );
    fixture.write_program("phone", &format!("{HOLDS}; echo none"));
    let errors = fixture.path("errors");
    let script = format!("exec \"$@\" 2>'{}'", errors.display());
    let run = fixture.aws_vault(&["exec", "guarded", "--", "true"]).under("sh", &["-c", &script, "sh"]);
    let child = run.spawn();
    let end = Instant::now() + Duration::from_secs(20);
    let line = "aws-vault: waiting for `mfa_process` of profile `guarded`: 5 s (up to 60 s)\n";
    while !std::fs::read_to_string(&errors).unwrap_or_default().contains(line) {
        assert!(Instant::now() < end, "{}", std::fs::read_to_string(&errors).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(5));
    }
    let_go(&fixture);
    finish(child, "a slow helper").expect_code(1);
    let errors = std::fs::read_to_string(&errors).unwrap();
    assert_eq!(errors.matches("waiting for").count(), 1, "{errors}");
}
