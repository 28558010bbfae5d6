//! The Linux kernel keyring.
//!
//! | keyring of the process | entries go to |
//! |---|---|
//! | a real session keyring (`pam_keyinit`, `keyctl session`) of the effective user | `@s`: gone with the session |
//! | none, or the `_uid_ses.N` stand-in | `@us`: per user |
//! | that of another user, as after `su` or `sudo` without `pam_keyinit` | `@us`: the other user reads his own keyring |
//!
//! Which one it is is tested without creating one (keyctl(2), KEYCTL_GET_KEYRING_ID).
#![expect(unsafe_code, reason = "the crate has no call for a new session keyring without a name")]

use std::io;
use std::time::Duration;

use linux_keyutils::{KeyError, KeyRing, KeyRingIdentifier, LinkNode};
use zeroize::Zeroizing;

use super::KeyringError;

fn of_error(error: KeyError) -> KeyringError {
    match error {
        KeyError::KeyDoesNotExist
        | KeyError::KeyExpired
        | KeyError::KeyRevoked
        | KeyError::KeyRejected
        | KeyError::KeyringDoesNotExist => KeyringError::Absent,
        KeyError::QuotaExceeded => KeyringError::Full,
        _ => KeyringError::Denied,
    }
}

fn ring() -> Result<KeyRing, KeyringError> {
    match KeyRing::from_special_id(KeyRingIdentifier::Session, false) {
        Ok(session) => {
            let Ok(about) = session.metadata() else { return user_session() };
            if about.get_description().trim_end_matches('\0').starts_with("_uid_ses.") {
                user_session()
            } else if about.get_uid() == rustix::process::geteuid().as_raw() {
                Ok(session)
            } else {
                // Security: whoever owns a keyring can read all of it. Debian's su and sudo start no new one.
                linked_user_session()
            }
        }
        Err(KeyError::KeyDoesNotExist | KeyError::KeyringDoesNotExist) => user_session(),
        Err(error) => match of_error(error) {
            KeyringError::Absent => user_session(),
            other => Err(other),
        },
    }
}

fn user_session() -> Result<KeyRing, KeyringError> {
    KeyRing::from_special_id(KeyRingIdentifier::UserSession, true).map_err(of_error)
}

/// The user's own session keyring where the process has that of another user: linked to the keyring of this process, as
/// only what can be reached from there may be read (keyrings(7), Possession).
fn linked_user_session() -> Result<KeyRing, KeyringError> {
    let user = user_session()?;
    let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true).map_err(of_error)?;
    own.link_keyring(user).map_err(of_error)?;
    Ok(user)
}

/// Reads an entry and starts its timeout again, which `timeout_of` finds in its value.
pub(crate) fn read(
    description: &str,
    timeout_of: impl FnOnce(&[u8]) -> Duration,
) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    let key = ring()?.search(description).map_err(of_error)?;
    let mut buffer = Zeroizing::new([0_u8; 256]);
    let length = key.read(&mut *buffer).map_err(of_error)?;
    let value = buffer.get(..length).ok_or(KeyringError::Absent)?.to_vec();
    // An entry that vanishes between the two calls has been read all the same.
    key.set_timeout(seconds(timeout_of(&value))).ok();
    Ok(Zeroizing::new(value))
}

/// Writes an entry of up to 256 bytes that ends by itself after `timeout`.
///
/// It is made in a keyring of this process alone, and linked to its place once it has its end: a kill in
/// between leaves no entry that never ends.
pub(crate) fn write(description: &str, value: &[u8], timeout: Duration) -> Result<(), KeyringError> {
    let place = ring()?;
    let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true).map_err(of_error)?;
    let key = own.add_key(description, value).map_err(of_error)?;
    key.set_timeout(seconds(timeout)).map_err(of_error)?;
    let result = place.link_key(key).map_err(of_error);
    own.unlink_key(key).ok();
    result
}

/// Drops an entry; one that is not there is dropped already.
pub(crate) fn remove(description: &str) -> Result<(), KeyringError> {
    match ring()?.search(description).map_err(of_error).and_then(|key| key.invalidate().map_err(of_error)) {
        Ok(()) | Err(KeyringError::Absent) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Drops all entries whose descriptions begin with `prefix`.
pub(crate) fn remove_all(prefix: &str) -> Result<(), KeyringError> {
    // More than any user's keyring holds: the crate must not be given fewer places than there are links.
    const MOST: usize = 1 << 16;
    let links = ring()?.get_links(MOST).map_err(of_error)?;
    for key in links.iter().filter_map(LinkNode::as_key) {
        if key.metadata().is_ok_and(|about| about.get_description().starts_with(prefix)) {
            key.invalidate().map_err(of_error)?;
        }
    }
    Ok(())
}

/// Gives this process, and so the program that it becomes, a session keyring of its own, with nothing in it.
///
/// # Errors
/// When the kernel or a container's filter denies it.
pub(crate) fn join_new_session() -> io::Result<()> {
    // linux/keyctl.h; the crate has no word for a keyring without a name.
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_ulong = 1;
    let no_name = std::ptr::null::<libc::c_char>();
    // SAFETY: the call takes a name or null, and changes nothing but which keyring is the process's.
    match unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, no_name) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn seconds(timeout: Duration) -> usize {
    // 0 would mean "no timeout" (keyctl(2), KEYCTL_SET_TIMEOUT).
    usize::try_from(timeout.as_secs()).unwrap_or(usize::MAX).clamp(1, 30 * 24 * 3600)
}
