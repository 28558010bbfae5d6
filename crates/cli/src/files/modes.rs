//! Who else can read or write the user's files: checks that without reading them, and corrects it on request.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::sys::access::{self, Ownership};
use crate::sys::files::{Closing, FileError, check_private};

/// How a file or directory must be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Only the user can access it; otherwise hatbox does not use it.
    Private,
    /// Only the user and root can write to it, as it determines what hatbox does.
    NoOtherWriter,
    /// In addition, only they can read it, as it may contain keys.
    NoOtherReader,
}

/// What is wrong with a file.
#[derive(Debug)]
pub(crate) struct Flaw {
    /// The reason, without the path.
    pub(crate) reason: String,
    /// The command that fixes it, if there is one.
    pub(crate) hint: Option<String>,
    /// The argument for [`close`], if that would fix it.
    pub(crate) closing: Option<Closing>,
}

/// Checks a file or directory. A missing one is fine.
pub(crate) fn find_flaw(path: &Path, wanted: Protection) -> Option<Flaw> {
    let result = match wanted {
        Protection::Private => return check_private(path).err().map(flaw_of_private),
        Protection::NoOtherWriter => find_writers(path),
        Protection::NoOtherReader => find_readers(path),
    };
    result.unwrap_or_else(|error| {
        // An unreadable file is reported by the code that reads it.
        let is_nothing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
        let reason = format!("who may write to it cannot be found out: {error}");
        (!is_nothing).then_some(Flaw { reason, hint: None, closing: None })
    })
}

fn flaw_of_private(error: FileError) -> Flaw {
    let hint = error.hint();
    match error {
        FileError::NotPrivate(why) => {
            Flaw { reason: why.reason(), closing: why.is_of_mode().then_some(Closing::Everyone), hint }
        }
        FileError::Kind(_) => Flaw { reason: "it is a link or no file".to_owned(), hint, closing: None },
        other => Flaw { reason: other.to_string(), hint, closing: None },
    }
}

fn find_writers(path: &Path) -> io::Result<Option<Flaw>> {
    let about = fs::metadata(path)?;
    let ownership = if about.is_dir() {
        Ownership::of_directory(path)?
    } else if about.is_file() {
        Ownership::of(&File::open(path)?, &about)
    } else {
        // A pipe, such as one from the shell, has nothing to protect.
        return Ok(None);
    };
    Ok(ownership.check_trusted().err().map(|why| Flaw {
        reason: match why.to_string() {
            text if text.starts_with("belongs") => format!("it {text}"),
            text => text,
        },
        hint: why.hint(&path.display().to_string()),
        closing: why.is_of_mode().then_some(Closing::Writers),
    }))
}

fn find_readers(path: &Path) -> io::Result<Option<Flaw>> {
    if let Some(flaw) = find_writers(path)?.filter(|flaw| flaw.closing.is_none()) {
        return Ok(Some(flaw));
    }
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Ok(None);
    }
    let file = File::open(path)?;
    Ok(access::check_file(path, &file, &about).err().map(|why| Flaw {
        reason: why.reason(),
        hint: Some(why.hint()),
        closing: why.is_of_mode().then_some(Closing::Everyone),
    }))
}

/// Removes others' access to the user's own file or directory.
pub(crate) fn close(path: &Path, closing: Closing) -> io::Result<()> {
    access::close(path, closing)
}

/// When a file was last written; `None` if unknown.
pub(crate) fn written_at(path: &Path) -> Option<jiff::Timestamp> {
    fs::metadata(path).ok()?.modified().ok()?.try_into().ok()
}

/// Lists at most `limit` files of a directory by name; none if it is unreadable.
pub(crate) fn files_in(directory: &Path, limit: usize) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().take(limit);
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}
