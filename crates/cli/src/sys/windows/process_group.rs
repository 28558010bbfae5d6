//! A program and what it starts. Windows has no process groups with a terminal of their own: the program shares the
//! console, and a timeout ends only the program itself.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant};

use super::pipe::has_output;
use crate::sys::program::{Person, Readable};

/// The interval of polling: Windows cannot wait for an anonymous pipe.
const LOOK: Duration = Duration::from_millis(2);

/// The processes of one program.
#[derive(Debug)]
pub(crate) struct ProcessGroup;

#[expect(clippy::unused_self, reason = "there is more to do on other systems")]
impl ProcessGroup {
    pub(crate) fn prepare(_command: &mut Command, _person: Person) -> Self {
        Self
    }

    pub(crate) fn begin(&mut self, _child: &Child) {}

    pub(crate) fn keep_going(&self) {}

    /// Waits for the program's end, at most for `wait`.
    pub(crate) fn wait_for_end(&self, wait: Duration) {
        std::thread::sleep(wait);
    }

    /// Never interrupted: Ctrl-C reaches all programs of the console directly.
    pub(crate) fn is_interrupted(&self) -> bool {
        false
    }

    pub(crate) fn ask_to_end(&self) {}

    pub(crate) fn end(&self) {}

    pub(crate) fn give_back(&self, _status: Option<&ExitStatus>) {}
}

/// Whether this is an executable file. Its extension decides that, when the system starts it.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// No program on Windows needs the terminal's name.
pub(crate) fn terminal_name() -> Option<OsString> {
    None
}

/// Waits for output, at most for `wait`.
pub(crate) fn wait_for_output(
    stdout: Option<&ChildStdout>,
    stderr: Option<&ChildStderr>,
    wait: Duration,
) -> io::Result<Readable> {
    let end = Instant::now() + wait;
    loop {
        let ready = Readable {
            stdout: stdout.map(has_output).transpose()?.unwrap_or(false),
            stderr: stderr.map(has_output).transpose()?.unwrap_or(false),
        };
        let left = end.saturating_duration_since(Instant::now());
        if ready != Readable::default() || left.is_zero() {
            return Ok(ready);
        }
        std::thread::sleep(left.min(LOOK));
    }
}
