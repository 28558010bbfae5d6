//! `hatbox import credentials`: imports the plain-text keys in `~/.aws/credentials` and removes them from the file.
//!
//! Every key is stored and read back, then a sealed backup of the file is saved, then the file is changed. A kill at
//! any moment leaves each key in at least one place.

use hatbox_core::config::edit::{Change, edit_section};
use hatbox_core::config::header::SectionKind;
use hatbox_core::config::origin::FileKind;
use hatbox_core::config::syntax::Document;
use hatbox_core::plan::Purpose;
use hatbox_types::key_shape::{KeyOrigin, parse_long_lived_key};
use hatbox_types::name::ProfileName;
use hatbox_types::secret::{AccessKey, SecretString};
use hatbox_types::text;
use serde_json::{Value, json};

use super::{check_named, is_chosen, item_of, origin_of, print_transfer, warn_of_shape};
use crate::args::{GlobalArgs, ImportCredentialsArgs, SessionArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::credentials::caller::{Caller, fetch_key_owner};
use crate::credentials::plan::Planning;
use crate::credentials::request::resolve_session;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{CredentialsFile, load_config_with, load_credentials_file};
use crate::keys::KeyStore;
use crate::world::World;

const ID: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
/// The second name is boto's (botocore's `SharedCredentialProvider`).
const TOKENS: [&str; 2] = ["aws_session_token", "aws_security_token"];

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &ImportCredentialsArgs) -> Result<(), Failure> {
    let mut store = KeyStore::open(world, global)?;
    if args.list_backups {
        return list_backups(world, &mut store, args.json);
    }
    if let Some(name) = &args.restore {
        return restore(world, &mut store, args, name);
    }
    let file = load_file(world, args)?;
    let shown = file.shown().to_owned();
    let keys = find_keys(world, &file, origin_of(args.any_key))?;
    check_named(&args.profiles, &keys.iter().map(|(profile, _)| profile).collect::<Vec<_>>(), &shown)?;
    let keys: Vec<_> = keys.into_iter().filter(|(profile, _)| is_chosen(&args.profiles, profile)).collect();
    let (keys, callers) =
        if args.no_check { (keys, json!({})) } else { check_keys(world, global, &file, keys)? };
    let items = keys.iter().map(|(profile, key)| item_of(world, profile, key)).collect();
    let hint = "add --overwrite to replace it by the file's; nothing was changed";
    let transfer = store.plan_transfer(items, args.overwrite.into(), hint)?;
    if args.dry_run {
        return print_transfer(world, &transfer, "would import", args.json, &[("callers", callers)]);
    }
    if !transfer.copied.is_empty() {
        store.save_items(&transfer.copied)?;
    }
    let is_removed = !keys.is_empty() && !args.keep && may_remove(world, args, keys.len(), &shown)?;
    let backup = if is_removed { Some(remove_lines(&mut store, file, &keys)?) } else { None };
    let extra = [("backup", json!(backup)), ("callers", callers)];
    print_transfer(world, &transfer, "imported", args.json, &extra)?;
    match &backup {
        Some(name) => {
            world.output.note(&format!("removed the keys from {shown}"));
            world.output.note(&format!("to restore the file: hatbox import credentials --restore {name}"));
        }
        None if keys.is_empty() => {
            world.output.note(&format!("{shown} has no long-lived access key"));
        }
        None => {
            world.output.note(&format!("the keys are still in {shown}, where any program can read them"));
        }
    }
    Ok(())
}

fn load_file(world: &World, args: &ImportCredentialsArgs) -> Result<CredentialsFile, Failure> {
    let Some(named) = &args.file else { return load_credentials_file(world, world.dirs.aws_credentials()) };
    let path = world.dirs.expand(named).unwrap_or_else(|| named.clone());
    if !path.is_file() {
        let error = format!("there is no file `{}`", world.dirs.shown(&path));
        return Err(Failure::new(FailureKind::Usage, error));
    }
    load_credentials_file(world, &path)
}

type Keys = Vec<(ProfileName, AccessKey)>;

/// Asks AWS for the owner of each key. Returns the keys that AWS did not reject, and the ARNs by profile as JSON.
fn check_keys(
    world: &World,
    global: &GlobalArgs,
    file: &CredentialsFile,
    keys: Keys,
) -> Result<(Keys, Value), Failure> {
    let files = load_config_with(world, file.path())?;
    let request = resolve_session(global, &SessionArgs::default(), &world.environment)?;
    let planning = Planning::new(world, &files, &request, None, Purpose::Use);
    let mut callers = serde_json::Map::new();
    let mut kept = Vec::new();
    let (mut is_answered, mut has_bad_key) = (true, false);
    for (profile, key) in keys {
        let caller = match planning.resolve_quietly(&profile) {
            // After one call without an answer, do not let the user wait for the others.
            _ if !is_answered => Caller::Unknown("AWS did not answer for the key before it".to_owned()),
            Ok(plan) => fetch_key_owner(world, &plan, &profile, &key),
            Err(failure) => Caller::Unknown(failure.error),
        };
        match caller {
            Caller::Known(arn) => {
                world.output.note(&format!("`{profile}` is {arn}"));
                callers.insert(profile.to_string(), arn.into());
            }
            Caller::BadKey(text) => {
                world.output.warn(&format!("not imported: AWS rejects the key of `{profile}`: {text}"));
                has_bad_key = true;
                continue;
            }
            Caller::Unknown(why) => world.output.warn(&format!("`{profile}` was not tested: {why}")),
            Caller::Unreachable(why) => {
                is_answered = false;
                world.output.warn(&format!("`{profile}` was not tested, as AWS cannot be reached: {why}"));
            }
        }
        kept.push((profile, key));
    }
    if kept.is_empty() && has_bad_key {
        return Err(Failure::new(FailureKind::Failed, "AWS rejects all keys that were to be imported")
            .at(file.shown())
            .hint("to import them without the check, add --no-check"));
    }
    if has_bad_key {
        world.output.hint("to import them without the check, add --no-check");
    }
    Ok((kept, Value::Object(callers)))
}

