//! Who can read and write a file, by its owner and access list.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;

use windows_sys::Win32::Foundation::{GENERIC_ALL, GENERIC_READ, GENERIC_WRITE};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, DELETE, FILE_APPEND_DATA, FILE_DELETE_CHILD, FILE_EXECUTE, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_READ_ATTRIBUTES, FILE_READ_EA, FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA, FILE_WRITE_EA, OPEN_ALWAYS,
    OPEN_EXISTING, READ_CONTROL, SYNCHRONIZE, WRITE_DAC, WRITE_OWNER,
};

use super::security::{Strangers, copy_access, create_private_directory, open_private_file, user_text};
use crate::sys::files::{Closing, Creation, FileError};

/// Rights that reveal nothing of a file's content.
const HARMLESS: u32 = READ_CONTROL | SYNCHRONIZE | FILE_READ_ATTRIBUTES | FILE_READ_EA | FILE_EXECUTE;
/// Rights to change a file, or to obtain that right.
const WRITES: u32 = FILE_WRITE_DATA
    | FILE_APPEND_DATA
    | FILE_WRITE_EA
    | FILE_WRITE_ATTRIBUTES
    | FILE_DELETE_CHILD
    | DELETE
    | WRITE_DAC
    | WRITE_OWNER
    | GENERIC_WRITE
    | GENERIC_ALL;

/// Why a file or directory is not private.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPrivate {
    /// Its access list lets others read or write it.
    #[error("others may read or write `{0}`")]
    Others(String),
    /// It belongs to neither the user nor the system.
    #[error("`{0}` belongs to another user")]
    Owner(String),
    /// The system did not return the access list.
    #[error("whether others may read `{path}` cannot be found out")]
    Unknown {
        /// The path.
        path: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl NotPrivate {
    /// Returns the reason without the path.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Others(_) => "others may read or write it".to_owned(),
            Self::Owner(_) => "it belongs to another user".to_owned(),
            Self::Unknown { source, .. } => {
                format!("whether others may read it cannot be found out: {source}")
            }
        }
    }

    /// Whether [`close`] fixes it: on Windows, only the command in the hint does.
    pub(crate) fn is_of_mode(&self) -> bool {
        false
    }

    /// Returns the command that fixes it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Others(path) => format!(r#"icacls "{path}" /inheritance:r /grant:r "%USERNAME%":F"#),
            Self::Owner(path) => format!(r#"takeown /F "{path}""#),
            Self::Unknown { path, .. } => format!(r#"icacls "{path}""#),
        }
    }
}

/// Opens a file for reading. Opens a symlink itself instead of following it, and a symlink is not a file.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)
}

/// Whether [`open_private`] failed because of a symlink, which it never does here.
pub(crate) fn is_link_refused(_error: &io::Error) -> bool {
    false
}

/// Rejects an open file that others can read or write.
pub(crate) fn check_file(path: &Path, file: &File, _about: &Metadata) -> Result<(), NotPrivate> {
    check(path, Strangers::of_file(file))
}

/// Refuses an open file that gives a secret and that others may read or write.
///
/// # Errors
/// What is wrong, and what fixes it.
pub(crate) fn check_given_secret(path: &Path, file: &File, about: &Metadata) -> Result<(), String> {
    check_file(path, file, about).map_err(|error| format!("{}; try: {}", error.reason(), error.hint()))
}

/// Rejects a directory that others can read or write.
pub(crate) fn check_directory(path: &Path, _about: &Metadata) -> Result<(), NotPrivate> {
    check(path, Strangers::at_path(path))
}

fn check(path: &Path, strangers: io::Result<Strangers>) -> Result<(), NotPrivate> {
    let shown = path.display().to_string();
    match strangers {
        Err(source) => Err(NotPrivate::Unknown { path: shown, source }),
        Ok(strangers) if strangers.own_it => Err(NotPrivate::Owner(shown)),
        Ok(strangers) if strangers.rights & !HARMLESS != 0 => Err(NotPrivate::Others(shown)),
        Ok(_) => Ok(()),
    }
}

/// Removes permissions of everyone but the owner. Left to the command in the hint, which shows what it changes.
///
/// # Errors
/// Always.
pub(crate) fn close(_path: &Path, _closing: Closing) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Creates a private directory, with its parents.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_directory(parent)?;
    }
    match create_private_directory(path) {
        // Another process created it first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        result => result,
    }
}

/// Creates a private file.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    open_private_file(path, GENERIC_WRITE, CREATE_NEW)
}

/// Opens a file for reading. On Windows, a pipe cannot be in its place.
pub(crate) fn open_unblocked(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens a file for reading and writing, and creates a private one if it is missing.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    open_private_file(path, GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS)
}

