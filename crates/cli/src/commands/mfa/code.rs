//! `hatbox mfa code`: prints a code computed from a stored seed.

use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;

use super::serial_of;
use crate::args::{GlobalArgs, MfaCodeArgs, SessionArgs};
use crate::credentials::obtain::ProfileRequest;
use crate::credentials::request::resolve_profile_name;
use crate::credentials::seed::{make_unused_code, open_used_codes};
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::load_config;
use crate::keys::{KeyStore, StoredSeed};
use crate::world::World;

pub(super) fn run(world: &World, global: &GlobalArgs, args: &MfaCodeArgs) -> Result<(), Failure> {
    let profile = resolve_profile_name(args.profile.as_deref(), &world.environment)?;
    let mut store = KeyStore::open(world, global)?;
    let Some(stored) = find_seed(world, &mut store, &profile)? else {
        let request = ProfileRequest {
            world,
            global,
            session: &SessionArgs::default(),
            profile: Some(profile.as_str()),
        };
        return match request.check_without_asking() {
            Err(unknown) if unknown.is_profile_unknown => Err(unknown),
            _ => Err(no_seed(&profile)),
        };
    };
    let used = open_used_codes(world, &mut store, &stored.serial)?;
    let code = make_unused_code(world, &used, &stored.seed);
    Ok(world.output.exact(&format!("{}\n", code.expose()))?)
}

/// Finds the seed of the profile's device. If the config names no device, uses the seed stored for the profile.
fn find_seed(
    world: &World,
    store: &mut KeyStore,
    profile: &ProfileName,
) -> Result<Option<StoredSeed>, Failure> {
    match serial_of(&load_config(world)?, profile) {
        Some(serial) => store.find_seed(&serial, &[profile]),
        None => store.read_seed(profile),
    }
}

fn no_seed(profile: &ProfileName) -> Failure {
    let name = quote_word(profile.as_str());
    Failure::new(FailureKind::Failed, format!("no TOTP seed is stored for profile `{profile}`"))
        .hint(format!("hatbox mfa store-seed {name}"))
}
