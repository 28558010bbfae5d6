//! Programs as a shell would find them.

use std::path::{Path, PathBuf};

use super::World;
use crate::sys::shell::{PROGRAM_ENDINGS, is_program};

/// Every file that PATH has for the program `name`, the one that is run first.
pub(crate) fn find_in_path(world: &World, name: &str) -> Vec<PathBuf> {
    let path = world.environment.raw("PATH").unwrap_or_default();
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .flat_map(|directory| {
            PROGRAM_ENDINGS.iter().map(move |ending| directory.join(format!("{name}{ending}")))
        })
        .filter(|file| is_program(file))
        .collect()
}

/// Whether a shell would find the program that is written `word`.
pub(crate) fn is_found(world: &World, word: &str) -> bool {
    let below_home = word.strip_prefix("~/").map(|below| world.dirs.home().join(below));
    match below_home {
        Some(path) => is_program(&path),
        None if Path::new(word).is_absolute() => is_program(Path::new(word)),
        // Relative to wherever a command is run.
        None if word.contains(std::path::is_separator) => true,
        None => !find_in_path(world, word).is_empty(),
    }
}

/// The file of this program.
pub(crate) fn own_file() -> Option<PathBuf> {
    std::env::current_exe().and_then(std::fs::canonicalize).ok()
}