/// Opens a file for appending, and creates a private one if it is missing and `creation` allows it.
pub(crate) fn open_to_append(path: &Path, creation: Creation) -> io::Result<File> {
    let disposition = match creation {
        Creation::IfAbsent => OPEN_ALWAYS,
        Creation::Never => OPEN_EXISTING,
    };
    // With this as the only write right, each write appends.
    open_private_file(path, FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE, disposition)
}

/// Gives a new file the access list of the file at `old_path`, which it will replace.
pub(crate) fn keep(_file: &File, path: &Path, old_path: &Path, _old: &Metadata) -> Result<(), FileError> {
    copy_access(old_path, path).map_err(FileError::io("set the access list of", path))
}

/// Who could write to a file when it was opened. `None` if the system does not provide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ownership(Option<Strangers>);

/// Why the content of a file cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTrusted {
    /// It belongs to neither the user nor the system.
    #[error("belongs to another user")]
    Owner,
    /// Others can write to it.
    #[error("others may write to it")]
    Writers,
    /// The system did not return the access list.
    #[error("who may write to it cannot be found out")]
    Unknown,
}

impl NotTrusted {
    /// Returns the command that fixes it, if there is one.
    pub(crate) fn hint(self, shown: &str) -> Option<String> {
        match self {
            Self::Writers => Some(format!(r#"icacls "{shown}" /inheritance:r /grant:r "%USERNAME%":F"#)),
            Self::Owner | Self::Unknown => None,
        }
    }
}

impl NotTrusted {
    /// Whether [`close`] fixes it: on Windows, only the command in the hint does.
    #[expect(clippy::unused_self, reason = "elsewhere it depends on why")]
    pub(crate) fn is_of_mode(self) -> bool {
        false
    }
}

impl Ownership {
    /// Returns who can replace files in a directory.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(crate) fn of_directory(path: &Path) -> io::Result<Self> {
        Ok(Self(Strangers::at_path(path).ok()))
    }

    pub(crate) fn of(file: &File, _about: &Metadata) -> Self {
        Self(Strangers::of_file(file).ok())
    }

    /// Whether others can write to it, or another user owns it.
    pub(crate) fn is_open_to_strangers(self) -> bool {
        self.check_trusted().is_err()
    }

    /// Rejects a file unless the user or the system owns it and no one else can write to it.
    pub(crate) fn check_trusted(self) -> Result<(), NotTrusted> {
        match self.0 {
            None => Err(NotTrusted::Unknown),
            Some(strangers) if strangers.own_it => Err(NotTrusted::Owner),
            Some(strangers) if strangers.rights & WRITES != 0 => Err(NotTrusted::Writers),
            Some(_) => Ok(()),
        }
    }
}

/// Returns the owner of a directory if this process runs as root. Windows has no root.
pub(crate) fn owner_unlike_root(_directory: &Path) -> Option<u32> {
    None
}

/// The user of this process: its SID.
pub(crate) fn user() -> impl std::fmt::Display {
    user_text().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::security::open_to_everyone;
    use super::*;
    use crate::sys::files::{Keep, make_private_directory, read_private, write_atomic};

    #[test]
    fn what_hatbox_makes_is_the_users_alone_and_other_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("a").join("b");
        make_private_directory(&made).unwrap();
        make_private_directory(&made).unwrap();
        let path = made.join("f");
        write_atomic(&path, b"x", Keep::Nothing).unwrap();
        assert_eq!(read_private(&path, 10).unwrap(), b"x");
        open_to_everyone(&path).unwrap();
        let error = read_private(&path, 10).unwrap_err();
        assert!(matches!(error, FileError::NotPrivate(NotPrivate::Others(_))), "{error}");
        assert!(error.hint().unwrap().starts_with("icacls "));
        let ownership = Ownership::of(&File::open(&path).unwrap(), &std::fs::metadata(&path).unwrap());
        assert_eq!(ownership.check_trusted(), Err(NotTrusted::Writers));
        assert!(ownership.is_open_to_strangers());
    }

    #[test]
    fn a_file_that_is_replaced_keeps_its_access_list_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write_atomic(&path, b"x", Keep::Nothing).unwrap();
        open_to_everyone(&path).unwrap();
        let rights = || Strangers::at_path(&path).unwrap().rights;
        let before = rights();
        write_atomic(&path, b"y", Keep::ModeAndLink).unwrap();
        assert_eq!(rights(), before);
        write_atomic(&path, b"z", Keep::Nothing).unwrap();
        assert_eq!(rights() & !HARMLESS, 0);
    }
}
