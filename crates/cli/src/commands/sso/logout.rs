//! `hatbox sso logout`: ends the sign-in at Identity Center, and deletes what is kept of it here.

use hatbox_core::cache::resolve_session_key;
use hatbox_core::plan::{Base, Purpose};
use hatbox_core::sso::sign_in::{SignInKey, resolve_sign_in_key};

use crate::args::{GlobalArgs, SsoLogoutArgs};
use crate::ask::passphrase::Interaction;
use crate::credentials::plan::Planning;
use crate::credentials::request::SessionRequest;
use crate::credentials::sso::{SignInTarget, SignInTargets, with_retries};
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
        if log_out(world, target, &sessions)? {
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

/// Ends one sign-in. Returns whether there was one.
fn log_out(world: &World, target: &SignInTarget, sessions: &Sessions) -> Result<bool, Failure> {
    let sign_in = target.sign_in(world, sessions)?;
    let Some(saved) = sign_in.load_token()? else {
        sign_in.forget()?;
        return Ok(false);
    };
    if saved.token.expires_at > world.clock.now() {
        let portal = sign_in.portal(&saved.token)?;
        if let Err(error) = with_retries(world, || portal.log_out(&saved.token.access_token)) {
            world.output.warn(&format!(
                "Identity Center did not end the session of `{}`; the token is deleted here: {error}",
                sign_in.name()
            ));
        }
    }
    sign_in.forget()
}

/// Deletes the cached sessions that were obtained by these sign-ins, of the profiles as the config has them today.
fn delete_sessions(
    planning: &Planning<'_>,
    targets: &SignInTargets<'_>,
    sessions: &Sessions,
    keys: &[SignInKey],
) -> Result<(), Failure> {
    for name in targets.files.config.profile_names() {
        // A profile that cannot be resolved has no sessions to be found by it.
        let Ok(plan) = planning.resolve_quietly(&name) else { continue };
        let Base::Sso { sso, .. } = &plan.base else { continue };
        if !keys.contains(&resolve_sign_in_key(&sso.value)) {
            continue;
        }
        for key in plan.stages().filter_map(|stage| resolve_session_key(&plan, stage)) {
            sessions.delete_key(&key)?;
        }
    }
    Ok(())
}
