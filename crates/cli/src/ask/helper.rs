//! Runs helper programs from the config: with the shell, without hatbox's secrets, and with a time limit.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::sys::program::{self, Person, Program, Streams};
use crate::sys::shell::command_of_line;
use crate::wait_line::{Company, WaitLine};

pub(crate) use crate::sys::program::ProgramError as HelperError;

/// Runs `command` like `sh -c` and returns its output. Its stdin and stderr are the terminal, if there is one, where it
/// can prompt and explain errors. `name` is its name in the line about what hatbox waits for.
pub(crate) fn run_helper(
    name: String,
    command: &str,
    environment: &[(OsString, OsString)],
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, HelperError> {
    run(name, command_of_line(command, environment), environment, timeout)
}

/// Runs a program with arguments, without a shell.
pub(crate) fn run_program(
    name: String,
    program: &Path,
    arguments: &[String],
    environment: &[(OsString, OsString)],
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, HelperError> {
    let mut command = Command::new(program);
    command.args(arguments);
    run(name, command, environment, timeout)
}

/// Runs a program that reads `input` and asks the user in a window.
pub(crate) fn run_conversation(
    name: String,
    program: &Path,
    environment: &[(OsString, OsString)],
    timeout: Duration,
    input: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, HelperError> {
    run_with(name, Command::new(program), environment, timeout, Streams::Kept(input))
}

fn run(
    name: String,
    command: Command,
    environment: &[(OsString, OsString)],
    timeout: Duration,
) -> Result<Zeroizing<Vec<u8>>, HelperError> {
    run_with(name, command, environment, timeout, Streams::Terminal)
}

fn run_with(
    name: String,
    command: Command,
    environment: &[(OsString, OsString)],
    timeout: Duration,
    streams: Streams,
) -> Result<Zeroizing<Vec<u8>>, HelperError> {
    let _line = WaitLine::start(timeout, Company::OnTerminal, move || format!("waiting for {name}"));
    let ended =
        program::run_program(Program { command, environment, timeout, person: Person::MayBeAsked, streams })?;
    if ended.status.success() { Ok(ended.output) } else { Err(HelperError::of_status(ended.status)) }
}
