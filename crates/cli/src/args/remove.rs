//! `hatbox remove`.

use clap::Args;

/// Delete a stored key, and the cached sessions made with it
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) force: bool,

    /// The profile that it is kept for
    pub(crate) profile: String,
}
