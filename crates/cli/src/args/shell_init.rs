//! `hatbox shell-init` and `hatbox prompt`.

use clap::Args;

use super::ShellKind;

const EXAMPLES: &str = "\
Examples:
  eval \"$(hatbox shell-init bash)\"                    in ~/.bashrc
  eval \"$(hatbox shell-init zsh)\"                     in ~/.zshrc
  hatbox shell-init fish | source                     in config.fish
  hatbox shell-init pwsh | Out-String | iex           in $PROFILE";
const PROMPT_EXAMPLES: &str = "\
Examples:
  PS1='$(hatbox prompt) \\$ '    in ~/.bashrc";

/// Print a script that defines `hat` in a shell
///
/// `hat PROFILE` assumes the role of a profile in the shell itself, and `hat --drop` removes the credentials again. The script
/// includes what `hatbox completions` prints.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ShellInitArgs {
    /// Define the function under this name
    #[arg(long, value_name = "NAME", default_value = "hat", value_parser = parse_name)]
    pub(crate) cmd: String,

    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: ShellKind,
}

/// Print the profile and the time left, for a prompt
///
/// Prints nothing in a shell without credentials of hatbox. Reads only environment variables.
#[derive(Debug, Args)]
#[command(after_help = PROMPT_EXAMPLES)]
pub(crate) struct PromptArgs {
    /// Escape what this shell would expand in its prompt
    #[arg(long, value_enum, value_name = "SHELL")]
    pub(crate) shell: Option<ShellKind>,
}

/// Parses a function name that every shell accepts.
fn parse_name(text: &str) -> Result<String, &'static str> {
    let is_start = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if is_start && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
        Ok(text.to_owned())
    } else {
        Err("expected letters, digits, `_` and `-`")
    }
}
