//! aws-vault's flags without effect, and its verbs that hatbox does not have. They are looked up only after clap
//! rejected a word, so other lines do not pay for them. docs/moving-from-aws-vault.md has the same tables.

use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Flags of aws-vault that change nothing here, and whether they take a value. hatbox accepts them if called
/// `aws-vault`.
pub(crate) const WITHOUT_EFFECT: [(&str, Value); 34] = [
    ("--parallel-safe", Value::None),
    ("--biometrics", Value::None),
    ("--keychain", Value::Follows),
    ("--secret-service-collection", Value::Follows),
    ("--pass-dir", Value::Follows),
    ("--pass-cmd", Value::Follows),
    ("--pass-prefix", Value::Follows),
    ("--op-timeout", Value::Follows),
    ("--op-vault-id", Value::Follows),
    ("--op-item-title-prefix", Value::Follows),
    ("--op-item-tag", Value::Follows),
    ("--op-connect-host", Value::Follows),
    ("--op-desktop-account-id", Value::Follows),
    ("--proton-pass-share-id", Value::Follows),
    ("--proton-pass-item-title-prefix", Value::Follows),
    ("--proton-pass-api-base", Value::Follows),
    ("--proton-pass-timeout", Value::Follows),
    ("--no-debug", Value::None),
    ("--no-parallel-safe", Value::None),
    ("--no-biometrics", Value::None),
    ("--no-no-session", Value::None),
    ("--no-json", Value::None),
    ("--no-server", Value::None),
    ("--no-ecs-server", Value::None),
    ("--no-ec2-server", Value::None),
    ("--no-lazy", Value::None),
    ("--no-stdout", Value::None),
    ("--no-profile-env", Value::None),
    ("--no-env", Value::None),
    ("--no-force", Value::None),
    ("--no-profiles", Value::None),
    ("--no-sessions", Value::None),
    ("--no-credentials", Value::None),
    ("--no-no-add-config", Value::None),
];

/// Whether a flag takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    Follows,
}

/// What this version does not have, and what to do instead.
pub(crate) const MISSING: [(&str, &str); 4] = [
    ("--help-man", "`hatbox help COMMAND` shows the help of a command"),
    ("migrate-backend", "`hatbox store migrate --to BACKEND` moves hatbox's keys"),
    ("proxy", "`hatbox exec --server` renews the credentials of a running command"),
    ("server", "`hatbox exec --server` renews the credentials of a running command"),
];

/// How to continue with a line that clap rejected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Parse it again without the words that have no effect.
    Again(Vec<OsString>),
    /// It asks for something that this version does not have.
    Missing { what: &'static str, hint: &'static str },
    /// It asks for the version.
    Version,
    /// It asks for the long help.
    LongHelp,
    /// It is wrong.
    Wrong,
}

/// Decides how to continue with a line that clap rejected. aws-vault's flags are accepted if hatbox `is_drop_in`.
pub(crate) fn resolve_refused(error: &Error, words: &[OsString], is_drop_in: bool) -> Refused {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let word = match error.kind() {
        ErrorKind::InvalidSubcommand => context(ContextKind::InvalidSubcommand),
        ErrorKind::UnknownArgument => context(ContextKind::InvalidArg),
        _ => None,
    };
    let Some(word) = word else { return Refused::Wrong };
    match word {
        // `help` is clap's own command and takes no flags: drop them and show the help of the other words.
        "--help" | "-h" => return without(words, word, Value::None),
        "version" => return Refused::Version,
        "-v" if is_drop_in => return Refused::Version,
        "--help-long" if is_drop_in => return Refused::LongHelp,
        _ => {}
    }
    if let Some((what, hint)) = MISSING.iter().find(|(what, _)| *what == word) {
        return Refused::Missing { what, hint };
    }
    let ignored = WITHOUT_EFFECT.iter().find(|(name, _)| is_drop_in && *name == word);
    ignored.map_or(Refused::Wrong, |(name, value)| without(words, name, *value))
}

