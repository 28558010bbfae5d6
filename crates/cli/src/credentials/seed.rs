//! Finds stored TOTP seeds for the calls of a plan and for `hatbox mfa code`.

use hatbox_core::plan::{Base, Step};
use hatbox_core::totp::{TotpSeed, TotpStep};
use hatbox_types::name::MfaSerial;
use hatbox_types::secret::MfaCode;

use super::plan::Planned;
use super::request::{PromptDriver, resolve_prompt};
use super::step::wait_for_next_code;
use super::used_codes::UsedCodes;
use crate::errors::Failure;
use crate::keys::{KeyStore, SharedStore};
use crate::sys::files::make_private_directory;
use crate::world::World;

/// Finds the seed for the device of a call, unless the code is to come from elsewhere.
pub(super) fn find_seed(
    planned: &Planned,
    store: &SharedStore,
    step: &Step,
) -> Result<Option<TotpSeed>, Failure> {
    let Planned { settings, request, plan, .. } = planned;
    let Some(mfa) = step.mfa() else { return Ok(None) };
    if request.mfa_code.is_some() || mfa.process.is_some() {
        return Ok(None);
    }
    let prompt = resolve_prompt(request.prompt.as_ref(), settings)?;
    if prompt.is_some_and(|prompt| prompt.driver != PromptDriver::Stored) {
        return Ok(None);
    }
    let mut wanted = vec![step.profile()];
    if let Base::StoredKey { profile, .. } = &plan.base {
        wanted.push(profile);
    }
    Ok(store.lock().find_seed(&mfa.serial.value, &wanted)?.map(|stored| stored.seed))
}

/// Returns the current code of the device. If hatbox has sent that one already, waits for the next.
pub(crate) fn make_unused_code(world: &World, used: &UsedCodes, seed: &TotpSeed) -> MfaCode {
    let code = seed.code(TotpStep::at(world.clock.now()));
    if !used.has(&code) {
        return code;
    }
    wait_for_next_code(world);
    seed.code(TotpStep::at(world.clock.now()))
}

/// Opens the list of codes that any hatbox process has sent for a device.
pub(crate) fn open_used_codes(
    world: &World,
    store: &mut KeyStore,
    serial: &MfaSerial,
) -> Result<UsedCodes, Failure> {
    use crate::ask::waiting::lock_path;
    let directory = world.dirs.locks();
    make_private_directory(&directory)?;
    let identity = serial.as_str().as_bytes();
    let path = match store.sessions_if_known()? {
        Some(sessions) => sessions.lock_path(&directory, "mfa", identity),
        None => lock_path(&directory, "mfa", identity),
    };
    Ok(UsedCodes::beside(&path, serial))
}
