//! `hatbox sandbox`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  hatbox sandbox demo                play a tour of hatbox
  hatbox sandbox shell               try it yourself, with everything set up
  hatbox sandbox run -- hatbox list  run one command in the sandbox
  hatbox sandbox up --detach         start only the server, in the background

The sandbox is a local server that behaves like AWS STS, IAM, S3 and IAM \
Identity Center. It accepts only keys that it created, and commands run in \
it see none of your keys and settings.";

const DEMO: &str = "\
Examples:
  hatbox sandbox demo               pause after screens that take time to read
  hatbox sandbox demo --pace slow   slow down for a talk
  hatbox sandbox demo --pace 0.5    play twice as fast
  hatbox sandbox demo --sso         sign in to IAM Identity Center";

const UP: &str = "\
Examples:
  hatbox sandbox up            show each call until Ctrl-C
  hatbox sandbox up --detach   return at once; `hatbox sandbox down` stops it";

const SIGN_IN: &str = "\
Presses Allow on the sign-in page for you and follows its redirect. You can \
also open the page in a browser.

Examples:
  hatbox sandbox sign-in BCDF-GHJK
  hatbox sandbox sign-in --deny BCDF-GHJK";

const METADATA: &str = "\
Examples:
  hatbox sandbox metadata
  eval \"$(hatbox sandbox metadata)\"  act as the sandbox's machine";

const S3: &str = "\
The credentials are those of the environment, as for `aws s3`.

Example:
  hatbox exec security-auditor -- hatbox sandbox s3 ls";

/// Try hatbox without AWS, against a local server
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SandboxArgs {
    /// Keep the sandbox in this directory [default: ~/.local/share/hatbox/sandbox]
    #[arg(long, global = true, value_name = "DIR", env = "HATBOX_SANDBOX_DIR", hide_env_values = true)]
    pub(crate) dir: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: SandboxCommand,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Play a tour of hatbox, and leave nothing behind
    #[command(after_help = DEMO)]
    Demo(SandboxDemoArgs),
    /// Start the server
    Up(SandboxUpArgs),
    /// Stop the server
    #[command(after_help = "Example:\n  hatbox sandbox down")]
    Down,
    /// Show whether the server is running, and where
    #[command(after_help = "Example:\n  hatbox sandbox status")]
    Status,
    /// Open a shell with everything set up
    #[command(after_help = "Example:\n  hatbox sandbox shell")]
    Shell,
    /// Run a command in the sandbox's environment
    #[command(after_help = "Example:\n  hatbox sandbox run -- hatbox exec security-auditor -- aws s3 ls")]
    Run {
        /// The command and its arguments
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Print the current MFA code of the user
    #[command(
        after_help = "Example:\n  hatbox exec -t \"$(hatbox sandbox code)\" dev-infra-admin -- aws s3 ls"
    )]
    Code,
    /// Print an OIDC token for AssumeRoleWithWebIdentity
    Token(SandboxTokenArgs),
    /// Print the variables for instance and container credentials
    #[command(after_help = METADATA)]
    Metadata,
    /// Sign in to IAM Identity Center without a browser
    SignIn(SandboxSignInArgs),
    /// Add accounts to IAM Identity Center
    #[command(after_help = "Example:\n  hatbox sandbox add-accounts 800 --roles 3")]
    AddAccounts {
        /// How many accounts
        count: u32,

        /// Assign this many roles to the user in each of them
        #[arg(long, value_name = "NUMBER", default_value_t = 2)]
        roles: u32,
    },
    /// Show each call, whether it was allowed, and why
    Log(SandboxLogArgs),
    /// Use the sandbox's S3 without the AWS CLI
    #[command(subcommand, after_help = S3)]
    S3(SandboxS3),
}

/// How to play the demo.
#[derive(Debug, Args)]
pub(crate) struct SandboxDemoArgs {
    /// Play at this pace: `slow`, `normal`, `fast`, or a factor such as `2` for twice as long
    #[arg(long, value_name = "PACE", default_value = "normal")]
    pub(crate) pace: Pace,

