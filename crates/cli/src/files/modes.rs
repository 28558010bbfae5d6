//! Who else may read or write the user's files: looked at without reading them, and closed to others when asked.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::sys::access::{self, Ownership};
use crate::sys::files::{Closing, FileError, check_private};

/// What must hold of a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Must {
    /// Only the user may read or write it: hatbox uses it only then.
    BeOurs,
    /// Only the user and root may write to it: it says what is done.
    HaveNoOtherWriter,
    /// Also, nobody else may read it: it may hold keys.
    BeHidden,
}

/// What does not hold of it.
#[derive(Debug)]
pub(crate) struct Flaw {
    /// Why, in words, without the path.
    pub(crate) reason: String,
    /// The command that mends it, where there is one.
    pub(crate) way_out: Option<String>,
    /// What [`close`] would have to do, where that is all.
    pub(crate) closing: Option<Closing>,
}

/// Looks at a file or directory; one that is not there has no flaw.
pub(crate) fn find_flaw(path: &Path, must: Must) -> Option<Flaw> {
    let result = match must {
        Must::BeOurs => return check_private(path).err().map(flaw_of_private),
        Must::HaveNoOtherWriter => find_writers(path),
        Must::BeHidden => find_readers(path),
    };
    result.unwrap_or_else(|error| {
        // What may not be read is told by whoever tries to.
        let is_nothing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
        let reason = format!("who may write to it cannot be found out: {error}");
        (!is_nothing).then_some(Flaw { reason, way_out: None, closing: None })
    })
}

fn flaw_of_private(error: FileError) -> Flaw {
    let way_out = error.way_out();
    match error {
        FileError::NotPrivate(why) => {
            Flaw { reason: why.reason(), closing: why.is_of_mode().then_some(Closing::Everybody), way_out }
        }
        FileError::Kind(_) => Flaw { reason: "it is a link or no file".to_owned(), way_out, closing: None },
        other => Flaw { reason: other.to_string(), way_out, closing: None },
    }
}

fn find_writers(path: &Path) -> io::Result<Option<Flaw>> {
    let about = fs::metadata(path)?;
    let ownership = if about.is_dir() {
        Ownership::of_directory(path)?
    } else if about.is_file() {
        Ownership::of(&File::open(path)?, &about)
    } else {
        // A pipe, as a shell makes it: nothing to be closed.
        return Ok(None);
    };
    Ok(ownership.check_trusted().err().map(|why| Flaw {
        reason: match why.to_string() {
            text if text.starts_with("belongs") => format!("it {text}"),
            text => text,
        },
        way_out: why.way_out(&path.display().to_string()),
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
        way_out: Some(why.way_out()),
        closing: why.is_of_mode().then_some(Closing::Everybody),
    }))
}

/// Closes a file or directory of the user's own to others.
pub(crate) fn close(path: &Path, closing: Closing) -> io::Result<()> {
    access::close(path, closing)
}

/// When a file was last written; `None` when that is not known.
pub(crate) fn written_at(path: &Path) -> Option<jiff::Timestamp> {
    fs::metadata(path).ok()?.modified().ok()?.try_into().ok()
}

/// The files in a directory, by name; none where it cannot be read. At most `limit`.
pub(crate) fn files_in(directory: &Path, limit: usize) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().take(limit);
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}
