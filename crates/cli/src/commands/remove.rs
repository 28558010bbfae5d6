//! `hatbox remove`: deletes a stored key and its cached sessions.

use hatbox_core::plan::Purpose;
#[cfg(feature = "iam")]
use hatbox_types::name::AccessKeyId;
use hatbox_types::text;
use hatbox_types::text::shell::quote_word;

use crate::args::{GlobalArgs, RemoveArgs, SessionArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::ask::passphrase::Interaction;
use crate::credentials::plan::Planning;
use crate::credentials::request::{resolve_profile_name, resolve_session};
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::load_config;
use crate::keys::KeyStore;
#[cfg(feature = "iam")]
use crate::store::rotations::Rotation;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &RemoveArgs) -> Result<(), Failure> {
    let profile = resolve_profile_name(Some(&args.profile), &world.environment)?;
    let mut store = KeyStore::open(world, global)?;
    let index = store.index(Interaction::Allowed)?;
    let Some(key) = index.find(&profile) else {
        return Err(Failure::new(
            FailureKind::Failed,
            format!("no access key is stored for profile `{profile}`"),
        )
        .hint("`hatbox list --credentials` shows the stored keys"));
    };
    if !args.force
        && !ask_yes_or_no(
            world,
            &Confirmation {
                text: &format!("Delete the access key {} of `{profile}`? (y|N) ", key.id.masked()),
                because: None,
                hint: "run it on a terminal, or add --force",
                timeout: world.settings()?.prompt_timeout(),
            },
        )?
    {
        world.output.note("nothing was deleted");
        return Ok(());
    }
    let files = load_config(world)?;
    let request = resolve_session(global, &SessionArgs::default(), &world.environment)?;
    let keys =
        Planning::new(world, &files, &request, Some(&index), Purpose::Use).resolve_session_keys(&profile);
    #[cfg(feature = "iam")]
    let rotation = store.rotations(Interaction::Allowed)?.load(&profile)?;
    // Fails during a rotation of the key, whose record then stays.
    store.delete_key(&profile)?;
    #[cfg(feature = "iam")]
    if let Some(rotation) = rotation {
        drop_rotation(world, &mut store, &rotation)?;
    }
    let sessions = store.sessions(Interaction::Allowed)?;
    let mut count = 0;
    for key in &keys {
        count += usize::from(sessions.delete_key(key)?);
    }
    count += sessions.delete_of_profile(&profile)?;
    world
        .output
        .note(&format!("deleted the access key of `{profile}` and {}", text::count(count, "cached session")));
    if store.seeds_if_known()?.is_some_and(|seeds| seeds.contains(&profile)) {
        let name = quote_word(profile.as_str());
        world.output.note("the TOTP seed of its MFA device stays in the store; to delete it as well:");
        world.output.hint(&format!("hatbox mfa remove-seed {name}"));
    }
    Ok(())
}

/// Deletes the record of a rotation, which may contain a secret of the key.
#[cfg(feature = "iam")]
fn drop_rotation(world: &World, store: &mut KeyStore, rotation: &Rotation) -> Result<(), Failure> {
    let left = [Some(&rotation.old), rotation.step.new_id()];
    let left: Vec<_> = left.into_iter().flatten().map(AccessKeyId::masked).collect();
    store.rotations(Interaction::Allowed)?.delete(&rotation.profile)?;
    let left = left.join(" and ");
    world.output.warn(&format!(
        "its rotation was not finished: look in IAM for the access keys {left} and delete them"
    ));
    Ok(())
}
