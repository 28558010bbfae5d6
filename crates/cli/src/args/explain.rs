//! `hatbox explain`.

use clap::Args;

use super::SessionArgs;

/// Say how a profile's credentials would be obtained, without a call
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
