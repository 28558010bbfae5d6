//! `hatbox exec`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::SessionArgs;

const EXAMPLES: &str = "\
Examples:
  hatbox exec security-auditor -- aws s3 ls             run one command
  hatbox exec -d 2h dev-infra-admin -- terraform apply  run it for two hours
  hatbox exec --server prod -- terraform apply          renew them as it runs
  hatbox exec dev                                       open a shell
  AWS_PROFILE=dev hatbox exec -- aws sts get-caller-identity

The exit code is that of the command; 125 if hatbox failed before it, 126 if \
the command cannot be run, 127 if it is not found, 130 if you cancelled a prompt.";

/// Run a command with temporary credentials of a profile
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,

    /// Run even inside another `hatbox exec`
    #[arg(long)]
    pub(crate) nested: bool,

    /// Run the command in a new session keyring, without the unlocked store [setting: isolate_child]
    #[arg(long)]
    pub(crate) isolate: bool,

    /// Print the credentials as JSON instead of running a command, for old configs
    #[arg(short = 'j', long, hide = true)]
    pub(crate) json: bool,

    /// Serve the credentials to the command, and renew them while it runs
    #[arg(short = 's', long)]
    pub(crate) server: bool,

    /// Of aws-vault: the same as --server
    #[arg(long, hide = true)]
    pub(crate) ecs_server: bool,

    /// Serve them as EC2 instance metadata (IMDSv2), for programs that ask nothing else; on Linux
    #[arg(long, conflicts_with_all = ["server", "ecs_server"])]
    pub(crate) imds: bool,

    /// Of aws-vault: --imds
    #[arg(long, hide = true, conflicts_with_all = ["server", "ecs_server"])]
    pub(crate) ec2_server: bool,

    /// With --server: obtain the credentials when they are first asked for
    #[arg(long)]
    pub(crate) lazy: bool,

    /// Of aws-vault: set AWS_PROFILE instead of credentials
    #[arg(long, hide = true)]
    pub(crate) profile_env: bool,

    /// Of aws-vault: show the page to sign in at instead of opening a browser
    #[arg(long, hide = true)]
    pub(crate) stdout: bool,

    /// Write the error to FILE as JSON if hatbox fails before the command runs
    #[arg(long, value_name = "FILE")]
    pub(crate) error_json: Option<PathBuf>,

    /// The profile to use [default: AWS_PROFILE]
    // `--` in place of the profile omits it.
    #[arg(value_name = "PROFILE", value_terminator = "--")]
    pub(crate) profile: Option<OsString>,

    /// The command and its arguments, which may begin with `-` [default: your shell]
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

impl ExecArgs {
    /// Whether the command gets a server of instance metadata.
    pub(crate) fn is_with_metadata(&self) -> bool {
        self.imds || self.ec2_server
    }
}
