//! `hatbox exec`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::SessionArgs;

const EXAMPLES: &str = "\
Examples:
  hatbox exec security-auditor -- aws s3 ls
  hatbox exec -d 2h dev-infra-admin -- terraform apply
  hatbox exec dev                                  a shell with the credentials
  AWS_PROFILE=dev hatbox exec -- aws sts get-caller-identity

Exit codes: the command's own; 125 when hatbox failed before it, 126 when the command
cannot be run, 127 when there is none, 130 when a question was cancelled.";

/// Run a command with temporary credentials of a profile
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Run even inside another `hatbox exec`
    #[arg(long)]
    pub(crate) nested: bool,

    /// Give the command a session keyring of its own: it does not find the unlocked store in it [setting: isolate_child]
    #[arg(long)]
    pub(crate) isolate: bool,

    /// Print the credentials as JSON instead of running a command, as old configs want it
    #[arg(short = 'j', long, hide = true)]
    pub(crate) json: bool,

    /// Of aws-vault: the credential server
    #[arg(short = 's', long, visible_alias = "ecs-server", hide = true)]
    pub(crate) server: bool,

    /// Of aws-vault: the metadata server
    #[arg(long, hide = true)]
    pub(crate) ec2_server: bool,

    /// Of aws-vault: fetch nothing before the server is asked
    #[arg(long, hide = true)]
    pub(crate) lazy: bool,

    /// Of aws-vault: hand over AWS_PROFILE instead of credentials
    #[arg(long, hide = true)]
    pub(crate) profile_env: bool,

    /// Of aws-vault: print the SSO URL instead of opening a browser
    #[arg(long, hide = true)]
    pub(crate) stdout: bool,

    /// Write the cause to FILE as JSON when hatbox fails before the command
    #[arg(long, value_name = "FILE")]
    pub(crate) error_json: Option<PathBuf>,

    /// The profile [default: AWS_PROFILE]
    // `--` in its place leaves it out.
    #[arg(value_name = "PROFILE", value_terminator = "--")]
    pub(crate) profile: Option<OsString>,

    /// The command and its arguments: from its first word on, everything is the command's [default: a shell]
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}
