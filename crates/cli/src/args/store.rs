//! `hatbox store` and its commands.

#[cfg(feature = "plugins")]
use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  hatbox store status             show which backends work, and which is used
  hatbox store migrate --to pass  move all keys to another backend";
#[cfg(feature = "file")]
const WRAP_EXAMPLES: &str = "\
Examples:
  hatbox store wrap list
  hatbox store wrap add recovery  print a recovery passphrase to keep on paper";
#[cfg(feature = "file")]
const WRAP_ADD_EXAMPLES: &str = "\
Examples:
  hatbox store wrap add recovery
  hatbox store wrap add passphrase --replace  change the passphrase";

#[cfg(feature = "plugins")]
const PLUGIN_EXAMPLES: &str = "\
Examples:
  age-plugin-yubikey --identity > yubikey.txt
  hatbox store wrap add plugin --identity yubikey.txt";

/// Show, choose and change where access keys are stored
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
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
/// Each wrap is one way: a passphrase, a recovery passphrase, or a device with its age plugin. Any one of them unlocks
/// the store.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
#[command(after_help = WRAP_EXAMPLES)]
pub(crate) struct StoreWrapArgs {
    #[command(subcommand)]
    pub(crate) command: StoreWrapCommand,
}

/// The commands of `hatbox store wrap`.
#[cfg(feature = "file")]
#[derive(Debug, Subcommand)]
pub(crate) enum StoreWrapCommand {
    /// List the wraps
    #[command(after_help = "Example:\n  hatbox store wrap list")]
    List(StoreWrapListArgs),
    #[command(subcommand, after_help = WRAP_ADD_EXAMPLES)]
    Add(StoreWrapAdd),
    /// Remove a wrap; the last one cannot be removed
    #[command(visible_alias = "rm", after_help = "Example:\n  hatbox store wrap remove recovery")]
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
    #[command(after_help = "Example:\n  hatbox store wrap add passphrase --replace")]
    Passphrase(StoreWrapPassphraseArgs),
    /// Add a recovery passphrase, generated and printed once
    #[command(after_help = "Example:\n  hatbox store wrap add recovery")]
    Recovery(StoreWrapRecoveryArgs),
    /// Add a device by its age plugin, such as YubiKey
    #[cfg(feature = "plugins")]
    #[command(after_help = PLUGIN_EXAMPLES)]
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
    /// Use this identity file of the plugin, with a line `AGE-PLUGIN-...`
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: PathBuf,

    /// Give the wrap this name [default: the name of the plugin]
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
    /// The name of the wrap, as `hatbox store wrap list` shows it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// Encrypt the `file` backend with a new identity
///
/// Use it if the identity, or a wrap that you removed, may have leaked. Encrypts every key again, asks for a new
/// passphrase and generates a new recovery passphrase. Old copies of the files stay readable with the old ones.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox store rekey")]
pub(crate) struct StoreRekeyArgs {
    /// Read the new passphrase from this open file descriptor, instead of a prompt
    #[arg(long, value_name = "N")]
    pub(crate) new_passphrase_fd: Option<i32>,
}

/// Accept a `file` store that hatbox refuses to use
///
/// hatbox remembers the identity and the state of the store outside its directory. It refuses a store that was replaced,
/// restored to an older state or changed by another program. This command shows what the store holds, and accepts it if
/// you type `yes`. If the store is gone, hatbox forgets it.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox store trust")]
pub(crate) struct StoreTrustArgs {}

/// Show which backends work here, and which is used
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox store status")]
pub(crate) struct StoreStatusArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Choose the backend, without moving keys
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox store use pass")]
pub(crate) struct StoreUseArgs {
    /// The backend to use
    #[arg(value_name = "BACKEND")]
    pub(crate) to: String,
}

/// Copy all keys to another backend and use it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox store migrate --to pass --dry-run")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct StoreMigrateArgs {
    /// Copy to this backend
    #[arg(long, value_name = "BACKEND")]
    pub(crate) to: String,

    /// Copy from this backend [default: the one in use]
    #[arg(long, value_name = "BACKEND")]
    pub(crate) from: Option<String>,

    /// Replace the keys that the other backend already stores for these profiles
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Delete the copied keys from the source, after reading all of them back
    #[arg(long)]
    pub(crate) delete_source: bool,

    /// Delete without asking
    #[arg(long, alias = "force", short_alias = 'f', requires = "delete_source")]
    pub(crate) yes: bool,

    /// Show what would be copied, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
