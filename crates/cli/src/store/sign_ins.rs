//! Sign-ins: sealed files of tokens and client registrations, whose names reveal nothing without the cache key.

use std::fs;
use std::path::{Path, PathBuf};

use hatbox_core::sso::sign_in::SignInKey;
use hmac::{Hmac, Mac};
use zeroize::Zeroizing;

use super::sealed::CacheKey;
use crate::sys::files::{
    FileError, make_private_directory, read_private, remove, sweep_temporary, write_cache,
};
use crate::sys::format_version::is_newer_json;

/// The version of the content. The files do not state it, as it is the first.
const VERSION: u64 = 1;
/// Limit in bytes. Tokens have no fixed size; those of Identity Center are a few KiB.
const LIMIT: u64 = 256 << 10;

/// The name of the list, the only file that does not belong to a single sign-in.
const LIST: &str = "sso list";

/// What a file contains. Each is sealed for its kind and sign-in, so a file that replaces another does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignInFile {
    /// The access token and the refresh token.
    Token,
    /// The client registration for sign-ins with a browser redirect.
    RedirectClient,
    /// The client registration for sign-ins with a device code.
    DeviceClient,
}

impl SignInFile {
    fn as_str(self) -> &'static str {
        match self {
            Self::Token => "sso token",
            Self::RedirectClient => "sso redirect client",
            Self::DeviceClient => "sso device client",
        }
    }
}

/// The sign-ins in one directory.
#[derive(Debug, Clone)]
pub(crate) struct SignIns {
    directory: PathBuf,
    key: CacheKey,
}

impl SignIns {
    pub(crate) fn open(directory: &Path, key: CacheKey) -> Self {
        Self { directory: directory.to_owned(), key }
    }

    /// Loads the file. Returns `None` if it is damaged or was sealed under another key, as the content can be obtained
    /// again.
    ///
    /// # Errors
    /// If other users can access the file, or a newer version of hatbox wrote it.
    pub(crate) fn load(
        &self,
        file: SignInFile,
        sign_in: &SignInKey,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
        let name = self.name(file, sign_in);
        self.read(&name, &purpose(file, &name))
    }

