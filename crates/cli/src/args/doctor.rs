//! `hatbox doctor`.

use clap::{Args, ValueEnum};

/// Look for what is wrong with the setup here, and say how to mend it
///
/// Looks at the config, the credential plan of every profile, who may read which file, the environment, the store,
/// the terminal, the programs that are named, and the clock. Asks nobody and makes no call, except for the clock
/// with --online. The exit code is 0, or 5 when there is a finding of the level of --fail-on or above.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Mend what is safe to mend: close your own files to others. Each is said
    #[arg(long)]
    pub(crate) fix: bool,

    /// Ask STS for the time, to compare the clock with
    #[arg(long)]
    pub(crate) online: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The least level that makes the exit code 5
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
