//! The `hatbox` binary: hardens the process, parses arguments, builds the world, runs one command, reports failures.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use hatbox_core::handover::is_store_secret;

mod args;
mod env_names;

mod commands;
mod errors;

#[cfg(feature = "iam")]
mod iam;

mod server;

mod credentials;

mod aws_vault;
mod handover;
mod keys;

mod files;

mod ask;
mod sign_in;

mod world;

#[cfg(all(any(test, fuzzing), feature = "file"))]
pub mod fuzzing;

mod aws;
mod bar;
mod output;
mod prompt;
mod store;
mod wait_line;

mod sys;

use args::called::parse_called;
use args::drop_in::{Refused, resolve_refused};
use args::help::command_for_help;
use args::wrong::{is_for_another_command, resolve_wrong_use};
use args::{Cli, Command};
use errors::{Failure, FailureKind, Stage};
use output::{CalledAs, Detail, Output};
use world::World;
use world::environment::Environment;

fn main() -> ExitCode {
    // Security: before anything secret is read.
    let received = sys::hardening::harden();
    let words: Vec<OsString> = std::env::args_os().collect();
    let (called_as, own_name) = (called_as(words.first()), own_name(words.first()));
    wait_line::set_program_name(called_as.as_str());
    if words.get(1).is_some_and(commands::shell::completion::is_asked) {
        return complete(called_as, own_name, received, &words);
    }
    let cli = match parse(words, called_as) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let detail = if cli.global.debug { Detail::Debug } else { Detail::Usual };
    sys::allocator::begin_wiping();
    let environment = Environment::load();
    // Security: remove the secrets that were read, while no other thread exists.
    sys::own_environment::forget(is_store_secret);
    let world = World::new(environment, Output::new(called_as, detail), received, own_name);
    // A start of `exec` loads neither the code of the other commands nor the stack that they need.
    let (stage, result) = match &cli.command {
        Command::Exec(args) => (Stage::BeforeChild, commands::exec::run(&world, &cli.global, args)),
        _ => run(&world, &cli),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            failure.print(&world.output);
            failure.exit_code(stage, called_as)
        }
    }
}

/// Parses the command line. Returns the exit code if that was all, as for `--help`.
fn parse(mut words: Vec<OsString>, called_as: CalledAs) -> Result<Cli, ExitCode> {
    if let Some(cli) = parse_called(&words) {
        return Ok(cli);
    }
    loop {
        let error = match Cli::try_parse_from(&words) {
            Ok(cli) => return Ok(cli),
            Err(error) => error,
        };
        let error = if is_help(&error) { with_whole_help(error, &words) } else { error };
        let output = Output::new(called_as, Detail::Usual);
        match resolve_refused(&error, &words, called_as == CalledAs::AwsVault) {
            Refused::Again(fewer) => words = fewer,
            Refused::Version => return Err(print(&output, &Cli::command().render_version())),
            Refused::LongHelp => {
                return Err(print(&output, &command_for_help().render_long_help().to_string()));
            }
            Refused::Missing { what, hint } => {
                let failure =
                    Failure::new(FailureKind::Usage, format!("this version has no `{what}` yet")).hint(hint);
                failure.print(&output);
                return Err(failure.exit_code(Stage::Own, called_as));
            }
            Refused::Wrong => return Err(report_usage(&error, called_as, &words)),
        }
    }
}

fn is_help(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand)
}

/// Parses again with the command definition that has the complete help, and returns its answer.
fn with_whole_help(error: clap::Error, words: &[OsString]) -> clap::Error {
    command_for_help().try_get_matches_from(words).err().unwrap_or(error)
}

fn print(output: &Output, text: &str) -> ExitCode {
    // A closed stdout is not an error here.
    output.data(text).ok();
    ExitCode::SUCCESS
}

fn complete(
    called_as: CalledAs,
    own_name: Option<String>,
    received: sys::hardening::Received,
    words: &[OsString],
) -> ExitCode {
    let world = World::new(Environment::load(), Output::new(called_as, Detail::Usual), received, own_name);
    let asked = words.get(1..).unwrap_or_default();
    // Errors are ignored, as the shell would print them in the middle of the command line.
    commands::shell::completion::run(&world, Cli::command(), asked).ok();
    ExitCode::SUCCESS
}

