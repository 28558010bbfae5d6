//! `--completion-bash WORDS...`: the words that could stand in the place of the last one, as aws-vault's completion
//! scripts ask for them at every Tab; and such scripts.

use std::ffi::OsString;

use clap::{Arg, Command};

use crate::errors::Failure;
use crate::files::aws_config::load_config;
use crate::world::World;

const BASH: &str = "\
_NAME_complete() {
    local words
    words=$(\"${COMP_WORDS[0]}\" --completion-bash \"${COMP_WORDS[@]:1:$COMP_CWORD}\" 2>/dev/null)
    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))
}
complete -o default -F _NAME_complete COMMAND
";

const ZSH: &str = "\
#compdef COMMAND
_NAME_complete() {
    local -a matches
    matches=(${(f)\"$(${words[1]} --completion-bash \"${(@)words[2,$CURRENT]}\" 2>/dev/null)\"})
    compadd -a matches || _files
}
compdef _NAME_complete COMMAND
";

/// Whether a line's first word asks for this.
pub(crate) fn is_asked(word: &OsString) -> bool {
    ["--completion-bash", "--completion-script-bash", "--completion-script-zsh"].iter().any(|own| word == own)
}

/// Asks nobody, and says nothing where the config cannot be read: a shell would show it in the middle of a line.
pub(crate) fn run(world: &World, mut cli: Command, words: &[OsString]) -> Result<(), Failure> {
    let name = world.output.called_as().as_str();
    let script =
        |text: &str| text.replace("_NAME", &format!("_{}", name.replace('-', "_"))).replace("COMMAND", name);
    let text = match words.first().and_then(|word| word.to_str()) {
        Some("--completion-script-bash") => script(BASH),
        Some("--completion-script-zsh") => script(ZSH),
        _ => {
            cli.build();
            let words: Vec<_> = words.iter().skip(1).map(|word| word.to_string_lossy()).collect();
            let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
            let profiles = || match load_config(world) {
                Ok(files) => files.config.profile_names().iter().map(ToString::to_string).collect(),
                Err(_) => Vec::new(),
            };
            resolve_candidates(&cli, &words, &profiles).iter().map(|word| format!("{word}\n")).collect()
        }
    };
    Ok(world.output.data(&text)?)
}

/// The words that begin like the last of `words` and could stand in its place.
fn resolve_candidates(cli: &Command, words: &[&str], profiles: &dyn Fn() -> Vec<String>) -> Vec<String> {
    let (current, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (*last, before));
    let mut command = cli;
    let mut positional = 0;
    let mut awaiting: Option<&Arg> = None;
    for word in before {
        if awaiting.take().is_some() {
            continue;
        }
        if *word == "--" {
            return Vec::new();
        }
        if word.starts_with('-') {
            awaiting = find_flag(command, word).filter(|arg| arg.get_action().takes_values());
        } else if let Some(below) = command.find_subcommand(word).filter(|_| positional == 0) {
            command = below;
        } else {
            positional += 1;
        }
    }
    let is_exec = command.get_name() == "exec";
    let all: Vec<String> = if let Some(arg) = awaiting {
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
    } else if current.starts_with('-') && !(is_exec && positional > 1) {
        let flags = command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_positional());
        flags.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect()
    } else if positional == 0 && command.has_subcommands() {
        let below = command.get_subcommands().filter(|command| !command.is_hide_set());
        below
            .flat_map(|command| [command.get_name()].into_iter().chain(command.get_visible_aliases()))
            .map(str::to_owned)
            .collect()
    } else if positional_at(command, positional).is_some_and(is_profile) {
        profiles()
    } else {
        Vec::new()
    };
    all.into_iter().filter(|word| word.starts_with(current)).collect()
}

/// The argument that the word at this position is for; the first takes several words where it is a list.
fn positional_at(command: &Command, position: usize) -> Option<&Arg> {
    let mut arguments = command.get_positionals().filter(|arg| !arg.is_last_set());
    let first = arguments.next()?;
    let takes_all = first.get_num_args().is_some_and(|count| count.max_values() > 1);
    Some(first).filter(|_| position == 0 || takes_all)
}

fn is_profile(arg: &Arg) -> bool {
    ["profile", "profiles"].contains(&arg.get_id().as_str())
}

/// The flag that a word is, when its value does not stand in the same word.
fn find_flag<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    command.get_arguments().find(|arg| match word.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => arg.get_short().is_some_and(|short| word == format!("-{short}")),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn candidates(line: &[&str]) -> Vec<String> {
        let mut cli = crate::args::Cli::command();
        cli.build();
        resolve_candidates(&cli, line, &|| ["dev", "prod", "prod-admin"].map(str::to_owned).to_vec())
    }

    #[test]
    fn what_fits_the_place_is_offered() {
        for (line, expected) in [
            (&["ex"][..], &["exec", "export", "explain"][..]),
            (&["ea"], &["each"]),
            (&["--debug", "exe"], &["exec"]),
            (&["--backend", "x", "exe"], &["exec"]),
            (&["r"], &["remove", "rm", "rotate"]),
            (&["exec", ""], &["dev", "prod", "prod-admin"]),
            (&["exec", "-n", "-d", "1h", "pr"], &["prod", "prod-admin"]),
            (&["exec", "-d", ""], &[]),
            (&["exec", "--region=x", "d"], &["dev"]),
            (&["exec", "dev", ""], &[]),
            (&["exec", "dev", "--min"], &["--min-ttl"]),
            (&["exec", "dev", "make", "--min"], &[]),
            (&["exec", "dev", "--", ""], &[]),
            (&["exec", "--back"], &["--backend"]),
            (&["export", "--format", "j"], &["json"]),
            (&["rm", "pr"], &["prod", "prod-admin"]),
            (&["each", "dev", "-j", "2", "pr"], &["prod", "prod-admin"]),
            (&["each", "dev", "--", "pr"], &[]),
            (&["clear", "d"], &["dev"]),
            (&["store", "mig"], &["migrate"]),
            (&["list", ""], &[]),
            (&["no-such", ""], &[]),
        ] {
            assert_eq!(candidates(line), expected, "{line:?}");
        }
        assert!(candidates(&[]).contains(&"exec".to_owned()));
        assert!(!candidates(&["exec", "-"]).contains(&"--ec2-server".to_owned()), "hidden");
    }
}
