//! Describes what is wrong with a line that clap rejected, in the form of hatbox's other messages.

use std::ffi::OsString;
use std::iter;
use std::num::ParseIntError;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Error};
use hatbox_types::text::printable;
use hatbox_types::text::suggest::nearest_name;

use super::Cli;

/// clap's own command, which must not appear in suggestions.
const HELP: &str = "help";

/// A line with an error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongUse {
    /// One line, with the user's words in backticks.
    pub(crate) error: String,
    /// The usage of the command, if that shows what is missing.
    pub(crate) usage: Option<String>,
    pub(crate) hints: Vec<String>,
}

/// Translates clap's error. Returns `None` for help and version, and for errors that are best left in clap's words.
pub(crate) fn resolve_wrong_use(error: &Error, words: &[OsString]) -> Option<WrongUse> {
    let called = Called::resolve(words);
    let mut hints = Vec::new();
    let mut is_usage_shown = false;
    let text = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            hints.push(match strings(error, ContextKind::SuggestedSubcommand).as_slice() {
                [] => called.hint_for_unknown_command(text(error, ContextKind::InvalidSubcommand)?),
                nearest => format!("did you mean {}?", join(nearest, "or")),
            });
            format!("unrecognized subcommand {}", quoted(error, ContextKind::InvalidSubcommand)?)
        }
        ErrorKind::MissingSubcommand => {
            let mut commands = strings(error, ContextKind::ValidSubcommand);
            commands.retain(|name| name != HELP);
            hints.push(format!("run `{} --help` for its commands", called.name));
            format!("missing subcommand of `{}`: expected {}", called.name, join(&commands, "or"))
        }
        ErrorKind::UnknownArgument => {
            let argument = text(error, ContextKind::InvalidArg)?;
            is_usage_shown = !argument.starts_with('-');
            hints.extend(called.hints_for_unknown(argument, text(error, ContextKind::SuggestedArg)));
            format!("unexpected argument `{}`", printable(argument))
        }
        ErrorKind::MissingRequiredArgument => {
            is_usage_shown = true;
            let missing = strings(error, ContextKind::InvalidArg);
            let plural = if missing.len() == 1 { "" } else { "s" };
            let text = format!("missing required argument{plural} {}", join(&missing, "and"));
            match called.values_of(&missing).as_slice() {
                [] => text,
                values => format!("{text}: expected {}", join(values, "or")),
            }
        }
        ErrorKind::ArgumentConflict => {
            let argument = quoted(error, ContextKind::InvalidArg)?;
            let others = strings(error, ContextKind::PriorArg);
            if join(&others, "and") == argument {
                format!("{argument} is given more than once")
            } else if others.is_empty() {
                format!("{argument} cannot be used with the other arguments")
            } else {
                format!("{argument} cannot be used with {}", join(&others, "and"))
            }
        }
        ErrorKind::InvalidValue => {
            let argument = quoted(error, ContextKind::InvalidArg)?;
            let value = text(error, ContextKind::InvalidValue)?;
            let said = if value.is_empty() {
                format!("missing value for {argument}")
            } else {
                format!("invalid value `{}` for {argument}", printable(value))
            };
            if let Some(nearest) = text(error, ContextKind::SuggestedValue) {
                hints.push(format!("did you mean `{nearest}`?"));
            }
            match strings(error, ContextKind::ValidValue).as_slice() {
                [] => said,
                valid => format!("{said}: expected {}", join(valid, "or")),
            }
        }
        ErrorKind::ValueValidation => {
            let argument = quoted(error, ContextKind::InvalidArg)?;
            let value = quoted(error, ContextKind::InvalidValue)?;
            let cause = std::error::Error::source(error).map(|cause| match cause.downcast_ref() {
                Some(ParseIntError { .. }) => ": expected a number".to_owned(),
                None => format!(": {}", printable(&cause.to_string())),
            });
            format!("invalid value {value} for {argument}{}", cause.unwrap_or_default())
        }
        ErrorKind::TooManyValues => {
            let argument = quoted(error, ContextKind::InvalidArg)?;
            format!("unexpected value {} for {argument}", quoted(error, ContextKind::InvalidValue)?)
        }
        ErrorKind::InvalidUtf8 => {
            let word = words.iter().find(|word| word.to_str().is_none())?;
            format!("invalid argument `{}`: expected UTF-8", printable(&word.to_string_lossy()))
        }
        _ => return None,
    };
    // Do not pass the given words to clap: it would show a given flag, or one set by a variable, as required.
    let usage = is_usage_shown.then(|| called.command.clone().render_usage().to_string());
    let usage = usage.map(|usage| printable(usage.trim_start_matches("Usage: ")).into_owned());
    // An argument that is required only without others is missing in the usage.
    if error.kind() == ErrorKind::MissingRequiredArgument {
        let is_in_usage = |argument| usage.as_ref().is_some_and(|usage| usage.contains(argument));
        if !strings(error, ContextKind::InvalidArg).iter().all(|argument| is_in_usage(argument.as_str())) {
            hints.push(format!("run `{} --help` for its arguments", called.name));
        }
    }
    Some(WrongUse { error: text, usage, hints })
}

