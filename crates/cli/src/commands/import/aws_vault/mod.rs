//! `hatbox import aws-vault`: imports the long-lived keys of aws-vault's stores.

mod source;

use hatbox_types::key_shape::{KeyOrigin, parse_long_lived_key};
use hatbox_types::name::ProfileName;
use hatbox_types::secret::SecretString;

use self::source::Source;
use super::{check_named, is_chosen, item_of, origin_of, print_transfer, warn_of_shape};
use crate::args::{GlobalArgs, ImportAwsVaultArgs, VaultKind};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::aws_vault::{FoundKey, ReadError, Vault};
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::keys::{KeyStore, Transfer};
use crate::prompt::{Echo, PromptError, Question};
use crate::store::Item;
use crate::world::World;

/// How many times the user may enter a passphrase.
const TRIES: u32 = 3;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ImportAwsVaultArgs) -> Result<(), Failure> {
    let mut store = KeyStore::open(world, global)?;
    let mut source = source::find(world, &store, args)?;
    check_named(&args.profiles, &source.profiles.iter().collect::<Vec<_>>(), &source.shown)?;
    source.profiles.retain(|profile| is_chosen(&args.profiles, profile));
    world.output.debug(|| format!("aws-vault's keys are read from `{}`, {}", source.kind, source.shown));
    let (items, passphrase) = if source.profiles.is_empty() {
        Default::default()
    } else {
        open(world, &source, origin_of(args.any_key))?
    };
    let transfer = store.plan_transfer(
        items,
        args.overwrite.into(),
        "add --overwrite to replace it; nothing was changed",
    )?;
    if args.dry_run {
        return print_transfer(world, &transfer, "would import", args.json, &[]);
    }
    if !transfer.copied.is_empty() {
        if !(args.yes || may_import(world, &source, &transfer)?) {
            world.output.note("nothing was imported");
            return Ok(());
        }
        store.save_items(&transfer.copied)?;
    }
    let deleted = if args.delete_source {
        delete_source(world, &mut store, args, &source, &transfer, passphrase.as_ref())?
    } else {
        0
    };
    print_transfer(world, &transfer, "imported", args.json, &[("deleted_from_source", deleted.into())])?;
    let has_keys = !transfer.copied.is_empty() || !transfer.already_there.is_empty();
    if has_keys && !args.delete_source {
        let what = if source.kind == VaultKind::File { "its files" } else { "them there" };
        world.output.note(&format!("aws-vault still has them; --delete-source deletes {what}"));
    }
    Ok(())
}

/// Shows the import and asks for confirmation; without a terminal, goes ahead, as copying loses nothing.
fn may_import(world: &World, source: &Source, transfer: &Transfer) -> Result<bool, Failure> {
    let prompter = world.prompter();
    if prompter.device().is_none() {
        return Ok(true);
    }
    prompter.show(&format!("From aws-vault's store `{}`, {}:", source.kind, source.shown));
    for line in transfer.render("import", "") {
        prompter.show(&format!("  {line}"));
    }
    let question = Confirmation {
        text: "Go on? (y|N) ",
        because: None,
        hint: "run it on a terminal, or add --yes",
        timeout: world.settings()?.prompt_timeout(),
    };
    ask_yes_or_no(world, &question)
}

/// The keys of a store, and the passphrase that opened it, if any.
type Opened = (Vec<Item>, Option<SecretString>);

/// Unlocks the store if needed, and reads the keys.
fn open(world: &World, source: &Source, origin: KeyOrigin) -> Result<Opened, Failure> {
    match &source.vault {
        Vault::File(_) => open_files(world, source, origin),
        #[cfg(all(target_os = "linux", feature = "secret-service"))]
        Vault::SecretService(vault) => {
            let failed = |error| source::failure_of(source.kind, &error);
            if vault.is_locked().map_err(failed)? {
                if !world.environment.has_desktop() {
                    return Err(Failure::new(
                        FailureKind::NeedsPerson,
                        format!("{} is locked", source.shown),
                    )
                    .hint("unlock it in the desktop's keyring program, or run this in a desktop session"));
                }
                world.output.note("the desktop asks for the password of aws-vault's keyring");
                vault.unlock(world.settings()?.prompt_timeout()).map_err(failed)?;
            }
            Ok((items_of(world, source, read_all(source, None), origin), None))
        }
        _ => Ok((items_of(world, source, read_all(source, None), origin), None)),
    }
}

type Read<'a> = Vec<(&'a ProfileName, Result<FoundKey, ReadError>)>;

fn read_all<'a>(source: &'a Source, passphrase: Option<&SecretString>) -> Read<'a> {
    source.profiles.iter().map(|profile| (profile, source.vault.read(profile, passphrase))).collect()
}

