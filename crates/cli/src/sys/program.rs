//! Runs another program to its end, with a given environment and limits on time and output.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::process_group::{ProcessGroup, wait_for_output};
use super::terminal;

/// In bytes, more than any passphrase, code, token or item.
const OUTPUT_LIMIT: usize = 64 << 10;
/// In bytes, how much is kept of the end of its stderr.
const ERRORS_LIMIT: usize = 4 << 10;
/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_millis(500);
/// The interval between checks for the program's end.
const TICK: Duration = Duration::from_millis(10);
/// The first interval after the output has ended, when most programs end too.
const FIRST_TICK: Duration = Duration::from_micros(100);

/// Whether a program may ask the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Person {
    /// It may ask on the terminal, if there is one.
    MayBeAsked,
    /// It gets no terminal, so a question fails at once.
    IsNotAsked,
}

/// Which streams of a program can be read now, or have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Readable {
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

/// A program to run.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// The program with its arguments.
    pub(crate) command: Command,
    /// The complete environment.
    pub(crate) environment: &'a [(OsString, OsString)],
    pub(crate) timeout: Duration,
    /// Whether it gets the terminal.
    pub(crate) person: Person,
    pub(crate) streams: Streams,
}

/// The stdin and stderr of a program.
pub(crate) enum Streams {
    /// Those of hatbox: the program prompts and explains errors itself.
    Terminal,
    /// This text as stdin; stderr is kept.
    Kept(Zeroizing<Vec<u8>>),
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Security: the text may be a secret.
        f.write_str(match self {
            Self::Terminal => "Terminal",
            Self::Kept(_) => "Kept(..)",
        })
    }
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: Zeroizing<Vec<u8>>,
    /// The end of its stderr, if that was kept.
    pub(crate) errors: String,
}

/// Why a program gave no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    /// It could not be started.
    #[error("could not start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Its output could not be read.
    #[error("could not read its output")]
    Read(#[source] std::io::Error),
    /// It took too long and was killed.
    #[error("it did not end within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It printed too much and was killed.
    #[error("it printed more than 64 KiB")]
    TooMuch,
    /// A signal interrupted hatbox, which ended the program.
    #[error("interrupted")]
    Interrupted,
    /// It returned an error.
    #[error("it failed: {0}")]
    Failed(String),
}

impl ProgramError {
    /// The error for an exit status. Names the two statuses by which a shell reports that a program could not be
    /// started.
    pub(crate) fn of_status(status: ExitStatus) -> Self {
        Self::Failed(match status.code() {
            Some(126) => format!("the command is not executable ({status})"),
            Some(127) => format!("command not found ({status})"),
            _ => status.to_string(),
        })
    }
}

/// Runs a program to its end, and returns its output whatever the exit status.
///
/// If it takes too long or prints too much, or if hatbox gets a signal, kills it with everything that it started.
///
/// # Errors
/// If it could not be started or was killed.
pub(crate) fn run_program(run: Program<'_>) -> Result<Ended, ProgramError> {
    let mut command = run.command;
    let name = command.get_program().to_string_lossy().into_owned();
    command.env_clear().stdout(Stdio::piped());
    command.envs(run.environment.iter().map(|(name, value)| (name, value)));
    let input = match run.streams {
        Streams::Terminal => {
            command.stdin(terminal::open_input().map_or_else(Stdio::null, Stdio::from));
            command.stderr(terminal::open_output().map_or_else(Stdio::inherit, Stdio::from));
            None
        }
        Streams::Kept(text) => {
            command.stdin(Stdio::piped()).stderr(Stdio::piped());
            Some(text)
        }
    };
    let mut group = ProcessGroup::prepare(&mut command, run.person);
    let mut child = command.spawn().map_err(|source| ProgramError::Start { program: name, source })?;
    // Close this process's copies of the child's ends of the streams.
    drop(command);
    group.begin(&child);
    if let (Some(stdin), Some(text)) = (child.stdin.take(), input) {
        feed(stdin, text);
    }
    let mut reading = Reading {
        end: Instant::now() + run.timeout,
        timeout: run.timeout,
        output: Zeroizing::new(Vec::with_capacity(OUTPUT_LIMIT)),
        errors: Vec::new(),
    };
    let result = reading.read_all(&mut child, &group).and_then(|()| reading.wait(&mut child, &group));
    if matches!(result, Err(ProgramError::Interrupted)) {
        group.ask_to_end();
        wait_a_moment(&mut child);
    }
    if result.is_err() {
        group.end();
        child.kill().ok();
        child.wait().ok();
    }
    group.give_back(result.as_ref().ok());
    let errors = String::from_utf8_lossy(&reading.errors).into_owned();
    Ok(Ended { status: result?, output: reading.output, errors })
}

fn wait_a_moment(child: &mut Child) {
    let end = Instant::now() + GRACE;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
        std::thread::sleep(TICK);
    }
}

/// Writes the text from another thread: a program that prints before it has read everything would otherwise block, and
/// hatbox too. A program that ignores its input is fine.
fn feed(mut stdin: ChildStdin, text: Zeroizing<Vec<u8>>) {
    std::thread::spawn(move || stdin.write_all(&text).ok());
}

struct Reading {
    end: Instant,
    timeout: Duration,
    output: Zeroizing<Vec<u8>>,
    errors: Vec<u8>,
}

