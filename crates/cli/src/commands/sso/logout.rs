//! `hatbox sso logout`: ends the sign-in at Identity Center, and deletes what is kept of it here.

use std::collections::BTreeSet;

use hatbox_core::plan::{Base, Purpose};
use hatbox_core::sso::sign_in::{SignInKey, resolve_sign_in_key};

use crate::args::{GlobalArgs, SsoLogoutArgs};
use crate::ask::passphrase::Interaction;
use crate::credentials::plan::Planning;
use crate::credentials::request::SessionRequest;
use crate::credentials::sso::SignInTargets;
use crate::errors::Failure;
use crate::keys::KeyStore;
use crate::store::sessions::Sessions;
use crate::store::sign_ins::delete_all_sign_ins;
use crate::world::World;

pub(super) fn run(
    world: &World,
    global: &GlobalArgs,
    targets: &SignInTargets<'_>,
    request: &SessionRequest,
    args: &SsoLogoutArgs,
) -> Result<(), Failure> {
    let chosen = match &args.name {
        Some(name) => vec![targets.find(world, Some(name))?],
        None => targets.all(),
    };
    let mut store = KeyStore::open(world, global)?;
    if store.is_empty() {
        world.output.data("Nothing was signed in.\n")?;
        return Ok(());
    }
    let sessions = store.sessions(Interaction::Allowed)?;
    let mut text = String::new();
    for target in &chosen {
        if target.sign_in(world, &sessions)?.sign_out()? {
            text.push_str(&format!("Signed out of `{}`.\n", target.name()));
        }
    }
    let keys: Vec<_> = chosen.iter().map(|target| resolve_sign_in_key(&target.sso)).collect();
    let index = store.index(Interaction::Allowed)?;
    let planning = Planning::new(world, targets.files, request, Some(&index), Purpose::Use);
    delete_sessions(&planning, targets, &sessions, &keys)?;
    if args.name.is_none() {
        // Also those of sessions that the config no longer has.
        delete_all_sign_ins(&world.dirs.sign_ins())?;
    }
    if text.is_empty() {
        "Nothing was signed in.\n".clone_into(&mut text);
    }
    world.output.data(&text)?;
    Ok(())
}

/// Deletes the cached sessions of all profiles that use these sign-ins, as the config has them today: also those that
/// were obtained with flags, such as `--read-only`.
fn delete_sessions(
    planning: &Planning<'_>,
    targets: &SignInTargets<'_>,
    sessions: &Sessions,
    keys: &[SignInKey],
) -> Result<(), Failure> {
    let mut profiles = BTreeSet::new();
    for name in targets.files.config.profile_names() {
        // A profile that cannot be resolved has no sessions to be found by it.
        let Ok(plan) = planning.resolve_quietly(&name) else { continue };
        let Base::Sso { sso, .. } = &plan.base else { continue };
        if keys.contains(&resolve_sign_in_key(&sso.value)) {
            profiles.extend(plan.stages().filter_map(|stage| plan.stage_profile(stage).cloned()));
            profiles.insert(name);
        }
    }
    sessions.delete_others(&profiles, &[])?;
    Ok(())
}
