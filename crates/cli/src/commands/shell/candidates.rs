//! Finds the words that can be completed at the cursor.

use clap::builder::StyledStr;
use clap::{Arg, Command, ValueHint};

use super::names::{Candidate, Names, Source};

/// What can be at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// One of these words.
    Words(Vec<Candidate>),
    /// A file name, which the shell completes.
    File,
    /// The name of a directory.
    Directory,
    /// A word of the command to run, whose first word has this index; the shell completes it.
    Command(usize),
}

/// Returns what can replace the last of `words`, the words after the program's name.
pub(super) fn resolve_answer(cli: &Command, words: &[&str], names: &Names) -> Answer {
    let (current, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (*last, before));
    let mut place =
        Line { path: Vec::new(), command: cli, positionals: 0, awaiting: None, are_flags_over: false };
    for (index, word) in before.iter().enumerate() {
        if place.is_at_command(word) {
            return Answer::Command(index);
        }
        place.step(word);
    }
    if place.is_at_command(current) {
        return Answer::Command(before.len());
    }
    place.resolve(current, names)
}

/// The state of parsing a line.
struct Line<'c> {
    /// The names of the commands so far.
    path: Vec<&'c str>,
    command: &'c Command,
    positionals: usize,
    /// The option whose value comes next.
    awaiting: Option<&'c Arg>,
    /// Whether `--` was seen.
    are_flags_over: bool,
}

impl<'c> Line<'c> {
    /// Whether `word` is the first word of a command to run, as after `exec PROFILE`.
    fn is_at_command(&self, word: &str) -> bool {
        if self.are_flags_over {
            return self
                .command
                .get_positionals()
                .any(|arg| arg.is_trailing_var_arg_set() || arg.is_last_set());
        }
        let trailing = self.command.get_positionals().position(Arg::is_trailing_var_arg_set);
        let is_flag = word.starts_with('-');
        self.awaiting.is_none() && !is_flag && trailing.is_some_and(|index| self.positionals >= index)
    }

    fn step(&mut self, word: &str) {
        if self.awaiting.take().is_some() {
            return;
        }
        if self.are_flags_over {
            self.positionals += 1;
        } else if word == "--" {
            self.are_flags_over = true;
        } else if word.starts_with('-') && word != "-" {
            self.awaiting = find_flag(self.command, word).filter(|arg| arg.get_action().takes_values());
        } else if let Some(below) = self.command.find_subcommand(word).filter(|_| self.positionals == 0) {
            self.command = below;
            self.path.push(below.get_name());
        } else {
            self.positionals += 1;
        }
    }

    fn resolve(&self, current: &str, names: &Names) -> Answer {
        if let Some(arg) = self.awaiting {
            return self.resolve_value(arg, "", current, names);
        }
        if !self.are_flags_over && current.starts_with('-') {
            let option = current.split_once('=').filter(|(flag, _)| flag.starts_with("--"));
            let Some((flag, value)) = option else { return self.flags(current) };
            return match find_flag(self.command, flag).filter(|arg| arg.get_action().takes_values()) {
                Some(arg) => self.resolve_value(arg, &format!("{flag}="), value, names),
                None => Answer::Words(Vec::new()),
            };
        }
        if self.positionals == 0 && self.command.has_subcommands() {
            let below = self.command.get_subcommands().filter(|command| !command.is_hide_set());
            let named = |command: &'c Command| {
                let about = first_line(command.get_about());
                let all = [command.get_name()].into_iter().chain(command.get_visible_aliases());
                all.map(move |name| Candidate::new(name, &about))
            };
            return Answer::Words(starting_with(current, below.flat_map(named).collect()));
        }
        let arguments = || self.command.get_positionals().filter(|arg| !arg.is_last_set());
        let takes_more = |arg: &&Arg| arg.get_num_args().is_some_and(|count| count.max_values() > 1);
        match arguments().nth(self.positionals).or_else(|| arguments().last().filter(takes_more)) {
            Some(arg) => self.resolve_value(arg, "", current, names),
            None => Answer::Words(Vec::new()),
        }
    }

    fn flags(&self, current: &str) -> Answer {
        let flags = self.command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_positional());
        let long =
            |arg: &Arg| Some(Candidate::new(&format!("--{}", arg.get_long()?), &first_line(arg.get_help())));
        Answer::Words(starting_with(current, flags.filter_map(long).collect()))
    }

    /// Returns the values of an argument that begin with `start`, each with `prefix`.
    fn resolve_value(&self, arg: &Arg, prefix: &str, start: &str, names: &Names) -> Answer {
        let known = arg.get_possible_values();
        let values = if known.is_empty() {
            match source_of(&self.path, arg) {
                Some(source) => names.load(source),
                None if arg.get_value_hint() != ValueHint::AnyPath => Vec::new(),
                // The shell would complete the whole word, including the prefix.
                None if !prefix.is_empty() => Vec::new(),
                None if arg.get_id().as_str().ends_with("dir") => return Answer::Directory,
                None => return Answer::File,
            }
        } else {
            let shown = known.iter().filter(|value| !value.is_hide_set());
            shown.map(|value| Candidate::new(value.get_name(), &first_line(value.get_help()))).collect()
        };
        let values = starting_with(start, values).into_iter();
        Answer::Words(values.map(|c| Candidate { value: format!("{prefix}{}", c.value), ..c }).collect())
    }
}

