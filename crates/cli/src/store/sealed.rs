//! Sealed boxes: XChaCha20-Poly1305 under the cache key, with the purpose as associated data.
//!
//! A box consists of `hatbox-sealed-1\n`, a random nonce of 24 bytes, and the ciphertext with its 16-byte tag. The
//! purpose (kind and identity) is authenticated, so a box that replaces another one does not open.

use std::path::Path;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::sys::files::FileError;
use crate::sys::format_version::is_newer_magic;
use crate::sys::memory::keep_from_swap;

const MAGIC: &[u8] = b"hatbox-sealed-1\n";
/// Later formats begin with this too, followed by their number.
const NAME: &[u8] = b"hatbox-sealed-";
const NONCE: usize = 24;

/// The 32 bytes that seal the index and the sessions.
#[derive(Clone)]
pub(crate) struct CacheKey(Arc<Zeroizing<[u8; 32]>>);

impl std::fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CacheKey([redacted])")
    }
}

/// Why a box cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes")]
    Random,
    /// The box has a later format.
    #[error("it was written by a newer version of hatbox")]
    Newer,
    /// The box is damaged, has another purpose, or was sealed under another key.
    #[error("it does not open with this key")]
    Broken,
}

impl CacheKey {
    /// Generates a random key.
    pub(crate) fn generate() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::getrandom(&mut *bytes).map_err(|_| SealError::Random)?;
        Ok(Self::of(bytes))
    }

    /// Returns the key with these bytes; `None` unless there are exactly 32.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::of(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// Keeps a single copy in the process, at a fixed address.
    fn of(bytes: Zeroizing<[u8; 32]>) -> Self {
        let key = Self(Arc::new(bytes));
        keep_from_swap(key.expose());
        key
    }

    /// Returns the bytes, for the store, the kernel keyring, and the HMACs that become file names.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain` for `purpose`.
    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE];
        getrandom::getrandom(&mut nonce).map_err(|_| SealError::Random)?;
        let sealed = self
            .cipher()
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: purpose.as_bytes() })
            .map_err(|_| SealError::Broken)?;
        Ok([MAGIC, &nonce, &sealed].concat())
    }

    /// Opens a box that was sealed for `purpose`.
    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let Some(rest) = sealed.strip_prefix(MAGIC) else {
            let is_newer = is_newer_magic(sealed, NAME, MAGIC.strip_prefix(NAME).unwrap_or_default());
            return Err(if is_newer { SealError::Newer } else { SealError::Broken });
        };
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(SealError::Broken)?;
        self.cipher()
            .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: purpose.as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| SealError::Broken)
    }

    /// Opens the content of the file at `path`; `None` if it is damaged, or has another purpose or key.
    ///
    /// # Errors
    /// If a newer version of hatbox sealed it.
    pub(crate) fn open_file(
        &self,
        path: &Path,
        purpose: &str,
        sealed: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
        match self.open(purpose, sealed) {
            Ok(plain) => Ok(Some(plain)),
            Err(SealError::Newer) => Err(FileError::newer(path)),
            Err(SealError::Random | SealError::Broken) => Ok(None),
        }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(Key::from_slice(self.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_opens_with_its_key_for_its_purpose_only() {
        let key = CacheKey::generate().unwrap();
        let sealed = key.seal("session a", b"text").unwrap();
        assert_eq!(&*key.open("session a", &sealed).unwrap(), b"text");
        assert_eq!(key.open("session b", &sealed), Err(SealError::Broken));
        assert!(CacheKey::generate().unwrap().open("session a", &sealed).is_err());
    }

    #[test]
    fn a_box_of_a_later_format_is_known_as_one() {
        let key = CacheKey::generate().unwrap();
        for (later, error) in [
            (&b"hatbox-sealed-2\n"[..], SealError::Newer),
            (b"hatbox-sealed-10\nmore", SealError::Newer),
            (b"hatbox-sealed-", SealError::Broken),
            (b"hatbox-sealed-1\n", SealError::Broken),
            (b"something else", SealError::Broken),
        ] {
            assert_eq!(key.open("p", later), Err(error), "{}", String::from_utf8_lossy(later));
        }
    }

    #[test]
    fn a_box_with_any_bit_flipped_or_cut_short_does_not_open() {
        let key = CacheKey::generate().unwrap();
        let sealed = key.seal("p", b"text").unwrap();
        for index in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1;
            assert!(key.open("p", &flipped).is_err(), "byte {index}");
            assert!(key.open("p", &sealed[..index]).is_err(), "length {index}");
        }
    }
}
