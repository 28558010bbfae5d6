//! The store's age identity, and what is derived from it.

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
    /// Boxed, so that it stays where it is kept from swap.
    key: Box<age::x25519::Identity>,
    mac_key: Box<Zeroizing<[u8; 32]>>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity([redacted])")
    }
}

impl Identity {
    /// A new identity.
    pub(crate) fn generate() -> Self {
        Self::of(age::x25519::Identity::generate())
    }

    /// The identity in age's text form; `None` when it is none.
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

    /// Age's text form, for the kernel keyring and the wraps.
    pub(crate) fn expose(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// The MAC of these parts, each bound with its length.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac(&**self.mac_key, parts)
    }

    /// What the identity is known by: 32 hex digits from which nothing of it can be computed.
    pub(crate) fn fingerprint(&self) -> String {
        hex::encode(self.mac(&[b"fingerprint"]).get(..16).unwrap_or_default())
    }

    /// The first part of an item's file name, 32 hex digits: reveals nothing without the identity.
    pub(crate) fn opaque_name(&self, id: &ItemId) -> String {
        let mac = self.mac(&[b"name", id.kind.as_str().as_bytes(), id.profile.as_str().as_bytes()]);
        hex::encode(mac.get(..16).unwrap_or_default())
    }

    /// Encrypts to the identity's recipient.
    pub(crate) fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        encrypt_to(&self.key.to_public(), plain).ok()
    }

    /// Decrypts what was encrypted to the identity's recipient; the error is in words.
    pub(crate) fn decrypt(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        decrypt_with(&*self.key, sealed).map_err(|error| problem_of(&error).to_owned())
    }
}

/// An age file to this recipient.
pub(super) fn encrypt_to(recipient: &dyn age::Recipient, plain: &[u8]) -> Result<Vec<u8>, age::EncryptError> {
    let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient))?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(plain)?;
    writer.finish()?;
    Ok(sealed)
}

/// The content of an age file to this identity.
pub(super) fn decrypt_with(
    identity: &dyn age::Identity,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, age::DecryptError> {
    let mut reader = age::Decryptor::new(sealed)?.decrypt(std::iter::once(identity))?;
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}

/// What is wrong with an age file. Not age's own words: those are looked up in translation files, which a
/// debug build reads from where age was built, and stops the program when it cannot.
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
        // HMAC takes keys of any length (RFC 2104), so this arm is never taken.
        return [0; 32];
    };
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
