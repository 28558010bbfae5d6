//! `hatbox export`.

use clap::{Args, ValueEnum};

use super::SessionArgs;

/// Print temporary credentials of a profile
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Print even inside another `hatbox exec`
    #[arg(long)]
    pub(crate) nested: bool,

    /// How to print them
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
    /// The JSON of `credential_process`
    Json,
    /// A section for a credentials file
    Ini,
}
