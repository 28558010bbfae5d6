//! The server's directory, whose files only the user can read. It is deleted when the server ends; after a kill, by the
//! next server.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use hatbox_core::config::{FileKind, without_default_identity};

use super::identity::Identity;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::ConfigFiles;
use crate::sys::files::{FileError, make_private_directory, write_cache};
use crate::sys::lock;
#[cfg(unix)]
use crate::sys::way::find_open_way;
use crate::world::World;

const LOCK: &str = "lock";
/// Of a profile's name in the name of its token's file.
const MOST_OF_NAME: usize = 100;

/// The directory of one server, deleted on drop.
#[derive(Debug)]
pub(crate) struct ServerDirectory {
    path: PathBuf,
    /// Held as long as the server runs.
    lock: Option<File>,
}

/// Copies that replace the AWS files.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    pub(crate) config: Option<PathBuf>,
    pub(crate) credentials: Option<PathBuf>,
}

impl ServerDirectory {
    /// Creates a directory, and deletes those of servers that have ended.
    pub(crate) fn create(world: &World) -> Result<Self, Failure> {
        Self::create_in(&world.dirs.servers())
    }

    fn create_in(all: &Path) -> Result<Self, Failure> {
        make_private_directory(all)?;
        check_place(all)?;
        // One process at a time: a directory without a lock looks like that of a killed server.
        let _one = lock::hold(&all.with_extension("lock"))?;
        sweep(all);
        let mut name = [0; 8];
        getrandom::getrandom(&mut name).map_err(|error| {
            Failure::new(FailureKind::Failed, "the operating system returned no random bytes")
                .caused_by(&error)
        })?;
        let path = all.join(hex::encode(name));
        make_private_directory(&path)?;
        let mut directory = Self { path, lock: None };
        let lock = directory.path.join(LOCK);
        write_cache(&lock, b"")?;
        let file = File::open(&lock).map_err(FileError::io("open", &lock))?;
        file.lock().map_err(FileError::io("open", &lock))?;
        directory.lock = Some(file);
        Ok(directory)
    }

    /// Writes the token of an identity, without a newline, which no SDK accepts.
    pub(crate) fn write_token(&self, identity: &Identity) -> Result<PathBuf, Failure> {
        let name = identity.path().rsplit('/').next().unwrap_or_default();
        // A file name has a limit, and names that differ only in case can be the same file. The directory is this
        // server's alone, so what is there is a token of it.
        let name = name.get(..MOST_OF_NAME).unwrap_or(name);
        let mut path = self.path.join(format!("{name}.token"));
        for number in 2.. {
            if !path.exists() {
                break;
            }
            path = self.path.join(format!("{name}-{number}.token"));
        }
        write_cache(&path, identity.token().expose().as_bytes())?;
        Ok(path)
    }

    /// Copies each AWS file that gives the default profile an identity, without that identity: the SDKs would use it
    /// instead of the server.
    ///
    /// # Errors
    /// If a copy is needed and cannot be written.
    pub(crate) fn copy_config(&self, world: &World, files: &ConfigFiles) -> Result<Copies, Failure> {
        let copy = |kind: FileKind, name: &str, variable: &str| {
            let Some(without) = without_default_identity(files.config.document(kind)) else {
                return Ok(None);
            };
            let path = self.path.join(name);
            let place = files.shown_place(without.place);
            write_cache(&path, &without.text).map_err(|error| {
                let refused = "the AWS SDKs would use the default profile instead of the credential server";
                Failure::new(FailureKind::Refused, refused).at(place.clone()).caused_by(&error).hint(format!(
                    "remove `{}` from the section `default`, or run the command without a credential server",
                    without.key
                ))
            })?;
            world.output.note(&format!(
                "{place}: the AWS SDKs prefer `{}` of the default profile to a credential server, so the command gets a copy \
                 of the file without it ({variable})",
                without.key
            ));
            Ok::<_, Failure>(Some(path))
        };
        Ok(Copies {
            config: copy(FileKind::Config, "config", "AWS_CONFIG_FILE")?,
            credentials: copy(FileKind::Credentials, "credentials", "AWS_SHARED_CREDENTIALS_FILE")?,
        })
    }
}

impl Drop for ServerDirectory {
    fn drop(&mut self) {
        // Closed first, as Windows cannot delete an open file.
        self.lock = None;
        // What remains is deleted by the next server.
        fs::remove_dir_all(&self.path).ok();
    }
}

/// A path as the value of a variable.
pub(crate) fn path_text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| {
        Failure::new(FailureKind::Failed, format!("the path `{}` is not UTF-8", path.display()))
            .hint("set XDG_RUNTIME_DIR to another directory")
    })
}

/// Refuses a place where another user could replace what the command is about to read, such as the copy of the config,
/// which names programs to run: `XDG_RUNTIME_DIR` may be a directory that all users share.
#[cfg(unix)]
fn check_place(all: &Path) -> Result<(), Failure> {
    let Some(way) = find_open_way(all).map_err(FileError::io("read", all))? else { return Ok(()) };
    let error = format!("other users can replace `{}`, which the command would trust: {way}", all.display());
    let failure = way.hint().into_iter().fold(Failure::new(FailureKind::Refused, error), Failure::hint);
    Err(failure.hint("set XDG_RUNTIME_DIR to a directory that only you can write to"))
}

/// Windows has no directory that everyone shares and that a variable would name here.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on Unix, the directories are read")]
fn check_place(_: &Path) -> Result<(), Failure> {
    Ok(())
}

/// Deletes the directories of servers that have ended.
fn sweep(all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            drop(lock);
            fs::remove_dir_all(&path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_has_a_file_however_long_or_alike_the_names_are() {
        let home = tempfile::tempdir().unwrap();
        let directory = ServerDirectory::create_in(&home.path().join("servers")).unwrap();
        let long = "ü".repeat(80);
        let identities = ["dev", "DEV", "dev-2", &long, &format!("{long}x"), "a/b", ".."].map(|name| {
            let name = hatbox_types::name::ProfileName::parse(name).unwrap();
            Identity::new(name, crate::server::protocol::Protocol::Container).unwrap()
        });
        let paths = identities.each_ref().map(|identity| directory.write_token(identity).unwrap());
        for (identity, path) in identities.iter().zip(&paths) {
            assert_eq!(fs::read_to_string(path).unwrap(), identity.token().expose(), "{}", path.display());
            assert_eq!(path.parent(), Some(&*directory.path));
        }
    }

    #[test]
    fn servers_that_start_at_once_leave_each_others_directories_and_take_those_left_behind() {
        let home = tempfile::tempdir().unwrap();
        let all = home.path().join("servers");
        let left_behind = all.join("0011223344556677");
        make_private_directory(&all).unwrap();
        make_private_directory(&left_behind).unwrap();
        write_cache(&left_behind.join(LOCK), b"").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let directory = ServerDirectory::create_in(&all).unwrap();
                        assert!(directory.path.join(LOCK).exists());
                    }
                });
            }
        });
        assert!(!left_behind.exists());
        assert_eq!(fs::read_dir(&all).unwrap().count(), 0);
    }
}
