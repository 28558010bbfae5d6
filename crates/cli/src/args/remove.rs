//! `hatbox remove`.

use clap::Args;

/// Delete a stored key and its cached sessions
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Delete without asking
    #[arg(short, long)]
    pub(crate) force: bool,

    /// The profile whose key to delete
    pub(crate) profile: String,
}
