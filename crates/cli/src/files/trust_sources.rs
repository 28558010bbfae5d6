//! Files that tell of accounts: finding and reading them; and those that `[trust] sources` of the settings names, for
//! a diagnosis.
//!
//! A diagnosis is made where something else failed already, so nothing here fails: what cannot be read is left out,
//! and said under `--debug`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hatbox_iam::accounts::{Accounts, Origin, SourceKind};
use jiff::Timestamp;

use crate::world::World;

/// How many bytes are read while a failing command waits: some 50 ms of work.
pub(crate) const AT_ONCE: u64 = 2 << 20;
/// How many are read where someone asks: more than the account details of 50,000 roles.
pub(crate) const AT_LEISURE: u64 = 256 << 20;

/// What a source's name ends with, of those that a directory is searched for.
const ENDINGS: [&str; 2] = ["json", "tfstate"];
/// How many files of a directory are looked at.
const MAX_FILES: usize = 1000;

/// Loads what the sources have, up to `budget` bytes; `None` where none is named.
pub(crate) fn load_trust_sources(world: &World, mut budget: u64) -> Option<Accounts> {
    let sources = &world.settings().ok()?.trust_sources;
    if sources.is_empty() {
        return None;
    }
    let mut accounts = Accounts::default();
    for source in sources {
        let Some(path) = world.dirs.expand(source) else {
            left_out(world, source, "the path is relative");
            continue;
        };
        for file in files_of(&path) {
            // A pipe could keep the failing command waiting.
            let read =
                if file.is_file() { read_source(&file, budget) } else { Err(io::Error::other("not a file")) };
            match read {
                Ok((bytes, taken)) => {
                    budget = budget.saturating_sub(bytes.len() as u64);
                    add(world, &mut accounts, &file, &bytes, taken);
                }
                Err(error) => left_out(world, &file, &error.to_string()),
            }
        }
    }
    Some(accounts)
}

/// Reads one into a copy, so that a broken one leaves nothing behind.
fn add(world: &World, accounts: &mut Accounts, path: &Path, bytes: &[u8], taken: Option<Timestamp>) {
    let origin = Origin { name: world.dirs.shown(path), kind: SourceKind::PolicyFile, taken };
    let mut with = accounts.clone();
    match with.add_source(bytes, origin) {
        Ok(_) => *accounts = with,
        Err(error) => left_out(world, path, &error.to_string()),
    }
}

/// The file itself, or those of a directory, as many as can be looked at.
fn files_of(path: &Path) -> Vec<PathBuf> {
    match list_sources(path) {
        Ok(mut files) => {
            files.truncate(MAX_FILES);
            files
        }
        Err(_) => vec![path.to_owned()],
    }
}

/// The files of a directory that are sources by their names, in the order of these.
pub(crate) fn list_sources(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_meant = path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_meant && !is_hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A source's text, and when it was changed last.
///
/// # Errors
/// It cannot be read, or has more than `limit` bytes.
pub(crate) fn read_source(path: &Path, limit: u64) -> io::Result<(Vec<u8>, Option<Timestamp>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let changed = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    Ok((read_up_to(file, metadata.len(), limit)?, changed))
}

/// All that there is to read, of which `expected` bytes are known, and no more than `limit` bytes.
///
/// # Errors
/// It cannot be read, or there is more.
pub(crate) fn read_up_to(source: impl Read, expected: u64, limit: u64) -> io::Result<Vec<u8>> {
    // One more, in which the end is seen.
    let capacity = usize::try_from(expected.min(limit) + 1).unwrap_or_default();
    let mut bytes = Vec::with_capacity(capacity);
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {} MiB", limit >> 20)));
    }
    Ok(bytes)
}

fn left_out(world: &World, path: &Path, why: &str) {
    let path = world.dirs.shown(path);
    world.output.debug(|| format!("the source `{path}` of `trust.sources` is left out: {why}"));
}
