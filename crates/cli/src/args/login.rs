//! `hatbox login`.

use clap::Args;

use super::SessionArgs;

const EXAMPLES: &str = "\
Examples:
  hatbox login dev                       open the console as profile `dev`
  hatbox login --service s3 --region eu-west-1 dev
  hatbox login --read-only jan           a user without a role needs a policy
  hatbox login --stdout dev | pbcopy     print the link instead

Sign in for the AWS CLI and the SDKs, as `aws login` does:
  hatbox login --session                 for profile `default`
  hatbox login --session --remote me     use a browser on another machine";

/// Repeated for each flag: on the struct, it would also apply to the flags that it includes.
const SESSION: &str = "Sign-in for the AWS CLI and the SDKs";

/// Flags that do not apply to `--session`.
const CONSOLE_ONLY: [&str; 19] = [
    "service",
    "path",
    "stdout",
    "clipboard",
    "auto_logout",
    "duration",
    "no_session",
    "fresh",
    "min_ttl",
    "policy",
    "policy_arn",
    "read_only",
    "role_arn",
    "external_id",
    "session_tag",
    "transitive_tag",
    "source_identity",
    "mfa_token",
    "reason",
];

/// Open the AWS console with the credentials of a profile
///
/// A profile with SSO (Identity Center) opens by its access portal. Without PROFILE and AWS_PROFILE, the temporary
/// credentials of the environment are used.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct LoginArgs {
    /// Open the page of this service, such as `s3` or `ec2`
    #[arg(long, value_name = "NAME", conflicts_with = "path")]
    pub(crate) service: Option<String>,

    /// Open this page of the console, such as `s3/buckets/logs`
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,

    /// Print the link instead of opening a browser
    #[arg(short, long)]
    pub(crate) stdout: bool,

    /// Copy the link to the clipboard instead, over SSH to that of your terminal (OSC 52)
    #[arg(long, conflicts_with = "stdout")]
    pub(crate) clipboard: bool,

    /// Sign the browser out of the console first
    #[arg(short, long)]
    pub(crate) auto_logout: bool,

    /// Sign in as `aws login` does, and save the session for the AWS CLI and the SDKs
    #[arg(long, conflicts_with_all = CONSOLE_ONLY, help_heading = SESSION)]
    pub(crate) session: bool,

    /// Use a browser on another machine, and paste the code that it shows
    #[arg(long, requires = "session", help_heading = SESSION)]
    pub(crate) remote: bool,

    /// Print the URL instead of opening a browser
    #[arg(long, requires = "session", help_heading = SESSION)]
    pub(crate) no_browser: bool,

    /// Listen on this port of 127.0.0.1 for the browser, for `ssh -L` [default: any free one]
    #[arg(long, value_name = "N", requires = "session", conflicts_with = "remote", help_heading = SESSION)]
    pub(crate) redirect_port: Option<u16>,

    #[command(flatten)]
    pub(crate) credentials: SessionArgs,

    /// The profile to use [default: AWS_PROFILE; with --session, else `default`]
    #[arg(value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
}
