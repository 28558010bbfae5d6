//! The `hatbox` binary: hardens itself, parses, makes the world, runs one command, reports.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use hatbox_core::handover::is_store_secret;

mod args;
mod env_names;
mod request;

mod commands;
mod report;

#[cfg(feature = "trust")]
mod live;

mod obtain;

mod planning;

mod fetch;
mod foreign;
mod handover;

mod world;

#[cfg(all(any(test, fuzzing), feature = "file", feature = "command"))]
pub mod fuzzing;

mod aws;
mod output;
mod prompt;
mod store;

mod sys;

use args::{Cli, Command};
use output::{CalledAs, Detail, Output};
use report::{Failure, Stage};
use world::World;
use world::environment::Environment;

fn main() -> ExitCode {
    // Security: first of all, before anything secret is read.
    let received = sys::hardening::harden();
    let words: Vec<OsString> = std::env::args_os().collect();
    let called_as = called_as(words.first());
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) => return report_usage(&error, called_as, &words),
    };
    let detail = if cli.global.debug { Detail::Debug } else { Detail::Usual };
    sys::allocator::begin_wiping();
    let environment = Environment::load();
    // Security: what is read is taken away, and no thread has been started yet.
    sys::own_environment::forget(is_store_secret);
    let world = World::new(environment, Output::new(called_as, detail), received);
    let (stage, result) = run(&world, &cli);
    match result {
        Ok(code) => code,
        Err(failure) => {
            failure.print(&world.output);
            failure.exit_code(stage, called_as)
        }
    }
}

fn run(world: &World, cli: &Cli) -> (Stage, Result<ExitCode, Failure>) {
    let global = &cli.global;
    let done = |result: Result<(), Failure>| (Stage::Own, result.map(|()| ExitCode::SUCCESS));
    match &cli.command {
        Command::Add(args) => done(commands::add::run(world, global, args)),
        Command::Import(args) => done(commands::import::run(world, global, args)),
        Command::List(args) => done(commands::list::run(world, global, args)),
        Command::Remove(args) => done(commands::remove::run(world, global, args)),
        Command::Exec(args) => (Stage::BeforeChild, commands::exec::run(world, global, args)),
        Command::Export(args) => done(commands::export::run(world, global, args)),
        Command::Explain(args) => done(commands::explain::run(world, global, args)),
        Command::Doctor(args) => (Stage::Own, commands::doctor::run(world, global, args)),
        Command::Why(args) => (Stage::Own, commands::why::run(world, global, args)),
        Command::Clear(args) => done(commands::clear::run(world, global, args)),
        Command::Lock(args) => done(commands::lock::run(world, global, args)),
        Command::Store(args) => done(commands::store::run(world, global, args)),
        #[cfg(feature = "trust")]
        Command::Trust(args) => (Stage::Own, commands::trust::run(world, global, &args.0)),
        #[cfg(all(unix, feature = "sandbox"))]
        Command::Sandbox(args) => (Stage::Own, commands::sandbox::run(world, args)),
    }
}

/// A link named `aws-vault` makes the program a drop-in for it.
fn called_as(program: Option<&OsString>) -> CalledAs {
    let name = program.and_then(|path| Path::new(path).file_stem());
    if name.is_some_and(|name| name == "aws-vault") { CalledAs::AwsVault } else { CalledAs::Hatbox }
}

/// Help and version go to stdout with 0; wrong use to stderr with 2 (1 as `aws-vault`, 125 for `exec`).
fn report_usage(error: &clap::Error, called_as: CalledAs, words: &[OsString]) -> ExitCode {
    output::print_usage(error, words);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if words.len() <= 1 => ExitCode::SUCCESS,
        _ if called_as == CalledAs::AwsVault => ExitCode::from(1),
        _ if is_exec(words) => ExitCode::from(125),
        _ => ExitCode::from(2),
    }
}

/// Whether the command is `exec`, in a line that could not be parsed: the first word that is neither a flag
/// nor a global flag's value.
fn is_exec(words: &[OsString]) -> bool {
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if ["--backend", "--file-dir", "--passphrase-fd", "--unlock-for", "--prompt"].contains(&word.as_ref())
        {
            words.next();
        } else if !word.starts_with('-') {
            return word == "exec";
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exec_is_known_behind_global_flags() {
        let is = |line: &str| is_exec(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert!(is("hatbox exec --bogus") && is("hatbox --backend file --debug exec --bogus"));
        assert!(!is("hatbox list exec") && !is("hatbox --backend exec list") && !is("hatbox"));
    }
}
