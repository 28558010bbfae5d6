//! `hatbox sso`.

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  hatbox sso login corp  sign in to the session `corp` of the config
  hatbox sso status      show which sessions are signed in, and until when
  hatbox sso populate    write a profile for every account and role
  hatbox sso logout      sign out of all";
const LOGIN_EXAMPLES: &str = "\
Examples:
  hatbox sso login corp                  sign in to the session `corp`
  hatbox sso login --device              confirm a code in any browser
  hatbox sso login --redirect-port 8400  use `ssh -L 8400:127.0.0.1:8400`";
const POPULATE_EXAMPLES: &str = "\
Examples:
  hatbox sso populate corp --dry-run
  hatbox sso populate corp --prefix corp- --lower-case
  hatbox sso populate --template '{account_id}-{role_name:lower}'";

/// Sign in to IAM Identity Center, sign out, show sign-ins
///
/// `hatbox exec` and `hatbox export` sign in by themselves when a profile needs it. All profiles of one `[sso-session]`
/// share a sign-in, which is refreshed automatically for as long as Identity Center allows.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SsoArgs {
    #[command(subcommand)]
    pub(crate) command: SsoCommand,
}

/// The commands of `hatbox sso`.
#[derive(Debug, Subcommand)]
pub(crate) enum SsoCommand {
    Login(SsoLoginArgs),
    Logout(SsoLogoutArgs),
    Status(SsoStatusArgs),
    Populate(SsoPopulateArgs),
}

/// Sign in with the browser
///
/// Opens the sign-in page in the browser, which redirects to a port of 127.0.0.1 when you have signed in. Over SSH, in a
/// container, in WSL or without a desktop, the redirect cannot reach hatbox: you confirm a device code in any browser
/// instead.
#[derive(Debug, Args)]
#[command(after_help = LOGIN_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct SsoLoginArgs {
    /// The `[sso-session]`, or a profile that uses SSO [env: AWS_PROFILE] [default: the only one of the config]
    pub(crate) name: Option<String>,

    /// Sign in with a redirect to 127.0.0.1, even over SSH or in a container
    #[arg(long, conflicts_with = "device")]
    pub(crate) pkce: bool,

    /// Sign in with a device code, which you confirm in any browser [setting in the session: sso_use_device_code]
    #[arg(long, conflicts_with = "redirect_port")]
    pub(crate) device: bool,

    /// Receive the redirect on this port of 127.0.0.1 [default: any free port]
    #[arg(long, value_name = "PORT")]
    pub(crate) redirect_port: Option<u16>,

    /// Print the address of the page alone on stdout, and open no browser [env for another browser: HATBOX_BROWSER, BROWSER]
    #[arg(long)]
    pub(crate) no_browser: bool,

    /// Also keep the token in ~/.aws/sso/cache, where the AWS CLI and the SDKs find it, until `sso logout` [setting: share_sso_cache]
    #[arg(long)]
    pub(crate) share_sso_cache: bool,
}

/// Sign out, and delete the token and the cached sessions
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox sso logout corp")]
pub(crate) struct SsoLogoutArgs {
    /// The `[sso-session]`, or a profile that uses SSO [default: all sign-ins]
    pub(crate) name: Option<String>,
}

/// Show which sessions are signed in
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox sso status --json")]
pub(crate) struct SsoStatusArgs {
    /// The `[sso-session]`, or a profile that uses SSO [default: all of the config]
    pub(crate) name: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Write a profile for every account and role
///
/// The profiles are in a block of ~/.aws/config that only this command changes. It shows what changes and asks before it
/// writes. Profiles whose role is no longer assigned to you are removed.
#[derive(Debug, Args)]
#[command(after_help = POPULATE_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct SsoPopulateArgs {
    /// The `[sso-session]`, or a profile that uses it [env: AWS_PROFILE] [default: the only one of the config]
    pub(crate) name: Option<String>,

    /// Name the profiles by this template of {account_name}, {account_id} and {role_name} [default: that of the last run, else {account_name}.{role_name}]
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) template: Option<String>,

    /// Put this text before each name
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,

    /// Write names of accounts and roles in lower case; to lower-case one field, write {role_name:lower}
    #[arg(long)]
    pub(crate) lower_case: bool,

    /// Write this region to the profiles [default: that of the last run]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Write without asking
    #[arg(long, alias = "force", short_alias = 'f')]
    pub(crate) yes: bool,

    /// Print the changes as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
