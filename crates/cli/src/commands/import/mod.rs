//! `hatbox import`: imports access keys that another program stores.

mod aws_vault;
mod credentials;

use hatbox_types::key_shape::{KeyOrigin, KeyShapeError};
use hatbox_types::name::ProfileName;
use hatbox_types::secret::AccessKey;
use serde_json::json;
use zeroize::Zeroizing;

use crate::args::{GlobalArgs, ImportArgs, ImportSource};
use crate::errors::{Failure, FailureKind};
use crate::keys::Transfer;
use crate::store::{Item, ItemId, ItemInfo};
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ImportArgs) -> Result<(), Failure> {
    match &args.source {
        ImportSource::AwsVault(args) => aws_vault::run(world, global, args),
        ImportSource::Credentials(args) => credentials::run(world, global, args),
    }
}

fn origin_of(any_key: bool) -> KeyOrigin {
    if any_key { KeyOrigin::Any } else { KeyOrigin::Aws }
}

/// Warns that the key at `place` was skipped, and why.
fn warn_of_shape(world: &World, place: &str, error: &KeyShapeError) {
    world.output.warn(&format!("not imported: {place}: {error}"));
    world.output.hint(error.hint());
}

/// A key as the store's item.
fn item_of(world: &World, profile: &ProfileName, key: &AccessKey) -> Item {
    Item {
        info: ItemInfo {
            id: ItemId::access_key(profile),
            created: world.clock.now(),
            access_key_id: Some(key.id.clone()),
        },
        secret: Zeroizing::new(key.secret.expose().as_bytes().to_vec()),
    }
}

/// Returns the named profiles, which must all be in `there`; all of them if none is named.
fn check_named(named: &[String], there: &[&ProfileName], place: &str) -> Result<(), Failure> {
    match named.iter().find(|name| !there.iter().any(|profile| profile.as_str() == **name)) {
        None => Ok(()),
        Some(name) => Err(Failure::new(FailureKind::Usage, format!("`{name}` has no access key in {place}"))),
    }
}

fn is_chosen(named: &[String], profile: &ProfileName) -> bool {
    named.is_empty() || named.iter().any(|name| name == profile.as_str())
}

/// Prints what was done or would be done, as text or JSON.
fn print_transfer(
    world: &World,
    transfer: &Transfer,
    verb: &str,
    is_json: bool,
    extra: &[(&str, serde_json::Value)],
) -> Result<(), Failure> {
    if !is_json {
        let lines = transfer.render(verb, "");
        // A dry run's output is the result; otherwise it is a message.
        if verb.starts_with("would") {
            world.output.data(&(lines.join("\n") + "\n"))?;
        } else {
            for line in &lines {
                world.output.note(line);
            }
        }
        return Ok(());
    }
    let mut value = json!({
        "imported": transfer.copied.iter().map(|item| item.info.id.profile.as_str()).collect::<Vec<_>>(),
        "replaced": transfer.replaced.iter().map(|id| id.profile.as_str()).collect::<Vec<_>>(),
        "already_there": transfer.already_there.iter().map(|id| id.profile.as_str()).collect::<Vec<_>>(),
        "dry_run": verb.starts_with("would"),
    });
    if let Some(object) = value.as_object_mut() {
        object.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    Ok(world.output.data(&format!("{value:#}\n"))?)
}
