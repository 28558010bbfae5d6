//! The flags that say how to obtain credentials, shared by `exec`, `export` and `explain`.

use std::path::PathBuf;

use clap::Args;

/// Repeated for each flag: on the struct, it would also apply to the flags of the command that includes it.
const CREDENTIALS: &str = "Credentials";

/// How credentials are to be obtained.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct SessionArgs {
    /// Request credentials that last this long: `3600`, `90m` or `1h30m` [env: HATBOX_DURATION, AWS_VAULT_DURATION]
    #[arg(short, long, value_name = "DURATION", help_heading = CREDENTIALS)]
    pub(crate) duration: Option<String>,

    /// Do not call GetSessionToken; use the access key itself
    #[arg(short, long, help_heading = CREDENTIALS)]
    pub(crate) no_session: bool,

    /// Obtain new credentials even if cached ones are valid
    #[arg(long, help_heading = CREDENTIALS)]
    pub(crate) fresh: bool,

    /// Renew a cached session that expires within this time [env: AWS_MIN_TTL] [default: 5m]
    #[arg(long, value_name = "DURATION", help_heading = CREDENTIALS)]
    pub(crate) min_ttl: Option<String>,

    /// Use this AWS region [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_name = "REGION", help_heading = CREDENTIALS)]
    pub(crate) region: Option<String>,

    /// Restrict the session to this policy (a session policy)
    ///
    /// With several of --policy, --policy-arn and --read-only, the session may do what any of them allows, within the role's
    /// permissions.
    #[arg(long, value_name = "FILE", help_heading = CREDENTIALS)]
    pub(crate) policy: Option<PathBuf>,

    /// Restrict the session to this managed policy; may be repeated
    #[arg(long, value_name = "ARN", help_heading = CREDENTIALS)]
    pub(crate) policy_arn: Vec<String>,

    /// Restrict the session to AWS's ReadOnlyAccess policy
    #[arg(long, help_heading = CREDENTIALS)]
    pub(crate) read_only: bool,

    /// Assume this role with the credentials of the profile
    #[arg(long, value_name = "ARN", help_heading = CREDENTIALS)]
    pub(crate) role_arn: Option<String>,

    /// Send this external ID when assuming the profile's role
    #[arg(long, value_name = "ID", help_heading = CREDENTIALS)]
    pub(crate) external_id: Option<String>,

    /// Tag the session of the last role; may be repeated
    #[arg(long, value_name = "KEY=VALUE", help_heading = CREDENTIALS)]
    pub(crate) session_tag: Vec<String>,

    /// Pass this session tag on in role chaining; may be repeated
    #[arg(long, value_name = "KEY", help_heading = CREDENTIALS)]
    pub(crate) transitive_tag: Vec<String>,

    /// Set the source identity of the session of the last role
    #[arg(long, value_name = "NAME", help_heading = CREDENTIALS)]
    pub(crate) source_identity: Option<String>,

    /// Write this reason to the audit log (`hatbox log`)
    #[arg(long, value_name = "TEXT", help_heading = CREDENTIALS)]
    pub(crate) reason: Option<String>,

    /// Use this MFA code instead of asking for one
    #[arg(short = 't', long, value_name = "CODE", help_heading = CREDENTIALS)]
    pub(crate) mfa_token: Option<String>,
}
