//! Tokens in `~/.aws/sso/cache`, which the AWS CLI and the SDKs read and refresh. hatbox reuses and writes them.
//!
//! Those programs take no lock, so a file may change at any time; like them, hatbox always replaces the whole file. The
//! directory is always in the home directory, even if `AWS_CONFIG_FILE` is set.

use std::io::{self, Read};
use std::path::PathBuf;

use hatbox_core::sso::token_file::{SsoToken, token_file_name};
use zeroize::Zeroizing;

use crate::sys::access::{Ownership, open_unblocked};
use crate::sys::files::{FileError, Keep, make_private_directory, remove, write_if_unchanged};
use crate::sys::lock;
use crate::world::World;

/// Limit in bytes. Tokens of Identity Center are a few KiB.
const LIMIT: u64 = 256 << 10;
/// How often a file is read again because another program changed it meanwhile.
const TRIES: u32 = 10;

/// Which tokens in the file hatbox may use, replace and delete.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// All: the sign-in is at AWS's own endpoint, so a token is only sent to AWS.
    All,
    /// Only those from the same sign-ins as these tokens.
    Of(Vec<SsoToken>),
}

/// Why a token could not be saved in the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShareError {
    /// The file contains the token of another sign-in, or no valid token.
    #[error("`{0}` does not come from a sign-in at this endpoint, and stays as it is")]
    Elsewhere(String),
    /// The file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The file of one SSO session, or of a start URL if the profile has no `sso_session`.
#[derive(Debug, Clone)]
pub(crate) struct SharedTokenFile {
    path: PathBuf,
    lock: PathBuf,
    known: Known,
}

impl SharedTokenFile {
    pub(crate) fn of(world: &World, session_or_url: &str, known: Known) -> Self {
        Self {
            path: world.dirs.home().join(".aws/sso/cache").join(token_file_name(session_or_url)),
            lock: world.dirs.locks().join("sso-cache.lock"),
            known,
        }
    }

    /// Loads the token. Returns `None` if there is no usable one: the file or the token is missing, or other users can
    /// write to the file. `--debug` shows the reason.
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
            Some(Ok(token)) if self.is_known(&token) => Some(token),
            Some(Ok(_)) => {
                world
                    .output
                    .debug(|| format!("`{}` is not used: it is of another sign-in", self.path.display()));
                None
            }
            Some(Err(error)) => {
                world.output.debug(|| format!("`{}` is not used: {error}", self.path.display()));
                None
            }
            None => None,
        }
    }

    /// Saves the token, and keeps fields that other programs added.
    pub(crate) fn save(&self, token: &SsoToken) -> Result<(), ShareError> {
        for directory in [self.path.parent(), self.lock.parent()].into_iter().flatten() {
            // The AWS CLI's directory may be readable by others; its files are not.
            if !directory.is_dir() {
                make_private_directory(directory)?;
            }
        }
        let _held = lock::hold(&self.lock)?;
        let mut result = Ok(());
        for _ in 0..TRIES {
            let old = self.read();
            if !self.may_replace(&old) {
                return Err(ShareError::Elsewhere(self.path.display().to_string()));
            }
            let old = if let Ok(old) = old {
                old.unwrap_or_default()
            } else {
                // An untrusted file is deleted, and its content is not reused.
                self.delete()?;
                Zeroizing::default()
            };
            let new = Zeroizing::new(token.render(std::str::from_utf8(&old).ok()));
            result = write_if_unchanged(&self.path, &old, new.as_bytes(), Keep::Nothing);
            if !matches!(result, Err(FileError::Changed(_))) {
                break;
            }
        }
        Ok(result?)
    }

    /// Deletes the file, unless it belongs to another sign-in. Returns whether there was one.
    pub(crate) fn delete(&self) -> Result<bool, FileError> {
        if self.may_replace(&self.read()) { remove(&self.path) } else { Ok(false) }
    }

    fn is_known(&self, token: &SsoToken) -> bool {
        match &self.known {
            Known::All => true,
            Known::Of(tokens) => tokens.iter().any(|known| known.is_same_sign_in(token)),
        }
    }

    fn may_replace(&self, old: &io::Result<Option<Zeroizing<Vec<u8>>>>) -> bool {
        let token = |text: &[u8]| SsoToken::parse(std::str::from_utf8(text).ok()?).ok();
        match (&self.known, old) {
            (Known::All, _) | (Known::Of(_), Ok(None)) => true,
            (Known::Of(_), Ok(Some(text))) => token(text).is_some_and(|token| self.is_known(&token)),
            (Known::Of(_), Err(_)) => false,
        }
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
        // Security: anyone who can write to the file could make the user act under another identity.
        Ownership::of(&file, &about).check_trusted().map_err(|why| io::Error::other(why.to_string()))?;
        let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(LIMIT).unwrap_or_default()));
        file.take(LIMIT).read_to_end(&mut text)?;
        Ok(Some(text))
    }
}
