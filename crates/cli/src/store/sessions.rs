//! Cached sessions: one sealed file each, whose name reveals nothing without the cache key.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hatbox_core::cache::{
    CachedSession, CachedSessionError, SessionKey, parse_cached_session, render_cached_session,
};
use hatbox_types::name::ProfileName;

use super::sealed::CacheKey;
use super::sign_ins::SignIns;
use crate::sys::files::{
    FileError, make_private_directory, read_private, remove, sweep_temporary, write_cache,
};

/// Limit in bytes. Session tokens have no fixed size; AWS's are currently below 4 KiB.
const LIMIT: u64 = 256 << 10;

/// Sessions with the names of their files, and the errors of files that cannot be read.
pub(crate) type Listed = (Vec<(String, CachedSession)>, Vec<FileError>);

/// The sessions in one directory.
#[derive(Debug)]
pub(crate) struct Sessions {
    directory: PathBuf,
    key: CacheKey,
}

impl Sessions {
    pub(crate) fn open(directory: &Path, key: CacheKey) -> Self {
        Self { directory: directory.to_owned(), key }
    }

    /// Returns the sign-ins in `directory`, sealed under the same key.
    pub(crate) fn sign_ins(&self, directory: &Path) -> SignIns {
        SignIns::open(directory, self.key.clone())
    }

    fn name(&self, key: &SessionKey) -> String {
        key.render_file_name(self.key.expose())
    }

    /// Returns the path of a lock file in `directory`, whose name reveals nothing without the key.
    pub(crate) fn lock_path(&self, directory: &Path, kind: &str, identity: &[u8]) -> PathBuf {
        use hmac::{Hmac, Mac};
        // HMAC accepts keys of any length, so this cannot fail.
        let mut name = String::new();
        if let Ok(mut mac) = <Hmac<sha2::Sha256> as Mac>::new_from_slice(self.key.expose()) {
            for part in ["hatbox lock file".as_bytes(), &[0], kind.as_bytes(), &[0], identity] {
                mac.update(part);
            }
            name = hex::encode(mac.finalize().into_bytes().get(..16).unwrap_or_default());
        }
        directory.join(format!("{kind}-{name}.lock"))
    }

    fn purpose(name: &str) -> String {
        format!("session {name}")
    }

    /// Loads the session of this key. Returns `None` if it is damaged or was sealed under another key, as it can be
    /// obtained again.
    ///
    /// # Errors
    /// If other users can access the file, or a newer version of hatbox wrote it.
    pub(crate) fn load(&self, key: &SessionKey) -> Result<Option<CachedSession>, FileError> {
        self.load_named(&self.name(key))
    }

