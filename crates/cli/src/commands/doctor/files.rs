//! Checks who can read or write AWS's and hatbox's files. With `--fix`, corrects the permissions of the user's own
//! files.

use std::path::{Path, PathBuf};

use hatbox_core::doctor::{Finding, Level, Topic};

use super::Checkup;
use crate::files::modes::{Flaw, Protection, close, files_in, find_flaw};
use crate::world::dirs::Dirs;

/// The maximum number of files to check in a directory with one file per key or session.
const LIMIT: usize = 10_000;

/// The consequence if others can write to a file that hatbox obeys.
const CHOOSE: &str = ": anyone who can write to it chooses which commands hatbox runs";
/// The consequence if others can read or write hatbox's own files.
const REFUSED: &str = ": hatbox refuses to use it";

/// A file or directory to check.
struct Looked {
    path: PathBuf,
    wanted: Protection,
    level: Level,
    /// The consequence of wrong permissions.
    so: &'static str,
}

impl Checkup<'_> {
    /// `store` is the directory of the store, if known.
    pub(super) fn check_files(&mut self, store: Option<&Path>, is_fixing: bool) {
        let looked = places(&self.world.dirs, store);
        let count = looked.iter().filter(|looked| looked.path.exists()).count();
        let mut is_well = true;
        for Looked { path, wanted, level, so } in looked {
            let Some(flaw) = find_flaw(&path, wanted) else { continue };
            let is_fixed = is_fixing && fix_mode(&path, wanted, &flaw);
            is_well &= is_fixed;
            let id = if flaw.closing.is_some() { "loose-mode" } else { "foreign-file" };
            let text = format!("{}{so}", flaw.reason);
            let finding = Finding::new(Topic::Files, id, level, text).in_file(self.world.dirs.shown(&path));
            let finding = match flaw.hint {
                Some(hint) => finding.fixed_by(hint),
                None => finding,
            };
            self.findings.push(Finding { is_fixed, ..finding });
        }
        let closed = if is_well { ", none open to others" } else { "" };
        self.sum_up(
            Topic::Files,
            match count {
                0 => "none yet".to_owned(),
                1 => format!("1 checked{closed}"),
                count => format!("{count} checked{closed}"),
            },
        );
    }
}

fn fix_mode(path: &Path, wanted: Protection, flaw: &Flaw) -> bool {
    flaw.closing.is_some_and(|closing| close(path, closing).is_ok()) && find_flaw(path, wanted).is_none()
}

fn places(dirs: &Dirs, store: Option<&Path>) -> Vec<Looked> {
    let mut looked = Vec::new();
    let mut add = |path: PathBuf, wanted, level, so| looked.push(Looked { path, wanted, level, so });

    add(dirs.aws_config().to_owned(), Protection::NoOtherWriter, Level::Error, CHOOSE);
    add(dirs.aws_credentials().to_owned(), Protection::NoOtherReader, Level::Warning, ": it may hold keys");
    let settings = dirs.settings_file();
    let aws = [dirs.aws_config(), dirs.aws_credentials()].into_iter().filter_map(Path::parent);
    let mut parents: Vec<_> = aws.chain(settings.parent()).collect();
    parents.dedup();
    for parent in parents.into_iter().filter(|parent| !parent.as_os_str().is_empty()) {
        let so = ": anyone who can write to it can replace your files";
        add(parent.to_owned(), Protection::NoOtherWriter, Level::Error, so);
    }
    add(settings, Protection::NoOtherWriter, Level::Error, CHOOSE);

    let usual = dirs.store();
    let store = store.unwrap_or(&usual);
    let state = dirs.state_of_store(store);
    let directories =
        [store.to_owned(), store.join("items"), store.join("backups"), state, dirs.sessions(), dirs.locks()];
    // The store refuses a symlink in place of its own directories, and hatbox must not change what such a link points
    // to.
    let directories = directories.into_iter().filter(|path| path == store || !path.is_symlink());
    for directory in directories.chain(dirs.runtime().map(Path::to_owned)) {
        // Lock files hold no secrets, and are used with any permissions.
        let has_private_files = directory != dirs.locks();
        let files = if has_private_files { files_in(&directory, LIMIT) } else { Vec::new() };
        add(directory, Protection::Private, Level::Error, REFUSED);
        for file in files.into_iter().filter(|file| is_private_file(file)) {
            add(file, Protection::Private, Level::Error, REFUSED);
        }
    }
    looked
}

/// Whether hatbox reads this file only if it is private.
fn is_private_file(path: &Path) -> bool {
    let is_lock = path.extension().is_some_and(|extension| extension == "lock")
        || path.file_name().is_some_and(|name| name == "lock");
    !is_lock && !path.is_dir()
}