/// Whether the line is for a command that runs another program, whose own exit code 2 could be confused with a usage
/// error.
pub(crate) fn is_for_another_command(words: &[OsString]) -> bool {
    Called::resolve(words).path.first().is_some_and(|name| ["exec", "each"].contains(&name.as_str()))
}

/// The command of a line with an error.
struct Called {
    command: Command,
    /// The names of the command and its parents, without the program's name.
    path: Vec<String>,
    /// The full name as typed.
    name: String,
}

impl Called {
    /// Follows the words that are neither flags nor values of flags, as long as they name commands.
    fn resolve(words: &[OsString]) -> Self {
        let mut command = Cli::command();
        command.build();
        let mut path = Vec::new();
        let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            } else if takes_value(&command, &word) {
                words.next();
            } else if !word.starts_with('-') {
                let Some(next) = command.find_subcommand(&*word) else { break };
                if next.get_name() != HELP {
                    path.push(next.get_name().to_owned());
                    command = next.clone();
                }
            }
        }
        let name =
            ["hatbox"].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
        Self { command, path, name }
    }

    /// Suggests the nearest command, which clap does not for the words of `help`.
    fn hint_for_unknown_command(&self, word: &str) -> String {
        let shown = self.command.get_subcommands().filter(|command| !command.is_hide_set());
        let names =
            shown.flat_map(|command| iter::once(command.get_name()).chain(command.get_visible_aliases()));
        match nearest_name(word, names.filter(|name| *name != HELP)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("run `{} --help` for its commands", self.name),
        }
    }

    /// Returns the possible values of the missing argument, if one is missing and has a fixed set of them.
    fn values_of(&self, missing: &[String]) -> Vec<String> {
        let [missing] = missing else { return Vec::new() };
        let argument = self.command.get_arguments().find(|argument| argument.to_string() == *missing);
        let values = argument.map(clap::Arg::get_possible_values).unwrap_or_default();
        values.iter().filter(|value| !value.is_hide_set()).map(|value| value.get_name().to_owned()).collect()
    }

    fn hints_for_unknown(&self, argument: &str, nearest: Option<&str>) -> Vec<String> {
        let is_flag = argument.starts_with('-');
        let long = argument.strip_prefix("--");
        let has_it = long.is_some() && self.command.get_arguments().any(|arg| arg.get_long() == long);
        if let Some(nearest) = nearest {
            return vec![format!("did you mean `{nearest}`?")];
        }
        if has_it {
            return vec![format!(
                "it is an option of `{0}`: write it after the command, `{0} {argument}`",
                self.name
            )];
        }
        if self.path.is_empty() && self.command.find_subcommand(argument).is_some() {
            return vec![format!("write it without `--`: `{} {argument}`", self.name)];
        }
        let mut hints = Vec::new();
        if is_flag && self.path.first().is_some_and(|name| name == "exec") {
            hints.push(
                "options of the command go after it: `hatbox exec PROFILE -- COMMAND OPTIONS`".to_owned(),
            );
        }
        if is_flag {
            hints.push(format!("run `{} --help` for its options", self.name));
        }
        hints
    }
}

