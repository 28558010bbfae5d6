//! `hatbox trust` and its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Ask who may put on which role, and why not: policies judged offline, as AWS judges them
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    #[command(subcommand)]
    pub(crate) command: TrustCommand,
}

/// The commands of `hatbox trust`.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    Evaluate(TrustEvaluateArgs),
    Snapshot(TrustSnapshotArgs),
}

/// Judge requests in bulk: a line of JSON in for each, a line of JSON out
///
/// docs/trust-evaluate.md describes a line. One that cannot be read is answered with its error, the others are
/// judged all the same, and the exit code is 1.
#[derive(Debug, Args)]
pub(crate) struct TrustEvaluateArgs {
    /// The file with the requests; `-` is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
}

/// Keep all of IAM of one account or several in a file, to ask questions of it offline
///
/// Users, groups, roles and policies, MFA devices, and how long a role's sessions may be; nothing secret. What a
/// profile may not read is said and left out. docs/trust-snapshot.md describes the file.
#[derive(Debug, Args)]
pub(crate) struct TrustSnapshotArgs {
    /// A profile whose account is read; may be given several times [default: AWS_PROFILE]
    #[arg(long = "profile", value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,

    /// The file to write; `-` is stdout
    #[arg(short, long, value_name = "FILE", required_unless_present = "dry_run")]
    pub(crate) output: Option<PathBuf>,

    /// Print what AWS would be asked for, and ask nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
