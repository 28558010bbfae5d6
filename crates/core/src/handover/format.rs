//! The formats of `export`, and what they cannot represent.

use hatbox_types::secret::SecretString;

/// A format of `export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `NAME=value` lines, as aws-vault prints them.
    Env,
    /// `export NAME=value` lines, as aws-vault prints them.
    ExportEnv,
    /// Commands for a POSIX shell.
    Sh,
    /// Commands for fish.
    Fish,
    /// A record for nushell's `load-env`, as JSON.
    Nushell,
    /// Commands for PowerShell.
    PowerShell,
    /// Commands for cmd.exe.
    Cmd,
    /// A `.env` file.
    Dotenv,
    /// A file for `docker run --env-file`.
    Docker,
    /// Lines for the file that `GITHUB_ENV` names.
    GithubActions,
    /// A section of a credentials file.
    Ini,
    /// The output of a `credential_process`, version 1.
    Json,
    /// The response of `aws sts assume-role`.
    Sts,
}

impl Format {
    /// All formats, in the order of the help.
    pub const ALL: [Self; 13] = [
        Self::Env,
        Self::ExportEnv,
        Self::Sh,
        Self::Fish,
        Self::Nushell,
        Self::PowerShell,
        Self::Cmd,
        Self::Dotenv,
        Self::Docker,
        Self::GithubActions,
        Self::Ini,
        Self::Json,
        Self::Sts,
    ];

    /// Returns the name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::ExportEnv => "export-env",
            Self::Sh => "sh",
            Self::Fish => "fish",
            Self::Nushell => "nushell",
            Self::PowerShell => "powershell",
            Self::Cmd => "cmd",
            Self::Dotenv => "dotenv",
            Self::Docker => "docker",
            Self::GithubActions => "github-actions",
            Self::Ini => "ini",
            Self::Json => "json",
            Self::Sts => "sts",
        }
    }

    /// Returns other accepted names: those of the shells' programs, and those of `aws configure export-credentials`.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Sh => &["bash", "zsh"],
            Self::Nushell => &["nu"],
            Self::PowerShell => &["pwsh"],
            Self::Cmd => &["windows-cmd"],
            Self::Json => &["process"],
            _ => &[],
        }
    }

    /// Returns the format with this name or alias.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name || format.aliases().contains(&name))
    }

    /// Whether the format consists of commands for a running shell.
    pub fn is_of_shell(self) -> bool {
        matches!(self, Self::Sh | Self::Fish | Self::Nushell | Self::PowerShell | Self::Cmd)
    }

    /// Describes the format for the help.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Env => "Lines NAME=VALUE",
            Self::ExportEnv => "Lines `export NAME=VALUE`",
            Self::Sh => "Commands for bash, zsh and other POSIX shells (or `bash`, `zsh`)",
            Self::Fish => "Commands for fish",
            Self::Nushell => "JSON for `load-env` of nushell (or `nu`)",
            Self::PowerShell => "Commands for PowerShell (or `pwsh`)",
            Self::Cmd => "Commands for cmd.exe",
            Self::Dotenv => "A `.env` file",
            Self::Docker => "A file for `docker run --env-file`",
            Self::GithubActions => "Masks on stdout; the variables go to the file in GITHUB_ENV",
            Self::Ini => "A section for the credentials file",
            Self::Json => "JSON for `credential_process`",
            Self::Sts => "JSON like the output of `aws sts assume-role`",
        }
    }
}

/// Why credentials cannot be written in a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A control character in a value, which could end its line and start another variable.
    #[error("`{0}` has a control character, which no format of export can carry safely")]
    Control(&'static str),
    /// A character that programs would not read back unchanged from this format.
    #[error("`{name}` contains {character:?}, which the format `{}` cannot carry safely", format.as_str())]
    Character {
        /// The variable or key.
        name: &'static str,
        /// The first such character.
        character: char,
        /// The format.
        format: Format,
    },
    /// A profile name that readers of ini files would truncate.
    #[error(
        "the profile's name contains {0:?} after a blank, which some readers of ini files take for a comment"
    )]
    Name(char),
    /// A long-lived access key, in a format for temporary credentials only.
    #[error("the format `sts` needs temporary credentials, and these are a long-lived access key")]
    LongLived,
    /// `--unset` with a format that is not for shells.
    #[error("the format `{}` cannot unset variables", .0.as_str())]
    NoUnset(Format),
}

/// Rejects values with control characters, which no format can represent.
pub(super) fn check_no_control(variables: &[(&'static str, SecretString)]) -> Result<(), FormatError> {
    let is_bad = |(_, value): &&(&'static str, SecretString)| value.expose().chars().any(char::is_control);
    variables.iter().find(is_bad).map_or(Ok(()), |(name, _)| Err(FormatError::Control(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_found_by_its_name_and_aliases_and_no_two_share_one() {
        let mut names: Vec<&str> =
            Format::ALL.iter().flat_map(|format| [&[format.as_str()], format.aliases()].concat()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(Format::parse("zsh"), Some(Format::Sh));
        assert_eq!(Format::parse("xml"), None);
    }
}
