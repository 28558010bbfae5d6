//! `hatbox mfa`: the MFA devices of a user, and their codes.

mod code;
#[cfg(feature = "iam")]
mod list;
#[cfg(feature = "iam")]
mod pairing;
#[cfg(feature = "iam")]
mod register;
mod seed;

use hatbox_core::config::overrides::Overrides;
use hatbox_core::config::resolve::{Which, resolve_profile};
use hatbox_types::name::{MfaSerial, ProfileName};

use crate::args::{GlobalArgs, MfaArgs, MfaCommand};
use crate::errors::Failure;
use crate::files::aws_config::ConfigFiles;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &MfaArgs) -> Result<(), Failure> {
    match &args.command {
        #[cfg(feature = "iam")]
        MfaCommand::List(args) => list::run(world, global, args),
        MfaCommand::Code(args) => code::run(world, global, args),
        #[cfg(feature = "iam")]
        MfaCommand::Register(args) => register::run(world, global, args),
        MfaCommand::StoreSeed(args) => seed::store(world, global, args),
        MfaCommand::RemoveSeed(args) => seed::remove(world, global, args),
    }
}

/// Returns the MFA device that the config sets for `profile`, ignoring the environment.
fn serial_of(files: &ConfigFiles, profile: &ProfileName) -> Option<MfaSerial> {
    let resolved = resolve_profile(&files.config, profile, &Overrides::default(), Which::Source).ok()?;
    Some(resolved.mfa_serial?.value)
}
