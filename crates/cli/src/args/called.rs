//! Parses a line that begins with a command by the arguments of that command alone: describing all commands to clap
//! costs more than everything else that happens before `exec` starts its command.
//!
//! Anything unusual, such as help, an error or a flag before the command, is left to the complete command line of
//! [`Cli`], so it is answered in one place.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::{Args, FromArgMatches};

use super::{Cli, Command, ExecArgs, GlobalArgs};

/// Parses a line whose first word is a command. Returns `None` if the rest of the line needs the complete command line.
pub(crate) fn parse_called(words: &[OsString]) -> Option<Cli> {
    if let Some(cli) = parse_plain_exec(words) {
        return Some(cli);
    }
    let name = words.get(1)?.to_str()?;
    match name {
        "add" => parse_as(words, Command::Add),
        "import" => parse_as(words, Command::Import),
        "list" | "ls" => parse_as(words, Command::List),
        "remove" | "rm" => parse_as(words, Command::Remove),
        "profile" => parse_as(words, Command::Profile),
        "exec" => parse_as(words, Command::Exec),
        "each" => parse_as(words, Command::Each),
        "export" => parse_as(words, Command::Export),
        "serve" => parse_as(words, Command::Serve),
        "explain" => parse_as(words, Command::Explain),
        "doctor" => parse_as(words, Command::Doctor),
        "why" => parse_as(words, Command::Why),
        "log" => parse_as(words, Command::Log),
        #[cfg(feature = "iam")]
        "rotate" => parse_as(words, Command::Rotate),
        "login" => parse_as(words, Command::Login),
        "clear" => parse_as(words, Command::Clear),
        "lock" => parse_as(words, Command::Lock),
        "mfa" => parse_as(words, Command::Mfa),
        "sso" => parse_as(words, Command::Sso),
        "store" => parse_as(words, Command::Store),
        "completions" => parse_as(words, Command::Completions),
        "shell-init" => parse_as(words, Command::ShellInit),
        "prompt" => parse_as(words, Command::Prompt),
        "allow" => parse_as(words, Command::Allow),
        "hat" => parse_as(words, Command::Hat),
        #[cfg(feature = "trust")]
        "trust" => parse_as(words, Command::Trust),
        #[cfg(all(unix, feature = "sandbox"))]
        "sandbox" => parse_as(words, Command::Sandbox),
        _ => None,
    }
}

/// Parses `exec PROFILE -- COMMAND ...`, which programs and scripts run, without clap: clap would take a sixth of all
/// instructions of the start, and load a dozen parts of the binary that nothing else needs.
fn parse_plain_exec(words: &[OsString]) -> Option<Cli> {
    let [_, exec, profile, dashes, command @ ..] = words else { return None };
    if exec != "exec" || dashes != "--" || profile.as_encoded_bytes().starts_with(b"-") {
        return None;
    }
    let args = ExecArgs { profile: Some(profile.clone()), command: command.to_vec(), ..ExecArgs::default() };
    Some(Cli { global: GlobalArgs::default(), command: Command::Exec(args) })
}

