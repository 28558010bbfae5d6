//! The commands by which a shell that goes on gets credentials, and loses them again.

use std::collections::BTreeSet;

use hatbox_types::secret::SecretString;
use hatbox_types::text::shell::push_word;

use super::credentials::Handover;
use super::env::{EnvChange, credential_variables, place_variables, resolve_env_change};
use super::format::Format;
use super::json::push_string;
use super::marks::{MARKED_NAMES, Marked};

/// Variables that a shell keeps although a command that `exec` runs does not get them: no SDK takes them for an identity
/// where there are credentials in the environment.
const KEPT: [&str; 4] =
    ["AWS_SDK_LOAD_CONFIG", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"];

/// The change that gives `handover` to a shell that goes on. `inherited` is its environment without what hatbox set there
/// before.
///
/// It is what a command of `exec` gets, but the shell keeps what opens the store, and may run `exec` later.
pub(super) fn resolve_shell_change<'a>(
    handover: Handover<'_>,
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> EnvChange {
    let mut change = resolve_env_change(handover, inherited.clone());
    change.set.retain(|(name, _)| !["AWS_VAULT", "HATBOX"].contains(name));
    let restored = former_values(inherited)
        .filter(|(name, _)| *name != "AWS_ACCOUNT_ID" && change.set.iter().all(|(set, _)| set != name));
    let restored: Vec<_> = restored.collect();
    change.set.extend(restored);
    let own = Marked::own_names().chain(MARKED_NAMES).map(str::to_owned);
    let is_removed = |name: &String| {
        let name = name.as_str();
        let is_of_identity = name.starts_with("AWS_")
            && !KEPT.contains(&name)
            && !name.starts_with("AWS_VAULT_")
            && !name.starts_with("AWS_CONTAINER_");
        is_shell_name(name)
            && (is_of_identity || Marked::is_own(name))
            && change.set.iter().all(|(set, _)| *set != name)
    };
    let remove: BTreeSet<String> =
        std::mem::take(&mut change.remove).into_iter().chain(own).filter(is_removed).collect();
    change.remove = remove.into_iter().collect();
    change
}

/// Whether a shell can have a variable of this name. Security: any other is not one of its variables, may hold a line's
/// end, and some shells run what is in the brackets of `a[$(...)]`.
pub(super) fn is_shell_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// The change that takes from a shell what [`resolve_shell_change`] gave it, and restores what was there before.
pub(super) fn resolve_shell_reset<'a>(
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> EnvChange {
    const CREDENTIALS: [&str; 4] =
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"];
    let set: Vec<_> = former_values(inherited).collect();
    let all = CREDENTIALS.into_iter().chain(MARKED_NAMES).chain(Marked::own_names());
    let remove: BTreeSet<&str> = all.filter(|name| set.iter().all(|(set, _)| set != name)).collect();
    EnvChange { set, remove: remove.into_iter().map(str::to_owned).collect() }
}

/// What the user set of the variables that get marks.
fn former_values<'a>(
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> impl Iterator<Item = (&'static str, SecretString)> {
    MARKED_NAMES.into_iter().filter_map(move |name| {
        let (_, value) = inherited.clone().into_iter().find(|(n, value)| *n == name && !value.is_empty())?;
        Some((name, SecretString::new(value.to_owned())))
    })
}

/// All that `exec` sets, but for its marks: for a file that another program reads.
pub(super) fn file_variables(handover: Handover<'_>) -> Vec<(&'static str, SecretString)> {
    let [endpoint, account] = place_variables(handover);
    endpoint.into_iter().chain(credential_variables(handover)).chain(account).collect()
}

/// How a shell sets and unsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sh,
    Fish,
    Nushell,
    PowerShell,
    Cmd,
}

impl Dialect {
    pub(super) fn of(format: Format) -> Option<Self> {
        match format {
            Format::Sh => Some(Self::Sh),
            Format::Fish => Some(Self::Fish),
            Format::Nushell => Some(Self::Nushell),
            Format::PowerShell => Some(Self::PowerShell),
            Format::Cmd => Some(Self::Cmd),
            _ => None,
        }
    }

    /// The first character that the shell would not read as it is, however it is quoted.
    ///
    /// | shell | cannot carry | as |
    /// |---|---|---|
    /// | cmd.exe | `"`, `%`, `!` | they mean something within quotes too, and not the same in a file, in `for /f`, and where expansion is delayed |
    /// | cmd.exe, PowerShell | what is not ASCII | on Windows both read a program's output in the console's code page |
    pub(super) fn refused(self, value: &str) -> Option<char> {
        let is_refused = |c: &char| match self {
            Self::Sh | Self::Fish | Self::Nushell => false,
            Self::PowerShell => !c.is_ascii(),
            Self::Cmd => !c.is_ascii() || "\"%!".contains(*c),
        };
        value.chars().find(is_refused)
    }

    /// Appends the commands, or, for nushell, the record. Each variable takes at most 64 bytes beside its name and six
    /// times its value.
    pub(super) fn push_change(self, text: &mut String, change: &EnvChange) {
        let mut push = |parts: &[&str]| parts.iter().for_each(|part| text.push_str(part));
        match self {
            Self::Sh => {
                if !change.remove.is_empty() {
                    push(&["unset"]);
                    change.remove.iter().for_each(|name| push(&[" ", name]));
                    push(&["\n"]);
                }
                for (name, value) in &change.set {
                    text.push_str("export ");
                    text.push_str(name);
                    text.push('=');
                    push_word(text, value.expose());
                    text.push('\n');
                }
            }
            Self::Fish => {
                change.remove.iter().for_each(|name| push(&["set -e ", name, "\n"]));
                for (name, value) in &change.set {
                    text.push_str("set -gx ");
                    text.push_str(name);
                    push_escaped(text, value.expose(), |c| matches!(c, '\'' | '\\').then_some('\\'));
                }
            }
            Self::PowerShell => {
                change
                    .remove
                    .iter()
                    .for_each(|name| push(&["Remove-Item -ErrorAction Ignore Env:", name, "\n"]));
                for (name, value) in &change.set {
                    text.push_str("$Env:");
                    text.push_str(name);
                    text.push_str(" =");
                    push_escaped(text, value.expose(), |c| (c == '\'').then_some('\''));
                }
            }
            Self::Cmd => {
                change.remove.iter().for_each(|name| push(&["set \"", name, "=\"\n"]));
                change.set.iter().for_each(|(name, value)| {
                    push(&["set \"", name, "=", value.expose(), "\"\n"]);
                });
            }
            Self::Nushell => {
                push(&["{"]);
                let mut start = "\n  \"";
                for name in &change.remove {
                    push(&[start, name, "\": null"]);
                    start = ",\n  \"";
                }
                for (name, value) in &change.set {
                    text.push_str(start);
                    text.push_str(name);
                    text.push_str("\": ");
                    push_string(text, value.expose());
                    start = ",\n  \"";
                }
                text.push_str("\n}\n");
            }
        }
    }
}

/// Appends a blank, and the value in single quotes with what `escape` says before some of its characters, as the end of a
/// line.
fn push_escaped(text: &mut String, value: &str, escape: impl Fn(char) -> Option<char>) {
    text.push_str(" '");
    for c in value.chars() {
        text.extend(escape(c));
        text.push(c);
    }
    text.push_str("'\n");
}
