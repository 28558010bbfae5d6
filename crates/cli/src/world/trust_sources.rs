//! The files that `[trust] sources` of the settings names: what they tell of accounts, for a diagnosis.
//!
//! A diagnosis is made where something else failed already, so nothing here fails: what cannot be read is left out,
//! and said under `--debug`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use hatbox_core::accounts::{Accounts, Origin, SourceKind};
use jiff::Timestamp;

use super::World;
use super::settings::load_settings;

/// How many bytes are read while a failing command waits: some 50 ms of work.
pub(crate) const AT_ONCE: u64 = 2 << 20;
/// How many are read where somebody asks for everything.
pub(crate) const AT_LEISURE: u64 = 256 << 20;

/// What a source's name ends with, of those that a directory is searched for.
const ENDINGS: [&str; 2] = ["json", "tfstate"];
/// How many files of a directory are looked at.
const MAX_FILES: usize = 1000;

/// Loads what the sources tell, up to `budget` bytes; `None` where none is named.
pub(crate) fn load_trust_sources(world: &World, mut budget: u64) -> Option<Accounts> {
    let sources = load_settings(&world.dirs.settings_file()).ok()?.trust_sources;
    if sources.is_empty() {
        return None;
    }
    let mut accounts = Accounts::default();
    for source in &sources {
        let Some(path) = world.dirs.expand(source) else {
            left_out(world, source, "the path is relative");
            continue;
        };
        for file in files_of(&path) {
            match read(&file, budget) {
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

/// The file itself, or the files of a directory in the order of their names.
fn files_of(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let is_source =
        |path: &Path| path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_source(path) && path.is_file())
        .take(MAX_FILES)
        .collect();
    files.sort();
    files
}

fn read(path: &Path, limit: u64) -> std::io::Result<(Vec<u8>, Option<Timestamp>)> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    if about.len() > limit {
        return Err(std::io::Error::other("it is too large to be read now"));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok((bytes, about.modified().ok().and_then(|at| Timestamp::try_from(at).ok())))
}

fn left_out(world: &World, path: &Path, why: &str) {
    let path = world.dirs.shown(path);
    world.output.debug(|| format!("the source `{path}` of `trust.sources` is left out: {why}"));
}