/// Parses the words after the program's name with the arguments of one command.
fn parse_as<T: Args>(words: &[OsString], command: fn(T) -> Command) -> Option<Cli> {
    let described = clap::Command::new("hatbox")
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true);
    // The process is soon replaced or ends, so freeing these would be wasted work.
    let mut described = ManuallyDrop::new(T::augment_args(GlobalArgs::augment_args(described)));
    let matches = described.try_get_matches_from_mut(words.iter().skip(1)).ok()?;
    let mut matches = ManuallyDrop::new(matches);
    let global = GlobalArgs::from_arg_matches_mut(&mut matches).ok()?;
    Some(Cli { global, command: command(T::from_arg_matches_mut(&mut matches).ok()?) })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches, Parser};

    use super::*;

    /// Words after a command: none, one, several, and words that belong to the command that hatbox runs.
    const REST: [&[&str]; 9] = [
        &[],
        &["a"],
        &["a", "b"],
        &["a", "--", "b", "--json"],
        &["--", "b", "-h"],
        &["a", "b", "--debug", "exec"],
        &["--debug", "a", "--backend", "file"],
        &["--backend=x", "--passphrase-fd", "3", "help"],
        &["-h"],
    ];

    /// Calls `check` with lines of every command and alias, and each of its flags.
    fn for_lines(command: &clap::Command, path: &[OsString], check: &mut dyn FnMut(&[OsString])) {
        let mut flags: Vec<Vec<String>> = vec![vec![]];
        for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
            let values: Vec<_> = match arg.get_possible_values() {
                values if values.is_empty() => vec!["1".to_owned(), "k=v".to_owned()],
                values => values.iter().map(|value| value.get_name().to_owned()).collect(),
            };
            let long = arg.get_long().map(|long| format!("--{long}"));
            for flag in long.into_iter().chain(arg.get_short().map(|short| format!("-{short}"))) {
                let has_value = arg.get_action().takes_values();
                flags.push(vec![flag.clone()]);
                flags.extend(values.iter().filter(|_| has_value).map(|v| vec![flag.clone(), v.clone()]));
                flags.extend(values.iter().filter(|_| has_value).map(|v| vec![format!("{flag}={v}")]));
            }
        }
        for (nth, flag) in flags.iter().enumerate() {
            // Try all of them without a flag, and one of them in turn with each flag.
            for rest in REST.iter().cycle().skip(nth).take(if nth == 0 { REST.len() } else { 1 }) {
                let words = flag.iter().map(String::as_str).chain(rest.iter().copied());
                check(&path.iter().cloned().chain(words.map(OsString::from)).collect::<Vec<_>>());
            }
        }
        for value in command.get_positionals().flat_map(clap::Arg::get_possible_values) {
            check(&[path, &[value.get_name().into()]].concat());
        }
        for next in command.get_subcommands() {
            for name in [next.get_name()].into_iter().chain(next.get_all_aliases()) {
                for_lines(next, &[path, &[name.into()]].concat(), check);
            }
        }
    }

    #[test]
    #[cfg_attr(windows, ignore = "takes three minutes under Wine, and reads the same definitions on Linux")]
    fn a_line_that_names_its_command_first_is_read_as_by_the_whole_command_line() {
        let mut cli = Cli::command();
        cli.build();
        // Building the command line takes most of the time, so all lines are parsed by the same one.
        let mut whole = Cli::command();
        let (mut taken, mut left) = (0, 0);
        let mut names = std::collections::BTreeSet::new();
        for_lines(&cli, &["hatbox".into()], &mut |words| {
            let called = parse_called(words).map(|cli| format!("{cli:?}"));
            let whole = whole.try_get_matches_from_mut(words).ok();
            let whole = whole.map(|matches| format!("{:?}", Cli::from_arg_matches(&matches).unwrap()));
            let name = words.get(1).and_then(|word| word.to_str()).unwrap_or_default();
            if name.starts_with('-') {
                assert_eq!(called, None, "{words:?}");
                return;
            }
            assert_eq!(called, whole, "{words:?}");
            if called.is_some() {
                names.insert(name.to_owned());
            }
            *(if called.is_some() { &mut taken } else { &mut left }) += 1;
        });
        assert!(taken > 150 && left > 150, "{taken} taken, {left} left");
        for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
            for name in [command.get_name()].into_iter().chain(command.get_all_aliases()) {
                assert!(names.contains(name), "no line of `{name}` is taken");
            }
        }
    }

    #[test]
    fn exec_of_a_profile_is_read_by_hand_as_clap_reads_it() {
        let words = ["dev", "", " ", "a b", "help", "exec", "--", "-", "-h", "--debug", "é", "x=y", "@file"];
        let mut taken = 0;
        for profile in words {
            for first in words {
                for rest in [&[][..], &["--"], &["-n", "--help"], &["", "x"]] {
                    let line = [&["hatbox", "exec", profile, "--", first], rest].concat();
                    for line in [&line[..], &line[..4]] {
                        let line: Vec<_> = line.iter().map(OsString::from).collect();
                        let Some(by_hand) = parse_plain_exec(&line) else { continue };
                        let by_clap = Cli::try_parse_from(&line).unwrap();
                        assert_eq!(format!("{by_hand:?}"), format!("{by_clap:?}"), "{line:?}");
                        taken += 1;
                    }
                }
            }
        }
        assert!(taken > 500, "only {taken}");
    }

    #[test]
    fn what_only_the_whole_command_line_answers_is_left_to_it() {
        for line in ["hatbox", "hatbox --help", "hatbox help exec", "hatbox exec --help", "hatbox exec -h"] {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            assert!(parse_called(&words).is_none(), "{line}");
        }
        for line in ["hatbox exec -V", "hatbox store help", "hatbox store wrap help", "hatbox --debug list"] {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            assert!(parse_called(&words).is_none(), "{line}");
        }
    }
}