impl Reading {
    /// Reads until the output or the program ends, as a leftover child process may keep the output open.
    fn read_all(&mut self, child: &mut Child, group: &ProcessGroup) -> Result<(), ProgramError> {
        let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
        let mut buffer = Zeroizing::new([0; 4096]);
        while stdout.is_some() || stderr.is_some() {
            let has_ended = matches!(child.try_wait(), Ok(Some(_)));
            let wait = if has_ended { Duration::ZERO } else { TICK };
            let ready =
                wait_for_output(stdout.as_ref(), stderr.as_ref(), wait).map_err(ProgramError::Read)?;
            if group.is_interrupted() {
                return Err(ProgramError::Interrupted);
            }
            if Instant::now() >= self.end {
                return if has_ended { Ok(()) } else { Err(ProgramError::TimedOut(self.timeout)) };
            }
            if ready == Readable::default() {
                if has_ended {
                    return Ok(());
                }
                group.keep_going();
            }
            if ready.stdout {
                let text = read_some(&mut stdout, &mut *buffer)?;
                if self.output.len() + text.len() > OUTPUT_LIMIT {
                    return Err(ProgramError::TooMuch);
                }
                self.output.extend_from_slice(text);
            }
            if ready.stderr {
                self.errors.extend_from_slice(read_some(&mut stderr, &mut *buffer)?);
                let excess = self.errors.len().saturating_sub(ERRORS_LIMIT);
                self.errors.drain(..excess);
            }
        }
        Ok(())
    }

    /// Waits for the program's end, which may come long after that of its output.
    fn wait(&self, child: &mut Child, group: &ProcessGroup) -> Result<ExitStatus, ProgramError> {
        let mut tick = FIRST_TICK;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if group.is_interrupted() => return Err(ProgramError::Interrupted),
                Ok(None) if Instant::now() >= self.end => return Err(ProgramError::TimedOut(self.timeout)),
                Ok(None) => {
                    group.keep_going();
                    group.wait_for_end(tick);
                    tick = TICK.min(tick * 2);
                }
                Err(error) => return Err(ProgramError::Read(error)),
            }
        }
    }
}

/// Reads what a stream has now, and sets an ended stream to `None`.
fn read_some<'b>(stream: &mut Option<impl Read>, buffer: &'b mut [u8]) -> Result<&'b [u8], ProgramError> {
    let count = match stream {
        None => 0,
        Some(open) => open.read(buffer).map_err(ProgramError::Read)?,
    };
    if count == 0 {
        *stream = None;
    }
    Ok(buffer.get(..count).unwrap_or_default())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::shell::command_of_line;

    const SOON: Duration = Duration::from_millis(300);
    const LONG: Duration = Duration::from_secs(20);

    fn run(script: &str, timeout: Duration, streams: Streams) -> Result<Ended, ProgramError> {
        let environment = [("A".into(), "b".into()), ("PATH".into(), "/usr/bin:/bin".into())];
        run_program(Program {
            command: command_of_line(script, &environment),
            environment: &environment,
            timeout,
            person: Person::IsNotAsked,
            streams,
        })
    }

    fn kept(script: &str, timeout: Duration) -> Result<Ended, ProgramError> {
        run(script, timeout, Streams::Kept(Zeroizing::default()))
    }

    #[test]
    fn a_program_gives_its_output_and_sees_only_the_environment_it_is_given() {
        for streams in [Streams::Terminal, Streams::Kept(Zeroizing::default())] {
            let ended = run("echo \"$A-$HOME\"", LONG, streams).unwrap();
            assert_eq!(&*ended.output, b"b-\n");
        }
        let ended = kept("echo out; echo err >&2; exit 3", LONG).unwrap();
        assert_eq!((&**ended.output, &*ended.errors, ended.status.code()), (&b"out\n"[..], "err\n", Some(3)));
    }

    #[test]
    fn a_program_that_another_leaves_behind_holds_no_one_up() {
        let ended = kept("sleep 3 & echo text", Duration::from_secs(2)).unwrap();
        assert_eq!(&*ended.output, b"text\n");
    }

    #[test]
    fn a_program_that_hangs_or_floods_is_ended() {
        assert!(matches!(kept("exec sleep 20", SOON), Err(ProgramError::TimedOut(_))));
        assert!(matches!(kept("exec >&- 2>&-; exec sleep 20", SOON), Err(ProgramError::TimedOut(_))));
        assert!(matches!(kept("exec yes", LONG), Err(ProgramError::TooMuch)));
        assert!(matches!(kept("while :; do echo x >&2; done", SOON), Err(ProgramError::TimedOut(_))));
    }

    #[test]
    fn all_that_a_program_started_ends_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("alive");
        let script = format!("(while :; do date +%N >'{}'; sleep 0.02; done) & wait", file.display());
        assert!(matches!(kept(&script, SOON), Err(ProgramError::TimedOut(_))));
        let once = std::fs::read(&file).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(std::fs::read(&file).unwrap(), once, "the inner loop still runs");
    }

    #[test]
    fn text_of_any_length_goes_in_while_text_comes_out() {
        let text = Zeroizing::new(vec![b'x'; 60_000]);
        let ended = run("cat; cat >&2 /dev/null", LONG, Streams::Kept(text.clone())).unwrap();
        assert_eq!(ended.output, text);
        let long = || Streams::Kept(Zeroizing::new(vec![b'x'; 1 << 20]));
        assert_eq!(&*run("echo unread", LONG, long()).unwrap().output, b"unread\n");
        assert_eq!(&*run("printf '%60000d' 1 >&2; wc -c", LONG, long()).unwrap().output, b"1048576\n");
    }

    #[test]
    fn where_no_one_is_to_be_asked_there_is_no_terminal() {
        assert_eq!(&*kept("(: </dev/tty) 2>/dev/null || echo none", LONG).unwrap().output, b"none\n");
    }
}
