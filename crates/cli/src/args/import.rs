//! `hatbox import` and its sources.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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
            Self::File => true,
            Self::SecretService => cfg!(all(target_os = "linux", feature = "secret-service")),
            Self::Pass | Self::Passage => cfg!(feature = "pass"),
            Self::Keychain => cfg!(all(target_os = "macos", feature = "keychain")),
            Self::Wincred => cfg!(all(windows, feature = "wincred")),
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
Where no store is named, by --from or AWS_VAULT_BACKEND, the only one of keychain, wincred, secret-service and file
that holds keys is taken. In `pass` and `passage` without AWS_VAULT_PASS_PREFIX, only entries are opened that are named
like a profile of ~/.aws/config or on the command line: the others may be any password of yours.

Only long-lived keys are taken over: sessions are made again. Nothing changes in aws-vault's store, unless
--delete-source says so, and then only after every key was read back.

The passphrase of aws-vault's store is that of AWS_VAULT_FILE_PASSPHRASE, else it is asked for.
granted and aws-sso-cli keep their encrypted files in the same form: name their directory by --dir.";

/// From aws-vault's store: its encrypted files, the desktop's keyring, pass, keychain, Credential Manager
#[derive(Debug, Args)]
#[command(after_help = AWS_VAULT)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ImportAwsVaultArgs {
    /// The store [env: AWS_VAULT_BACKEND]
    #[arg(long, value_name = "STORE", value_enum)]
    pub(crate) from: Option<VaultKind>,

    /// The directory of the store `file` [env: AWS_VAULT_FILE_DIR] [default: ~/.awsvault/keys]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Replace keys that hatbox has for the same profiles
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Import keys of any shape, for other services than AWS
    #[arg(long)]
    pub(crate) any_key: bool,

    /// Delete the imported keys from aws-vault's store, after all were read back
    #[arg(long)]
    pub(crate) delete_source: bool,

    /// Import and delete without asking
    #[arg(long)]
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
Before it is stored, each key is tested by GetCallerIdentity, which needs no permission: one that AWS refuses stays
where it is. Where AWS cannot be reached that is said, and the keys are imported untested.

Each key is stored and read back; then its lines are taken out of the file, in which no other byte changes. The
file as it was is kept, sealed, and comes back by --restore.";

/// From the plain text of ~/.aws/credentials
#[derive(Debug, Args)]
#[command(after_help = CREDENTIALS)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ImportCredentialsArgs {
    /// The file [env: AWS_SHARED_CREDENTIALS_FILE] [default: ~/.aws/credentials]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Do not ask AWS whose the keys are
    #[arg(long)]
    pub(crate) no_check: bool,

    /// Leave the keys in the file
    #[arg(long)]
    pub(crate) keep: bool,

    /// Replace keys that hatbox has for the same profiles
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Import keys of any shape, for other services than AWS
    #[arg(long)]
    pub(crate) any_key: bool,

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
    #[arg(long, value_name = "BACKUP", conflicts_with_all = ["keep", "overwrite", "yes", "dry_run", "no_check", "profiles"])]
    pub(crate) restore: Option<String>,

    /// Show the backups
    #[arg(long, conflicts_with_all = ["restore", "keep", "overwrite", "yes", "dry_run", "no_check", "profiles"])]
    pub(crate) list_backups: bool,

    /// Only these profiles [default: all]
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}
