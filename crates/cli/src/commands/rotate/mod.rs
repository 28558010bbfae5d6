//! `hatbox rotate`: replaces stored access keys with new ones.

mod all;
mod create;
mod machine;
mod quota;
mod report;
mod waits;

use hatbox_core::plan::{Base, Plan, Purpose};
use hatbox_types::name::ProfileName;
use hatbox_types::text::shell::quote_word;
use serde_json::Value;

use self::machine::Machine;
use self::report::{Rotated, render_status, render_status_json};
use crate::args::{GlobalArgs, RotateArgs, SessionArgs};
use crate::ask::passphrase::Interaction;
use crate::credentials::request::resolve_profile_name;
use crate::credentials::run::PlanRun;
use crate::errors::{Failure, FailureKind};
use crate::keys::KeyStore;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &RotateArgs) -> Result<(), Failure> {
    if args.status {
        return show_status(world, global, args);
    }
    if args.all {
        return all::run(world, global, args);
    }
    let needs_all = [("--older-than", args.older_than.is_some()), ("--yes", args.yes)];
    if let Some((flag, _)) = needs_all.iter().find(|(_, is_given)| *is_given) {
        return Err(Failure::new(FailureKind::Usage, format!("{flag} requires --all")));
    }
    let profile = resolve_profile_name(args.profile.as_deref(), &world.environment)?;
    let rotated = rotate_key_of(world, global, args, &profile)?;
    if args.json {
        return Ok(world.output.data(&format!("{:#}\n", rotated.render_json()))?);
    }
    rotated.print(world)
}

/// Rotates the key that the chain of `profile` starts from.
fn rotate_key_of(
    world: &World,
    global: &GlobalArgs,
    args: &RotateArgs,
    profile: &ProfileName,
) -> Result<Rotated, Failure> {
    let session = SessionArgs {
        no_session: args.no_session,
        mfa_token: args.mfa_token.clone(),
        region: args.region.clone(),
        ..SessionArgs::default()
    };
    let mut run = PlanRun::open(world, global, &session, profile, Purpose::OwnKeys)?;
    let holder = holder_of(run.plan())?;
    if holder != *profile {
        world.output.note(&format!("`{profile}` uses the access key of `{holder}`, which is rotated"));
    }
    let _lock = run.store().hold_for_rotation(&holder)?;
    // Another process may have rotated it before this one got the lock.
    run.replan(Purpose::OwnKeys)?;
    run.warn_of_copies();
    Machine::new(world, global, run)?.rotate(&holder)
}

/// Returns the profile that the key of a plan is stored for.
fn holder_of(plan: &Plan) -> Result<ProfileName, Failure> {
    let profile = &plan.profile;
    let failure = match &plan.base {
        Base::StoredKey { profile, .. } => return Ok(profile.clone()),
        Base::FileKeys { profile: holder, keys } if !keys.value.is_temporary() => Failure::new(
            FailureKind::Usage,
            format!("the access key of `{holder}` is in a file in plain text, and hatbox rotates those in its store"),
        )
        .hint("hatbox import credentials"),
        _ => Failure::new(
            FailureKind::Usage,
            format!("`{profile}` gets its credentials without a stored access key: there is nothing to rotate"),
        )
        .hint(format!("hatbox explain {}", quote_word(profile.as_str()))),
    };
    Err(failure)
}

fn show_status(world: &World, global: &GlobalArgs, args: &RotateArgs) -> Result<(), Failure> {
    let mut store = KeyStore::open(world, global)?;
    let rotations =
        if store.is_empty() { Vec::new() } else { store.rotations(Interaction::Allowed)?.list()? };
    let text =
        if args.json { render_json(&render_status_json(&rotations)) } else { render_status(&rotations) };
    world.output.data(&text)?;
    if let Some(rotation) = rotations.first().filter(|_| !args.json) {
        let name = quote_word(rotation.profile.as_str());
        world.output.hint(&format!("hatbox rotate {name}"));
    }
    Ok(())
}

fn render_json(value: &Value) -> String {
    format!("{value:#}\n")
}
