//! `hatbox store use`: records another backend, without moving keys.

use crate::args::{GlobalArgs, StoreUseArgs};
use crate::errors::{Failure, FailureKind};
use crate::keys::request::parse_kind;
use crate::keys::{BackendOrigin, KeyStore};
use crate::store::Status;
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &StoreUseArgs) -> Result<(), Failure> {
    let kind = parse_kind(&args.to, "the argument")?;
    let mut before = KeyStore::open(world, global)?;
    let mut after = KeyStore::open_kind(world, global, kind, "the argument")?;
    if let Status::Unavailable(why) = after.status() {
        return Err(Failure::new(FailureKind::Failed, format!("the backend `{kind}` cannot be used: {why}"))
            .hint("`hatbox store status` shows those that can"));
    }
    let others = match before.chosen() {
        Some((old, _)) if old != kind => match before.index_if_known() {
            Ok(Some(index)) if index.keys.is_empty() => None,
            // If keys cannot be counted, there may be some.
            _ => Some(old),
        },
        _ => None,
    };
    after.record_use()?;
    world.output.note(&format!("using the backend `{kind}` from now on"));
    if let Some(old) = others {
        world.output.note(&format!(
            "keys in `{old}` stay there; `hatbox store migrate --from {old} --to {kind}` copies them"
        ));
    }
    if let Some((said, BackendOrigin::Named(origin))) = before.chosen()
        && said != kind
    {
        world.output.warn(&format!("{origin} is still `{said}` and overrides the settings"));
    }
    Ok(())
}
