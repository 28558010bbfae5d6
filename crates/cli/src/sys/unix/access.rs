//! Who can read and write a file, by its owner and mode.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use hatbox_types::text::shell::quote_path;
use rustix::fs::OFlags;
use rustix::process::geteuid;

use crate::sys::files::{Closing, Creation, FileError};

/// Why a file or directory is not private.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPrivate {
    /// Group or others can read or write it.
    #[error("`{path}` has mode {mode:04o}: others may read or write it")]
    Mode {
        /// The path.
        path: String,
        /// Its permission bits.
        mode: u32,
        /// The permission bits that it should have.
        wanted: u32,
    },
    /// It belongs to another user.
    #[error("`{path}` belongs to uid {owner}, not to you (uid {me})")]
    Owner {
        /// The path.
        path: String,
        /// The uid of its owner.
        owner: u32,
        /// The uid of this process.
        me: u32,
    },
}

impl NotPrivate {
    /// Returns the reason without the path.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Mode { mode, .. } => {
                let may = match (mode & 0o044, mode & 0o022) {
                    (0, 0) => "enter it",
                    (_, 0) => "read it",
                    (0, _) => "write to it",
                    _ => "read it and write to it",
                };
                format!("others may {may} (mode {mode:04o})")
            }
            Self::Owner { owner, me, .. } => format!("it belongs to uid {owner}, not to you (uid {me})"),
        }
    }

    /// Whether a change of the mode would fix it.
    pub(crate) fn is_of_mode(&self) -> bool {
        matches!(self, Self::Mode { .. })
    }

    /// Returns the command that fixes it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Mode { path, wanted, .. } => format!("chmod {wanted:o} {}", quote_path(path)),
            // Never suggest that root takes ownership of a user's files.
            Self::Owner { me: 0, owner, .. } => format!("sudo -u '#{owner}' hatbox ..."),
            Self::Owner { path, .. } => format!("sudo chown \"$(id -u)\" {}", quote_path(path)),
        }
    }
}

/// Opens a file for reading, without blocking on a pipe.
pub(crate) fn open_unblocked(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// Opens a file for reading, without following a symlink or blocking on a pipe.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Whether [`open_private`] or [`open_or_create`] failed because of a symlink.
pub(crate) fn is_link_refused(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Rejects an open file that others can read or write.
pub(crate) fn check_file(path: &Path, _file: &File, about: &Metadata) -> Result<(), NotPrivate> {
    check(path, about, 0o600)
}

/// Refuses an open file that gives a secret unless it is the user's or root's, and closed to other writers. The user's
/// own must be closed to readers as well. Root's need not be: a container mounts its secrets like that.
///
/// # Errors
/// What is wrong, and what fixes it.
pub(crate) fn check_given_secret(path: &Path, file: &File, about: &Metadata) -> Result<(), String> {
    if !geteuid().is_root()
        && let Err(error) = check_file(path, file, about)
        && error.is_of_mode()
    {
        return Err(format!("{}; try: {}", error.reason(), error.hint()));
    }
    Ownership::of(file, about).check_trusted().map_err(|why| match why.hint(&path.display().to_string()) {
        Some(hint) => format!("{why}; try: {hint}"),
        None => format!("it {why}"),
    })
}

/// Rejects a directory that others can read or write.
pub(crate) fn check_directory(path: &Path, about: &Metadata) -> Result<(), NotPrivate> {
    check(path, about, 0o700)
}

fn check(path: &Path, about: &Metadata, wanted: u32) -> Result<(), NotPrivate> {
    let (mode, owner, me) = (about.mode() & 0o7777, about.uid(), geteuid().as_raw());
    if owner != me {
        return Err(NotPrivate::Owner { path: path.display().to_string(), owner, me });
    }
    if mode & 0o077 != 0 {
        return Err(NotPrivate::Mode { path: path.display().to_string(), mode, wanted });
    }
    Ok(())
}

/// Removes permissions of everyone but the owner, who must be this user.
///
/// # Errors
/// If another user owns it, or the system returns an error.
pub(crate) fn close(path: &Path, closing: Closing) -> io::Result<()> {
    // Security: check and change through the same descriptor, as the path may be replaced in between.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let about = file.metadata()?;
    if about.uid() != geteuid().as_raw() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let taken = match closing {
        Closing::Writers => 0o022,
        Closing::Everyone => 0o077,
    };
    file.set_permissions(Permissions::from_mode(about.mode() & 0o7777 & !taken))
}

/// Creates a private directory, with its parents.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a private file.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Opens a file for reading and writing, and creates a private one if it is missing. Does not follow a symlink or block
/// on a pipe.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
}

/// Opens a file for appending, and creates a private one if it is missing and `creation` allows it. Does not follow a
/// symlink or block on a pipe.
pub(crate) fn open_to_append(path: &Path, creation: Creation) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new()
        .append(true)
        .create(creation == Creation::IfAbsent)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
}

