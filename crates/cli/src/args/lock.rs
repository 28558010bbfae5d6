//! `hatbox lock`.

use clap::Args;

/// Lock the store, so that the next use asks again
///
/// Removes the unlocked store and the key of the cached sessions from the kernel keyring, or from the file that
/// replaces it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox lock")]
pub(crate) struct LockArgs {}
