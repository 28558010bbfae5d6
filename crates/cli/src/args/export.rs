//! `hatbox export`.

use clap::{Args, ValueEnum};

use super::SessionArgs;

const EXAMPLES: &str = "\
Examples:
  eval \"$(hatbox export --format export-env dev)\"   set them in this shell
  hatbox export --format json dev                   for `credential_process`

In ~/.aws/config, this line lets the AWS CLI and every SDK use hatbox:
  credential_process = hatbox export --format json dev";

/// Print temporary credentials of a profile
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Print even inside another `hatbox exec`
    #[arg(long)]
    pub(crate) nested: bool,

    /// Print in this format
    #[arg(long, value_enum, default_value_t = ExportFormat::Env)]
    pub(crate) format: ExportFormat,

    /// The profile to use [default: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Lines NAME=VALUE
    Env,
    /// Lines `export NAME=VALUE`, for a POSIX shell
    ExportEnv,
    /// JSON for `credential_process`
    Json,
    /// A section for the credentials file
    Ini,
}
