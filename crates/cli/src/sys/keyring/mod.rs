//! Small secrets that outlive the process for a limited time, in the kernel keyring. Linux only.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod none;

#[cfg(target_os = "linux")]
pub(crate) use linux::{join_new_session, read, remove, remove_all, write};
#[cfg(not(target_os = "linux"))]
pub(crate) use none::{join_new_session, read, remove, remove_all, write};

/// Why an entry could not be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyringError {
    /// There is no such entry, or it expired or was revoked: the store is locked.
    Absent,
    /// The kernel or a container's filter denies the calls.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is no keyring to deny"))]
    Denied,
    /// The user's quota of keys is exhausted (keyrings(7): 200 keys, 20,000 bytes).
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is no keyring to fill"))]
    Full,
    /// This system has no kernel keyring.
    Unknown,
}
