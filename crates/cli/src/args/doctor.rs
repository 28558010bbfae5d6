//! `hatbox doctor`.

use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  hatbox doctor                    check everything, change nothing
  hatbox doctor --fix              also close your files to other users
  hatbox doctor --fail-on warning  exit with 5 on warnings too";

/// Check the setup and show how to fix it
///
/// Checks the config, the credential plan of every profile, the permissions of files, the environment, the store, the
/// terminal, the programs that the config names, and the clock. Asks no questions. Sign-ins are judged by files on this
/// machine. Connects only to a port of this machine that AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_STS names, to find out
/// whether anything listens there, and with --online to STS. The exit code is 5 if there is a finding of the level --fail-on or higher, and 0 otherwise.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Remove the access of other users to your files, and print each change
    #[arg(long)]
    pub(crate) fix: bool,

    /// Compare the clock with that of the STS endpoint of AWS_PROFILE or `default`
    #[arg(long)]
    pub(crate) online: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Exit with 5 if there is a finding of this level or higher
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    pub(crate) fail_on: FailOn,
}

/// A level of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warning,
    Info,
}