#[inline(never)]
fn run(world: &World, cli: &Cli) -> (Stage, Result<ExitCode, Failure>) {
    let global = &cli.global;
    let done = |result: Result<(), Failure>| (Stage::Own, result.map(|()| ExitCode::SUCCESS));
    match &cli.command {
        Command::Add(args) => done(commands::add::run(world, global, args)),
        Command::Import(args) => done(commands::import::run(world, global, args)),
        Command::List(args) => done(commands::list::run(world, global, args)),
        Command::Remove(args) => done(commands::remove::run(world, global, args)),
        Command::Profile(args) => done(commands::profile::run(world, global, args)),
        Command::Exec(args) => (Stage::BeforeChild, commands::exec::run(world, global, args)),
        Command::Each(args) => (Stage::BeforeChild, commands::each::run(world, global, args)),
        Command::Export(args) => done(commands::export::run(world, global, args)),
        Command::Serve(args) => (Stage::Own, commands::serve::run(world, global, args)),
        Command::Explain(args) => done(commands::explain::run(world, global, args)),
        Command::Doctor(args) => (Stage::Own, commands::doctor::run(world, global, args)),
        Command::Why(args) => (Stage::Own, commands::why::run(world, global, args)),
        Command::Log(args) => done(commands::log::run(world, args)),
        #[cfg(feature = "iam")]
        Command::Rotate(args) => done(commands::rotate::run(world, global, args)),
        Command::Login(args) => done(commands::login::run(world, global, args)),
        Command::Clear(args) => done(commands::clear::run(world, global, args)),
        Command::Lock(args) => done(commands::lock::run(world, global, args)),
        Command::Mfa(args) => done(commands::mfa::run(world, global, args)),
        Command::Sso(args) => done(commands::sso::run(world, global, args)),
        Command::Store(args) => done(commands::store::run(world, global, args)),
        Command::Completions(args) => done(commands::shell::run_completions(world, args)),
        Command::ShellInit(args) => done(commands::shell::run_init(world, args)),
        Command::Prompt(args) => done(commands::shell::prompt::run(world, args)),
        Command::Allow(args) => done(commands::allow::run(world, args)),
        Command::Hat(args) => done(commands::shell::hat::run(world, global, args)),
        #[cfg(feature = "trust")]
        Command::Trust(args) => (Stage::Own, commands::trust::run(world, global, args)),
        #[cfg(all(unix, feature = "sandbox"))]
        Command::Sandbox(args) => (Stage::Own, commands::sandbox::run(world, args)),
    }
}

/// Returns the name that this program was started with, such as that of a link.
fn own_name(program: Option<&OsString>) -> Option<String> {
    let name = Path::new(program?).file_name()?;
    Some(name.to_string_lossy().into_owned())
}

/// A link named `aws-vault` makes the program a drop-in replacement.
fn called_as(program: Option<&OsString>) -> CalledAs {
    let name = program.and_then(|path| Path::new(path).file_stem());
    if name.is_some_and(|name| name == "aws-vault") { CalledAs::AwsVault } else { CalledAs::Hatbox }
}

/// Prints help and version to stdout with exit code 0; wrong usage to stderr with 2 (1 as `aws-vault`, 125 for `exec`).
fn report_usage(error: &clap::Error, called_as: CalledAs, words: &[OsString]) -> ExitCode {
    let output = Output::new(called_as, Detail::Usual);
    match resolve_wrong_use(error, words) {
        Some(wrong) => {
            output.error(&wrong.error);
            if let Some(usage) = &wrong.usage {
                output.raw_line(&format!("  usage: {usage}"));
            }
            wrong.hints.iter().for_each(|hint| output.hint(hint));
        }
        None => output::print_usage(error, words),
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if words.len() <= 1 => ExitCode::SUCCESS,
        _ if called_as == CalledAs::AwsVault => ExitCode::from(1),
        _ if is_for_another_command(words) => ExitCode::from(125),
        _ => ExitCode::from(2),
    }
}
