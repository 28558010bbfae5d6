//! `hatbox lock`.

use clap::Args;

/// Forget the unlocked store: the next use asks for the passphrase again
#[derive(Debug, Args)]
pub(crate) struct LockArgs {}
