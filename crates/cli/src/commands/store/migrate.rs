//! `hatbox store migrate`: copies all keys to another backend, reads each back, and switches to that backend.
//!
//! The source is changed only with `--delete-source`, and only after every copy was read back and compared. A kill at
//! any moment leaves all keys in the source or, once deletion has started, all in the target, which is recorded as the
//! backend before anything is deleted.

use crate::args::{GlobalArgs, StoreMigrateArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::errors::{Failure, FailureKind};
use crate::keys::request::parse_kind;
use crate::keys::{KeyStore, Transfer};
use crate::store::{ItemId, ItemKind, StoreKind};
use crate::world::World;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &StoreMigrateArgs) -> Result<(), Failure> {
    let target_kind = parse_kind(&args.to, "--to")?;
    let mut source = match &args.from {
        Some(name) => KeyStore::open_kind(world, global, parse_kind(name, "--from")?, "--from")?,
        None => KeyStore::open(world, global)?,
    };
    let Some((source_kind, _)) = source.chosen() else {
        return Err(Failure::new(FailureKind::Usage, "no backend holds any key yet")
            .hint(format!("hatbox store use {target_kind}")));
    };
    if source_kind == target_kind {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("cannot copy the keys from `{source_kind}` to itself"),
        )
        .hint("name the two backends with --from and --to; `hatbox store status` shows them"));
    }
    let mut target = KeyStore::open_kind(world, global, target_kind, "--to")?;

    let (items, broken) = source.all_items()?;
    for problem in &broken {
        world.output.warn(&format!("not copied: {problem}"));
    }
    let hint = "add --overwrite to replace it by the source's; nothing was changed";
    let plan = target.plan_transfer(items, args.overwrite.into(), hint)?;
    let to = format!(" to `{target_kind}`");
    if args.dry_run {
        return Ok(world.output.data(&(plan.render("would copy", &to).join("\n") + "\n"))?);
    }
    if !plan.copied.is_empty() {
        target.adopt_cache_key(&mut source)?;
        target.save_items(&plan.copied)?;
    }
    target.record_use()?;
    for line in plan.render("copied", &to) {
        world.output.note(&line);
    }
    if args.delete_source {
        delete_source(world, &mut source, &plan, args, source_kind)?;
    }
    Ok(())
}

fn delete_source(
    world: &World,
    source: &mut KeyStore,
    plan: &Transfer,
    args: &StoreMigrateArgs,
    kind: StoreKind,
) -> Result<(), Failure> {
    let ids: Vec<ItemId> = plan
        .copied
        .iter()
        .map(|item| item.info.id.clone())
        .chain(plan.already_there.iter().cloned())
        .collect();
    let has_seeds = ids.iter().any(|id| id.kind == ItemKind::TotpSeed);
    let what = if has_seeds { "keys and TOTP seeds" } else { "keys" };
    let question = Confirmation {
        text: &format!("Delete {} {what} from `{kind}`? (y|N) ", ids.len()),
        because: None,
        hint: "run it on a terminal, or add --yes",
        timeout: world.settings()?.prompt_timeout(),
    };
    if ids.is_empty() || !(args.yes || ask_yes_or_no(world, &question)?) {
        world.output.note(&format!("nothing was deleted from `{kind}`"));
        return Ok(());
    }
    source.delete_items(&ids)?;
    world.output.note(&format!("deleted {} {what} from `{kind}`", ids.len()));
    Ok(())
}
