//! Files that must not be lost, be readable by other users, or belong to them.
//!
//! Every write creates a new file beside the target, then calls fsync, renames it, and calls fsync for the directory. A
//! kill at any moment leaves the old file or the new one. Caches are written without fsync: after a power failure, a
//! file may be damaged, and then counts as absent.

mod private;
mod write;

use std::io;
use std::path::Path;

use super::access::NotPrivate;

pub(crate) use self::private::{
    Closing, Creation, append_private, check_creator, check_private, make_private_directory, read_private,
};
pub(crate) use self::write::{
    Keep, follow_links, remove, sweep_temporary, write_atomic, write_cache, write_if_unchanged, write_new,
};

/// Why a file or directory was not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It does not exist.
    #[error("there is no file `{0}`")]
    Absent(String),
    /// Other users can access it.
    #[error(transparent)]
    NotPrivate(#[from] NotPrivate),
    /// hatbox runs as root, and would create root's files in another user's directory.
    #[error("you are root, and `{directory}` belongs to uid {owner}: hatbox creates no files there")]
    OtherUsers {
        /// The existing directory.
        directory: String,
        /// The uid of its owner.
        owner: u32,
    },
    /// It is a symlink, a device or another special file.
    #[error("`{0}` is not a regular file")]
    Kind(String),
    /// It is larger than any file that hatbox writes.
    #[error("`{path}` has more than {limit} bytes")]
    Size {
        /// The path.
        path: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// It exists already and must not be overwritten.
    #[error("the file `{0}` already exists")]
    Exists(String),
    /// Another process changed it in the meantime.
    #[error("`{0}` was changed in the meantime")]
    Changed(String),
    /// It is a directory, but a file is to be written.
    #[error("`{0}` is a directory, not a file")]
    Directory(String),
    /// It has a format that this version does not know. It is neither read nor overwritten.
    #[error("`{0}` was written by a newer version of hatbox")]
    Newer(String),
    /// It is on a disk, but must be in memory.
    #[error("`{0}` is not in memory (tmpfs)")]
    NotInMemory(String),
    /// The system returned an error.
    #[error("could not {verb} `{path}`")]
    Io {
        /// `read`, `write`, ...
        verb: &'static str,
        /// The path.
        path: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// What to do about a file that a newer version wrote.
pub(crate) const UPDATE_HINT: &str = "update hatbox";

impl FileError {
    /// A file that a newer version of hatbox wrote.
    pub(crate) fn newer(path: &Path) -> Self {
        Self::Newer(path.display().to_string())
    }

    pub(crate) fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| match source.kind() {
            io::ErrorKind::NotFound if verb == "read" => Self::Absent(path),
            _ => Self::Io { verb, path, source },
        }
    }

    /// Returns the command that fixes the problem, if there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NotPrivate(why) => Some(why.hint()),
            Self::OtherUsers { owner, .. } => Some(format!("sudo -u '#{owner}' hatbox ...")),
            Self::Newer(_) => Some(UPDATE_HINT.to_owned()),
            _ => None,
        }
    }
}
