//! Flags that say how credentials are to be obtained: shared by `exec`, `export` and `explain`.

use clap::Args;

/// Set on each flag: on the struct it would go on to the flags of the command that includes it.
const CREDENTIALS: &str = "Credentials";

/// How credentials are to be obtained.
#[derive(Debug, Default, Args)]
pub(crate) struct SessionArgs {
    /// How long the credentials last: `3600`, `1h`, `1h30m` [env: HATBOX_DURATION, AWS_VAULT_DURATION]
    #[arg(short, long, value_name = "DURATION", help_heading = CREDENTIALS)]
    pub(crate) duration: Option<String>,

    /// Do not call GetSessionToken: use the long-lived key itself
    #[arg(short, long, help_heading = CREDENTIALS)]
    pub(crate) no_session: bool,

    /// Obtain new credentials instead of cached ones
    #[arg(long, help_heading = CREDENTIALS)]
    pub(crate) fresh: bool,

    /// Renew a cached session that expires sooner than this [default: 5m] [env: AWS_MIN_TTL]
    #[arg(long, value_name = "DURATION", help_heading = CREDENTIALS)]
    pub(crate) min_ttl: Option<String>,

    /// The AWS region [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_name = "REGION", help_heading = CREDENTIALS)]
    pub(crate) region: Option<String>,

    /// The MFA code, instead of a prompt
    #[arg(short = 't', long, value_name = "CODE", help_heading = CREDENTIALS)]
    pub(crate) mfa_token: Option<String>,
}
