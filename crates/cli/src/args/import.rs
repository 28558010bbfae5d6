//! `hatbox import` and its sources.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  hatbox import aws-vault --dry-run    show what would be imported
  hatbox import credentials --dry-run  show it for ~/.aws/credentials";

/// Import access keys from aws-vault or ~/.aws/credentials
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
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

/// A store of aws-vault's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VaultKind {
    File,
    SecretService,
    Pass,
    Passage,
    Keychain,
    Wincred,
    Kwallet,
}

impl VaultKind {
    /// Those that are looked into where none is named: what they hold is aws-vault's alone.
    pub(crate) const BY_THEMSELVES: [Self; 4] =
        [Self::Keychain, Self::Wincred, Self::SecretService, Self::File];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::SecretService => "secret-service",
            Self::Pass => "pass",
            Self::Passage => "passage",
            Self::Keychain => "keychain",
            Self::Wincred => "wincred",
            Self::Kwallet => "kwallet",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Whether it can be read by this program on this system.
    pub(crate) fn is_built(self) -> bool {
        match self {
            Self::SecretService => cfg!(all(target_os = "linux", feature = "secret-service")),
            Self::File | Self::Pass | Self::Passage => true,
            Self::Keychain => cfg!(all(target_os = "macos", feature = "keychain")),
            Self::Wincred => cfg!(windows),
            Self::Kwallet => false,
        }
    }
}

impl fmt::Display for VaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const AWS_VAULT: &str = "\
If neither --from nor AWS_VAULT_BACKEND names a store, hatbox looks in keychain, wincred, \
secret-service and file, and imports from the one that holds keys. In `pass` and `passage` \
without AWS_VAULT_PASS_PREFIX, it opens only the entries named like a profile of ~/.aws/config \
or of the command line: any other entry may be an unrelated password.

hatbox imports access keys only, not sessions. It does not change the store of aws-vault; with \
--delete-source, it deletes the keys there after it has read back every imported one.

The passphrase of the store `file` is AWS_VAULT_FILE_PASSPHRASE; if it is not set, hatbox asks \
for it. granted and aws-sso-cli use the same file format: give their directory with --dir.

Example:
  hatbox import aws-vault --dry-run";

/// Import access keys from aws-vault's stores
#[derive(Debug, Args)]
#[command(after_help = AWS_VAULT)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ImportAwsVaultArgs {
    /// Import from this store of aws-vault [env: AWS_VAULT_BACKEND]
    #[arg(long, value_name = "STORE", value_enum)]
    pub(crate) from: Option<VaultKind>,

    /// Read the store `file` from this directory [env: AWS_VAULT_FILE_DIR] [default: ~/.awsvault/keys]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Replace the keys that hatbox already stores for these profiles
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Accept keys that do not look like AWS keys, for other services
    #[arg(long)]
    pub(crate) any_key: bool,

    /// Delete the imported keys from aws-vault's store, after reading all of them back
    #[arg(long)]
    pub(crate) delete_source: bool,

    /// Import and delete without asking
    #[arg(long, alias = "force", short_alias = 'f')]
    pub(crate) yes: bool,

    /// Show what would be imported, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Import only these profiles [default: all]
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}

const CREDENTIALS: &str = "\
hatbox tests each key with GetCallerIdentity, which needs no permission. A key that AWS rejects \
stays in the file. If AWS cannot be reached, hatbox warns and imports the keys untested.

hatbox stores each key, reads it back, then removes its lines from the file and changes no other \
byte. It keeps an encrypted backup of the file for --restore.

Example:
  hatbox import credentials --dry-run";

/// Import access keys from the plain text of ~/.aws/credentials
#[derive(Debug, Args)]
#[command(after_help = CREDENTIALS)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ImportCredentialsArgs {
    /// Import from this file [env: AWS_SHARED_CREDENTIALS_FILE] [default: ~/.aws/credentials]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Do not test the keys with AWS
    #[arg(long)]
    pub(crate) no_check: bool,

    /// Leave the keys in the file
    #[arg(long)]
    pub(crate) keep: bool,

    /// Replace the keys that hatbox already stores for these profiles
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Accept keys that do not look like AWS keys, for other services
    #[arg(long)]
    pub(crate) any_key: bool,

    /// Remove the lines without asking
    #[arg(long, alias = "force", short_alias = 'f')]
    pub(crate) yes: bool,

    /// Show what would be imported, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Restore the file from this backup, as --list-backups names it
    #[arg(long, value_name = "BACKUP", conflicts_with_all = ["keep", "overwrite", "yes", "dry_run", "no_check", "profiles"])]
    pub(crate) restore: Option<String>,

    /// List the backups
    #[arg(long, conflicts_with_all = ["restore", "keep", "overwrite", "yes", "dry_run", "no_check", "profiles"])]
    pub(crate) list_backups: bool,

    /// Import only these profiles [default: all]
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}
