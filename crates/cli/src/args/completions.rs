//! `hatbox completions`.

use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  eval \"$(hatbox completions bash)\"                    in ~/.bashrc
  eval \"$(hatbox completions zsh)\"                     in ~/.zshrc
  hatbox completions fish | source                     in config.fish
  hatbox completions pwsh | Out-String | iex           in $PROFILE";

/// Print the completion script of a shell
///
/// The script completes commands, options, values, profiles and SSO sessions. After `hatbox exec PROFILE`, it completes
/// the command as the shell would without hatbox.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: ShellKind,
}

/// A shell that hatbox has scripts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellKind {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "powershell")]
    Pwsh,
}
