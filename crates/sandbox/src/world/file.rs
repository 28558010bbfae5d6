//! The sandbox directory: the world's file, object bytes, the control token, the details of the running server.
//!
//! | file | holds |
//! |---|---|
//! | `state.json` | the world, secrets included |
//! | `objects/DIGEST` | the bytes of objects |
//! | `control-token` | opens the control paths |
//! | `server.json` | address, process id and sandbox id, while a server runs |
//! | `log.jsonl` | who called what |
//! | `lock` | held by the server |
//!
//! All files are 0600 in a 0700 directory. Files are written as a temporary file and renamed, so a killed process
//! leaves either the old or the new content. They are flushed to disk when the server stops rather than after each
//! call: nothing here is worth 10 ms per call to survive a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::World;
use crate::error::Error;

/// Loads the world of a sandbox directory; `None` if it does not contain one yet.
///
/// # Errors
/// If the file cannot be read or does not contain a world.
pub fn load_world(directory: &Path) -> Result<Option<World>, Error> {
    Home { directory: directory.to_owned() }.load_world()
}

/// Saves `world` into a sandbox directory, which is created if it does not exist. No server may run in it.
///
/// # Errors
/// If it cannot be written, or a server runs there.
pub fn save_world(directory: &Path, world: &World) -> Result<(), Error> {
    let home = Home::open(directory)?;
    let _lock = home.lock()?;
    home.save_world(world)
}

/// A sandbox directory.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    directory: PathBuf,
}

impl Home {
    /// Opens a directory, creating it (0700) if it does not exist.
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let home = Self { directory: directory.to_owned() };
        create_private_dir(directory)
            .and_then(|()| create_private_dir(&home.objects()))
            .map_err(|source| Error::Write { path: directory.to_owned(), source })?;
        Ok(home)
    }

    /// Returns the path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn objects(&self) -> PathBuf {
        self.path("objects")
    }

    /// Locks the directory for one server, until the returned file is dropped.
    pub(crate) fn lock(&self) -> Result<File, Error> {
        let path = self.path("lock");
        let file = private_options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| Error::Write { path: path.clone(), source })?;
        // A check for a running server holds the lock for an instant, so try several times.
        for left in (0..10).rev() {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::WouldBlock) if left > 0 => thread::sleep(Duration::from_millis(10)),
                Err(fs::TryLockError::WouldBlock) => break,
                Err(fs::TryLockError::Error(source)) => return Err(Error::Write { path, source }),
            }
        }
        Err(Error::Running { directory: self.directory.clone() })
    }

    /// Returns whether a server holds the lock.
    pub(crate) fn is_locked(&self) -> bool {
        File::open(self.path("lock"))
            .is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)))
    }

    pub(crate) fn load_world(&self) -> Result<Option<World>, Error> {
        let Some(text) = self.load("state.json")? else { return Ok(None) };
        let path = self.path("state.json");
        serde_json::from_slice(&text).map(Some).map_err(|source| Error::Parse { path, source })
    }

    pub(crate) fn save_world(&self, world: &World) -> Result<(), Error> {
        let path = self.path("state.json");
        let text = serde_json::to_vec_pretty(world).map_err(|source| Error::Parse { path, source })?;
        self.save("state.json", &text)
    }

    /// Reads a file; `None` if it does not exist.
    pub(crate) fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    /// Writes a file atomically: at any moment, it has either the old or the new content.
    pub(crate) fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(name);
        save_atomically(&path, bytes).map_err(|source| Error::Write { path, source })
    }

    /// Flushes the world to disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        File::open(self.path("state.json"))?.sync_all()?;
        // Windows cannot open a directory as a file; there, the rename is durable by itself.
        #[cfg(unix)]
        File::open(&self.directory)?.sync_all()?;
        Ok(())
    }

    /// Removes a file, if it exists.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::Write { path, source }),
            _ => Ok(()),
        }
    }

    /// Opens a file to append lines.
    pub(crate) fn open_append(&self, name: &str) -> Result<File, Error> {
        let path = self.path(name);
        private_options()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|source| Error::Write { path, source })
    }

    /// Stores bytes, and returns their digest.
    pub(crate) fn save_bytes(&self, bytes: &[u8]) -> Result<String, Error> {
        let digest = hex::encode(Sha256::digest(bytes));
        let path = self.objects().join(&digest);
        if !path.exists() {
            save_atomically(&path, bytes).map_err(|source| Error::Write { path, source })?;
        }
        Ok(digest)
    }

    /// Loads the bytes with this digest.
    pub(crate) fn load_bytes(&self, digest: &str) -> Result<Vec<u8>, Error> {
        let path = self.objects().join(digest);
        fs::read(&path).map_err(|source| Error::Read { path, source })
    }

    /// Removes bytes that `world` no longer refers to.
    pub(crate) fn remove_dead_bytes(&self, world: &World) -> Result<(), Error> {
        let live = world.live_digests();
        let objects = self.objects();
        let read = |source| Error::Read { path: objects.clone(), source };
        for entry in fs::read_dir(&objects).map_err(read)? {
            let entry = entry.map_err(read)?;
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            // Delete only files that this module writes, in case the directory is not a sandbox's.
            if is_digest(name.trim_end_matches(".new")) && !live.contains(name) {
                fs::remove_file(entry.path())
                    .map_err(|source| Error::Write { path: entry.path(), source })?;
            }
        }
        Ok(())
    }
}

fn is_digest(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn save_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = directory.join(name);
    let mut file = private_options().write(true).create(true).truncate(true).open(&temporary)?;
    file.write_all(bytes)?;
    drop(file);
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_loaded_as_it_was_saved() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("box");
        assert!(load_world(&path).unwrap().is_none());
        let world = World::demo(&path).unwrap();
        save_world(&path, &world).unwrap();
        assert_eq!(load_world(&path).unwrap().unwrap(), world);
    }

    #[cfg(unix)]
    #[test]
    fn no_one_else_may_read_the_directory_or_its_files() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("box");
        save_world(&path, &World::demo(&path).unwrap()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("state.json")), 0o600);
        assert_eq!(mode(&path.join("objects")), 0o700);
    }

    #[test]
    fn a_broken_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("state.json"), "{").unwrap();
        assert!(
            matches!(load_world(directory.path()), Err(Error::Parse { path, .. }) if path.ends_with("state.json"))
        );
    }

    #[test]
    fn a_directory_is_for_one_server() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap();
        assert!(!home.is_locked());
        let lock = home.lock().unwrap();
        assert!(home.is_locked());
        assert!(matches!(home.lock(), Err(Error::Running { .. })));
        drop(lock);
        assert!(home.lock().is_ok());
    }

    #[test]
    fn only_dead_bytes_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let world = World::demo(directory.path()).unwrap();
        let home = Home::open(directory.path()).unwrap();
        let dead = home.save_bytes(b"nobody refers to this").unwrap();
        fs::write(directory.path().join("objects/notes.txt"), "not ours").unwrap();
        home.remove_dead_bytes(&world).unwrap();
        assert!(home.load_bytes(&dead).is_err());
        assert!(home.load_bytes("notes.txt").is_ok());
        for digest in world.live_digests() {
            assert!(home.load_bytes(digest).is_ok());
        }
    }
}
