//! The keys of a profile that guard the use of its credentials. They prevent mistakes of users, not changes by those
//! who can edit the file.

use super::checked::parse_with;
use super::error::ConfigError;
use super::foreign::render_foreign;
use super::known_keys::{OWN, is_known_key, nearest_own_key};
use super::layers::Layers;
use super::origin::Sourced;
use super::value::{ValueError, parse_bool};
use hatbox_types::name::RoleArn;
use hatbox_types::text::glob::matches_glob;

const CONFIRM: &str = "hatbox_confirm";
const DENY_COMMANDS: &str = "hatbox_deny_commands";
const READ_ONLY_FOR_AGENTS: &str = "hatbox_read_only_for_agents";
const READ_ONLY_ROLE: &str = "hatbox_read_only_role_arn";

/// The guards on the credentials of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// `hatbox_confirm`: the user has to type `yes` before each use.
    pub confirm: Option<Sourced<bool>>,
    /// `hatbox_deny_commands`: commands that `exec` refuses to run. The profile's own come first, then those of its
    /// source profiles.
    pub deny_commands: Vec<Sourced<Vec<CommandPattern>>>,
    /// `hatbox_read_only_for_agents`: a coding agent gets a read-only session.
    pub read_only_for_agents: Option<Sourced<bool>>,
    /// `hatbox_read_only_role_arn`: the role to assume if a read-only session is needed and the profile's own
    /// credentials cannot be restricted.
    pub read_only_role: Option<Sourced<RoleArn>>,
}

impl Guard {
    /// Adds the guards of a source profile: settings that are missing here, and its denied commands.
    pub(crate) fn inherit(&mut self, source: &Self) {
        inherit(&mut self.confirm, source.confirm.as_ref());
        inherit(&mut self.read_only_for_agents, source.read_only_for_agents.as_ref());
        inherit(&mut self.read_only_role, source.read_only_role.as_ref());
        self.deny_commands.extend_from_slice(&source.deny_commands);
    }
}

fn inherit<T: Clone>(own: &mut Option<T>, source: Option<&T>) {
    if own.is_none() {
        *own = source.cloned();
    }
}

/// A denied command: words that may contain `*` and `?`.
///
/// | pattern | matches | does not match |
/// |---|---|---|
/// | `terraform destroy` | `terraform destroy`, `/usr/bin/terraform -chdir=x destroy -auto-approve` | `terraform plan`, `sh -c 'terraform destroy'` |
/// | `aws iam delete-*` | `aws --region x iam delete-user` | `aws iam list-users` |
/// | `psql` | `psql`, and with any arguments | `psqlx` |
/// | `*` | every command, and the shell that `exec` opens without one | |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandPattern {
    words: Vec<String>,
}

/// How the system compares the names of files, and so of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileNames {
    /// `Terraform` is another program than `terraform`.
    CaseMatters,
    /// `Terraform` starts `terraform`, as on Windows and macOS.
    CaseIgnored,
}

impl CommandPattern {
    /// Whether it matches a command: its first word the program's file name, and its other words some of the arguments,
    /// in this order.
    pub fn matches<'a>(
        &self,
        (program, names): (&str, FileNames),
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> bool {
        let is_program = |word: &String| match names {
            FileNames::CaseMatters => matches_glob(word, program),
            FileNames::CaseIgnored => matches_glob(&word.to_lowercase(), &program.to_lowercase()),
        };
        let mut words = self.words.iter();
        if !words.next().is_some_and(is_program) {
            return false;
        }
        let mut arguments = arguments.into_iter();
        words.all(|word| arguments.by_ref().any(|argument| matches_glob(word, argument)))
    }
}

impl std::fmt::Display for CommandPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&render_foreign(&self.words.join(" ")))
    }
}

/// Reads the keys that begin with `hatbox`.
///
/// # Errors
/// If a key is unknown, empty or nested below another one, or a value is invalid: a guard that is mistyped must not
/// silently be ignored.
pub(super) fn resolve_guard(layers: &Layers<'_>) -> Result<Option<Guard>, ConfigError> {
    for part in &layers.parts {
        for entry in &part.entries {
            if let Some(nested) = entry.nested.iter().find(|nested| is_own(nested.key)) {
                let (key, above) = (render_foreign(nested.key), render_foreign(entry.key));
                return Err(ConfigError::NestedOwnKey { key, above, origin: part.origin(nested.line) });
            }
            // Known to others, such as `hatbox_tags`.
            if !is_own(entry.key) || is_known_key(entry.key) {
                continue;
            }
            let origin = part.origin(entry.line);
            match OWN.iter().find(|key| entry.has_key(key)) {
                None => {
                    let (key, nearest) = (render_foreign(entry.key), nearest_own_key(entry.key));
                    return Err(ConfigError::UnknownOwnKey { key, nearest, origin });
                }
                Some(key) if entry.value.is_empty() => {
                    return Err(ConfigError::EmptyIdentity { key, origin });
                }
                Some(_) => {}
            }
        }
    }
    let guard = Guard {
        confirm: parse_with(CONFIRM, layers.find(CONFIRM), parse_bool)?,
        deny_commands: parse_with(DENY_COMMANDS, layers.find(DENY_COMMANDS), parse_patterns)?
            .into_iter()
            .collect(),
        read_only_for_agents: parse_with(
            READ_ONLY_FOR_AGENTS,
            layers.find(READ_ONLY_FOR_AGENTS),
            parse_bool,
        )?,
        read_only_role: parse_with(READ_ONLY_ROLE, layers.find(READ_ONLY_ROLE), RoleArn::parse)?,
    };
    // hatbox's other keys are not guards, and do not replace the guard of a source profile.
    Ok((guard != Guard::default()).then_some(guard))
}

