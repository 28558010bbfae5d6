//! `hatbox exec`: runs a command with credentials of a profile.

use std::ffi::OsString;
use std::process::ExitCode;

use hatbox_core::handover::{Format, render_export};

use crate::args::{ExecArgs, GlobalArgs};
use crate::env_names;
use crate::handover::exec::{Keyring, exec_command};
use crate::handover::guard::check_not_nested;
use crate::obtain::obtain;
use crate::output::Output;
use crate::report::{Failure, FailureKind};
use crate::sys::shell::USUAL_SHELL;
use crate::world::World;
use crate::world::failure_file::{clear_failure_file, save_failure_file};

/// Only returns when the command was not started, or when `--json` printed the credentials instead.
pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ExecArgs) -> Result<ExitCode, Failure> {
    if let Some(path) = &args.error_json {
        clear_failure_file(path)?;
    }
    let result = run_or_fail(world, global, args);
    if let (Err(failure), Some(path)) = (&result, &args.error_json) {
        save_failure_file(world, path, failure);
    }
    result
}

fn run_or_fail(world: &World, global: &GlobalArgs, args: &ExecArgs) -> Result<ExitCode, Failure> {
    if !args.nested {
        check_not_nested(&world.environment)?;
    }
    check_flags(args)?;
    let (argument, command) = split_words(args)?;
    let obtained = obtain(world, global, &args.session, argument)?;
    let handover = obtained.handover();
    if args.json {
        let text = render_export(handover, Format::Json)
            .map_err(|error| Failure::of_error(FailureKind::Failed, &error))?;
        world.output.data(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let keyring =
        if args.isolate || obtained.is_child_isolated { Keyring::OfItsOwn } else { Keyring::AsReceived };
    if command.is_empty() {
        let (variable, usual) = USUAL_SHELL;
        let shell =
            world.environment.raw(variable).filter(|s| !s.is_empty()).map_or(usual.into(), OsString::from);
        if Output::is_stdout_terminal() && world.environment.first(env_names::NO_HELP_LINE).is_none() {
            world.output.note(&format!(
                "this shell has the credentials of `{}`; leave it with `exit`",
                obtained.profile
            ));
        }
        return exec_command(world, handover, keyring, &[shell]).map(|never| match never {});
    }
    exec_command(world, handover, keyring, command).map(|never| match never {})
}

/// Refuses what aws-vault has and this version has not, rather than do something else.
fn check_flags(args: &ExecArgs) -> Result<(), Failure> {
    let named = [
        (args.server, "--server"),
        (args.ec2_server, "--ec2-server"),
        (args.lazy, "--lazy"),
        (args.profile_env, "--profile-env"),
    ];
    match named.iter().find(|(is_given, _)| *is_given) {
        None => Ok(()),
        Some((_, flag)) => Err(Failure::new(FailureKind::Usage, format!("this version has no `{flag}` yet"))
            .hint("without it the credentials are handed over in the command's environment")),
    }
}

/// The profile and the command.
///
/// | typed | profile | command |
/// |---|---|---|
/// | `exec a -- x y` | a | x y |
/// | `exec a x y` | a | x y |
/// | `exec -- x y` | from AWS_PROFILE | x y |
/// | `exec a` | a | a shell |
/// | `exec a b -- x` | | an error |
fn split_words(args: &ExecArgs) -> Result<(Option<&str>, &[OsString]), Failure> {
    let Some((profile, rest)) = args.words.split_first() else { return Ok((None, &args.command)) };
    let profile = profile.to_str().ok_or_else(|| {
        Failure::new(
            FailureKind::Usage,
            format!("`{}` is no profile's name: it is not UTF-8", profile.to_string_lossy()),
        )
    })?;
    if !rest.is_empty() && !args.command.is_empty() {
        return Err(Failure::new(FailureKind::Usage, "there is a word between the profile and `--`")
            .hint(format!("hatbox exec {profile} -- COMMAND")));
    }
    Ok((Some(profile), if rest.is_empty() { &args.command } else { rest }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn split(line: &[&str]) -> Result<(Option<String>, Vec<String>), String> {
        let cli = crate::args::Cli::try_parse_from(["hatbox", "exec"].iter().chain(line)).unwrap();
        let crate::args::Command::Exec(args) = cli.command else { unreachable!() };
        let (profile, command) = split_words(&args).map_err(|failure| failure.error)?;
        let command = command.iter().map(|word| word.to_str().unwrap().to_owned()).collect();
        Ok((profile.map(str::to_owned), command))
    }

    #[test]
    fn profile_and_command_are_told_apart_as_the_table_says() {
        let case = |line: &[&str], profile: Option<&str>, command: &[&str]| {
            let expected = (profile.map(str::to_owned), command.iter().map(|w| (*w).to_owned()).collect());
            assert_eq!(split(line).unwrap(), expected, "{line:?}");
        };
        case(&["a", "--", "x", "-y"], Some("a"), &["x", "-y"]);
        case(&["a", "x", "y"], Some("a"), &["x", "y"]);
        case(&["a", "-n", "--", "x"], Some("a"), &["x"]);
        case(&["--", "sh", "-c", "z"], None, &["sh", "-c", "z"]);
        case(&["a"], Some("a"), &[]);
        case(&[], None, &[]);
        assert!(split(&["a", "b", "--", "x"]).is_err());
    }
}
