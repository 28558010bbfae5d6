//! `hatbox import aws-vault`: the long-lived keys of aws-vault's encrypted files.

use std::path::PathBuf;

use hatbox_core::secret::SecretString;

use super::{check_named, is_chosen, item_of, tell};
use crate::args::{GlobalArgs, ImportAwsVaultArgs};
use crate::env_names;
use crate::foreign::{FoundKey, KeyFile, ReadError, key_files_in, read_key};
use crate::prompt::{Echo, PromptError, Question};
use crate::report::{Failure, FailureKind};
use crate::request::resolve_store;
use crate::store::Item;
use crate::world::World;
use crate::world::confirm::{Confirmation, ask_yes_or_no};
use crate::world::secrets::{Secrets, Transfer};

/// How often a wrong passphrase may be corrected.
const TRIES: u32 = 3;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ImportAwsVaultArgs) -> Result<(), Failure> {
    let directory = find_directory(world, args);
    let shown = world.dirs.shown(&directory);
    let files = key_files_in(&directory).map_err(|error| {
        Failure::new(FailureKind::Failed, format!("aws-vault's files could not be read in {shown}"))
            .caused_by(&error)
            .hint("name their directory by --dir or AWS_VAULT_FILE_DIR")
            .hint("keys in a keychain: `aws-vault exec --no-session PROFILE -- hatbox add --env PROFILE`")
    })?;
    check_named(&args.profiles, &files.iter().map(|file| &file.profile).collect::<Vec<_>>(), &shown)?;
    let files: Vec<_> = files.into_iter().filter(|file| is_chosen(&args.profiles, &file.profile)).collect();
    let mut secrets = Secrets::open(world, resolve_store(global, &world.environment)?)?;
    let items = if files.is_empty() { Vec::new() } else { open_files(world, &secrets, &files)? };
    let transfer = secrets.plan_transfer(
        items,
        args.overwrite.into(),
        "add --overwrite to replace it; nothing was changed",
    )?;
    if args.dry_run {
        return tell(world, &transfer, "Would import", args.json, &[]);
    }
    if !transfer.copied.is_empty() {
        secrets.save_items(&transfer.copied)?;
    }
    let deleted =
        if args.delete_source { delete_source(world, &secrets, args, &files, &transfer)? } else { 0 };
    tell(world, &transfer, "Imported", args.json, &[("deleted_from_source", deleted.into())])?;
    let has_keys = !transfer.copied.is_empty() || !transfer.already_there.is_empty();
    if has_keys && !args.delete_source {
        world.output.note("aws-vault still has them; --delete-source deletes its files");
    }
    Ok(())
}

fn find_directory(world: &World, args: &ImportAwsVaultArgs) -> PathBuf {
    let named = args.dir.clone().or_else(|| world.environment.text(env_names::VAULT_DIR).map(PathBuf::from));
    match named {
        Some(directory) => world.dirs.expand(&directory).unwrap_or(directory),
        None => world.dirs.vault_files(),
    }
}

/// Opens all files by one passphrase. One that does not open is told of, and stays where it is.
fn open_files(world: &World, secrets: &Secrets<'_>, files: &[KeyFile]) -> Result<Vec<Item>, Failure> {
    let given = world.environment.text(env_names::VAULT_PASSPHRASE).map(SecretString::new);
    for attempt in 1..=TRIES {
        let passphrase = match &given {
            Some(given) => given.clone(),
            None => ask(world, secrets, attempt)?,
        };
        let results: Vec<_> = files.iter().map(|file| (file, read_key(file, &passphrase))).collect();
        let is_wrong =
            |result: &Result<FoundKey, ReadError>| matches!(result, Err(ReadError::WrongPassphrase));
        let opens_nothing =
            results.iter().any(|(_, r)| is_wrong(r)) && !results.iter().any(|(_, result)| result.is_ok());
        if opens_nothing && given.is_none() && attempt < TRIES {
            continue;
        }
        if opens_nothing {
            return Err(Failure::new(FailureKind::Failed, "the passphrase opens none of aws-vault's files")
                .hint("it is the one that aws-vault asks for, or AWS_VAULT_FILE_PASSPHRASE"));
        }
        let mut items = Vec::new();
        for (file, result) in results {
            match result {
                Ok(FoundKey::Key(key)) => items.push(item_of(world, &file.profile, &key)),
                Ok(FoundKey::Temporary) => world
                    .output
                    .note(&format!("left where it is: the key of `{}` is temporary", file.profile)),
                Err(error) => {
                    let shown = world.dirs.shown(&file.path);
                    world.output.warn(&format!("left where it is: {shown}: {error}"));
                }
            }
        }
        return Ok(items);
    }
    Ok(Vec::new())
}

fn ask(world: &World, secrets: &Secrets<'_>, attempt: u32) -> Result<SecretString, Failure> {
    let prompter = world.prompter();
    if attempt > 1 {
        prompter.show("That was not the passphrase.");
    }
    let question = Question {
        text: "Passphrase of aws-vault's files: ",
        echo: Echo::Hidden,
        timeout: secrets.prompt_timeout(),
        is_over: &|| false,
    };
    prompter.ask_line(&question).map_err(|error| match error {
        PromptError::Cancelled => Failure::new(FailureKind::Cancelled, "cancelled"),
        error => Failure::new(FailureKind::NeedsPerson, "the passphrase of aws-vault's files is needed")
            .caused_by(&error)
            .hint("run it on a terminal, or set AWS_VAULT_FILE_PASSPHRASE"),
    })
}

/// Deletes the files whose keys are in hatbox's store now. Returns how many.
fn delete_source(
    world: &World,
    secrets: &Secrets<'_>,
    args: &ImportAwsVaultArgs,
    files: &[KeyFile],
    transfer: &Transfer,
) -> Result<usize, Failure> {
    let is_here = |file: &&KeyFile| {
        transfer.copied.iter().any(|item| item.info.id.profile == file.profile)
            || transfer.already_there.contains(&file.profile)
    };
    let done: Vec<_> = files.iter().filter(is_here).collect();
    let question = Confirmation {
        text: &format!("Delete {} of aws-vault's files? (y|N) ", done.len()),
        what: "deleting needs a yes",
        way_out: "run it on a terminal, or with --yes",
        timeout: secrets.prompt_timeout(),
    };
    if done.is_empty() || !(args.yes || ask_yes_or_no(world, &question)?) {
        world.output.note("nothing was deleted from aws-vault's files");
        return Ok(0);
    }
    for file in &done {
        std::fs::remove_file(&file.path).map_err(|error| {
            let shown = world.dirs.shown(&file.path);
            Failure::new(FailureKind::Failed, format!("could not delete {shown}")).caused_by(&error)
        })?;
    }
    Ok(done.len())
}