fn starting_with(start: &str, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.retain(|candidate| candidate.value.starts_with(start));
    candidates
}

/// Returns the source of the values of an argument that clap does not know.
fn source_of(path: &[&str], arg: &Arg) -> Option<Source> {
    match (path, arg.get_id().as_str()) {
        (_, "profile" | "profiles" | "source_profile") | (["each"], "exclude") => Some(Source::Profiles),
        (["sso", ..], "name") => Some(Source::SsoSessions),
        (_, "backend") | (["store", ..], "to" | "from") => Some(Source::Backends),
        (_, "prompt") => Some(Source::Prompts),
        (_, "region") => Some(Source::Regions),
        (["each"], "account") => Some(Source::Accounts),
        (["each"], "tag") => Some(Source::Tags),
        _ => None,
    }
}

fn first_line(text: Option<&StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// Returns the flag that `word` is, if its value is not in the same word.
fn find_flag<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    command.get_arguments().find(|arg| match word.strip_prefix("--") {
        Some(long) => arg.get_long_and_visible_aliases().is_some_and(|all| all.contains(&long)),
        None => arg.get_short().is_some_and(|short| word == format!("-{short}")),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn answer(line: &[&str]) -> Answer {
        let mut cli = crate::args::Cli::command();
        cli.build();
        resolve_answer(
            &cli,
            line,
            &Names::for_tests(&["dev", "--fresh", "-n", "prod", "prod-admin"], &["corp"]),
        )
    }

    fn candidates(line: &[&str]) -> Vec<String> {
        match answer(line) {
            Answer::Words(words) => words.into_iter().map(|candidate| candidate.value).collect(),
            other => panic!("{line:?}: {other:?}"),
        }
    }

    #[test]
    fn what_fits_the_place_is_offered() {
        for (line, expected) in [
            (&["ex"][..], &["exec", "export", "explain"][..]),
            (&["--debug", "exe"], &["exec"]),
            (&["--backend", "x", "exe"], &["exec"]),
            (&["exec", ""], &["dev", "prod", "prod-admin"]),
            (&["exec", "-n", "-d", "1h", "pr"], &["prod", "prod-admin"]),
            (&["exec", "-d", ""], &[]),
            (&["exec", "--region=x", "d"], &["dev"]),
            (&["exec", "dev", "--min"], &["--min-ttl"]),
            (&["exec", "--back"], &["--backend"]),
            (&["export", "--format", "j"], &["json"]),
            (&["export", "--format=js"], &["--format=json"]),
            (&["export", "--format=export-", "x"], &[]),
            (&["export", "--nested=", ""], &["dev", "prod", "prod-admin"]),
            (&["export", "--nested="], &[]),
            (&["export", "--", "p"], &["prod", "prod-admin"]),
            (&["export", "--", "-"], &[]),
            (&["rm", "pr"], &["prod", "prod-admin"]),
            (&["ea"], &["each"]),
            (&["each", "dev", "-j", "2", "pr"], &["prod", "prod-admin"]),
            (&["each", "--all", "--exclude", "prod-"], &["prod-admin"]),
            (&["each", "--account", "4"], &["444455556666"]),
            (&["each", "--tag=env"], &["--tag=env=dev"]),
            (&["clear", "d"], &["dev"]),
            (&["store", "mig"], &["migrate"]),
            (&["store", "use", "--to", "pas"], &["pass", "passage"]),
            (&["--backend", "fi"], &["file"]),
            (&["exec", "--prompt", "yk"], &["ykman"]),
            (&["exec", "--region", "eu"], &["eu-west-1"]),
            (&["sso", "login", ""], &["corp"]),
            (&["sso", "login", "corp", ""], &[]),
            (&["completions", "b"], &["bash"]),
            (&["list", ""], &[]),
            (&["no-such", ""], &[]),
        ] {
            assert_eq!(candidates(line), expected, "{line:?}");
        }
        assert!(candidates(&[]).contains(&"exec".to_owned()));
        assert!(!candidates(&["exec", "-"]).contains(&"--ec2-server".to_owned()), "hidden");
    }

    #[test]
    fn the_command_of_exec_and_files_are_left_to_the_shell() {
        for (line, expected) in [
            (&["exec", "dev", ""][..], Answer::Command(2)),
            (&["exec", "dev", "ma"], Answer::Command(2)),
            (&["exec", "-n", "dev", "make", "--min"], Answer::Command(3)),
            (&["exec", "dev", "--", ""], Answer::Command(3)),
            (&["exec", "dev", "--", "-"], Answer::Command(3)),
            (&["exec", "--", "aws", "s3", ""], Answer::Command(2)),
            (&["exec", "-d", "1h", "dev", "--", "sh", "--", "x"], Answer::Command(5)),
            (&["each", "dev", "--", "pr"], Answer::Command(3)),
            (&["exec", "--policy", ""], Answer::File),
            (&["--file-dir", "x"], Answer::Directory),
        ] {
            assert_eq!(answer(line), expected, "{line:?}");
        }
    }
}
