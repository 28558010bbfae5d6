//! Sealed backups of files that contained plain-text keys before hatbox removed them.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::sealed::CacheKey;
use crate::sys::files::{FileError, Keep, make_private_directory, read_private, write_atomic};

const LIMIT: u64 = 64 << 20;

/// The backups in one directory.
#[derive(Debug)]
pub(crate) struct Backups {
    directory: PathBuf,
}

impl Backups {
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    fn purpose(name: &str) -> String {
        format!("backup {name}")
    }

    /// Returns the names of the backups, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    }

    /// Seals `bytes` and saves them under this name.
    pub(crate) fn save(&self, key: &CacheKey, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        make_private_directory(&self.directory)?;
        let path = self.directory.join(name);
        let sealed = key
            .seal(&Self::purpose(name), bytes)
            .map_err(|error| FileError::io("write", &path)(std::io::Error::other(error)))?;
        write_atomic(&path, &sealed, Keep::Nothing)
    }

    /// Loads the backup of this name; `None` if there is none, or if it cannot be opened with this key.
    ///
    /// # Errors
    /// Also if a newer version of hatbox wrote it.
    pub(crate) fn load(&self, key: &CacheKey, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
        // Security: only listed names are accepted, so a name cannot lead out of the directory.
        if !self.names().iter().any(|other| other == name) {
            return Ok(None);
        }
        let path = self.directory.join(name);
        let sealed = read_private(&path, LIMIT)?;
        key.open_file(&path, &Self::purpose(name), &sealed)
    }

    /// Checks that all backups can be resealed.
    ///
    /// # Errors
    /// If a backup cannot be read, or a newer version of hatbox wrote it.
    #[cfg(feature = "file")]
    pub(crate) fn check(&self, key: &CacheKey) -> Result<(), FileError> {
        self.names().iter().try_for_each(|name| self.load(key, name).map(drop))
    }

    /// Seals all backups under another key. Leaves backups that the old key does not open.
    pub(crate) fn reseal(&self, old: &CacheKey, new: &CacheKey) -> Result<(), FileError> {
        for name in self.names() {
            if let Some(bytes) = self.load(old, &name)? {
                self.save(new, &name, &bytes)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_comes_back_under_its_key_and_its_name_alone() {
        let dir = tempfile::tempdir().unwrap();
        let backups = Backups::in_directory(&dir.path().join("backups"));
        let (key, other) = (CacheKey::generate().unwrap(), CacheKey::generate().unwrap());
        assert_eq!(backups.names(), [""; 0]);
        backups.save(&key, "a", b"secret").unwrap();
        assert_eq!(backups.load(&key, "a").unwrap().unwrap().as_slice(), b"secret");
        assert!(backups.load(&other, "a").unwrap().is_none());
        assert!(backups.load(&key, "../backups/a").unwrap().is_none());
        let sealed = std::fs::read(dir.path().join("backups/a")).unwrap();
        write_atomic(&dir.path().join("backups/b"), &sealed, Keep::Nothing).unwrap();
        assert!(backups.load(&key, "b").unwrap().is_none(), "under another name");
        std::fs::remove_file(dir.path().join("backups/b")).unwrap();
        backups.reseal(&key, &other).unwrap();
        assert!(backups.load(&key, "a").unwrap().is_none());
        assert_eq!(backups.load(&other, "a").unwrap().unwrap().as_slice(), b"secret");
        assert_eq!(backups.names(), ["a"]);
        backups.check(&other).unwrap();
        std::fs::write(dir.path().join("backups/a"), b"hatbox-sealed-2\n...").unwrap();
        assert!(matches!(backups.check(&other), Err(FileError::Newer(_))));
    }
}
