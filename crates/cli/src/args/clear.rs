//! `hatbox clear`.

use clap::Args;

/// Delete cached sessions
#[derive(Debug, Args)]
pub(crate) struct ClearArgs {
    /// Only the sessions of this profile [default: all profiles]
    pub(crate) profile: Option<String>,
}
