//! `hatbox export`.

use clap::{Args, ValueEnum};

use super::SessionArgs;

/// Print temporary credentials of a profile
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Print inside another `hatbox exec` too
    #[arg(long)]
    pub(crate) nested: bool,

    /// The output format
    #[arg(long, value_enum, default_value_t = ExportFormat::Env)]
    pub(crate) format: ExportFormat,

    /// The profile [default: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// NAME=VALUE lines
    Env,
    /// `export NAME=VALUE` lines for a POSIX shell
    ExportEnv,
    /// JSON for `credential_process`
    Json,
    /// A section for the credentials file
    Ini,
}
