//! `hatbox explain`.

use clap::Args;

use super::SessionArgs;

/// Show how hatbox would obtain a profile's credentials
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The profile [default: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}
