//! The key that signs, derived from the secret access key.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::claim::Claim;

/// The key that signs for one day, region and service.
pub(super) struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives it for the scope of `claim`.
    pub(super) fn derive(secret: &str, claim: &Claim) -> Self {
        let parts = [claim.date.as_str(), &claim.region, &claim.service, "aws4_request"];
        let start = format!("AWS4{secret}").into_bytes();
        let key = parts.iter().fold(start, |key, part| hmac(&key, part.as_bytes()).to_vec());
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(key).for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// The signature, in hex, of the lines of a string to sign.
    pub(super) fn sign(&self, lines: &[&str]) -> String {
        hex::encode(hmac(&self.0, lines.join("\n").as_bytes()))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length; the error type has no other meaning.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}