    fn load_named(&self, name: &str) -> Result<Option<CachedSession>, FileError> {
        let path = self.directory.join(name);
        let sealed = match read_private(&path, LIMIT) {
            Ok(sealed) => sealed,
            Err(FileError::Absent(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(plain) = self.key.open_file(&path, &Self::purpose(name), &sealed)? else { return Ok(None) };
        match parse_cached_session(&plain) {
            Ok(session) => Ok(Some(session)),
            Err(CachedSessionError::Newer(_)) => Err(FileError::newer(&path)),
            Err(_) => Ok(None),
        }
    }

    /// Saves a session under this key. It can be obtained again, so this does not wait for the disk.
    pub(crate) fn save(&self, key: &SessionKey, session: &CachedSession) -> Result<(), FileError> {
        self.save_named(&self.name(key), session)
    }

    /// Saves a session in the file `name`, but not over one that a newer version of hatbox wrote.
    fn save_named(&self, name: &str, session: &CachedSession) -> Result<(), FileError> {
        make_private_directory(&self.directory)?;
        let path = self.directory.join(name);
        if let Err(newer @ FileError::Newer(_)) = self.load_named(name) {
            return Err(newer);
        }
        let sealed = self
            .key
            .seal(&Self::purpose(name), &render_cached_session(session))
            .map_err(|error| FileError::io("write", &path)(std::io::Error::other(error)))?;
        write_cache(&path, &sealed)
    }

    /// Lists all sessions that the key opens, with their file names. Files that cannot be read are reported in addition
    /// to the others.
    pub(crate) fn list(&self) -> Result<Listed, FileError> {
        let (mut sessions, mut broken) = (Vec::new(), Vec::new());
        for name in names(&self.directory)? {
            match self.load_named(&name) {
                Ok(Some(session)) => sessions.push((name, session)),
                Ok(None) => {}
                Err(error) => broken.push(error),
            }
        }
        sessions.sort_by(|(_, a), (_, b)| (&a.profile, a.call.label()).cmp(&(&b.profile, b.call.label())));
        Ok((sessions, broken))
    }

    /// Deletes all sessions of a profile that the key opens. Returns how many there were.
    pub(crate) fn delete_of_profile(&self, profile: &ProfileName) -> Result<usize, FileError> {
        let mut count = 0;
        for (name, session) in self.list()?.0 {
            if session.profile == *profile {
                count += usize::from(self.delete(&name)?);
            }
        }
        Ok(count)
    }

    /// Deletes all sessions of these profiles that the key opens, except those of the session keys `kept`. Returns how
    /// many were deleted.
    pub(crate) fn delete_others(
        &self,
        profiles: &BTreeSet<ProfileName>,
        kept: &[SessionKey],
    ) -> Result<usize, FileError> {
        let kept: Vec<_> = kept.iter().map(|key| self.name(key)).collect();
        let mut count = 0;
        for (name, session) in self.list()?.0 {
            if profiles.contains(&session.profile) && !kept.contains(&name) {
                count += usize::from(self.delete(&name)?);
            }
        }
        Ok(count)
    }

    /// Deletes the session of this key. Returns whether there was one.
    pub(crate) fn delete_key(&self, key: &SessionKey) -> Result<bool, FileError> {
        self.delete(&self.name(key))
    }

    /// Deletes the session in the file `name`.
    fn delete(&self, name: &str) -> Result<bool, FileError> {
        remove(&self.directory.join(name))
    }
}

/// Deletes all sealed sessions in `directory`, which needs no key. Returns how many there were.
pub(crate) fn delete_all(directory: &Path) -> Result<usize, FileError> {
    let (mut count, mut refused) = (0, None);
    for name in names(directory)? {
        match remove(&directory.join(name)) {
            Ok(was_there) => count += usize::from(was_there),
            Err(error) => refused = Some(error),
        }
    }
    sweep_temporary(directory);
    refused.map_or(Ok(count), Err)
}

fn names(directory: &Path) -> Result<Vec<String>, FileError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::io("open", directory)(error)),
    };
    Ok(entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_a_later_version_is_an_error_and_one_of_no_version_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(dir.path(), CacheKey::generate().unwrap());
        let name = "0123456789abcdef0123456789abcdef";
        let write = |text: &[u8]| {
            let sealed = sessions.key.seal(&Sessions::purpose(name), text).unwrap();
            write_cache(&dir.path().join(name), &sealed).unwrap();
        };
        write(b"{\"version\":2,\"later\":true}");
        assert!(matches!(sessions.load_named(name), Err(FileError::Newer(_))));
        assert_eq!(sessions.list().unwrap().1.len(), 1);
        write(b"{\"version\":0}");
        assert!(sessions.load_named(name).unwrap().is_none());
    }

    /// Another process may run a newer version, which writes between this one's search for a session and its save.
    #[test]
    fn a_session_is_not_saved_over_one_of_a_later_version() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("sessions");
        make_private_directory(&directory).unwrap();
        let sessions = Sessions::open(&directory, CacheKey::generate().unwrap());
        let name = "0123456789abcdef0123456789abcdef";
        let path = directory.join(name);
        let text = br#"{"version":1,"call":"sts.GetSessionToken","profile":"jan","access_key_id":"ASIAIOSFODNN7EXAMPLE",
            "secret_access_key":"secret","session_token":"token","expires_at":2000000000,"obtained_at":1900000000,"asked":null}"#;
        let session = parse_cached_session(text).unwrap();
        let seal = |text: &[u8]| sessions.key.seal(&Sessions::purpose(name), text).unwrap();
        let later_file = [b"hatbox-sealed-2\n", &seal(text)["hatbox-sealed-1\n".len()..]].concat();
        let later_text = seal(b"{\"version\":2,\"later\":true}");
        for later in [later_file, later_text] {
            write_cache(&path, &later).unwrap();
            let error = sessions.save_named(name, &session).unwrap_err();
            assert!(
                matches!(&error, FileError::Newer(named) if *named == path.display().to_string()),
                "{error}"
            );
            assert_eq!(fs::read(&path).unwrap(), later);
        }
        write_cache(&path, b"damaged").unwrap();
        sessions.save_named(name, &session).unwrap();
        let loaded = sessions.load_named(name).unwrap().unwrap();
        assert_eq!(loaded.credentials.access_key_id, session.credentials.access_key_id);
    }
}
