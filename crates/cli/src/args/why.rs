//! `hatbox why`.

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  hatbox why           explain the last failure
  hatbox why dev       explain the last failure of `dev`
  hatbox why --redact  leave out names and account ids";

/// Explain the last failure of `exec` or `export`
///
/// Shows the request, the response of AWS, and every possible cause with what speaks for it or against it. After an
/// AccessDenied, hatbox asks AWS with the same credentials for the caller's identity, its policies and MFA devices, and
/// the role, and uses what it may read. It never asks you to unlock the store. The exit code is 0 if the cause is known
/// or likely, 6 if not.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[cfg_attr(
    feature = "trust",
    expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")
)]
pub(crate) struct WhyArgs {
    /// Explain the last failure of any profile; this is the default
    #[arg(long)]
    pub(crate) last: bool,

    /// Make no calls to AWS; use what is known already
    #[cfg(feature = "trust")]
    #[arg(long)]
    pub(crate) offline: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Mask ARNs, account ids and the names in them
    #[arg(long)]
    pub(crate) redact: bool,

    /// Explain the last failure of this profile [default: of any profile]
    pub(crate) profile: Option<String>,
}
