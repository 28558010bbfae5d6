//! Keeps the cache key between commands if there is no kernel keyring but a passphrase is available without a prompt:
//! in a memory-backed file, sealed under that passphrase.
//!
//! Opening the store takes half a second of scrypt. Containers and CI jobs, which have no kernel keyring, would pay
//! that for every command. The box contains only the cache key, which opens the index and the cached sessions, but no
//! stored access key. It has a timeout, like an entry of the keyring.
//!
//! Security: PBKDF2 with few rounds is far cheaper than the store's scrypt, so anyone who can read the file can guess
//! passphrases quickly. Only the user can read the file, it is never on a disk, and it does not survive a reboot or the
//! container.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use hatbox_types::secret::SecretString;
use hmac::Hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::sealed::CacheKey;

/// Takes about half a millisecond, so that a cached `exec` stays fast.
const ROUNDS: u32 = 2000;
const SALT: usize = 16;
const PURPOSE: &str = "cache key under the passphrase";

/// Returns the content of a box: a salt, and the cache key sealed under a key derived from the salt and the passphrase.
pub(super) fn seal(key: &CacheKey, passphrase: &SecretString) -> Option<Vec<u8>> {
    let mut salt = [0; SALT];
    getrandom::getrandom(&mut salt).ok()?;
    let sealed = derive(passphrase, &salt)?.seal(PURPOSE, key.expose()).ok()?;
    Some([&salt[..], &sealed].concat())
}

/// Returns the cache key in a box; `None` if it was sealed under another passphrase.
pub(super) fn open(content: &[u8], passphrase: &SecretString) -> Option<CacheKey> {
    let (salt, sealed) = content.split_at_checked(SALT)?;
    let plain = derive(passphrase, salt)?.open(PURPOSE, sealed).ok()?;
    CacheKey::of_bytes(&plain)
}

fn derive(passphrase: &SecretString, salt: &[u8]) -> Option<CacheKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2::<Hmac<Sha256>>(passphrase.expose().as_bytes(), salt, ROUNDS, &mut *bytes).ok()?;
    CacheKey::of_bytes(&*bytes)
}

/// Lists the directories for boxes, best first: in memory, and accessible to the user only.
pub(crate) fn places(runtime: Option<&Path>, user: impl Display) -> Vec<PathBuf> {
    let mut places: Vec<_> = runtime.map(Path::to_owned).into_iter().collect();
    if cfg!(target_os = "linux") {
        // The first is the usual XDG_RUNTIME_DIR, so that a box there is found and deleted even if the variable is not
        // set.
        for place in [format!("/run/user/{user}/hatbox"), format!("/dev/shm/hatbox-{user}")] {
            let place = PathBuf::from(place);
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_opens_with_its_passphrase_and_with_no_other() {
        let key = CacheKey::generate().unwrap();
        let passphrase = SecretString::new("correct horse".to_owned());
        let content = seal(&key, &passphrase).unwrap();
        assert_eq!(open(&content, &passphrase).unwrap().expose(), key.expose());
        assert!(open(&content, &SecretString::new("correct hors".to_owned())).is_none());
        assert_ne!(content, seal(&key, &passphrase).unwrap(), "each has a salt of its own");
        for at in 0..content.len() {
            let mut changed = content.clone();
            changed[at] ^= 1;
            assert!(open(&changed, &passphrase).is_none(), "byte {at}");
            assert!(open(&content[..at], &passphrase).is_none(), "cut at {at}");
        }
    }
}
