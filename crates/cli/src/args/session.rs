//! Flags that say how credentials are to be obtained: shared by `exec`, `export` and `explain`.

use clap::Args;

/// Set on each flag: on the struct it would go on to the flags of the command that includes it.
const CREDENTIALS: &str = "Credentials";

/// How credentials are to be obtained.
#[derive(Debug, Default, Args)]
pub(crate) struct SessionArgs {
    /// How long they should last: `3600`, `1h`, `1h30m` [env: HATBOX_DURATION, AWS_VAULT_DURATION]
    #[arg(short, long, value_name = "DURATION", help_heading = CREDENTIALS)]
    pub(crate) duration: Option<String>,

    /// Do not call GetSessionToken: hand out the keys themselves, or assume the role with them
    #[arg(short, long, help_heading = CREDENTIALS)]
    pub(crate) no_session: bool,

    /// Obtain them anew, even when a cached session would do
    #[arg(long, help_heading = CREDENTIALS)]
    pub(crate) fresh: bool,

    /// Renew a cached session that has less than this left [default: 5m] [env: AWS_MIN_TTL]
    #[arg(long, value_name = "DURATION", help_heading = CREDENTIALS)]
    pub(crate) min_ttl: Option<String>,

    /// The AWS region [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_name = "REGION", help_heading = CREDENTIALS)]
    pub(crate) region: Option<String>,

    /// The MFA code, instead of being asked for it
    #[arg(short = 't', long, value_name = "CODE", help_heading = CREDENTIALS)]
    pub(crate) mfa_token: Option<String>,
}
