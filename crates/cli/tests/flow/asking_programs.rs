//! Programs that ask at the terminal by themselves: it is theirs while they run, and hatbox's again after.

use std::os::unix::process::ExitStatusExt;

use crate::fixture::{Fixture, PASSPHRASE};
use crate::run::Run;
use crate::terminal::Terminal;

/// Reads from the terminal as a program does that was started by hand: only in the foreground.
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
fn ctrl_z_leaves_no_helper_stopped_that_nobody_could_continue() {
    let (_fixture, run) = locked();
    let mut terminal = Terminal::start(&run);
    terminal.wait_for("opener: ", 1);
    terminal.type_keys("\x1a");
    terminal.type_keys(&format!("{PASSPHRASE}\nkeys\n"));
    terminal.wait_for("got keys", 1);
    assert!(terminal.wait().success());
}
