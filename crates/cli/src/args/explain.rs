//! `hatbox explain`.

use clap::Args;

use super::SessionArgs;

const EXAMPLES: &str = "\
Examples:
  hatbox explain dev-infra-admin
  hatbox explain -d 8h dev-infra-admin  show it for 8 hours";

/// Show how hatbox would obtain a profile's credentials
///
/// Shows each call in order, who signs it, how long its credentials last, and the line of the config that decides it.
/// Makes no calls, and asks for nothing but the profile if none is given.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The profile to explain [default: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}
