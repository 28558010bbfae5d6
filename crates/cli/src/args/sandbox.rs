//! `hatbox sandbox`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  hatbox sandbox demo                the whole tour, in a minute
  hatbox sandbox shell               a shell with everything set up
  hatbox sandbox up --detach         only the server, in the background
  hatbox sandbox run -- hatbox list  one command in the sandbox's environment

The sandbox is a stand-in for AWS on 127.0.0.1. It accepts only keys that \
it made, and its environment holds none of your keys and settings.";

/// Try hatbox without AWS, on a local stand-in
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SandboxArgs {
    /// The directory of the sandbox [default: a shared one in the data directory]
    #[arg(long, global = true, value_name = "DIR", env = "HATBOX_SANDBOX_DIR", hide_env_values = true)]
    pub(crate) dir: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: SandboxCommand,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Run the whole tour, then remove everything
    Demo,
    /// Start the server
    Up(SandboxUpArgs),
    /// Stop the server
    Down,
    /// Show whether the server is running, and where
    Status,
    /// Open a shell with everything set up
    Shell,
    /// Run a command in the sandbox's environment
    Run {
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Print the current MFA code
    Code,
    /// Print an OIDC token for AssumeRoleWithWebIdentity
    Token(SandboxTokenArgs),
    /// Print the calls, whether they were allowed, and why
    Log(SandboxLogArgs),
    /// Use the S3 of the sandbox with the credentials of the environment
    #[command(subcommand)]
    S3(SandboxS3),
}

/// How to start the server.
#[derive(Debug, Args)]
pub(crate) struct SandboxUpArgs {
    /// Run in the background
    #[arg(long)]
    pub(crate) detach: bool,

    /// The port on 127.0.0.1 [default: any free one]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,

    /// This process is the one in the background
    #[arg(long, hide = true, conflicts_with = "detach")]
    pub(crate) is_detached_child: bool,
}

/// Which token to print.
#[derive(Debug, Args)]
pub(crate) struct SandboxTokenArgs {
    /// The subject (`sub`) [default: a job of the sandbox's build server]
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,

    /// The audience (`aud`) [default: sts.amazonaws.com]
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Option<String>,

    /// The issuer (`iss`) [default: https://ci.sandbox.example]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// How long the token is valid: `600`, `10m`
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) lifetime: String,
}

/// What of the log to print.
#[derive(Debug, Args)]
pub(crate) struct SandboxLogArgs {
    /// Only the calls to this service
    #[arg(long, value_name = "SERVICE", value_parser = ["sts", "iam", "s3"])]
    pub(crate) service: Option<String>,

    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// A call to the sandbox's S3.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxS3 {
    /// List buckets, or the objects of a bucket
    Ls {
        /// s3://BUCKET[/PREFIX]
        url: Option<String>,
    },
    /// Copy a file to the sandbox, or an object from it
    Cp {
        /// A file, s3://BUCKET/KEY, or `-` for stdin
        from: String,
        /// A file, s3://BUCKET/KEY, or `-` for stdout
        to: String,
    },
    /// Delete an object
    Rm {
        /// s3://BUCKET/KEY
        url: String,
    },
    /// Create a bucket
    Mb {
        /// s3://BUCKET
        url: String,
    },
}
