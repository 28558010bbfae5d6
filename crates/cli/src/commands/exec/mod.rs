//! `hatbox exec`: runs a command with credentials of a profile.

mod server;
#[cfg(unix)]
mod sidecar;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use hatbox_core::handover::{Format, render_export};
use hatbox_types::text::shell::quote_word;

use crate::args::{ExecArgs, GlobalArgs};
use crate::credentials::guard::Exit;
use crate::credentials::obtain::ProfileRequest;
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::files::failure_file::{clear_failure_file, save_failure_file};
use crate::handover::exec::{Keyring, exec_command};
use crate::handover::guard::check_not_nested;
use crate::output::Output;
use crate::sys::shell::USUAL_SHELL;
use crate::world::World;
use crate::world::environment::Environment;

/// Returns only if the command was not started, or if `--json` printed the credentials instead.
pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ExecArgs) -> Result<ExitCode, Failure> {
    if let Some(path) = &args.error_json {
        clear_failure_file(path)?;
    }
    let result = run_or_fail(world, global, args);
    if let (Err(failure), Some(path)) = (&result, &args.error_json) {
        save_failure_file(world, path, failure);
    }
    #[cfg(unix)]
    if let (true, Err(failure)) = (is_with_server(args), &result)
        && world.environment.sidecar_of().is_some()
    {
        return Ok(sidecar::report(world, failure));
    }
    result
}

fn run_or_fail(world: &World, global: &GlobalArgs, args: &ExecArgs) -> Result<ExitCode, Failure> {
    if !args.nested {
        check_not_nested(&world.environment)?;
    }
    check_flags(args)?;
    if args.stdout {
        world.leave_browser_alone();
    }
    let profile = args.profile.as_deref().map(profile_text).transpose()?;
    if is_with_server(args) {
        return run_with_server(world, global, args, profile);
    }
    let exit = if args.json { Exit::Export } else { Exit::Command(&args.command) };
    let request = ProfileRequest { world, global, session: &args.session, profile };
    let obtained =
        request.obtain_for(exit).map_err(|failure| hint_at_dashes(failure, &world.environment, profile))?;
    let handover = obtained.handover();
    if args.json {
        let text = render_export(handover, Format::Json, std::iter::empty())?;
        world.output.exact(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let keyring = resolve_keyring(world, args)?;
    let command = resolve_command(world, args, obtained.profile().as_str());
    exec_command(world, handover, keyring, &command).map(|never| match never {})
}

/// `--json` prints credentials itself and ignores the server.
fn is_with_server(args: &ExecArgs) -> bool {
    (args.server || args.ecs_server || args.is_with_metadata()) && !args.json
}

fn run_with_server(
    world: &World,
    global: &GlobalArgs,
    args: &ExecArgs,
    profile: Option<&str>,
) -> Result<ExitCode, Failure> {
    let explain = |failure| hint_at_dashes(failure, &world.environment, profile);
    let keyring = resolve_keyring(world, args)?;
    #[cfg(unix)]
    return if let Some(pid) = world.environment.sidecar_of() {
        sidecar::run_sidecar(world, global, args, profile, pid).map_err(explain)
    } else {
        if args.ec2_server {
            world.output.note(
                "`--ec2-server` is `--imds` here: the metadata server has its own port of 127.0.0.1, not the \
                 address 169.254.169.254",
            );
        }
        sidecar::run(world, global, args, keyring)
    };
    #[cfg(not(unix))]
    server::run(world, global, args, profile, keyring).map_err(explain)
}

fn resolve_keyring(world: &World, args: &ExecArgs) -> Result<Keyring, Failure> {
    let is_isolated = args.isolate || world.settings()?.isolate_child;
    Ok(if is_isolated { Keyring::OfItsOwn } else { Keyring::AsReceived })
}

/// Returns the given command, or else a shell, with a note to the user.
fn resolve_command<'a>(world: &World, args: &'a ExecArgs, profile: &str) -> Cow<'a, [OsString]> {
    if !args.command.is_empty() {
        return Cow::Borrowed(&args.command);
    }
    let (variable, usual) = USUAL_SHELL;
    let shell =
        world.environment.raw(variable).filter(|s| !s.is_empty()).map_or(usual.into(), OsString::from);
    if Output::is_stdout_terminal() && world.environment.first(env_names::NO_HELP_LINE).is_none() {
        world.output.note(&format!("this shell has the credentials of `{profile}`; leave it with `exit`"));
    }
    Cow::Owned(vec![shell])
}

/// Rejects flags that this version or system does not support, instead of ignoring them.
fn check_flags(args: &ExecArgs) -> Result<(), Failure> {
    if args.profile_env {
        let error = "--profile-env is not supported: the command would get the credentials without hatbox, or not at all";
        return Err(Failure::new(FailureKind::Usage, error)
            .hint("to have the credentials renewed, use --server")
            .hint("for a program that needs a profile's name, add a profile with `credential_process`: docs/credential-process.md"));
    }
    // Security: elsewhere, any user of the machine could read the credentials.
    if args.is_with_metadata() && !cfg!(target_os = "linux") {
        return Err(Failure::new(
            FailureKind::Usage,
            "--imds works on Linux only: on this system, hatbox cannot find out which user connects to the server",
        )
        .hint("use --server, which has a token that only you can read"));
    }
    Ok(())
}

