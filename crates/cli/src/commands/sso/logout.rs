//! `hatbox sso logout`: ends the sign-in at Identity Center, and deletes its files.

use std::collections::BTreeSet;

use hatbox_core::plan::{Base, Purpose};
use hatbox_core::sso::sign_in::{SignInKey, resolve_sign_in_key};
use hatbox_types::name::ProfileName;

use crate::args::{GlobalArgs, SsoLogoutArgs};
use crate::ask::passphrase::Interaction;
use crate::credentials::plan::Planning;
use crate::credentials::request::SessionRequest;
use crate::credentials::sso::{SignInTarget, SignInTargets};
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
    let mut store = KeyStore::open(world, global)?;
    if store.is_empty() {
        if let Some(name) = &args.name {
            targets.find(world, Some(name))?;
        }
        world.output.note("not signed in");
        return Ok(());
    }
    let in_config = match &args.name {
        Some(name) => targets.find(world, Some(name)).map(|target| vec![target]),
        None => Ok(targets.all()),
    };
    // An unknown name is an error even if the store is locked.
    let sessions = match (&in_config, store.sessions_if_known()?) {
        (_, Some(sessions)) => sessions,
        (Ok(_), None) => store.sessions(Interaction::Allowed)?,
        (Err(_), None) => return in_config.map(|_| ()),
    };
    let remembered = SignInTarget::load_remembered(world, &sessions, args.name.as_deref())?;
    let chosen = match (in_config, &args.name) {
        (Err(failure), _) if remembered.is_empty() => return Err(failure),
        (Err(_), _) => remembered,
        (Ok(found), Some(_)) => found,
        (Ok(mut all), None) => {
            let is_new = |other: &SignInTarget| {
                !all.iter().any(|one| resolve_sign_in_key(&one.sso) == resolve_sign_in_key(&other.sso))
            };
            let more: Vec<_> = remembered.into_iter().filter(is_new).collect();
            all.extend(more);
            all
        }
    };
    let mut is_done = false;
    for target in &chosen {
        if target.sign_in(world, &sessions)?.sign_out()? {
            world.output.note(&format!("signed out of `{}`", target.name()));
            is_done = true;
        }
    }
    let keys: Vec<_> = chosen.iter().map(|target| resolve_sign_in_key(&target.sso)).collect();
    let index = store.index(Interaction::Allowed)?;
    let planning = Planning::new(world, targets.files, request, Some(&index), Purpose::Use);
    delete_sessions(&planning, targets, &sessions, &keys)?;
    if args.name.is_none() {
        // Also deletes registered clients, and sign-ins that no list contains.
        delete_all_sign_ins(&world.dirs.sign_ins())?;
    }
    if !is_done {
        world.output.note("not signed in");
    }
    Ok(())
}

/// Deletes the cached sessions of all profiles that use these sign-ins, according to the config of today, including
/// sessions that were obtained with flags such as `--read-only`.
fn delete_sessions(
    planning: &Planning<'_>,
    targets: &SignInTargets<'_>,
    sessions: &Sessions,
    keys: &[SignInKey],
) -> Result<(), Failure> {
    // Also delete sessions of profiles that are no longer in the config.
    let is_gone = |profile: &ProfileName| planning.resolve_quietly(profile).is_err();
    let mut profiles: BTreeSet<_> =
        sessions.list()?.0.into_iter().map(|(_, session)| session.profile).collect();
    profiles.retain(is_gone);
    for name in targets.files.config.profile_names() {
        // The session keys of a profile that cannot be resolved are unknown.
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