/// Whether only hatbox could read this key, also one that is mistyped, such as `hatbox-confirm`.
pub(super) fn is_own(key: &str) -> bool {
    const PREFIX: &str = "hatbox";
    key.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// Splits patterns at commas and line ends. Those that would match no command are errors.
fn parse_patterns(text: &str) -> Result<Vec<CommandPattern>, ValueError> {
    let patterns = text.split([',', '\n']).map(|pattern| {
        let words: Vec<String> = pattern.split_whitespace().map(str::to_owned).collect();
        let Some(program) = words.first() else { return Err(ValueError::EmptyPattern) };
        if words.iter().any(|word| word.contains(['"', '\''])) {
            Err(ValueError::QuotedPattern)
        } else if program.contains(['/', '\\']) {
            Err(ValueError::PatternOfPath)
        } else {
            Ok(CommandPattern { words })
        }
    });
    patterns.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_denied(patterns: &str, command: &[&str]) -> bool {
        is_denied_where(FileNames::CaseMatters, patterns, command)
    }

    fn is_denied_where(names: FileNames, patterns: &str, command: &[&str]) -> bool {
        let (program, arguments) = command.split_first().unwrap();
        let patterns = parse_patterns(patterns).unwrap();
        patterns.iter().any(|pattern| pattern.matches((program, names), arguments.iter().copied()))
    }

    #[test]
    fn where_the_system_ignores_the_case_of_a_program_so_does_a_pattern() {
        for (patterns, command, expected) in [
            ("terraform destroy", &["Terraform", "destroy"][..], true),
            ("Terraform destroy", &["TERRAFORM", "destroy"], true),
            ("TERRA*", &["terraform1.9"], true),
            ("terraform destroy", &["Terraform", "DESTROY"], false),
        ] {
            let is = is_denied_where(FileNames::CaseIgnored, patterns, command);
            assert_eq!(is, expected, "{patterns}: {command:?}");
            assert!(!is_denied(patterns, command), "{patterns}: {command:?}");
        }
    }

    #[test]
    fn a_pattern_matches_the_program_and_arguments_in_order() {
        for (patterns, command, expected) in [
            ("terraform destroy", &["terraform", "destroy"][..], true),
            ("terraform destroy", &["terraform", "-chdir=x", "destroy", "-auto-approve"], true),
            ("terraform destroy", &["terraform", "plan"], false),
            ("terraform destroy", &["terraform"], false),
            ("terraform destroy", &["tofu", "destroy"], false),
            ("terraform destroy", &["sh", "-c", "terraform destroy"], false),
            ("terraform apply, terraform destroy", &["terraform", "destroy"], true),
            ("terraform apply\nterraform destroy", &["terraform", "destroy"], true),
            ("aws iam delete-*", &["aws", "--region", "x", "iam", "delete-user"], true),
            ("aws iam delete-*", &["aws", "delete-user", "iam"], false),
            ("aws s3 rm", &["aws", "s3", "ls"], false),
            ("psql", &["psql", "-c", "x"], true),
            ("psql", &["psqlx"], false),
            ("terraform*", &["terraform1.9"], true),
            ("*", &["anything"], true),
            ("x a?b", &["x", "a,b"], true),
        ] {
            assert_eq!(is_denied(patterns, command), expected, "{patterns}: {command:?}");
        }
    }

    #[test]
    fn a_pattern_that_matches_no_command_is_an_error() {
        for text in ["\"terraform destroy\"", "'echo'", "terraform destroy, aws iam 'delete-*'"] {
            assert_eq!(parse_patterns(text), Err(ValueError::QuotedPattern), "{text}");
        }
        for text in ["/usr/bin/terraform destroy", "a, ./b", r"C:\terraform.exe"] {
            assert_eq!(parse_patterns(text), Err(ValueError::PatternOfPath), "{text}");
        }
        assert!(is_denied("kubectl delete ns/*", &["kubectl", "delete", "ns/prod"]));
    }

    #[test]
    fn an_empty_pattern_is_an_error() {
        for text in [",", "a,", "a,,b", " , a"] {
            assert_eq!(parse_patterns(text), Err(ValueError::EmptyPattern), "{text}");
        }
    }
}
