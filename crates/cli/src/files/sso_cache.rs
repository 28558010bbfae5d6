//! Tokens in `~/.aws/sso/cache`, which the AWS CLI and the SDKs read and refresh: taken over from there, and written.
//!
//! None of those programs takes a lock, so a file may change at any moment; it is replaced whole, as they do it. It is
//! found by its name alone: the home directory's, whatever `AWS_CONFIG_FILE` says.

use std::io::{self, Read};
use std::path::PathBuf;

use hatbox_core::sso::token_file::{SsoToken, token_file_name};
use zeroize::Zeroizing;

use crate::sys::access::{Ownership, open_unblocked};
use crate::sys::files::{FileError, Keep, make_private_directory, remove, write_if_unchanged};
use crate::sys::lock;
use crate::world::World;

/// Tokens of Identity Center have a few KiB.
const LIMIT: u64 = 256 << 10;
/// How often a file is read again because another program was quicker.
const TRIES: u32 = 10;

/// The file of one session, or of a start URL where a profile has no `sso_session`.
#[derive(Debug, Clone)]
pub(crate) struct SharedTokenFile {
    path: PathBuf,
    lock: PathBuf,
}

impl SharedTokenFile {
    pub(crate) fn of(world: &World, session_or_url: &str) -> Self {
        Self {
            path: world.dirs.home().join(".aws/sso/cache").join(token_file_name(session_or_url)),
            lock: world.dirs.locks().join("sso-cache.lock"),
        }
    }

    /// The token in it. `None` where there is none that could be used: no file, no token, or one that others could have
    /// put there; why is said under `--debug`.
    pub(crate) fn load(&self, world: &World) -> Option<SsoToken> {
        let text = match self.read() {
            Ok(text) => text?,
            Err(error) => {
                world.output.debug(|| format!("`{}` is not used: {error}", self.path.display()));
                return None;
            }
        };
        let token = std::str::from_utf8(&text).ok().map(SsoToken::parse);
        match token {
            Some(Ok(token)) => Some(token),
            Some(Err(error)) => {
                world.output.debug(|| format!("`{}` is not used: {error}", self.path.display()));
                None
            }
            None => None,
        }
    }

    /// Writes the token, and keeps the fields that other programs put there.
    pub(crate) fn save(&self, token: &SsoToken) -> Result<(), FileError> {
        for directory in [self.path.parent(), self.lock.parent()].into_iter().flatten() {
            // That of the AWS CLI may be open to readers; its files are not.
            if !directory.is_dir() {
                make_private_directory(directory)?;
            }
        }
        let _held = lock::hold(&self.lock)?;
        let mut result = Ok(());
        for _ in 0..TRIES {
            let old = if let Ok(old) = self.read() {
                old.unwrap_or_default()
            } else {
                // What cannot be believed is deleted, and nothing of it is kept.
                self.delete()?;
                Zeroizing::default()
            };
            let new = Zeroizing::new(token.render(std::str::from_utf8(&old).ok()));
            result = write_if_unchanged(&self.path, &old, new.as_bytes(), Keep::Nothing);
            if !matches!(result, Err(FileError::Changed(_))) {
                break;
            }
        }
        result
    }

    /// Deletes it. Returns whether it was there.
    pub(crate) fn delete(&self) -> Result<bool, FileError> {
        remove(&self.path)
    }

    fn read(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let file = match open_unblocked(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let about = file.metadata()?;
        if !about.is_file() || about.len() > LIMIT {
            return Err(io::Error::other("it is not a file of the expected size"));
        }
        // Security: whoever can write the file could make the user act as another person.
        Ownership::of(&file, &about).check_trusted().map_err(|why| io::Error::other(why.to_string()))?;
        let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(LIMIT).unwrap_or_default()));
        file.take(LIMIT).read_to_end(&mut text)?;
        Ok(Some(text))
    }
}
