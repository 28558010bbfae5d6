//! `hatbox profile` and its commands.

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  hatbox profile add dev-admin     ask for the role and the rest
  hatbox profile remove dev-admin  remove it";
const ADD_EXAMPLES: &str = "\
Examples:
  hatbox profile add dev-admin  ask for the role and the rest
  hatbox profile add dev-admin --role-arn \"$ARN\" --source-profile jan --yes

Asks for missing values on a terminal.";

/// Add and remove profiles in ~/.aws/config
///
/// Every other byte of the file stays as it is.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    pub(crate) command: ProfileCommand,
}

/// The commands of `hatbox profile`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    Add(ProfileAddArgs),
    #[command(visible_alias = "rm")]
    Remove(ProfileRemoveArgs),
}

/// Add a profile that assumes a role
///
/// Shows the lines before it writes them.
#[derive(Debug, Args)]
#[command(after_help = ADD_EXAMPLES)]
pub(crate) struct ProfileAddArgs {
    /// The name of the new profile
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Assume this role
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: Option<String>,

    /// Assume it with the credentials of this profile
    #[arg(long, value_name = "PROFILE")]
    pub(crate) source_profile: Option<String>,

    /// Ask for a code of this MFA device
    #[arg(long, value_name = "SERIAL")]
    pub(crate) mfa_serial: Option<String>,

    /// Use this region
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Write the lines without asking
    #[arg(long, alias = "force", short_alias = 'f')]
    pub(crate) yes: bool,
}

/// Remove a profile from ~/.aws/config
///
/// Stored keys and ~/.aws/credentials stay as they are.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox profile remove dev-admin")]
pub(crate) struct ProfileRemoveArgs {
    /// Remove without asking
    #[arg(long, alias = "force", short_alias = 'f')]
    pub(crate) yes: bool,

    /// The profile to remove
    pub(crate) profile: String,
}
