//! `hatbox doctor`.

use clap::{Args, ValueEnum};

/// Check the setup and say how to fix it
///
/// Checks the config, the credential plan of every profile, the permissions of files, the environment, the store, the
/// terminal, the programs that the config names, and the clock. It asks no question and makes no network call, except
/// for the clock with --online. The exit code is 5 when there is a finding of the level --fail-on or above, else 0.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Fix what is safe to fix: remove the access of others to your files, and print each
    #[arg(long)]
    pub(crate) fix: bool,

    /// Compare the clock with the time that STS returns
    #[arg(long)]
    pub(crate) online: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The lowest level of findings for which the exit code is 5
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
