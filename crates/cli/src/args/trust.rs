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
