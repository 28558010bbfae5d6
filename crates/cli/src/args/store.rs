//! `hatbox store` and its commands.

#[cfg(feature = "plugins")]
use std::path::PathBuf;

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
    #[cfg(feature = "file")]
    Wrap(StoreWrapArgs),
    #[cfg(feature = "file")]
    Rekey(StoreRekeyArgs),
    #[cfg(feature = "file")]
    Trust(StoreTrustArgs),
}

/// The ways to open the encrypted files of the `file` backend: passphrase, recovery passphrase, age plugins
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
    /// Show them
    List(StoreWrapListArgs),
    #[command(subcommand)]
    Add(StoreWrapAdd),
    /// Remove one; the last one stays
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

/// Add one, or change it
#[cfg(feature = "file")]
#[derive(Debug, Subcommand)]
pub(crate) enum StoreWrapAdd {
    /// A passphrase of your choice; with --replace a new one
    Passphrase(StoreWrapPassphraseArgs),
    /// A recovery passphrase, made up and printed once: write it down
    Recovery(StoreWrapRecoveryArgs),
    /// A device: YubiKey, TPM, FIDO2 key, Secure Enclave, by its age plugin
    #[cfg(feature = "plugins")]
    Plugin(StoreWrapPluginArgs),
}

/// Flags of `hatbox store wrap add passphrase`.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreWrapPassphraseArgs {
    /// In the place of the one that there is
    #[arg(long)]
    pub(crate) replace: bool,

    /// Read the new passphrase from this open descriptor, instead of asking
    #[arg(long, value_name = "N")]
    pub(crate) new_passphrase_fd: Option<i32>,
}

/// Flags of `hatbox store wrap add recovery`.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreWrapRecoveryArgs {
    /// In the place of the one that there is
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

    /// A name for it [default: the plugin's]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// In the place of the one of this name
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Flags of `hatbox store wrap remove`.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreWrapRemoveArgs {
    /// Its name, as `hatbox store wrap list` shows it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// Give the encrypted files a new identity: seal every key again, make every wrap anew
///
/// For the day when somebody may have had the old one, or a wrap that was removed: a copy of the files from
/// before stays readable by both. A passphrase is asked for anew, a recovery passphrase is made up anew.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreRekeyArgs {
    /// Read the new passphrase from this open descriptor, instead of asking
    #[arg(long, value_name = "N")]
    pub(crate) new_passphrase_fd: Option<i32>,
}

/// Look at a store that hatbox refuses to use, and decide about it
///
/// The identity of the encrypted files, and how often they have changed, are known outside their directory. A store
/// that was replaced, put back to an older state or changed by another program is refused. This command shows what it
/// holds and uses it from then on, after a typed `yes`; of a store that is gone it forgets that there was one.
#[cfg(feature = "file")]
#[derive(Debug, Args)]
pub(crate) struct StoreTrustArgs {}

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
