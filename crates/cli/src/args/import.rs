//! `hatbox import` and its sources.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Take over access keys that another program keeps
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    pub(crate) source: ImportSource,
}

/// The sources.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportSource {
    AwsVault(ImportAwsVaultArgs),
    Credentials(ImportCredentialsArgs),
}

const AWS_VAULT: &str = "\
Only long-lived keys are taken over: sessions are made again. Nothing changes in aws-vault's store, unless
--delete-source says so, and then only after every key was read back.

The passphrase of aws-vault's store is that of AWS_VAULT_FILE_PASSPHRASE, else it is asked for.
granted and aws-sso-cli keep their encrypted files in the same form: name their directory by --dir.";

/// From aws-vault's encrypted files
#[derive(Debug, Args)]
#[command(after_help = AWS_VAULT)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ImportAwsVaultArgs {
    /// The directory of the files [env: AWS_VAULT_FILE_DIR] [default: ~/.awsvault/keys]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Replace keys that hatbox has for the same profiles
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Delete the imported files, after all keys were read back
    #[arg(long)]
    pub(crate) delete_source: bool,

    /// Delete without asking
    #[arg(long, requires = "delete_source")]
    pub(crate) yes: bool,

    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Only these profiles [default: all]
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}

const CREDENTIALS: &str = "\
Each key is stored and read back; then its lines are taken out of the file, in which no other byte changes. The
file as it was is kept, sealed, and comes back by --restore.";

/// From the plain text of ~/.aws/credentials
#[derive(Debug, Args)]
#[command(after_help = CREDENTIALS)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ImportCredentialsArgs {
    /// Leave the keys in the file
    #[arg(long)]
    pub(crate) keep: bool,

    /// Replace keys that hatbox has for the same profiles
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Take the lines out without asking
    #[arg(long)]
    pub(crate) yes: bool,

    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Put the file back as it was before an import
    #[arg(long, value_name = "BACKUP", conflicts_with_all = ["keep", "overwrite", "yes", "dry_run", "profiles"])]
    pub(crate) restore: Option<String>,

    /// Show the backups
    #[arg(long, conflicts_with_all = ["restore", "keep", "overwrite", "yes", "dry_run", "profiles"])]
    pub(crate) list_backups: bool,

    /// Only these profiles [default: all]
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}