    fn read(&self, name: &str, purpose: &str) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
        let path = self.directory.join(name);
        let sealed = match read_private(&path, LIMIT) {
            Ok(sealed) => sealed,
            Err(FileError::Absent(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let plain = self.key.open_file(&path, purpose, &sealed)?;
        match plain {
            Some(plain) if is_newer_json(&plain, VERSION) => Err(FileError::newer(&path)),
            plain => Ok(plain),
        }
    }

    /// Saves the file, replacing an earlier one. The content can be obtained again.
    pub(crate) fn save(&self, file: SignInFile, sign_in: &SignInKey, text: &[u8]) -> Result<(), FileError> {
        let name = self.name(file, sign_in);
        self.write(&name, &purpose(file, &name), text)
    }

    fn write(&self, name: &str, purpose: &str, text: &[u8]) -> Result<(), FileError> {
        make_private_directory(&self.directory)?;
        let path = self.directory.join(name);
        if let Err(newer @ FileError::Newer(_)) = self.read(name, purpose) {
            return Err(newer);
        }
        let sealed = self.key.seal(purpose, text);
        let sealed = sealed.map_err(|error| FileError::io("write", &path)(std::io::Error::other(error)))?;
        write_cache(&path, &sealed)
    }

    /// Deletes the file. Returns whether there was one.
    pub(crate) fn delete(&self, file: SignInFile, sign_in: &SignInKey) -> Result<bool, FileError> {
        remove(&self.directory.join(self.name(file, sign_in)))
    }

    /// Loads the list of sign-ins; empty if there is none.
    pub(crate) fn load_list(&self) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let name = self.digest(LIST, &[]);
        Ok(self.read(&name, &format!("{LIST} {name}"))?.unwrap_or_default())
    }

    /// Saves the list. An empty list is deleted.
    pub(crate) fn save_list(&self, text: &[u8]) -> Result<(), FileError> {
        let name = self.digest(LIST, &[]);
        if text.is_empty() {
            return remove(&self.directory.join(name)).map(|_| ());
        }
        self.write(&name, &format!("{LIST} {name}"), text)
    }

    /// Returns the path of the lock file of a sign-in in `directory`.
    pub(crate) fn lock_path(&self, directory: &Path, sign_in: &SignInKey) -> PathBuf {
        directory.join(format!("sign-in-{}.lock", self.digest("sso lock", sign_in.as_bytes())))
    }

    fn name(&self, file: SignInFile, sign_in: &SignInKey) -> String {
        self.digest(file.as_str(), sign_in.as_bytes())
    }

    fn digest(&self, what: &str, of: &[u8]) -> String {
        // HMAC accepts keys of any length, so this cannot fail.
        let Ok(mut mac) = <Hmac<sha2::Sha256> as Mac>::new_from_slice(self.key.expose()) else {
            return String::new();
        };
        for part in ["hatbox sign-in file".as_bytes(), &[0], what.as_bytes(), &[0], of] {
            mac.update(part);
        }
        hex::encode(mac.finalize().into_bytes().get(..16).unwrap_or_default())
    }
}

fn purpose(file: SignInFile, name: &str) -> String {
    format!("{} {name}", file.as_str())
}

/// Deletes all sign-ins in `directory`, which needs no key. Returns how many files there were.
pub(crate) fn delete_all_sign_ins(directory: &Path) -> Result<usize, FileError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(FileError::io("open", directory)(error)),
    };
    let (mut count, mut refused) = (0, None);
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.len() != 32 || !name.bytes().all(|b| b.is_ascii_hexdigit()) {
            continue;
        }
        match remove(&entry.path()) {
            Ok(was_there) => count += usize::from(was_there),
            Err(error) => refused = Some(error),
        }
    }
    sweep_temporary(directory);
    refused.map_or(Ok(count), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hatbox_core::config::profile::{Origin, Sourced, Sso};
    use hatbox_core::sso::sign_in::resolve_sign_in_key;

    fn sign_in(session: &str) -> SignInKey {
        let start_url = "https://corp.awsapps.com/start".to_owned();
        resolve_sign_in_key(&Sso {
            session: Some(session.to_owned()),
            start_url: Sourced { value: start_url, origin: Origin::Default },
            region: "eu-west-1".parse().unwrap(),
            account_id: None,
            role_name: None,
            registration_scopes: Vec::new(),
            use_device_code: false,
            urls: Box::default(),
        })
    }

    #[test]
    fn a_file_opens_for_its_kind_and_its_sign_in_alone() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("sign-ins");
        let key = CacheKey::generate().unwrap();
        let sign_ins = SignIns::open(&directory, key.clone());
        let (corp, other) = (sign_in("corp"), sign_in("other"));
        assert!(sign_ins.load(SignInFile::Token, &corp).unwrap().is_none());
        sign_ins.save(SignInFile::Token, &corp, b"secret").unwrap();
        assert_eq!(sign_ins.load(SignInFile::Token, &corp).unwrap().unwrap().as_slice(), b"secret");
        for (file, sign_in) in [(SignInFile::Token, &other), (SignInFile::DeviceClient, &corp)] {
            assert!(sign_ins.load(file, sign_in).unwrap().is_none());
            let from = directory.join(sign_ins.name(SignInFile::Token, &corp));
            write_cache(&directory.join(sign_ins.name(file, sign_in)), &fs::read(from).unwrap()).unwrap();
            assert!(sign_ins.load(file, sign_in).unwrap().is_none(), "a copy does not open");
        }
        let later = br#"{"version":2}"#;
        sign_ins.save(SignInFile::DeviceClient, &other, later).unwrap();
        assert!(matches!(sign_ins.load(SignInFile::DeviceClient, &other), Err(FileError::Newer(_))));
        let replaced = sign_ins.save(SignInFile::DeviceClient, &other, b"{}");
        assert!(matches!(replaced, Err(FileError::Newer(_))), "it stays");
        sign_ins.save_list(later).unwrap();
        assert!(matches!(sign_ins.load_list(), Err(FileError::Newer(_))));
        let stranger = SignIns::open(&directory, CacheKey::generate().unwrap());
        assert!(stranger.load(SignInFile::Token, &corp).unwrap().is_none());
        assert_eq!(delete_all_sign_ins(&directory).unwrap(), 5);
        assert!(!sign_ins.delete(SignInFile::Token, &corp).unwrap());
    }
}
