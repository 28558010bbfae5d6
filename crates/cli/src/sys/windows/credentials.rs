//! Generic credentials of the Credential Manager: a name and up to 2,560 bytes.
#![expect(unsafe_code, reason = "the Credential Manager has no safe interface in std")]

use std::io;

use windows_sys::Win32::Security::Credentials::{
    CRED_MAX_CREDENTIAL_BLOB_SIZE, CRED_PERSIST_LOCAL_MACHINE, CRED_TYPE_GENERIC, CREDENTIALW, CredDeleteW,
    CredEnumerateW, CredFree, CredReadW, CredWriteW,
};
use zeroize::{Zeroize, Zeroizing};

use super::wide::{text_at, wide};

/// The maximum size in bytes.
pub(crate) const LIMIT: usize = CRED_MAX_CREDENTIAL_BLOB_SIZE as usize;

/// An error code of the Credential Manager, as in GetLastError.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) u32);

impl From<io::Error> for Code {
    fn from(error: io::Error) -> Self {
        // A name with a NUL byte is rejected before the system is called, so it has no code.
        Self(
            error
                .raw_os_error()
                .map_or(windows_sys::Win32::Foundation::ERROR_INVALID_PARAMETER, i32::cast_unsigned),
        )
    }
}

fn check(done: i32) -> Result<(), Code> {
    if done == 0 { Err(io::Error::last_os_error().into()) } else { Ok(()) }
}

/// Memory allocated by the Credential Manager.
struct Allocated<T>(*mut T);

impl<T> Drop for Allocated<T> {
    fn drop(&mut self) {
        // SAFETY: it was allocated by a function that is documented to be paired with this one, and is freed once.
        unsafe { CredFree(self.0.cast()) };
    }
}

/// Returns the secret of a credential, and wipes the original.
///
/// # Safety
/// `credential` points to a credential from the Credential Manager.
unsafe fn take_secret(credential: *const CREDENTIALW) -> Zeroizing<Vec<u8>> {
    // SAFETY: the caller guarantees that there are as many bytes as the credential says.
    unsafe {
        let about = credential.read_unaligned();
        if about.CredentialBlob.is_null() {
            return Zeroizing::default();
        }
        let length = usize::try_from(about.CredentialBlobSize).unwrap_or_default();
        let bytes = std::slice::from_raw_parts_mut(about.CredentialBlob, length);
        let secret = Zeroizing::new(bytes.to_vec());
        bytes.zeroize();
        secret
    }
}

/// Reads a credential.
pub(crate) fn read(name: &str) -> Result<Zeroizing<Vec<u8>>, Code> {
    let name = wide(name)?;
    let mut credential = std::ptr::null_mut();
    // SAFETY: the name is NUL-terminated, and the result is read before it is freed.
    unsafe {
        check(CredReadW(name.as_ptr(), CRED_TYPE_GENERIC, 0, &raw mut credential))?;
        let given = Allocated(credential);
        Ok(take_secret(given.0))
    }
}

/// Writes a credential, replacing one of the same name. It is not synchronized to other machines. `user` and `comment`
/// are shown in the system's settings.
pub(crate) fn write(name: &str, user: &str, comment: &str, secret: &[u8]) -> Result<(), Code> {
    let (mut name, mut user, mut comment) = (wide(name)?, wide(user)?, wide(comment)?);
    let mut secret = Zeroizing::new(secret.to_vec());
    let credential = CREDENTIALW {
        Type: CRED_TYPE_GENERIC,
        TargetName: name.as_mut_ptr(),
        Comment: comment.as_mut_ptr(),
        CredentialBlobSize: u32::try_from(secret.len()).unwrap_or(u32::MAX),
        CredentialBlob: secret.as_mut_ptr(),
        Persist: CRED_PERSIST_LOCAL_MACHINE,
        UserName: user.as_mut_ptr(),
        ..CREDENTIALW::default()
    };
    // SAFETY: the texts are NUL-terminated, the secret has the given length, and all of them outlive the call, which
    // changes none of them.
    check(unsafe { CredWriteW(&raw const credential, 0) })
}

/// Deletes a credential.
pub(crate) fn delete(name: &str) -> Result<(), Code> {
    let name = wide(name)?;
    // SAFETY: the name is NUL-terminated.
    check(unsafe { CredDeleteW(name.as_ptr(), CRED_TYPE_GENERIC, 0) })
}

/// Returns the names and secrets of all credentials whose names begin with `prefix`.
pub(crate) fn list(prefix: &str) -> Result<Vec<(String, Zeroizing<Vec<u8>>)>, Code> {
    let filter = wide(format!("{prefix}*"))?;
    let (mut count, mut credentials) = (0, std::ptr::null_mut());
    // SAFETY: the filter is NUL-terminated, there are as many credentials as the call returns, and they are read before
    // they are freed. Wine does not align them.
    unsafe {
        check(CredEnumerateW(filter.as_ptr(), 0, &raw mut count, &raw mut credentials))?;
        let given = Allocated(credentials);
        let count = usize::try_from(count).unwrap_or_default();
        let all = std::slice::from_raw_parts(given.0, count);
        Ok(all
            .iter()
            .filter(|credential| credential.read_unaligned().Type == CRED_TYPE_GENERIC)
            .map(|&credential| (text_at(credential.read_unaligned().TargetName), take_secret(credential)))
            .collect())
    }
}
