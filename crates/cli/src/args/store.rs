//! `hatbox store` and its commands.

use clap::{Args, Subcommand};

/// See which backends can keep the keys, choose one, move keys from one to another
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

/// The commands of `hatbox store`.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    Status(StoreStatusArgs),
    Use(StoreUseArgs),
    Migrate(StoreMigrateArgs),
}

/// Show every backend: whether it can be used now, or why not, and which one is in use
#[derive(Debug, Args)]
pub(crate) struct StoreStatusArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Use a backend from now on; keys stay where they are
#[derive(Debug, Args)]
pub(crate) struct StoreUseArgs {
    /// The backend
    #[arg(value_name = "BACKEND")]
    pub(crate) to: String,
}

/// Copy all keys to another backend, read each back, and use that backend from now on
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct StoreMigrateArgs {
    /// The backend to copy to
    #[arg(long, value_name = "BACKEND")]
    pub(crate) to: String,

    /// The backend to copy from [default: the one in use]
    #[arg(long, value_name = "BACKEND")]
    pub(crate) from: Option<String>,

    /// Replace keys that the other backend has for the same profiles
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Delete the copied keys from the source, after all were read back
    #[arg(long)]
    pub(crate) delete_source: bool,

    /// Delete without asking
    #[arg(long, requires = "delete_source")]
    pub(crate) yes: bool,

    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
}
