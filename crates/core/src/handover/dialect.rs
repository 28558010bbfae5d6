//! How each shell sets and unsets variables.

use hatbox_types::text::shell::push_word;

use super::env::EnvChange;
use super::format::Format;
use super::json::push_string;

/// A language of shells.
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

    /// Returns the first character that the shell would change however it is quoted.
    ///
    /// | shell | cannot represent | because |
    /// |---|---|---|
    /// | cmd.exe | `"`, `%`, `!` | special within quotes too, and differently in a file, in `for /f` and with delayed expansion |
    /// | cmd.exe, PowerShell | non-ASCII characters | on Windows, both decode a program's output with the console's code page |
    pub(super) fn refused(self, value: &str) -> Option<char> {
        let is_refused = |c: &char| match self {
            Self::Sh | Self::Fish | Self::Nushell => false,
            Self::PowerShell => !c.is_ascii(),
            Self::Cmd => !c.is_ascii() || "\"%!".contains(*c),
        };
        value.chars().find(is_refused)
    }

    /// Appends the commands or, for nushell, the record. Each variable takes its name, at most six times its value, and
    /// at most 64 bytes more.
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

/// Appends a blank, the value in single quotes, and a line end. `escape` returns what to insert before a character.
fn push_escaped(text: &mut String, value: &str, escape: impl Fn(char) -> Option<char>) {
    text.push_str(" '");
    for c in value.chars() {
        text.extend(escape(c));
        text.push(c);
    }
    text.push_str("'\n");
}