/// Finds the long-lived keys in the file, one per profile. Reports temporary and malformed keys.
fn find_keys(world: &World, file: &CredentialsFile, origin: KeyOrigin) -> Result<Keys, Failure> {
    let document = Document::parse(FileKind::Credentials, file.text().to_vec())
        .map_err(|error| Failure::of_error(FailureKind::Usage, &error).at(file.shown()))?;
    let mut names: Vec<String> = Vec::new();
    for section in document.sections().filter(|section| section.kind() == SectionKind::Profile) {
        let name = section.name().into_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut keys = Vec::new();
    for name in names {
        let value = |key: &str| {
            let sections = document.sections_named(SectionKind::Profile, &name);
            let bodies: Vec<_> = sections.map(|section| section.scan()).collect();
            // If a key occurs on several lines, the last one counts.
            let mut entries = bodies.iter().flat_map(|body| &body.entries);
            entries.rfind(|entry| entry.has_key(key)).map(|entry| entry.value.clone().into_owned())
        };
        let (id, secret) = match (value(ID), value(SECRET)) {
            (Some(id), Some(secret)) => (id, secret),
            (None, None) => continue,
            _ => {
                world.output.warn(&format!("not imported: `{name}` has only half of an access key"));
                continue;
            }
        };
        if TOKENS.iter().any(|token| value(token).is_some()) {
            world.output.note(&format!("not imported: the key of `{name}` is temporary"));
            continue;
        }
        let secret = SecretString::new(secret);
        match (ProfileName::parse(&name), parse_long_lived_key(&id, secret.expose(), origin)) {
            (Ok(profile), Ok(key)) => keys.push((profile, key)),
            (Ok(profile), Err(error)) => warn_of_shape(world, &format!("`{profile}`"), &error),
            (Err(error), _) => {
                world.output.warn(&format!("not imported: invalid profile name `{name}`: {error}"));
            }
        }
    }
    Ok(keys)
}

fn may_remove(
    world: &World,
    args: &ImportCredentialsArgs,
    count: usize,
    shown: &str,
) -> Result<bool, Failure> {
    let question = Confirmation {
        text: &format!("Remove {} from {shown}? (y|N) ", text::count(count, "key")),
        because: Some(match count {
            1 => "the key is imported, but still in the file",
            _ => "the keys are imported, but still in the file",
        }),
        hint: "run it on a terminal, or add --yes or --keep",
        timeout: world.settings()?.prompt_timeout(),
    };
    Ok(args.yes || ask_yes_or_no(world, &question)?)
}

/// Removes the lines of the keys from the file, after saving a sealed backup. Returns the name of the backup.
fn remove_lines(
    store: &mut KeyStore,
    mut file: CredentialsFile,
    keys: &[(ProfileName, AccessKey)],
) -> Result<String, Failure> {
    let changes = [ID, SECRET].map(|key| Change::Remove { key: key.to_owned() });
    let mut text = file.text().to_vec();
    for (profile, _) in keys {
        text = edit_section(&text, FileKind::Credentials, SectionKind::Profile, profile.as_str(), &changes)
            .map_err(|error| Failure::of_error(FailureKind::Usage, &error).at(file.shown()))?;
    }
    let name = store.save_backup("credentials", file.text())?;
    file.replace(&text)?;
    Ok(name)
}

fn list_backups(world: &World, store: &mut KeyStore, is_json: bool) -> Result<(), Failure> {
    let names = store.backup_names()?;
    let text = if is_json {
        format!("{:#}\n", json!({ "backups": names }))
    } else {
        names.iter().map(|name| format!("{name}\n")).collect()
    };
    Ok(world.output.data(&text)?)
}

/// Replaces the file with a backup, after backing up the current content.
fn restore(
    world: &World,
    store: &mut KeyStore,
    args: &ImportCredentialsArgs,
    name: &str,
) -> Result<(), Failure> {
    let bytes = store.load_backup(name)?;
    let mut file = load_file(world, args)?;
    let now = store.save_backup("credentials", file.text())?;
    file.replace(&bytes)?;
    world.output.note(&format!("restored {}", file.shown()));
    world.output.note(&format!("to undo this: hatbox import credentials --restore {now}"));
    Ok(())
}
