//! `hatbox remove`.

use clap::Args;

/// Delete a stored key and its cached sessions
///
/// The key stays valid in AWS, and ~/.aws/config stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox remove jan")]
pub(crate) struct RemoveArgs {
    /// Delete without asking
    #[arg(short, long, alias = "yes")]
    pub(crate) force: bool,

    /// The profile whose key is deleted
    pub(crate) profile: String,
}