/// Gives a new file the permissions of `old`, which it will replace.
pub(crate) fn keep(file: &File, path: &Path, _old_path: &Path, old: &Metadata) -> Result<(), FileError> {
    if geteuid().is_root() {
        // If root runs hatbox in a user's home directory, the files must stay the user's.
        fchown(file, Some(old.uid()), Some(old.gid())).map_err(FileError::io("set the owner of", path))?;
    }
    file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))
        .map_err(FileError::io("set the mode of", path))
}

/// Who could write to a file when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ownership {
    owner: u32,
    mode: u32,
}

/// Why the content of a file cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTrusted {
    /// It belongs to neither the user nor root.
    #[error("belongs to another user (uid {0})")]
    Owner(u32),
    /// Group or others can write to it.
    #[error("others may write to it")]
    Writers,
}

impl NotTrusted {
    /// Returns the command that fixes it, if there is one.
    pub(crate) fn hint(self, shown: &str) -> Option<String> {
        match self {
            Self::Owner(_) => None,
            Self::Writers => Some(format!("chmod go-w {}", quote_path(shown))),
        }
    }
}

impl NotTrusted {
    /// Whether a change of the mode would fix it.
    pub(crate) fn is_of_mode(self) -> bool {
        matches!(self, Self::Writers)
    }
}

impl Ownership {
    /// Returns who can replace files in a directory.
    pub(crate) fn of_directory(path: &Path) -> io::Result<Self> {
        let about = std::fs::metadata(path)?;
        // In a directory with the sticky bit, only the owner of a file can replace it (inode(7)).
        let ownership = Self { owner: about.uid(), mode: about.mode() };
        Ok(if ownership.is_sticky() {
            Self { mode: ownership.mode & !0o022, ..ownership }
        } else {
            ownership
        })
    }

    /// Whether only the owner of an entry, and that of the directory itself, can replace the entry.
    pub(super) fn is_sticky(self) -> bool {
        self.mode & 0o1000 != 0
    }

    pub(crate) fn of(_file: &File, about: &Metadata) -> Self {
        Self { owner: about.uid(), mode: about.mode() }
    }

    /// Whether everyone can write to it, or another user owns it.
    pub(crate) fn is_open_to_strangers(self) -> bool {
        self.mode & 0o002 != 0 || !self.is_owner_trusted()
    }

    /// Rejects a file unless the user or root owns it and no one else, including the group, can write to it.
    pub(crate) fn check_trusted(self) -> Result<(), NotTrusted> {
        if !self.is_owner_trusted() {
            return Err(NotTrusted::Owner(self.owner));
        }
        if self.mode & 0o022 != 0 { Err(NotTrusted::Writers) } else { Ok(()) }
    }

    fn is_owner_trusted(self) -> bool {
        self.owner == 0 || self.owner == geteuid().as_raw()
    }
}

/// Returns the owner of a directory if this process runs as root and the directory is another user's.
pub(crate) fn owner_unlike_root(directory: &Path) -> Option<u32> {
    if !geteuid().is_root() {
        return None;
    }
    let owner = std::fs::metadata(directory).ok()?.uid();
    (owner != 0).then_some(owner)
}

/// The user of this process: the effective uid.
pub(crate) fn user() -> impl std::fmt::Display {
    geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::files::{Keep, make_private_directory, read_private, write_atomic};
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_private_file_is_refused_when_others_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        write_atomic(&path, b"x", Keep::Nothing).unwrap();
        assert_eq!(read_private(&path, 10).unwrap(), b"x");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let error = read_private(&path, 10).unwrap_err();
        assert!(error.hint().unwrap().starts_with("chmod 600 "), "{error}");
    }

    #[test]
    fn a_link_is_not_followed_to_a_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("f"), dir.path().join("l"));
        write_atomic(&path, b"12345", Keep::Nothing).unwrap();
        symlink(&path, &link).unwrap();
        assert!(matches!(read_private(&link, 10), Err(FileError::Kind(_))));
    }

    #[test]
    fn replacing_keeps_mode_and_link_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("f"), dir.path().join("l"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        symlink("f", &link).unwrap();
        write_atomic(&link, b"new", Keep::ModeAndLink).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file stays");
    }

    #[test]
    fn a_link_to_nothing_yet_stays_a_link_and_a_loop_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (link, around) = (dir.path().join("l"), dir.path().join("loop"));
        symlink("f", &link).unwrap();
        write_atomic(&link, b"new", Keep::ModeAndLink).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(dir.path().join("f")).unwrap(), b"new");
        symlink("loop", &around).unwrap();
        assert!(matches!(write_atomic(&around, b"x", Keep::ModeAndLink), Err(FileError::Kind(_))));
    }

    #[test]
    fn a_directory_open_to_others_is_refused_and_a_new_one_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("a/b");
        make_private_directory(&made).unwrap();
        assert_eq!(fs::metadata(&made).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&made, Permissions::from_mode(0o755)).unwrap();
        let refused = make_private_directory(&made);
        assert!(matches!(refused, Err(FileError::NotPrivate(NotPrivate::Mode { .. }))));
    }
}
