//! `hatbox store migrate`: copies all keys to another backend, reads each back, then uses that backend.
//!
//! The source is not touched before every copy was read back and compared, and only with `--delete-source`.
//! A kill at any moment leaves all keys in the source, or, once deleting has begun, all in the target, which
//! is recorded as the backend before the first one is deleted.

use hatbox_core::name::ProfileName;

use crate::args::{GlobalArgs, StoreMigrateArgs};
use crate::report::{Failure, FailureKind};
use crate::request::{parse_kind, resolve_store};
use crate::store::{Item, ItemId, ItemKind, StoreKind};
use crate::world::World;
use crate::world::confirm::{Confirmation, ask_yes_or_no};
use crate::world::secrets::Secrets;

/// What becomes of the keys.
#[derive(Default)]
struct Plan {
    copied: Vec<Item>,
    replaced: Vec<ProfileName>,
    already_there: Vec<ProfileName>,
}

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &StoreMigrateArgs) -> Result<(), Failure> {
    let target_kind = parse_kind(&args.to, "--to")?;
    let mut request = resolve_store(global, &world.environment)?;
    if let Some(name) = &args.from {
        request.kind = Some((parse_kind(name, "--from")?, "--from"));
    }
    let mut source = Secrets::open(world, request)?;
    let Some((source_kind, _)) = source.chosen() else {
        return Err(Failure::new(FailureKind::Usage, "no backend holds any key yet")
            .hint(format!("hatbox store use {target_kind}")));
    };
    if source_kind == target_kind {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("the keys are to be copied from `{source_kind}` to itself"),
        )
        .hint("name the two backends by --from and --to; `hatbox store status` shows them"));
    }
    let mut request = resolve_store(global, &world.environment)?;
    request.kind = Some((target_kind, "--to"));
    let mut target = Secrets::open(world, request)?;

    let (items, broken) = source.all_keys()?;
    for problem in &broken {
        world.output.warn(&format!("left where it is: {problem}"));
    }
    let plan = make_plan(&mut target, items, args, source_kind, target_kind)?;
    if args.dry_run {
        return tell(world, &plan, target_kind, "Would copy");
    }
    if !plan.copied.is_empty() {
        target.adopt_cache_key(&mut source)?;
        target.save_items(&plan.copied)?;
    }
    target.record_use()?;
    tell(world, &plan, target_kind, "Copied")?;
    if args.delete_source {
        delete_source(world, &mut source, &plan, args, source_kind)?;
    }
    Ok(())
}

fn make_plan(
    target: &mut Secrets<'_>,
    items: Vec<Item>,
    args: &StoreMigrateArgs,
    source_kind: StoreKind,
    target_kind: StoreKind,
) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    let there = if target.is_empty() { Vec::new() } else { target.all_keys()?.0 };
    for item in items {
        let profile = item.info.id.profile.clone();
        match there.iter().find(|other| other.info.id == item.info.id) {
            None => plan.copied.push(item),
            Some(other)
                if other.secret == item.secret && other.info.access_key_id == item.info.access_key_id =>
            {
                plan.already_there.push(profile);
            }
            Some(_) => {
                plan.replaced.push(profile);
                plan.copied.push(item);
            }
        }
    }
    if plan.replaced.is_empty() || args.overwrite {
        return Ok(plan);
    }
    let names: Vec<_> = plan.replaced.iter().map(|profile| format!("`{profile}`")).collect();
    Err(Failure::new(
        FailureKind::Refused,
        format!("`{target_kind}` has another access key than `{source_kind}` for {}", names.join(", ")),
    )
    .hint("add --overwrite to replace it by the source's; nothing was changed"))
}

fn tell(world: &World, plan: &Plan, target: StoreKind, verb: &str) -> Result<(), Failure> {
    let mut text = String::new();
    for item in &plan.copied {
        let id = &item.info.id;
        if id.kind == ItemKind::AccessKey {
            let what = if plan.replaced.contains(&id.profile) { " (replaces another)" } else { "" };
            text.push_str(&format!("{verb} the access key of `{}` to `{target}`{what}.\n", id.profile));
        }
    }
    for profile in &plan.already_there {
        text.push_str(&format!("The access key of `{profile}` is in `{target}` already.\n"));
    }
    if text.is_empty() {
        "There was no key to copy.\n".clone_into(&mut text);
    }
    Ok(world.output.data(&text)?)
}

fn delete_source(
    world: &World,
    source: &mut Secrets<'_>,
    plan: &Plan,
    args: &StoreMigrateArgs,
    kind: StoreKind,
) -> Result<(), Failure> {
    let ids: Vec<ItemId> = plan
        .copied
        .iter()
        .map(|item| item.info.id.clone())
        .chain(plan.already_there.iter().map(ItemId::access_key))
        .collect();
    let question = Confirmation {
        text: &format!("Delete {} keys from `{kind}`? (y|N) ", ids.len()),
        what: "deleting needs a yes",
        way_out: "run it on a terminal, or with --yes",
        timeout: source.prompt_timeout(),
    };
    if ids.is_empty() || !(args.yes || ask_yes_or_no(world, &question)?) {
        world.output.note(&format!("nothing was deleted from `{kind}`"));
        return Ok(());
    }
    source.delete_items(&ids)?;
    Ok(world.output.data(&format!("Deleted {} keys from `{kind}`.\n", ids.len()))?)
}
