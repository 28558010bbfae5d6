//! `hatbox login`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox login --session                sign in for profile `default`
  hatbox login --session me --region eu-west-1
  hatbox login --session --remote me    use a browser on another machine
  hatbox exec me -- terraform apply     use the session with any tool

The session is the one of `aws login`: the AWS CLI and the SDKs use it too.";

/// Sign in with your console credentials, as `aws login` does
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LoginArgs {
    /// Sign in, and save the session for the AWS CLI and the SDKs too
    #[arg(long)]
    pub(crate) session: bool,

    /// Use a browser on another machine, and paste the code that it shows
    #[arg(long, requires = "session")]
    pub(crate) remote: bool,

    /// Print the URL instead of opening a browser
    #[arg(long, requires = "session")]
    pub(crate) no_browser: bool,

    /// Listen on this port of 127.0.0.1 for the browser, for `ssh -L` [default: any free one]
    #[arg(long, value_name = "N", requires = "session", conflicts_with = "remote")]
    pub(crate) redirect_port: Option<u16>,

    /// Sign in in this region [default: the profile's]
    #[arg(long, value_name = "REGION", requires = "session")]
    pub(crate) region: Option<String>,

    /// The profile to use [default: AWS_PROFILE, else `default`]
    #[arg(value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
}
