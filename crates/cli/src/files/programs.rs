//! Finds programs as a shell does.

use std::path::{Path, PathBuf};

use crate::sys::shell::{PROGRAM_ENDINGS, is_program};
use crate::world::World;

/// Returns all files in PATH for the program `name`, beginning with the one that would run.
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

/// Whether a shell would find the program `word`.
pub(crate) fn is_found(world: &World, word: &str) -> bool {
    // Relative to the directory in which a command will run.
    let is_relative =
        word.contains(std::path::is_separator) && !word.starts_with("~/") && !Path::new(word).is_absolute();
    is_relative || find_program(world, word).is_some()
}

/// Returns the file of the program `word`; `None` also if it depends on the working directory.
pub(crate) fn find_program(world: &World, word: &str) -> Option<PathBuf> {
    let below_home = word.strip_prefix("~/").map(|below| world.dirs.home().join(below));
    match below_home {
        Some(path) => Some(path).filter(|path| is_program(path)),
        None if Path::new(word).is_absolute() => Some(PathBuf::from(word)).filter(|path| is_program(path)),
        None if word.contains(std::path::is_separator) => None,
        None => find_in_path(world, word).into_iter().next(),
    }
}

/// Returns the file of this program.
pub(crate) fn own_file() -> Option<PathBuf> {
    std::env::current_exe().and_then(std::fs::canonicalize).ok()
}