fn takes_value(command: &Command, word: &str) -> bool {
    command.get_arguments().filter(|arg| arg.get_action().takes_values() && !arg.is_positional()).any(|arg| {
        let short = arg
            .get_short()
            .is_some_and(|short| word.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4])));
        let long = word.strip_prefix("--");
        short || (long.is_some() && arg.get_long() == long)
    })
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

fn quoted(error: &Error, kind: ContextKind) -> Option<String> {
    text(error, kind).map(quote)
}

fn quote(text: &str) -> String {
    format!("`{}`", printable(text))
}

/// Returns all texts of a kind, whether clap stores one or several.
fn strings(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// "`a`, `b` or `c`"
fn join(texts: &[String], last: &str) -> String {
    match texts {
        [] => String::new(),
        [only] => quote(only),
        [others @ .., end] => {
            let others: Vec<_> = others.iter().map(|text| quote(text)).collect();
            format!("{} {last} {}", others.join(", "), quote(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn wrong(words: &[OsString]) -> WrongUse {
        let error = Cli::try_parse_from(words).expect_err("clap takes the line");
        resolve_wrong_use(&error, words).unwrap_or_else(|| panic!("no words for {words:?}: {error}"))
    }

    #[test]
    fn every_kind_of_wrong_use_is_said_in_one_line() {
        let expected = "`env`, `export-env`, `sh`, `fish`, `nushell`, `powershell`, `cmd`, `dotenv`, `docker`, \
                        `github-actions`, `ini`, `json` or `sts`";
        for (line, error, hints) in [
            ("hatbox lst", "unrecognized subcommand `lst`", &["did you mean `ls` or `list`?"][..]),
            (
                "hatbox store x",
                "unrecognized subcommand `x`",
                &["run `hatbox store --help` for its commands"],
            ),
            ("hatbox help x", "unrecognized subcommand `x`", &["run `hatbox --help` for its commands"]),
            ("hatbox help exce", "unrecognized subcommand `exce`", &["did you mean `exec`?"]),
            ("hatbox help store trsut", "unrecognized subcommand `trsut`", &["did you mean `trust`?"]),
            ("hatbox help stroe trust", "unrecognized subcommand `stroe`", &["did you mean `store`?"]),
            (
                "hatbox import --debug",
                "missing subcommand of `hatbox import`: expected `aws-vault` or `credentials`",
                &["run `hatbox import --help` for its commands"],
            ),
            ("hatbox list --jsn", "unexpected argument `--jsn`", &["did you mean `--json`?"]),
            ("hatbox ls -x", "unexpected argument `-x`", &["run `hatbox list --help` for its options"]),
            ("hatbox list x", "unexpected argument `x`", &[]),
            (
                "hatbox --fresh exec a",
                "unexpected argument `--fresh`",
                &["it is an option of `hatbox exec`: write it after the command, `hatbox exec --fresh`"],
            ),
            ("hatbox -- list", "unexpected argument `list`", &["write it without `--`: `hatbox list`"]),
            (
                "hatbox exec --zz a",
                "unexpected argument `--zz`",
                &[
                    "options of the command go after it: `hatbox exec PROFILE -- COMMAND OPTIONS`",
                    "run `hatbox exec --help` for its options",
                ],
            ),
            ("hatbox add", "missing required argument `<PROFILE>`", &[]),
            ("hatbox store migrate", "missing required argument `--to <BACKEND>`", &[]),
            (
                "hatbox shell-init",
                "missing required argument `<SHELL>`: expected `bash`, `zsh`, `fish` or `pwsh`",
                &[],
            ),
            (
                "hatbox trust snapshot",
                "missing required argument `--output <FILE>`",
                &["run `hatbox trust snapshot --help` for its arguments"],
            ),
            ("hatbox add --env --stdin x", "`--env` cannot be used with `--stdin`", &[]),
            ("hatbox list --json --json", "`--json` is given more than once", &[]),
            (
                "hatbox export --format",
                &format!("missing value for `--format <FORMAT>`: expected {expected}"),
                &[],
            ),
            ("hatbox --backend", "missing value for `--backend <NAME>`", &[]),
            (
                "hatbox export --format jso a",
                &format!("invalid value `jso` for `--format <FORMAT>`: expected {expected}"),
                &["did you mean `json`?"],
            ),
            (
                "hatbox --passphrase-fd x list",
                "invalid value `x` for `--passphrase-fd <N>`: expected a number",
                &[],
            ),
            ("hatbox list --json=1", "unexpected value `1` for `--json`", &[]),
        ] {
            let found = wrong(&words(line));
            assert_eq!(
                (found.error.as_str(), found.hints),
                (error, hints.iter().map(|h| (*h).to_owned()).collect()),
                "{line}"
            );
        }
    }

    #[test]
    fn help_describes_a_command_below_another_one() {
        let error = Cli::try_parse_from(words("hatbox help store trust")).expect_err("help ends the line");
        assert_eq!(error.kind(), ErrorKind::DisplayHelp);
        assert!(error.to_string().contains("Usage: hatbox store trust"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn a_word_that_is_not_utf8_is_named() {
        let bytes = std::os::unix::ffi::OsStringExt::from_vec(vec![b'a', 0xff]);
        let found = wrong(&["hatbox".into(), "export".into(), bytes]);
        assert_eq!(found.error, "invalid argument `a\u{fffd}`: expected UTF-8");
    }

    #[test]
    fn the_usage_is_shown_where_it_says_what_is_missing_or_too_much() {
        for (line, usage) in [
            ("hatbox add", Some("hatbox add [OPTIONS] <PROFILE>")),
            ("hatbox store migrate --to x --yes", Some("hatbox store migrate [OPTIONS] --to <BACKEND>")),
            ("hatbox export a b", Some("hatbox export [OPTIONS] [PROFILE]")),
            ("hatbox list --jsn", None),
            ("hatbox lst", None),
        ] {
            assert_eq!(wrong(&words(line)).usage.as_deref(), usage, "{line}");
        }
    }

    /// Every flag of every command, mistyped, without its value or given twice, gets hatbox's own message without
    /// clap's quotation marks.
    #[test]
    fn no_flag_of_any_command_needs_claps_words() {
        // Building the command line takes most of the time, so all lines are parsed by the same one.
        fn visit(command: &Command, path: &[OsString], whole: &mut Command, count: &mut usize) {
            let mut lines = vec![vec!["--no-such-flag".to_owned()], vec!["no-such-word".to_owned(); 9]];
            for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
                if let Some(long) = arg.get_long() {
                    let flag = format!("--{long}");
                    let has_value = arg.get_action().takes_values();
                    lines.push(vec![format!("{flag}=\u{1b}[31m")]);
                    lines.push(if has_value { vec![flag.clone()] } else { vec![flag.clone(), flag.clone()] });
                    lines.push(vec![format!("{flag}x")]);
                }
            }
            for line in lines {
                let words: Vec<_> = path.iter().cloned().chain(line.iter().map(OsString::from)).collect();
                let Err(error) = whole.try_get_matches_from_mut(&words) else { continue };
                if !error.use_stderr() {
                    continue;
                }
                let found = resolve_wrong_use(&error, &words);
                let found = found.unwrap_or_else(|| panic!("{words:?}: {error}"));
                assert!(!found.error.contains(['\u{1b}', '\'', '\n']), "{words:?}: {found:?}");
                *count += 1;
            }
            for next in command.get_subcommands().filter(|next| next.get_name() != "help") {
                let path = [path, &[next.get_name().into()]].concat();
                visit(next, &path, whole, count);
            }
        }
        let mut cli = Cli::command();
        cli.build();
        let mut count = 0;
        visit(&cli, &["hatbox".into()], &mut Cli::command(), &mut count);
        assert!(count > 300, "only {count} lines");
    }

    #[test]
    fn exec_and_each_are_known_behind_global_flags() {
        let is = |line: &str| is_for_another_command(&words(line));
        assert!(
            is("hatbox each --bogus")
                && is("hatbox exec --bogus")
                && is("hatbox --backend file --debug exec --bogus")
        );
        for flag in ["--backend", "--file-dir", "--passphrase-fd", "--unlock-for", "--prompt"] {
            assert!(is(&format!("hatbox {flag} list exec --bogus")), "{flag}");
        }
        assert!(!is("hatbox list exec") && !is("hatbox --backend exec list") && !is("hatbox"));
    }
}
