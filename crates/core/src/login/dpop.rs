//! DPoP proofs (RFC 9449) for the sign-in service: a JSON Web Token signed with the key that the session is bound to.
//!
//! The header contains the public key; the payload contains the method, the URL without its query, and the time. There
//! is neither `ath` nor a nonce.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hatbox_types::secret::SecretString;
use jiff::Timestamp;
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;
use zeroize::Zeroizing;

/// RFC 5915: a sequence of 119 bytes, version 1, and an octet string of 32 bytes.
const VERSION: &[u8] = &[0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
/// What follows: the curve's object identifier, 1.2.840.10045.3.1.7, and a bit string of 65 bytes.
const CURVE: &[u8] =
    &[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00];

/// A key pair of a session: ECDSA over P-256.
#[derive(Clone)]
pub struct DpopKey(SecretKey);

impl std::fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DpopKey([redacted])")
    }
}

/// Why a text or bytes are not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a P-256 private key in SEC 1 PEM")]
pub struct DpopKeyError;

impl DpopKey {
    /// Creates a key from 32 random bytes; `None` for the few that are out of range (1 in 2^32), with which to try
    /// again.
    pub fn of_random(bytes: &[u8; 32]) -> Option<Self> {
        SecretKey::from_slice(bytes).ok().map(Self)
    }

    /// Parses `-----BEGIN EC PRIVATE KEY-----`, the format in the cache file.
    ///
    /// # Errors
    /// If it is not such a key.
    pub fn parse_pem(pem: &str) -> Result<Self, DpopKeyError> {
        SecretKey::from_sec1_pem(pem).map(Self).map_err(|_| DpopKeyError)
    }

    /// Renders the format in the cache file: SEC 1 with the curve's name and the public key, in lines of 64 characters.
    /// `p256` would omit the curve's name, without which botocore and the Go SDK cannot parse the key.
    ///
    /// # Errors
    /// If the result could not be parsed again; never for a key that was parsed or created here.
    pub fn render_pem(&self) -> Result<SecretString, DpopKeyError> {
        let private = Zeroizing::new(<[u8; 32]>::from(self.0.to_bytes()));
        let point = p256::EncodedPoint::from(self.0.public_key());
        let der = Zeroizing::new([VERSION, private.as_slice(), CURVE, point.as_bytes()].concat());
        let body = Zeroizing::new(STANDARD.encode(der.as_slice()));
        let mut pem = "-----BEGIN EC PRIVATE KEY-----\n".to_owned();
        for (at, letter) in body.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END EC PRIVATE KEY-----\n");
        Self::parse_pem(&pem)?;
        Ok(SecretString::new(pem))
    }

    /// Renders the proof for one POST to `url`. `id` must be unique for each proof, such as a new UUID.
    pub fn render_proof(&self, url: &str, id: &str, now: Timestamp) -> String {
        let point = self.0.public_key();
        let encoded = p256::EncodedPoint::from(point);
        let part = |bytes: Option<&p256::FieldBytes>| {
            // Always encodes 32 bytes, including leading zeros.
            bytes.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default()
        };
        let header = json!({
            "typ": "dpop+jwt",
            "alg": "ES256",
            "jwk": {"kty": "EC", "crv": "P-256", "x": part(encoded.x()), "y": part(encoded.y())},
        });
        let url = url.split(['?', '#']).next().unwrap_or_default();
        let payload = json!({"jti": id, "htm": "POST", "htu": url, "iat": now.as_second()});
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&payload));
        let signature: Signature = SigningKey::from(&self.0).sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier;
    use serde_json::Value;

    use super::*;

    fn decode(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_proof_is_a_token_of_rfc_9449() {
        let key = DpopKey::of_random(&[7; 32]).unwrap();
        let now: Timestamp = "2026-11-29T10:00:00Z".parse().unwrap();
        let proof = key.render_proof("https://eu-west-1.signin.aws.amazon.com/v1/token?x=1", "id-1", now);
        let parts: Vec<_> = proof.split('.').collect();
        let [header, payload, signature] = parts[..] else { panic!("{proof}") };
        let header = decode(header);
        assert_eq!((&header["typ"], &header["alg"]), (&"dpop+jwt".into(), &"ES256".into()));
        let payload = decode(payload);
        assert_eq!(payload["htu"], "https://eu-west-1.signin.aws.amazon.com/v1/token");
        assert_eq!((&payload["htm"], &payload["jti"]), (&"POST".into(), &"id-1".into()));
        assert_eq!(payload["iat"], now.as_second());
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(header["jwk"][name].as_str().unwrap()).unwrap();
        let (x, y) = (bytes("x"), bytes("y"));
        let point = [&[4][..], &x, &y].concat();
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        let signed = proof.rsplit_once('.').unwrap().0;
        VerifyingKey::from_sec1_bytes(&point).unwrap().verify(signed.as_bytes(), &signature).unwrap();
    }

    #[test]
    fn coordinates_that_begin_with_zeros_keep_their_length() {
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 1..=254u8 {
            let key = DpopKey::of_random(&[seed; 32]).unwrap();
            let header =
                decode(key.render_proof("https://x/", "i", Timestamp::UNIX_EPOCH).split('.').next().unwrap());
            for name in ["x", "y"] {
                lengths.insert(header["jwk"][name].as_str().unwrap().len());
            }
        }
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [43]);
    }

    #[test]
    fn a_key_is_written_as_it_is_read() {
        let key = DpopKey::of_random(&[7; 32]).unwrap();
        let pem = key.render_pem().unwrap();
        assert!(pem.expose().starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
        assert!(pem.expose().ends_with("-----END EC PRIVATE KEY-----\n"));
        let body: String = pem.expose().lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).unwrap();
        assert_eq!((der.len(), &der[..7], &der[39..56]), (121, VERSION, CURVE), "as OpenSSL writes it");
        assert!(pem.expose().lines().all(|line| line.len() <= 64));
        let again = DpopKey::parse_pem(pem.expose()).unwrap();
        assert_eq!(again.render_pem().unwrap().expose(), pem.expose());
        for bad in ["", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", "junk"] {
            assert!(DpopKey::parse_pem(bad).is_err(), "{bad}");
        }
        assert!(DpopKey::of_random(&[0; 32]).is_none());
        assert_eq!(format!("{key:?}"), "DpopKey([redacted])");
    }
}
