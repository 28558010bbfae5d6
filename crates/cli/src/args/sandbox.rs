//! `hatbox sandbox`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  hatbox sandbox demo                    the whole walk-through, in a minute
  hatbox sandbox shell                   a shell in which everything is set up
  hatbox sandbox up --detach             only the server, in the background
  hatbox sandbox run -- hatbox list      one command in the sandbox's environment

It is a stand-in for AWS on 127.0.0.1. It refuses keys that it did not mint, and its
environment holds nothing of yours.";

/// Try hatbox without AWS: a strict local stand-in
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SandboxArgs {
    /// The sandbox's directory [default: one for all, under the data directory]
    #[arg(long, global = true, value_name = "DIR", env = "HATBOX_SANDBOX_DIR", hide_env_values = true)]
    pub(crate) dir: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: SandboxCommand,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Play the whole walk-through, then remove everything
    Demo,
    /// Start the server
    Up(SandboxUpArgs),
    /// Stop the server
    Down,
    /// Say whether the server runs, and where
    Status,
    /// Open a shell in which everything is set up
    Shell,
    /// Run a command in the sandbox's environment
    Run {
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Print the current MFA code, as the phone would show it
    Code,
    /// Print a token of an identity provider, for AssumeRoleWithWebIdentity
    Token(SandboxTokenArgs),
    /// Print who called what, allowed or not, and why
    Log(SandboxLogArgs),
    /// A small S3 client for the sandbox, with the credentials of the environment
    #[command(subcommand)]
    S3(SandboxS3),
}

/// How to start the server.
#[derive(Debug, Args)]
pub(crate) struct SandboxUpArgs {
    /// Let it run in the background
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
    /// Whom it names [default: a job of the sandbox's build server]
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,

    /// Whom it is meant for [default: sts.amazonaws.com]
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Option<String>,

    /// Who signs it [default: https://ci.sandbox.example]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// How long it is good: `600`, `10m`
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
    /// List buckets, or the objects of one
    Ls {
        /// s3://BUCKET[/PREFIX]
        url: Option<String>,
    },
    /// Copy a file to the sandbox, or an object from it (`-` is stdin or stdout)
    Cp {
        /// A file or s3://BUCKET/KEY
        from: String,
        /// A file or s3://BUCKET/KEY
        to: String,
    },
    /// Delete an object
    Rm {
        /// s3://BUCKET/KEY
        url: String,
    },
    /// Make a bucket
    Mb {
        /// s3://BUCKET
        url: String,
    },
}
