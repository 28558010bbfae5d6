//! `hatbox clear`.

use clap::Args;

/// Delete cached sessions
#[derive(Debug, Args)]
pub(crate) struct ClearArgs {
    /// Only those of this profile [default: all]
    pub(crate) profile: Option<String>,
}