    /// Play a sign-in to IAM Identity Center instead
    #[arg(long)]
    pub(crate) sso: bool,
}

/// How long the demo shows things: 1 is the usual time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace(pub(crate) f64);

impl FromStr for Pace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "slow" => Ok(Self(2.0)),
            "normal" => Ok(Self(1.0)),
            "fast" => Ok(Self(0.4)),
            factor => factor
                .parse()
                .ok()
                .filter(|factor| (0.1..=10.0).contains(factor))
                .map(Self)
                .ok_or("expected `slow`, `normal`, `fast` or a factor from 0.1 to 10"),
        }
    }
}

/// How to start the server.
#[derive(Debug, Args)]
#[command(after_help = UP)]
pub(crate) struct SandboxUpArgs {
    /// Run in the background [default: run until Ctrl-C, and print each call]
    #[arg(long)]
    pub(crate) detach: bool,

    /// Listen on this port of 127.0.0.1 [default: any free one]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,

    /// This process is the one in the background
    #[arg(long, hide = true, conflicts_with = "detach")]
    pub(crate) is_detached_child: bool,
}

/// Which token to print.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox sandbox token --subject repo:work/site:ref:refs/heads/main")]
pub(crate) struct SandboxTokenArgs {
    /// Use this subject (`sub`) [default: a job of the sandbox's build server]
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,

    /// Use this audience (`aud`) [default: sts.amazonaws.com]
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Option<String>,

    /// Use this issuer (`iss`) [default: https://ci.sandbox.example]
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,

    /// Make the token valid for this long, such as `600` or `10m`
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) lifetime: String,
}

/// What to answer, in place of a browser.
#[derive(Debug, Args)]
#[command(after_help = SIGN_IN)]
pub(crate) struct SandboxSignInArgs {
    /// The user code, or the URL that was to be opened in a browser
    #[arg(value_name = "CODE|URL")]
    pub(crate) page: String,

    /// Press Deny instead of Allow
    #[arg(long)]
    pub(crate) deny: bool,
}

/// What of the log to print.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox sandbox log --service sts")]
pub(crate) struct SandboxLogArgs {
    /// Show only the calls to this service [default: all]
    #[arg(long, value_name = "SERVICE", value_parser = ["sts", "iam", "s3", "sso", "sso-oidc", "signin"])]
    pub(crate) service: Option<String>,

    /// Print one line of JSON for each call
    #[arg(long)]
    pub(crate) json: bool,
}

/// A call to the sandbox's S3.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxS3 {
    /// List buckets, or the objects of a bucket
    #[command(after_help = "Example:\n  hatbox exec security-auditor -- hatbox sandbox s3 ls s3://work-logs")]
    Ls {
        /// s3://BUCKET[/PREFIX]
        url: Option<String>,
    },
    /// Copy a file to or from the sandbox
    #[command(
        after_help = "Example:\n  hatbox exec dev-infra-admin -- hatbox sandbox s3 cp a.txt s3://work-logs/"
    )]
    Cp {
        /// A file, s3://BUCKET/KEY, or `-` for stdin
        from: String,
        /// A file, s3://BUCKET/KEY, or `-` for stdout
        to: String,
    },
    /// Delete an object
    #[command(
        after_help = "Example:\n  hatbox exec dev-infra-admin -- hatbox sandbox s3 rm s3://work-logs/a.txt"
    )]
    Rm {
        /// s3://BUCKET/KEY
        url: String,
    },
    /// Create a bucket
    #[command(after_help = "Example:\n  hatbox exec dev-infra-admin -- hatbox sandbox s3 mb s3://work-new")]
    Mb {
        /// s3://BUCKET
        url: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_word_or_a_factor() {
        for (text, factor) in
            [("slow", Some(2.0)), ("normal", Some(1.0)), ("0.5", Some(0.5)), ("10", Some(10.0))]
        {
            assert_eq!(text.parse::<Pace>().ok().map(|pace| pace.0), factor, "{text}");
        }
        for wrong in ["", "0", "11", "-1", "NaN", "inf", "quick"] {
            assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
        }
    }
}
