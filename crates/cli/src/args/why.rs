//! `hatbox why`.

use clap::Args;

/// Say why `exec` or `export` got no credentials the last time
///
/// AWS's answer, what was sent, and everything that was checked, each with what it rests on: AWS's own word, policies
/// and devices that were seen, or the config alone. Where AWS refused, AWS is asked by the same credentials who they
/// belong to, and for as much of the role, of the caller's policies and of the MFA devices as they may read; nobody is
/// asked to unlock the store for that. Exit code 0 when the cause is known or there is a likely one, 6 when not.
#[derive(Debug, Args)]
#[cfg_attr(
    feature = "trust",
    expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")
)]
pub(crate) struct WhyArgs {
    /// The last failure, of whichever profile (the default)
    #[arg(long)]
    pub(crate) last: bool,

    /// Ask nothing of AWS: go by what is on this machine
    #[cfg(feature = "trust")]
    #[arg(long)]
    pub(crate) offline: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Mask ARNs, account ids and the names in them
    #[arg(long)]
    pub(crate) redact: bool,

    /// The last failure of this profile
    pub(crate) profile: Option<String>,
}
