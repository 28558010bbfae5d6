//! The Linux kernel keyring.
//!
//! | session keyring of the process | entries are stored in |
//! |---|---|
//! | a real one (`pam_keyinit`, `keyctl session`) of the effective user | `@s`, which disappears with the session |
//! | none, or the default `_uid_ses.N` | `@us`, which is per user |
//! | that of another user, as after `su` or `sudo` without `pam_keyinit` | `@us`: the other user can read their own keyring |
//!
//! The check must not create a session keyring (keyctl(2), KEYCTL_GET_KEYRING_ID).
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
                // Security: the owner of a keyring can read everything in it. On Debian, su and sudo keep the caller's
                // keyring.
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

/// Returns the user's own session keyring if the process has another user's. It is linked to the process keyring, as
/// only keys reachable from there can be read (keyrings(7), Possession).
fn linked_user_session() -> Result<KeyRing, KeyringError> {
    let user = user_session()?;
    let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true).map_err(of_error)?;
    own.link_keyring(user).map_err(of_error)?;
    Ok(user)
}

/// Reads an entry and restarts its timeout, which `timeout_of` finds in the value.
pub(crate) fn read(
    description: &str,
    timeout_of: impl FnOnce(&[u8]) -> Duration,
) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    let key = ring()?.search(description).map_err(of_error)?;
    let mut buffer = Zeroizing::new([0_u8; 256]);
    let length = key.read(&mut *buffer).map_err(of_error)?;
    let value = buffer.get(..length).ok_or(KeyringError::Absent)?.to_vec();
    // The value was read even if the entry has just expired.
    key.set_timeout(seconds(timeout_of(&value))).ok();
    Ok(Zeroizing::new(value))
}

/// Writes an entry of up to 256 bytes that expires after `timeout`.
///
/// The entry is created in the process keyring, and linked to its place only after its timeout is set: a kill in
/// between leaves no entry that never expires.
pub(crate) fn write(description: &str, value: &[u8], timeout: Duration) -> Result<(), KeyringError> {
    let place = ring()?;
    let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true).map_err(of_error)?;
    let key = own.add_key(description, value).map_err(of_error)?;
    key.set_timeout(seconds(timeout)).map_err(of_error)?;
    let result = place.link_key(key).map_err(of_error);
    own.unlink_key(key).ok();
    result
}

/// Deletes an entry, if it exists.
pub(crate) fn remove(description: &str) -> Result<(), KeyringError> {
    match ring()?.search(description).map_err(of_error).and_then(|key| key.invalidate().map_err(of_error)) {
        Ok(()) | Err(KeyringError::Absent) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Deletes all entries whose descriptions begin with `prefix`.
pub(crate) fn remove_all(prefix: &str) -> Result<(), KeyringError> {
    // More than any keyring holds: the crate's buffer must have room for all links.
    const MOST: usize = 1 << 16;
    let links = ring()?.get_links(MOST).map_err(of_error)?;
    for key in links.iter().filter_map(LinkNode::as_key) {
        if key.metadata().is_ok_and(|about| about.get_description().starts_with(prefix)) {
            key.invalidate().map_err(of_error)?;
        }
    }
    Ok(())
}

/// Gives this process, and the program that it becomes, a new and empty session keyring.
///
/// # Errors
/// If the kernel or a container's filter denies the call.
pub(crate) fn join_new_session() -> io::Result<()> {
    // From linux/keyctl.h; the crate has no call for a keyring without a name.
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_ulong = 1;
    let no_name = std::ptr::null::<libc::c_char>();
    // SAFETY: the call takes a name or null, and only changes the session keyring of the process.
    match unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, no_name) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn seconds(timeout: Duration) -> usize {
    // A timeout of 0 would mean that it never expires (keyctl(2), KEYCTL_SET_TIMEOUT).
    usize::try_from(timeout.as_secs()).unwrap_or(usize::MAX).clamp(1, 30 * 24 * 3600)
}