/// Drops the first flag called `name`, which is the one that clap rejected, as clap reads from left to right.
fn without(words: &[OsString], name: &str, value: Value) -> Refused {
    let attached = format!("{name}=");
    let is_it = |word: &OsString| word == name || word.to_string_lossy().starts_with(&attached);
    let Some(at) = words.iter().position(is_it) else { return Refused::Wrong };
    let is_alone = words.get(at).is_some_and(|word| word == name);
    let length = if is_alone && value == Value::Follows { 2 } else { 1 };
    let kept = words.iter().take(at).chain(words.iter().skip(at + length));
    Refused::Again(kept.cloned().collect())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::args::Cli;

    fn refused(line: &str, is_drop_in: bool) -> Refused {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        match Cli::try_parse_from(&words) {
            Ok(_) => panic!("clap takes {line}"),
            Err(error) => resolve_refused(&error, &words, is_drop_in),
        }
    }

    fn again(line: &str) -> Refused {
        Refused::Again(line.split(' ').map(OsString::from).collect())
    }

    #[test]
    fn flags_without_effect_are_taken_out_where_hatbox_is_called_as_aws_vault() {
        for (line, left) in [
            ("aws-vault --parallel-safe list", "aws-vault list"),
            ("aws-vault list --keychain x", "aws-vault list"),
            ("aws-vault --keychain=x list --keychain y", "aws-vault list --keychain y"),
            ("aws-vault exec --no-debug a cmd --no-debug", "aws-vault exec a cmd --no-debug"),
            ("aws-vault exec a --op-vault-id v -- cmd", "aws-vault exec a -- cmd"),
        ] {
            assert_eq!(refused(line, true), again(left), "{line}");
            assert_eq!(refused(line, false), Refused::Wrong, "{line}");
        }
    }

    #[test]
    fn no_flag_or_verb_of_the_tables_is_one_that_hatbox_has() {
        for (name, value) in WITHOUT_EFFECT {
            let line = format!("aws-vault {name}{} list", if value == Value::Follows { " x" } else { "" });
            assert_eq!(refused(&line, true), again("aws-vault list"), "{line}");
        }
        for (what, hint) in MISSING {
            for is_drop_in in [true, false] {
                assert_eq!(refused(&format!("hatbox {what}"), is_drop_in), Refused::Missing { what, hint });
            }
            assert!(Cli::command().find_subcommand(what).is_none());
        }
    }

    /// These flags are skipped when looking for the profile of a `credential_process` that runs hatbox: with a flag
    /// missing, its value would be taken for the profile.
    #[test]
    fn the_flags_that_take_a_value_are_those_that_plans_know() {
        let mut cli = Cli::command();
        cli.build();
        let mut found: Vec<String> = Vec::new();
        for verb in ["exec", "export"] {
            let command = cli.find_subcommand(verb).unwrap();
            for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
                found.extend(
                    arg.get_long_and_visible_aliases().into_iter().flatten().map(|n| format!("--{n}")),
                );
                found.extend(
                    arg.get_short_and_visible_aliases().into_iter().flatten().map(|n| format!("-{n}")),
                );
            }
        }
        let of_aws_vault = WITHOUT_EFFECT.iter().filter(|(_, value)| *value == Value::Follows);
        found.extend(of_aws_vault.map(|(name, _)| (*name).to_owned()));
        found.sort();
        found.dedup();
        let mut known = hatbox_core::plan::VALUE_FLAGS.to_vec();
        known.sort_unstable();
        assert_eq!(found, known);
    }

    #[test]
    fn the_document_has_every_flag_and_verb() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/moving-from-aws-vault.md");
        let document = std::fs::read_to_string(path).unwrap();
        let rows: Vec<_> = document.lines().filter(|line| line.starts_with("| `")).collect();
        let has_word = |name: &str, word: &str| {
            rows.iter().any(|row| row.contains(&format!("`{name}`")) && row.contains(word))
        };
        for (name, _) in WITHOUT_EFFECT {
            assert!(has_word(name, "no effect"), "{name}");
        }
        for (name, _) in MISSING {
            assert!(has_word(name, "not there yet"), "{name}");
        }
        // In the other direction: every flag without effect in the document is in the table.
        for row in rows.iter().filter(|row| row.contains("| no effect")) {
            let names = row.split('`').skip(1).step_by(2).filter(|name| name.starts_with("--"));
            for name in names {
                assert!(WITHOUT_EFFECT.iter().any(|(known, _)| *known == name), "{name}");
            }
        }
    }

    #[test]
    fn version_and_long_help_are_asked_for_by_aws_vaults_words_too() {
        assert_eq!(refused("aws-vault -v", true), Refused::Version);
        assert_eq!(refused("aws-vault version", true), Refused::Version);
        assert_eq!(refused("hatbox version", false), Refused::Version);
        assert_eq!(refused("aws-vault --help-long", true), Refused::LongHelp);
        assert_eq!(refused("hatbox -v", false), Refused::Wrong);
        assert_eq!(refused("aws-vault --no-such-flag", true), Refused::Wrong);
        assert_eq!(refused("aws-vault exec a --no-such-flag", true), Refused::Wrong);
    }
}
