//! aws-vault's store `file`: a directory with one JWE per item. granted and aws-sso-cli use the same format.
//!
//! The name of a file is that of its item, with `%` and two digits for `/` and `%`.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hatbox_types::name::ProfileName;
use hatbox_types::secret::SecretString;
use percent_encoding::percent_decode_str;

use super::{FoundKey, ReadError, parse_item, profile_of};
use crate::aws_vault::jwe::{self, JweError};

/// In bytes, far more than an item needs.
const LIMIT: u64 = 64 << 10;

/// A directory of encrypted files.
#[derive(Debug)]
pub(crate) struct FileVault {
    directory: PathBuf,
}

impl FileVault {
    pub(crate) fn open(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn profiles(&self) -> io::Result<Vec<ProfileName>> {
        let mut profiles = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                let name = entry.file_name();
                profiles.extend(name.to_str().and_then(unescape).and_then(|name| profile_of(&name)));
            }
        }
        Ok(profiles)
    }

    /// Returns the file of a profile's key.
    pub(crate) fn path_of(&self, profile: &ProfileName) -> PathBuf {
        self.directory.join(profile.as_str().replace('%', "%25").replace('/', "%2F"))
    }

    /// Opens a file. Rejects one that contains an item with another name, which aws-vault would confuse with this one.
    pub(super) fn read(
        &self,
        profile: &ProfileName,
        passphrase: &SecretString,
    ) -> Result<FoundKey, ReadError> {
        let path = self.path_of(profile);
        let about = fs::metadata(&path).map_err(ReadError::Io)?;
        if about.len() > LIMIT {
            return Err(ReadError::Form("it is longer than an item of aws-vault's"));
        }
        let text = fs::read_to_string(&path).map_err(ReadError::Io)?;
        let plain = jwe::open(&text, passphrase).map_err(|error| match error {
            JweError::WrongPassphrase => ReadError::WrongPassphrase,
            JweError::Form(what) => ReadError::Form(what),
        })?;
        parse_item(profile, &plain).map_err(ReadError::Form)
    }

    pub(super) fn delete(&self, profile: &ProfileName) -> io::Result<()> {
        fs::remove_file(self.path_of(profile))
    }
}

/// Decodes `team%2Fdev` to `team/dev`; `None` if a `%` is not followed by two digits.
fn unescape(name: &str) -> Option<String> {
    let begins_with_digits = |rest: &str| {
        rest.as_bytes().first_chunk().is_some_and(|digits: &[u8; 2]| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !name.split('%').skip(1).all(begins_with_digits) {
        return None;
    }
    percent_decode_str(name).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_those_of_items() {
        assert_eq!(unescape("team%2Fdev%25").as_deref(), Some("team/dev%"));
        assert_eq!((unescape("a%2"), unescape("a%zz"), unescape("%ff")), (None, None, None));
        let vault = FileVault::open(PathBuf::from("/keys"));
        let path = vault.path_of(&ProfileName::parse("team/dev%").unwrap());
        assert_eq!(path, Path::new("/keys/team%2Fdev%25"));
    }
}
