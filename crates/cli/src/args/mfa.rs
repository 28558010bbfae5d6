//! `hatbox mfa` and its commands.

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  hatbox mfa list               list the devices of the user
  hatbox mfa register jan-work  add a device, by QR code
  hatbox mfa code jan-work      print a code, from a stored TOTP seed";
#[cfg(feature = "iam")]
const REGISTER_EXAMPLES: &str = "\
Examples:
  hatbox mfa register jan-work
  hatbox mfa register --name jan-tablet jan-work  add a second device";
const STORE_EXAMPLES: &str = "\
Examples:
  hatbox mfa store-seed jan-work
  pass aws/jan-seed | hatbox mfa store-seed --stdin jan-work";

/// List and register MFA devices, and make their codes
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MfaArgs {
    #[command(subcommand)]
    pub(crate) command: MfaCommand,
}

/// The commands of `hatbox mfa`.
#[derive(Debug, Subcommand)]
pub(crate) enum MfaCommand {
    #[cfg(feature = "iam")]
    List(MfaListArgs),
    Code(MfaCodeArgs),
    #[cfg(feature = "iam")]
    Register(MfaRegisterArgs),
    StoreSeed(MfaStoreSeedArgs),
    RemoveSeed(MfaRemoveSeedArgs),
}

/// List the MFA devices of the user behind a profile
///
/// Calls IAM (ListMFADevices) with the access key that the profile's chain starts from.
#[cfg(feature = "iam")]
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox mfa list jan-work")]
pub(crate) struct MfaListArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The profile of the user, or of a role that the user assumes [env: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}

/// Register a virtual MFA device for a user
///
/// Creates the device in IAM, shows its QR code on the terminal, asks for two codes of the authenticator app, enables the
/// device, and writes `mfa_serial` to the profile in ~/.aws/config. If a step fails, the device is deleted again.
#[cfg(feature = "iam")]
#[derive(Debug, Args)]
#[command(after_help = REGISTER_EXAMPLES)]
pub(crate) struct MfaRegisterArgs {
    /// Name of the new device [default: the user's name]
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Store the TOTP seed, and make the two codes from it; no app is needed
    #[arg(long)]
    pub(crate) store_seed: bool,

    /// Show the secret key as text too, for apps that cannot scan
    #[arg(long, conflicts_with = "store_seed")]
    pub(crate) show_secret: bool,

    /// Delete a device of this name that was never enabled, without asking
    #[arg(long)]
    pub(crate) replace: bool,

    /// The profile whose user gets the device [env: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}

/// Print an MFA code, from a stored TOTP seed
///
/// Prints the code alone. If hatbox has sent the current code to AWS already, it waits for the next one: each code works
/// once.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox mfa code jan-work")]
pub(crate) struct MfaCodeArgs {
    /// The profile that the seed is stored for, or one with the same `mfa_serial` [env: AWS_PROFILE]
    pub(crate) profile: Option<String>,
}

/// Store the TOTP seed of an MFA device
///
/// The seed is the secret behind the QR code of a virtual MFA device. With it, hatbox makes the MFA codes itself: `exec` and
/// `export` no longer ask. The store is then both factors: whoever can use it needs no other device.
///
/// The device is the profile's `mfa_serial`, or the one that --mfa-serial names.
#[derive(Debug, Args)]
#[command(after_help = STORE_EXAMPLES)]
pub(crate) struct MfaStoreSeedArgs {
    /// Read the seed from stdin: base32, or an `otpauth://totp/` URL
    #[arg(long)]
    pub(crate) stdin: bool,

    /// The MFA device that the seed belongs to [default: the profile's `mfa_serial`]
    #[arg(long, value_name = "SERIAL")]
    pub(crate) mfa_serial: Option<String>,

    /// Replace a stored seed without asking
    #[arg(short, long, alias = "yes")]
    pub(crate) force: bool,

    /// The profile to store the seed for
    pub(crate) profile: String,
}

/// Delete a stored TOTP seed
///
/// The MFA device stays registered in IAM.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hatbox mfa remove-seed jan-work")]
pub(crate) struct MfaRemoveSeedArgs {
    /// Delete it without asking
    #[arg(short, long, alias = "yes")]
    pub(crate) force: bool,

    /// The profile that the seed is stored for
    pub(crate) profile: String,
}
