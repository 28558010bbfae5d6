//! `hatbox lock`.

use clap::Args;

/// Lock the store: the next use asks for the passphrase
#[derive(Debug, Args)]
pub(crate) struct LockArgs {}
