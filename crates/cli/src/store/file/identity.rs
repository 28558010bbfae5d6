//! The store's age identity and what is derived from it.

use std::io::{Read, Write};

use age::secrecy::ExposeSecret;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::super::ItemId;
use crate::sys::memory::keep_from_swap;

/// The identity, unlocked.
pub(crate) struct Identity {
    secret: Zeroizing<String>,
    /// Boxed, so that it does not move: its memory is locked against swapping.
    key: Box<age::x25519::Identity>,
    mac_key: Box<Zeroizing<[u8; 32]>>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity([redacted])")
    }
}

impl Identity {
    /// Generates a new identity.
    pub(crate) fn generate() -> Self {
        Self::of(age::x25519::Identity::generate())
    }

    /// Parses an identity in age's text form; `None` if the text is not valid.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        std::str::from_utf8(text).ok()?.trim_end().parse().ok().map(Self::of)
    }

    fn of(identity: age::x25519::Identity) -> Self {
        let secret = Zeroizing::new(identity.to_string().expose_secret().to_owned());
        keep_from_swap(secret.as_bytes());
        let mut mac_key = Box::new(Zeroizing::new([0; 32]));
        keep_from_swap(&**mac_key);
        mac_key.copy_from_slice(&hmac(secret.as_bytes(), &[b"hatbox store mac 1"]));
        let key = Box::new(identity);
        keep_from_swap(&*key);
        Self { secret, key, mac_key }
    }

    /// Returns age's text form, for the kernel keyring and the wraps.
    pub(crate) fn expose(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// Returns the MAC of these parts, including the length of each.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac(&**self.mac_key, parts)
    }

    /// Returns the fingerprint: 32 hex digits that reveal nothing about the identity.
    pub(crate) fn fingerprint(&self) -> String {
        hex::encode(self.mac(&[b"fingerprint"]).get(..16).unwrap_or_default())
    }

    /// Returns the first part of an item's file name: 32 hex digits that reveal nothing without the identity.
    pub(crate) fn opaque_name(&self, id: &ItemId) -> String {
        let mac = self.mac(&[b"name", id.kind.as_str().as_bytes(), id.profile.as_str().as_bytes()]);
        hex::encode(mac.get(..16).unwrap_or_default())
    }

    /// Encrypts to the recipient of the identity.
    pub(crate) fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        encrypt_to(&self.key.to_public(), plain).ok()
    }

    /// Decrypts what was encrypted to the recipient of the identity. The error is a description.
    pub(crate) fn decrypt(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        decrypt_with(&*self.key, sealed).map_err(|error| problem_of(&error).to_owned())
    }
}

/// Encrypts to `recipient` as an age file.
pub(super) fn encrypt_to(recipient: &dyn age::Recipient, plain: &[u8]) -> Result<Vec<u8>, age::EncryptError> {
    let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient))?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(plain)?;
    writer.finish()?;
    Ok(sealed)
}

/// Decrypts an age file.
pub(super) fn decrypt_with(
    identity: &dyn age::Identity,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, age::DecryptError> {
    let mut reader = age::Decryptor::new(sealed)?.decrypt(std::iter::once(identity))?;
    // Security: reserved in full, as a buffer that grows leaves copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}

/// Describes what is wrong with an age file. age's own messages are not used: they come from translation files that a
/// debug build reads from age's source directory, and it panics if that directory is missing.
pub(super) fn problem_of(error: &age::DecryptError) -> &'static str {
    match error {
        age::DecryptError::NoMatchingKeys => "it is encrypted to another store",
        age::DecryptError::InvalidMac => "its header was changed",
        age::DecryptError::InvalidHeader | age::DecryptError::UnknownFormat => "not an age file",
        age::DecryptError::ExcessiveWork { .. } => "its work factor is too high",
        age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => {
            "its content was changed"
        }
        age::DecryptError::Io(_) => "its content was changed, or ends too early",
        _ => "it cannot be decrypted",
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else {
        // HMAC accepts keys of any length (RFC 2104), so this is never reached.
        return [0; 32];
    };
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