/// Returns the access keys among the items, and reports why the others were skipped.
fn items_of(world: &World, source: &Source, read: Read<'_>, origin: KeyOrigin) -> Vec<Item> {
    let mut items = Vec::new();
    for (profile, result) in read {
        match result {
            Ok(FoundKey::Key(key)) => {
                match parse_long_lived_key(key.id.as_str(), key.secret.expose(), origin) {
                    Ok(key) => items.push(item_of(world, profile, &key)),
                    Err(error) => warn_of_shape(world, &place_of(world, source, profile), &error),
                }
            }
            Ok(FoundKey::Temporary) => {
                world.output.note(&format!("not imported: the key of `{profile}` is temporary"));
            }
            Err(error) => {
                let place = place_of(world, source, profile);
                world.output.warn(&format!("not imported: {place}: {error}"));
            }
        }
    }
    items
}

/// Describes where a key is.
fn place_of(world: &World, source: &Source, profile: &ProfileName) -> String {
    if let Vault::File(vault) = &source.vault {
        return world.dirs.shown(&vault.path_of(profile));
    }
    source.vault.place_of(profile)
}

/// Opens all files with one passphrase. Reports and skips a file that it does not open.
fn open_files(world: &World, source: &Source, origin: KeyOrigin) -> Result<Opened, Failure> {
    let given = world.environment.text(env_names::VAULT_PASSPHRASE).map(SecretString::new);
    for attempt in 1..=TRIES {
        let passphrase = match &given {
            Some(given) => given.clone(),
            None => ask(world, attempt)?,
        };
        let results = read_all(source, Some(&passphrase));
        let is_wrong =
            |result: &Result<FoundKey, ReadError>| matches!(result, Err(ReadError::WrongPassphrase));
        let opens_nothing =
            results.iter().any(|(_, r)| is_wrong(r)) && !results.iter().any(|(_, result)| result.is_ok());
        if opens_nothing && given.is_none() && attempt < TRIES {
            continue;
        }
        if opens_nothing {
            return Err(Failure::new(
                FailureKind::Failed,
                "the passphrase does not open any of aws-vault's files",
            )
            .hint("use the passphrase that aws-vault asks for, or set AWS_VAULT_FILE_PASSPHRASE"));
        }
        return Ok((items_of(world, source, results, origin), Some(passphrase)));
    }
    Ok(Opened::default())
}

fn ask(world: &World, attempt: u32) -> Result<SecretString, Failure> {
    let prompter = world.prompter();
    if attempt > 1 {
        prompter.reject("Wrong passphrase.");
    }
    let question = Question {
        text: "Passphrase of aws-vault's files: ",
        echo: Echo::Hidden,
        timeout: world.settings()?.prompt_timeout(),
        is_over: &|| false,
    };
    prompter.ask_line(&question).map_err(|error| match error {
        PromptError::Cancelled => Failure::new(FailureKind::Cancelled, "cancelled"),
        error => Failure::new(FailureKind::NeedsPerson, "the passphrase of aws-vault's files is needed")
            .caused_by(&error)
            .hint("run it on a terminal, or set AWS_VAULT_FILE_PASSPHRASE"),
    })
}

/// Deletes the keys that hatbox has stored. Reads each again from both stores first, and keeps one that aws-vault
/// replaced in the meantime. Returns how many were deleted.
fn delete_source(
    world: &World,
    store: &mut KeyStore,
    args: &ImportAwsVaultArgs,
    source: &Source,
    transfer: &Transfer,
    passphrase: Option<&SecretString>,
) -> Result<usize, Failure> {
    let is_here = |profile: &&ProfileName| {
        transfer.copied.iter().any(|item| item.info.id.profile == **profile)
            || transfer.already_there.iter().any(|id| id.profile == **profile)
    };
    let done: Vec<_> = source.profiles.iter().filter(is_here).collect();
    let what = if source.kind == VaultKind::File { "files" } else { "keys" };
    let question = Confirmation {
        text: &format!("Delete {} of aws-vault's {what}? (y|N) ", done.len()),
        because: None,
        hint: "run it on a terminal, or add --yes",
        timeout: world.settings()?.prompt_timeout(),
    };
    if done.is_empty() || !(args.yes || ask_yes_or_no(world, &question)?) {
        world.output.note(&format!("nothing was deleted from aws-vault's {what}"));
        return Ok(0);
    }
    let mut count = 0;
    for profile in done {
        let stored = store.read_key(profile)?;
        let place = place_of(world, source, profile);
        let read = source.vault.read(profile, passphrase);
        let is_same = matches!(&read, Ok(FoundKey::Key(found))
            if found.id == stored.id && found.secret.expose() == stored.secret.expose());
        if !is_same {
            world.output.warn(&format!("not deleted: {place}: it has changed since it was imported"));
            continue;
        }
        source.vault.delete(profile).map_err(|why| {
            let mut failure = Failure::new(FailureKind::Failed, format!("could not delete {place}"));
            failure.causes.push(why);
            failure
        })?;
        count += 1;
    }
    Ok(count)
}
