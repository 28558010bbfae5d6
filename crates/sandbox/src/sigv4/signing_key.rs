//! The signing key, derived from the secret access key.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::claim::Claim;

/// The signing key for one day, region and service.
pub(super) struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives the key for the scope of `claim`.
    pub(super) fn derive(secret: &str, claim: &Claim) -> Self {
        let parts = [claim.date.as_str(), &claim.region, &claim.service, "aws4_request"];
        let start = format!("AWS4{secret}").into_bytes();
        let key = parts.iter().fold(start, |key, part| hmac(&key, part.as_bytes()).to_vec());
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(key).for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// Returns the signature, in hex, of a string to sign that consists of `lines`.
    pub(super) fn sign(&self, lines: &[&str]) -> String {
        hex::encode(hmac(&self.0, lines.join("\n").as_bytes()))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC accepts keys of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}