/// If AWS_PROFILE is set, a first word that is not a profile is probably the command.
fn hint_at_dashes(mut failure: Failure, environment: &Environment, profile: Option<&str>) -> Failure {
    if let (true, Some(word), Some(named)) =
        (failure.is_profile_unknown, profile, environment.text("AWS_PROFILE"))
    {
        let hint = format!(
            "to run `{word}` with the profile of AWS_PROFILE, `{named}`: `hatbox exec -- {}`",
            quote_word(word)
        );
        failure.hints.insert(0, hint);
    }
    failure
}

/// The profile as UTF-8.
fn profile_text(profile: &OsStr) -> Result<&str, Failure> {
    profile.to_str().ok_or_else(|| {
        Failure::new(
            FailureKind::Usage,
            format!("invalid profile name `{}`: expected UTF-8", profile.to_string_lossy()),
        )
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::args::{Cli, Command};

    type Split = (Option<String>, Vec<String>);

    fn parse(program: &str, line: &[String]) -> Result<(ExecArgs, GlobalArgs), String> {
        let words = [program, "exec"].map(str::to_owned);
        let cli = Cli::try_parse_from(words.iter().chain(line)).map_err(|error| error.to_string())?;
        let Command::Exec(args) = cli.command else { unreachable!() };
        Ok((args, cli.global))
    }

    fn split(line: &[&str]) -> Result<Split, String> {
        let line: Vec<_> = line.iter().map(|word| (*word).to_owned()).collect();
        parse("hatbox", &line).map(|(args, _)| split_of(&args))
    }

    fn split_of(args: &ExecArgs) -> Split {
        let text = |word: &OsString| word.to_str().unwrap().to_owned();
        (args.profile.as_ref().map(text), args.command.iter().map(text).collect())
    }

    #[test]
    fn from_its_first_word_on_everything_is_the_commands() {
        let case = |line: &[&str], profile: Option<&str>, command: &[&str]| {
            let expected = (profile.map(str::to_owned), command.iter().map(|w| (*w).to_owned()).collect());
            assert_eq!(split(line), Ok(expected), "{line:?}");
        };
        case(&["a", "--", "x", "-y"], Some("a"), &["x", "-y"]);
        case(&["a", "x", "y"], Some("a"), &["x", "y"]);
        case(&["a", "-n", "--", "x"], Some("a"), &["x"]);
        case(&["a", "-n", "x", "-n"], Some("a"), &["x", "-n"]);
        case(&["-n", "a", "x"], Some("a"), &["x"]);
        case(&["a", "make", "-n", "-j", "4"], Some("a"), &["make", "-n", "-j", "4"]);
        case(&["a", "head", "-n", "5"], Some("a"), &["head", "-n", "5"]);
        case(&["a", "xargs", "-n1"], Some("a"), &["xargs", "-n1"]);
        case(&["a", "sh", "-c", "z", "--", "x"], Some("a"), &["sh", "-c", "z", "--", "x"]);
        case(&["a", "x", "--", "y"], Some("a"), &["x", "--", "y"]);
        case(&["a", "--", "x", "--", "y"], Some("a"), &["x", "--", "y"]);
        case(&["a", "--", "--", "x"], Some("a"), &["--", "x"]);
        case(&["a", "x", "--help"], Some("a"), &["x", "--help"]);
        case(&["a", "x", "-h"], Some("a"), &["x", "-h"]);
        case(&["a", "x", "--debug", "--backend", "y"], Some("a"), &["x", "--debug", "--backend", "y"]);
        case(&["a", "--debug", "--backend", "y", "x"], Some("a"), &["x"]);
        case(&["a", "exec", "a", "-n"], Some("a"), &["exec", "a", "-n"]);
        case(&["a", "help"], Some("a"), &["help"]);
        case(&["help", "x"], Some("help"), &["x"]);
        case(&["a", "x", ""], Some("a"), &["x", ""]);
        case(&["a", "x", "-", "-n"], Some("a"), &["x", "-", "-n"]);
        case(&["", "-n", "x", "-n"], Some(""), &["x", "-n"]);
        case(&["a", "", "-n"], Some("a"), &["", "-n"]);
        case(&["a", "-", "-n"], Some("a"), &["-", "-n"]);
        case(&["--", "sh", "-c", "z"], None, &["sh", "-c", "z"]);
        case(&["--", "x", "-n"], None, &["x", "-n"]);
        case(&["-n", "--", "x", "-n"], None, &["x", "-n"]);
        case(&["--", "-n"], None, &["-n"]);
        case(&["--", "--", "x"], None, &["--", "x"]);
        case(&["a", "--"], Some("a"), &[]);
        case(&["--"], None, &[]);
        case(&["a"], Some("a"), &[]);
        case(&[], None, &[]);
        for duration in [&["-d", "1h"][..], &["-d1h"], &["-d=1h"], &["--duration=1h"], &["--duration", "1h"]]
        {
            for rest in [&["a", "x", "-d", "2h"][..], &["a", "--", "x", "-d", "2h"]] {
                case(&[duration, rest].concat(), Some("a"), &["x", "-d", "2h"]);
            }
            case(&[&["a"], duration, &["x", "-d2h"]].concat(), Some("a"), &["x", "-d2h"]);
            case(&[&["a"], duration, &["--", "x", "-d2h"]].concat(), Some("a"), &["x", "-d2h"]);
            case(&[duration, &["--", "x", "-d2h"]].concat(), None, &["x", "-d2h"]);
            case(&[&["a"], duration].concat(), Some("a"), &[]);
        }
        case(&["--region", "a", "a", "a", "a"], Some("a"), &["a", "a"]);
        case(&["--region", "a", "--", "a", "a"], None, &["a", "a"]);
        for wrong in
            [&["a", "--no-such", "x"][..], &["--no-such", "a", "x"], &["a", "-q"], &["-d", "--", "x"]]
        {
            assert!(split(wrong).is_err(), "{wrong:?}");
        }
    }

    /// Returns every spelling of every flag of `exec`, visible or hidden, with a value if it takes one.
    fn all_flags() -> Vec<Vec<String>> {
        let mut cli = Cli::command();
        cli.build();
        let exec = cli.find_subcommand("exec").unwrap();
        let mut flags = vec![vec!["--".to_owned()]];
        for arg in exec.get_arguments().filter(|arg| !arg.is_positional()) {
            let has_value = arg.get_action().takes_values();
            for long in arg.get_long_and_visible_aliases().into_iter().flatten() {
                flags.push(vec![format!("--{long}")]);
                if has_value {
                    flags.push(vec![format!("--{long}=7")]);
                    flags.push(vec![format!("--{long}"), "7".to_owned()]);
                }
            }
            for short in arg.get_short_and_visible_aliases().into_iter().flatten() {
                flags.push(vec![format!("-{short}")]);
                if has_value {
                    flags.push(vec![format!("-{short}7")]);
                    flags.push(vec![format!("-{short}"), "7".to_owned()]);
                }
            }
        }
        flags
    }

    /// Renders the parsed arguments of `exec` without the words of the line.
    fn without_words(mut parsed: (ExecArgs, GlobalArgs)) -> String {
        parsed.0.profile = None;
        parsed.0.command = Vec::new();
        format!("{parsed:?}")
    }

    #[test]
    fn every_flag_of_exec_is_looked_at() {
        let flags: Vec<_> = all_flags().into_iter().map(|words| words[0].clone()).collect();
        for flag in
            ["-n", "-j", "-d", "-t", "-h", "--help", "--debug", "--backend", "--stdout", "--ecs-server"]
        {
            assert!(flags.iter().any(|known| known == flag), "{flag} in {flags:?}");
        }
    }

    fn word() -> impl Strategy<Value = Vec<String>> {
        prop_oneof![
            proptest::sample::select(all_flags()),
            "-{0,3}[a-zA-Z0-9=/. ]{0,6}".prop_map(|word| vec![word]),
            any::<String>().prop_map(|word| vec![word]),
        ]
    }

    proptest! {
        #[test]
        fn no_word_of_a_command_is_hatboxs(
            program in proptest::sample::select(&["hatbox", "aws-vault"][..]),
            own in proptest::sample::select(vec![
                vec![], vec!["-n"], vec!["-d", "1h"], vec!["-d1h"], vec!["--debug"], vec!["--region=a"], vec!["--json"],
            ]),
            is_behind_profile: bool,
            first in "[^-].{0,4}",
            arguments in proptest::collection::vec(word(), 0..6),
        ) {
            let own: Vec<_> = own.into_iter().map(str::to_owned).collect();
            let command: Vec<_> = [first].into_iter().chain(arguments.concat()).collect();
            let profile = vec!["a".to_owned()];
            let front = if is_behind_profile { [profile, own].concat() } else { [own, profile].concat() };
            let expected = without_words(parse(program, &front).unwrap());
            for dashes in [vec![], vec!["--".to_owned()]] {
                let line = [front.clone(), dashes, command.clone()].concat();
                let parsed = parse(program, &line).unwrap();
                prop_assert_eq!(split_of(&parsed.0), (Some("a".to_owned()), command.clone()));
                prop_assert_eq!(without_words(parsed), &expected[..]);
            }
        }

        #[test]
        fn behind_dashes_all_is_the_command(words in proptest::collection::vec(word(), 1..6)) {
            let command = words.concat();
            let line = [vec!["--".to_owned()], command.clone()].concat();
            let parsed = parse("hatbox", &line).unwrap();
            prop_assert_eq!(split_of(&parsed.0), (None, command));
            prop_assert_eq!(without_words(parsed), without_words(parse("hatbox", &[]).unwrap()));
        }
    }
}
