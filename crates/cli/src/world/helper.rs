//! Helper programs that the config names: run by the shell, without hatbox's secrets, for a limited time.

use std::ffi::OsString;
use std::io::Read;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::sys::pipe::wait_readable;
use crate::sys::shell::command_of_line;
use crate::sys::terminal;

/// More output than this is no passphrase, code or token.
const OUTPUT_LIMIT: usize = 64 << 10;
/// How often the program's end is looked for.
const TICK: Duration = Duration::from_millis(10);

/// Why a helper gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelperError {
    /// It could not be started.
    #[error("could not start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Its output could not be read.
    #[error("could not read its output")]
    Read(#[source] std::io::Error),
    /// It took too long, and was ended.
    #[error("it did not end within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It printed too much, and was ended.
    #[error("it printed more than 64 KiB")]
    TooMuch,
    /// It failed.
    #[error("it failed: {0}")]
    Failed(String),
}

/// Runs `command` by the shell (`sh -c`) and returns what it printed. Its stdin and stderr are the terminal's when there
/// is one, so that it can ask and explain by itself.
pub(crate) fn run_helper(
    command: &str,
    environment: &[(OsString, OsString)],
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, HelperError> {
    run(command_of_line(command), environment, timeout)
}

/// The same for a program with arguments, without a shell in between.
pub(crate) fn run_program(
    program: &str,
    arguments: &[String],
    environment: &[(OsString, OsString)],
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, HelperError> {
    let mut command = Command::new(program);
    command.args(arguments);
    run(command, environment, timeout)
}

fn run(
    mut command: Command,
    environment: &[(OsString, OsString)],
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, HelperError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(terminal::open_input().map_or_else(Stdio::null, Stdio::from))
        .stderr(terminal::open_output().map_or_else(Stdio::inherit, Stdio::from))
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|source| HelperError::Start { program, source })?;
    let end = Instant::now() + timeout;
    let result = match child.stdout.take() {
        Some(output) => read_all(output, &mut child, end, timeout),
        None => Ok(Zeroizing::default()),
    };
    let status = if result.is_ok() {
        wait_until(&mut child, end, timeout)
    } else {
        Err(HelperError::TimedOut(timeout))
    };
    if status.is_err() {
        child.kill().ok();
        child.wait().ok();
    }
    let output = result?;
    let status = status?;
    if status.success() { Ok(output) } else { Err(HelperError::Failed(status.to_string())) }
}

/// Reads until the output ends, or the program has: one that it left behind may keep the output open.
fn read_all(
    mut output: ChildStdout,
    child: &mut Child,
    end: Instant,
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, HelperError> {
    let mut text = Zeroizing::new(Vec::with_capacity(OUTPUT_LIMIT));
    let mut buffer = Zeroizing::new([0; 4096]);
    loop {
        let has_ended = matches!(child.try_wait(), Ok(Some(_)));
        let wait = if has_ended { Duration::ZERO } else { TICK };
        match wait_readable(&output, wait).map_err(HelperError::Read)? {
            true => {}
            false if has_ended => return Ok(text),
            false if Instant::now() >= end => return Err(HelperError::TimedOut(timeout)),
            false => continue,
        }
        let count = output.read(&mut *buffer).map_err(HelperError::Read)?;
        if count == 0 {
            return Ok(text);
        }
        if text.len() + count > OUTPUT_LIMIT {
            return Err(HelperError::TooMuch);
        }
        text.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
}

/// Waits for the program's end: its output may have ended long before.
fn wait_until(child: &mut Child, end: Instant, timeout: Duration) -> Result<ExitStatus, HelperError> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() >= end => return Err(HelperError::TimedOut(timeout)),
            Ok(None) => std::thread::sleep(TICK),
            Err(error) => return Err(HelperError::Read(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(200);

    #[cfg(unix)]
    #[test]
    fn a_helper_gives_its_output_and_sees_only_the_environment_it_is_given() {
        let environment = [("A".into(), "b".into()), ("PATH".into(), "/usr/bin:/bin".into())];
        let output = run_helper("echo \"$A-$HOME\"", &environment, Duration::from_secs(10)).unwrap();
        assert_eq!(&*output, b"b-\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_a_helper_leaves_behind_holds_nobody_up() {
        let path = [("PATH".into(), "/usr/bin:/bin".into())];
        let output = run_helper("sleep 3 & echo text", &path, Duration::from_secs(2)).unwrap();
        assert_eq!(&*output, b"text\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_helper_that_fails_hangs_or_floods_is_an_error() {
        let path = [("PATH".into(), "/usr/bin:/bin".into())];
        assert!(matches!(run_helper("exit 3", &path, Duration::from_secs(10)), Err(HelperError::Failed(_))));
        assert!(matches!(run_helper("exec sleep 20", &path, SOON), Err(HelperError::TimedOut(_))));
        assert!(matches!(run_helper("exec >&-; exec sleep 20", &path, SOON), Err(HelperError::TimedOut(_))));
        assert!(matches!(run_helper("exec yes", &path, Duration::from_secs(10)), Err(HelperError::TooMuch)));
    }

    #[cfg(windows)]
    #[test]
    fn on_windows_cmd_runs_the_line_with_the_environment_it_is_given() {
        let environment = [("A".into(), "b c".into())];
        let long = Duration::from_secs(10);
        let output = run_helper("echo \"%A%\"-%USERPROFILE%& exit /b 0", &environment, long).unwrap();
        assert_eq!(&*output, b"\"b c\"-%USERPROFILE%\r\n");
        assert!(matches!(run_helper("exit /b 3", &environment, long), Err(HelperError::Failed(_))));
        let endless = "for /L %i in (1,0,2) do @rem";
        assert!(matches!(run_helper(endless, &environment, SOON), Err(HelperError::TimedOut(_))));
        let flood = "for /L %i in (1,0,2) do @echo a long line, again and again";
        assert!(matches!(run_helper(flood, &environment, long), Err(HelperError::TooMuch)));
    }
}
