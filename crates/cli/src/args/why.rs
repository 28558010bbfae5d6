//! `hatbox why`.

use clap::Args;

/// Explain the last failure of `exec` or `export`
///
/// Shows the request, the response of AWS, and each check with its source: AWS itself, the policies and MFA devices
/// that hatbox could read, or the config. After an access denied, hatbox uses the same credentials to read whose they
/// are, the role, the policies of the caller and its MFA devices, as far as they allow it; it does not ask to unlock
/// the store for that. The exit code is 0 if the cause is known or likely, 6 if not.
#[derive(Debug, Args)]
#[cfg_attr(
    feature = "trust",
    expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")
)]
pub(crate) struct WhyArgs {
    /// The last failure of any profile; this is the default
    #[arg(long)]
    pub(crate) last: bool,

    /// Make no calls to AWS
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
