//! `hatbox store` and its commands.

#[cfg(feature = "plugins")]
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Show, choose and change the backend that stores the keys
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
    #[cfg(feature = "file")]
    Wrap(StoreWrapArgs),
    #[cfg(feature = "file")]
    Rekey(StoreRekeyArgs),
    #[cfg(feature = "file")]
    Trust(StoreTrustArgs),
}

/// Manage the ways to unlock the `file` backend
///
/// Each wrap is one way: a passphrase, a recovery passphrase, or a device with its age plugin.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreWrapArgs {
    #[command(subcommand)]
    pub(crate) command: StoreWrapCommand,
}

/// The commands of `hatbox store wrap`.
#[cfg(feature = "file")]
#[derive(Debug, Subcommand)]
pub(crate) enum StoreWrapCommand {
    /// List the wraps
    List(StoreWrapListArgs),
    #[command(subcommand)]
    Add(StoreWrapAdd),
    /// Remove a wrap; the last one cannot be removed
    #[command(visible_alias = "rm")]
    Remove(StoreWrapRemoveArgs),
}

/// Flags of `hatbox store wrap list`.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreWrapListArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Add or replace a wrap
#[cfg(feature = "file")]
#[derive(Debug, Subcommand)]
pub(crate) enum StoreWrapAdd {
    /// Add a passphrase; --replace changes it
    Passphrase(StoreWrapPassphraseArgs),
    /// Add a recovery passphrase, generated and printed once
    Recovery(StoreWrapRecoveryArgs),
    /// Add a device by its age plugin: YubiKey, TPM, Secure Enclave
    #[cfg(feature = "plugins")]
    Plugin(StoreWrapPluginArgs),
}

/// Flags of `hatbox store wrap add passphrase`.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreWrapPassphraseArgs {
    /// Replace the existing one
    #[arg(long)]
    pub(crate) replace: bool,

    /// Read the new passphrase from this open file descriptor, instead of a prompt
    #[arg(long, value_name = "N")]
    pub(crate) new_passphrase_fd: Option<i32>,
}

/// Flags of `hatbox store wrap add recovery`.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreWrapRecoveryArgs {
    /// Replace the existing one
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Flags of `hatbox store wrap add plugin`.
#[cfg(feature = "plugins")]
#[derive(Debug, Args)]
pub(crate) struct StoreWrapPluginArgs {
    /// The plugin's identity file, with a line `AGE-PLUGIN-...`
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: PathBuf,

    /// The name of the wrap [default: that of the plugin]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Replace the existing wrap of this name
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Flags of `hatbox store wrap remove`.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreWrapRemoveArgs {
    /// The name, as `hatbox store wrap list` shows it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// Encrypt the `file` backend with a new identity
///
/// Use it when the old identity, or a wrap that you removed, may have leaked. Encrypts every key again, asks for a new
/// passphrase and generates a new recovery passphrase. Old copies of the files stay readable with the old ones.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreRekeyArgs {
    /// Read the new passphrase from this open file descriptor, instead of a prompt
    #[arg(long, value_name = "N")]
    pub(crate) new_passphrase_fd: Option<i32>,
}

/// Accept a `file` store that hatbox refuses to use
///
/// hatbox remembers the identity of the store, and how often it has changed, outside its directory. It refuses a store
/// that was replaced, restored to an older state or changed by another program. This command shows what the store
/// holds, and accepts it after a typed `yes`. If the store is gone, it forgets it.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreTrustArgs {}

/// Show every backend: usable or not, why, and which one is used
#[derive(Debug, Args)]
pub(crate) struct StoreStatusArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Choose the backend; keys are not moved
#[derive(Debug, Args)]
pub(crate) struct StoreUseArgs {
    /// The backend
    #[arg(value_name = "BACKEND")]
    pub(crate) to: String,
}

/// Copy all keys to another backend and use it
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct StoreMigrateArgs {
    /// The backend to copy to
    #[arg(long, value_name = "BACKEND")]
    pub(crate) to: String,

    /// The backend to copy from [default: the one that is used]
    #[arg(long, value_name = "BACKEND")]
    pub(crate) from: Option<String>,

    /// Replace keys that the other backend stores for the same profiles
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Delete the copied keys from the source, after reading all of them back
    #[arg(long)]
    pub(crate) delete_source: bool,

    /// Delete without asking
    #[arg(long, requires = "delete_source")]
    pub(crate) yes: bool,

    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
