//! `hatbox rotate`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox rotate jan                     replace the access key of jan
  hatbox rotate security-auditor        replace the key of its source profile
  hatbox rotate --all --older-than 90d  replace all old keys
  hatbox rotate --status                show rotations that are not finished";

/// Replace a stored access key with a new one
///
/// Creates an access key in IAM, checks that AWS accepts it, stores it, and only then deactivates and deletes the old one.
/// If it is interrupted, the same command goes on from there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct RotateArgs {
    /// Do not call GetSessionToken; sign with the access key itself
    #[arg(short, long)]
    pub(crate) no_session: bool,

    /// Use this MFA code instead of asking for one
    #[arg(short = 't', long, value_name = "CODE", conflicts_with = "all")]
    pub(crate) mfa_token: Option<String>,

    /// Use this AWS region [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Rotate all stored access keys, one after the other
    #[arg(long, conflicts_with_all = ["profile", "status"])]
    pub(crate) all: bool,

    /// With --all: only keys stored this long ago, such as `90d` or `12h`
    #[arg(long, value_name = "AGE")]
    pub(crate) older_than: Option<String>,

    /// With --all: do not ask before the first one
    #[arg(long, alias = "force", short_alias = 'f')]
    pub(crate) yes: bool,

    /// Show the rotations that are not finished, and change nothing
    #[arg(long, conflicts_with = "profile")]
    pub(crate) status: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The profile whose access key to replace; for a role, the key of its source profile [default: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}
