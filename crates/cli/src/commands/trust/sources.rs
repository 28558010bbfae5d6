//! Loads the accounts from the sources that the user names.

use std::io;
use std::path::{Path, PathBuf};

use hatbox_iam::accounts::{Accounts, Origin, SourceKind};
use jiff::Timestamp;

use crate::args::{GlobalArgs, TrustSourceArgs};
use crate::errors::{Failure, FailureKind};
use crate::files::trust_sources::{AT_LEISURE, list_sources, read_source, read_up_to};
use crate::iam::{LiveIam, fetch_account, open_iam, render_snapshot};
use crate::world::World;
use crate::world::dirs::shown_path;

/// Loads all sources, or those of the settings if none is named, and reports what they lack on stderr.
pub(super) fn load_accounts(
    world: &World,
    global: &GlobalArgs,
    args: &TrustSourceArgs,
) -> Result<Accounts, Failure> {
    let from = if args.from.is_empty() { &world.settings()?.trust_sources } else { &args.from };
    if from.is_empty() {
        return Err(nothing_given());
    }
    load_from(world, global, from, args.mfa_token.as_deref())
}

/// Loads these sources. Those that call IAM use the MFA code, if one was given.
pub(super) fn load_from(
    world: &World,
    global: &GlobalArgs,
    from: &[PathBuf],
    mfa_token: Option<&str>,
) -> Result<Accounts, Failure> {
    let mut accounts = Accounts::default();
    for source in from {
        load_source(world, global, source, mfa_token, &mut accounts)?;
    }
    for note in &accounts.notes {
        let name = accounts.origin(note.origin).map(|origin| origin.name.as_str()).unwrap_or_default();
        world.output.warn(&format!("{name}: {}", note.text));
    }
    Ok(accounts)
}

/// Fetches all IAM data of the account of `live`, and reports what could not be read.
pub(super) fn load_live(world: &World, live: &LiveIam, accounts: &mut Accounts) -> Result<(), Failure> {
    let now = world.clock.now();
    let account = fetch_account(live, now)?;
    for note in &account.notes {
        world.output.note(&format!("account {}: {note}", account.account));
    }
    let origin = Origin { name: format!("live:{}", live.profile), kind: SourceKind::Live, taken: Some(now) };
    let added = accounts.add_source(render_snapshot(&[account]).as_bytes(), origin);
    added.map(|_| ()).map_err(|error| Failure::of_error(FailureKind::Failed, &error))
}

fn load_source(
    world: &World,
    global: &GlobalArgs,
    source: &Path,
    mfa_token: Option<&str>,
    accounts: &mut Accounts,
) -> Result<(), Failure> {
    let words = source.to_str().and_then(|source| source.strip_prefix("live"));
    if let Some(profile) = words.filter(|rest| rest.is_empty() || rest.starts_with(':')) {
        let live = open_iam(world, global, profile.strip_prefix(':'), mfa_token)?;
        return load_live(world, &live, accounts);
    }
    if source == Path::new("-") {
        let bytes =
            read_up_to(io::stdin().lock(), 0, AT_LEISURE).map_err(|error| could_not_read("stdin", &error))?;
        return add(accounts, &bytes, "stdin", None).map_err(|(failure, _)| failure);
    }
    let path = world.dirs.expand(source).unwrap_or_else(|| source.to_owned());
    let shown = shown_path(source);
    if !path.is_dir() {
        return load_file(&path, &shown, accounts).map_err(|(failure, _)| failure);
    }
    for file in list_sources(&path).map_err(|error| could_not_read(&shown, &error))? {
        let shown = shown_path(&file);
        match load_file(&file, &shown, accounts) {
            Err((_, Blame::AnotherFile)) => {
                world.output.warn(&format!("`{shown}` is ignored: it is not a source of users and roles"));
            }
            Err((failure, Blame::Source)) => return Err(failure),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Whether an unreadable file was meant to be a source at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    Source,
    AnotherFile,
}

fn load_file(path: &Path, shown: &str, accounts: &mut Accounts) -> Result<(), (Failure, Blame)> {
    let (bytes, changed) =
        read_source(path, AT_LEISURE).map_err(|error| (could_not_read(shown, &error), Blame::Source))?;
    add(accounts, &bytes, shown, changed)
}

fn add(
    accounts: &mut Accounts,
    bytes: &[u8],
    shown: &str,
    taken: Option<Timestamp>,
) -> Result<(), (Failure, Blame)> {
    let origin = Origin { name: shown.to_owned(), kind: SourceKind::PolicyFile, taken };
    accounts.add_source(bytes, origin).map(|_| ()).map_err(|error| {
        let blame = if error.is_foreign { Blame::AnotherFile } else { Blame::Source };
        let failure =
            Failure::new(FailureKind::Failed, format!("could not read `{shown}`: {}", error.problem))
                .at(format!("{shown}:{}:{}", error.line, error.column));
        (failure, blame)
    })
}

fn could_not_read(shown: &str, error: &io::Error) -> Failure {
    Failure::new(FailureKind::Failed, format!("could not read `{shown}`")).caused_by(error)
}

fn nothing_given() -> Failure {
    Failure::new(FailureKind::Usage, "no source of users and roles given")
        .hint("`--from iam.json`, after `hatbox trust snapshot -o iam.json`")
        .hint("or after `aws iam get-account-authorization-details > iam.json`")
        .hint("or `--from terraform.tfstate`, or what `terraform show -json` prints")
        .hint("or set `sources` of `[trust]` in hatbox's settings, which every command then uses")
}
