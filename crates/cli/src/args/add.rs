//! `hatbox add`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox add jan        ask for the key id and the secret
  hatbox add jan --mfa-serial arn:aws:iam::111122223333:mfa/jan
  hatbox add --env jan  read AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
  printf '%s\\n' ID SECRET | hatbox add --stdin jan";

/// Store an access key of an IAM user
///
/// On a terminal, hatbox asks for the key, offers to check it with AWS (sts:GetCallerIdentity) and to find the user's MFA
/// devices (iam:ListMFADevices), and asks for the region.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct AddArgs {
    /// Read the key from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    #[arg(long, conflicts_with = "stdin")]
    pub(crate) env: bool,

    /// Read the key from stdin: the id on the first line, the secret on the second
    #[arg(long)]
    pub(crate) stdin: bool,

    /// Write this MFA device to the profile, as `mfa_serial` in ~/.aws/config
    #[arg(long, value_name = "SERIAL")]
    pub(crate) mfa_serial: Option<String>,

    /// Write this region to the profile in ~/.aws/config
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Replace a stored key without asking
    #[arg(short, long, alias = "yes")]
    pub(crate) force: bool,

    /// Accept a key that does not look like an AWS key, for other services
    #[arg(long)]
    pub(crate) any_key: bool,

    /// Do not offer to check the key with AWS
    #[arg(long)]
    pub(crate) no_check: bool,

    /// Do not write to ~/.aws/config
    #[arg(long, conflicts_with_all = ["mfa_serial", "region"])]
    pub(crate) no_add_config: bool,

    /// The profile to store the key for
    pub(crate) profile: String,
}
