//! Who may read and write a file: its owner and its access list.

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

/// Rights that show nothing of what is in a file.
const HARMLESS: u32 = READ_CONTROL | SYNCHRONIZE | FILE_READ_ATTRIBUTES | FILE_READ_EA | FILE_EXECUTE;
/// Rights to change a file, or to get that right.
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

/// Why a file or directory is not the user's alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPrivate {
    /// Its access list allows others to read or write it.
    #[error("others may read or write `{0}`")]
    Others(String),
    /// It belongs to someone who is neither the user nor the system.
    #[error("`{0}` belongs to another user")]
    Owner(String),
    /// The system does not tell.
    #[error("whether others may read `{path}` cannot be found out")]
    Unknown {
        /// The path.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl NotPrivate {
    /// Why, without the path.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Others(_) => "others may read or write it".to_owned(),
            Self::Owner(_) => "it belongs to another user".to_owned(),
            Self::Unknown { source, .. } => {
                format!("whether others may read it cannot be found out: {source}")
            }
        }
    }

    /// Whether [`close`] fixes it: here nothing does but the command.
    pub(crate) fn is_of_mode(&self) -> bool {
        false
    }

    /// The command that fixes it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Others(path) => format!(r#"icacls "{path}" /inheritance:r /grant:r "%USERNAME%":F"#),
            Self::Owner(path) => format!(r#"takeown /F "{path}""#),
            Self::Unknown { path, .. } => format!(r#"icacls "{path}""#),
        }
    }
}

/// Opens a file for reading. No link is followed: what is opened is the link, which is no file.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)
}

/// Whether [`open_private`] failed because a link is there: it does not.
pub(crate) fn is_link_refused(_error: &io::Error) -> bool {
    false
}

/// Refuses an open file that others may read or write.
pub(crate) fn check_file(path: &Path, file: &File, _about: &Metadata) -> Result<(), NotPrivate> {
    check(path, Strangers::of_file(file))
}

/// The same for a directory.
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

/// Takes rights away from everyone but the owner: left to the command, which shows what it does.
///
/// # Errors
/// Always.
pub(crate) fn close(_path: &Path, _closing: Closing) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Makes a directory that is the user's alone, and those above it.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_directory(parent)?;
    }
    match create_private_directory(path) {
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        result => result,
    }
}

/// Makes a file that is the user's alone.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    open_private_file(path, GENERIC_WRITE, CREATE_NEW)
}

/// Opens a file for reading. There are no pipes in the place of files here.
pub(crate) fn open_unblocked(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens a file for reading and writing; makes one that is the user's alone where there is none.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    open_private_file(path, GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS)
}

/// Opens a file to append to it, or makes one that is the user's alone where there is none.
pub(crate) fn open_to_append(path: &Path, creation: Creation) -> io::Result<File> {
    let disposition = match creation {
        Creation::IfAbsent => OPEN_ALWAYS,
        Creation::Never => OPEN_EXISTING,
    };
    // With this right to write and no other, each write goes to the end.
    open_private_file(path, FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE, disposition)
}

/// Gives a new file the access that the file at `old_path`, which it is to replace, has.
pub(crate) fn keep(_file: &File, path: &Path, old_path: &Path, _old: &Metadata) -> Result<(), FileError> {
    copy_access(old_path, path).map_err(FileError::io("set the access list of", path))
}

/// Who may write to a file, as it was when it was opened. `None`: the system does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ownership(Option<Strangers>);

/// Why a file's words are not the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTrusted {
    /// It belongs to neither the user nor the system.
    #[error("belongs to another user")]
    Owner,
    /// Others may write to it.
    #[error("others may write to it")]
    Writers,
    /// The system does not tell.
    #[error("who may write to it cannot be found out")]
    Unknown,
}

impl NotTrusted {
    /// The command that fixes it, where there is one.
    pub(crate) fn hint(self, shown: &str) -> Option<String> {
        match self {
            Self::Writers => Some(format!(r#"icacls "{shown}" /inheritance:r /grant:r "%USERNAME%":F"#)),
            Self::Owner | Self::Unknown => None,
        }
    }
}

impl NotTrusted {
    /// Whether [`close`] fixes it: here nothing does but the command.
    #[expect(clippy::unused_self, reason = "elsewhere it depends on why")]
    pub(crate) fn is_of_mode(self) -> bool {
        false
    }
}

impl Ownership {
    /// That of a directory: who may put other files in the place of those in it.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(crate) fn of_directory(path: &Path) -> io::Result<Self> {
        Ok(Self(Strangers::at_path(path).ok()))
    }

    pub(crate) fn of(file: &File, _about: &Metadata) -> Self {
        Self(Strangers::of_file(file).ok())
    }

    /// Whether others may write to it, or it is another user's.
    pub(crate) fn is_open_to_strangers(self) -> bool {
        self.check_trusted().is_err()
    }

    /// Refuses a file unless it is the user's or the system's, and closed to other writers.
    pub(crate) fn check_trusted(self) -> Result<(), NotTrusted> {
        match self.0 {
            None => Err(NotTrusted::Unknown),
            Some(strangers) if strangers.own_it => Err(NotTrusted::Owner),
            Some(strangers) if strangers.rights & WRITES != 0 => Err(NotTrusted::Writers),
            Some(_) => Ok(()),
        }
    }
}

/// Whom a directory belongs to, when this process is root's and the directory is not. Windows has no root.
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
