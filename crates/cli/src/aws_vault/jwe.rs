//! A compact JWE in the form of aws-vault's `file` backend (RFC 7516, RFC 7518 section 4.8).
//!
//! Accepts only what aws-vault writes: PBES2-HS256+A128KW for the key, A256GCM for the content, no compression. Other
//! parameters could make an attacker's file expensive to read.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hatbox_types::secret::SecretString;
use serde::Deserialize;
use sha2::Sha256;
use zeroize::Zeroizing;

const ALGORITHM: &str = "PBES2-HS256+A128KW";
const ENCRYPTION: &str = "A256GCM";
/// aws-vault uses 8,192; this is the limit of its own library.
const MAX_ROUNDS: u32 = 1_300_000;
/// In bytes. RFC 7518 requires at least 8; aws-vault's library uses 12.
const SALT: std::ops::RangeInclusive<usize> = 8..=64;

/// Why it cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JweError {
    /// The passphrase is wrong.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// aws-vault did not write this.
    #[error("{0}")]
    Form(&'static str),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    p2c: u32,
    p2s: String,
    zip: Option<serde_json::Value>,
    crit: Option<serde_json::Value>,
}

/// Opens a compact JWE.
pub(crate) fn open(text: &str, passphrase: &SecretString) -> Result<Zeroizing<Vec<u8>>, JweError> {
    let parts: Vec<&str> = text.trim_end().split('.').collect();
    let [header, key, nonce, content, tag] = parts.as_slice() else {
        return Err(JweError::Form("not an aws-vault file: a JWE has five parts"));
    };
    let decode = |part: &str| {
        URL_SAFE_NO_PAD.decode(part).map_err(|_| JweError::Form("not an aws-vault file: invalid base64"))
    };
    let parsed: Header = serde_json::from_slice(&decode(header)?)
        .map_err(|_| JweError::Form("its header is not what aws-vault writes"))?;
    if parsed.alg != ALGORITHM || parsed.enc != ENCRYPTION {
        return Err(JweError::Form("it is encrypted with another algorithm than aws-vault's"));
    }
    if parsed.zip.is_some() || parsed.crit.is_some() {
        return Err(JweError::Form("its header has a parameter that aws-vault does not use"));
    }
    if !(1..=MAX_ROUNDS).contains(&parsed.p2c) {
        return Err(JweError::Form("it has more rounds than aws-vault uses"));
    }
    let salt = decode(&parsed.p2s)?;
    if !SALT.contains(&salt.len()) {
        return Err(JweError::Form("the length of its salt is not that of aws-vault"));
    }
    let (wrapped, nonce) = (decode(key)?, decode(nonce)?);
    let nonce: &[u8; 12] =
        nonce.as_slice().try_into().map_err(|_| JweError::Form("its nonce is not of 12 bytes"))?;
    let mut sealed = decode(content)?;
    sealed.extend(decode(tag)?);

    let mut wrapping = Zeroizing::new([0; 16]);
    let salt = [ALGORITHM.as_bytes(), &[0], &salt].concat();
    pbkdf2::pbkdf2_hmac::<Sha256>(passphrase.expose().as_bytes(), &salt, parsed.p2c, &mut *wrapping);
    let mut content_key = Zeroizing::new([0; 32]);
    if wrapped.len() != content_key.len() + aes_kw::IV_LEN {
        return Err(JweError::Form("its wrapped key is not of 40 bytes"));
    }
    // AES Key Wrap verifies its result: a mismatch means another passphrase.
    aes_kw::KekAes128::from(*wrapping)
        .unwrap(&wrapped, &mut *content_key)
        .map_err(|_| JweError::WrongPassphrase)?;
    Aes256Gcm::new(content_key.as_slice().into())
        .decrypt(Nonce::from_slice(nonce), Payload { msg: &sealed, aad: header.as_bytes() })
        .map(Zeroizing::new)
        .map_err(|_| JweError::Form("its content was changed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by jwcrypto, independently of hatbox: see tests/flow/data/aws-vault/make.
    const FILE: &str = include_str!("../../tests/flow/data/aws-vault/keys/jan-work");
    const PASSPHRASE: &str = "vault horse";

    fn open_with(text: &str, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, JweError> {
        open(text, &SecretString::new(passphrase.to_owned()))
    }

    /// The file with its header changed.
    fn with_header(from: &str, to: &str) -> String {
        let (header, rest) = FILE.split_once('.').unwrap();
        let header = String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        assert!(header.contains(from), "{header}");
        format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.replacen(from, to, 1)))
    }

    #[test]
    fn a_file_of_another_writer_opens_and_a_wrong_passphrase_is_kept_apart() {
        let plain = open_with(FILE, PASSPHRASE).unwrap();
        assert!(plain.starts_with(b"{\"Key\""), "{}", String::from_utf8_lossy(&plain));
        assert_eq!(open_with(FILE, "another").unwrap_err(), JweError::WrongPassphrase);
        assert_eq!(open_with(FILE, "").unwrap_err(), JweError::WrongPassphrase);
    }

    #[test]
    fn what_aws_vault_does_not_write_is_refused_before_any_work() {
        for (from, to) in [
            ("8192", "1300001"),
            ("8192", "0"),
            ("8192", "4294967296"),
            ("PBES2-HS256+A128KW", "PBES2-HS512+A256KW"),
            ("A256GCM", "A128GCM"),
            ("{", "{\"zip\":\"DEF\","),
            ("{", "{\"crit\":[\"x\"],"),
            ("\"p2s\":\"", "\"p2s\":\"AAAA\",\"x\":\""),
        ] {
            assert!(matches!(open_with(&with_header(from, to), PASSPHRASE), Err(JweError::Form(_))), "{to}");
        }
        // A changed but allowed header gives another key, or other associated data.
        let fewer = open_with(&with_header("8192", "8191"), PASSPHRASE);
        assert_eq!(fewer.unwrap_err(), JweError::WrongPassphrase);
    }

    #[test]
    fn no_cut_and_no_changed_letter_opens_or_stops_the_program() {
        for end in (0..FILE.trim_end().len()).step_by(5) {
            assert!(open_with(&FILE[..end], PASSPHRASE).is_err(), "cut at {end}");
        }
        for at in (0..FILE.trim_end().len()).step_by(5) {
            let mut text = FILE.as_bytes().to_vec();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(text).unwrap();
            // The last letter of a part may have unused bits.
            let opened = open_with(&text, PASSPHRASE);
            assert!(
                opened.is_err() || opened.unwrap() == open_with(FILE, PASSPHRASE).unwrap(),
                "changed at {at}"
            );
        }
    }

    proptest::proptest! {
        // Each case derives a few keys, which is slow.
        #![proptest_config(proptest::test_runner::Config::with_cases(48))]
        #[test]
        fn what_is_not_the_file_never_opens_and_never_stops_the_program(
            text in "\\PC{0,200}",
            parts in proptest::collection::vec("[A-Za-z0-9_=-]{0,40}", 3..7),
            passphrase in "\\PC{0,20}",
            (at, byte) in (0..FILE.trim_end().len(), proptest::num::u8::ANY),
        ) {
            proptest::prop_assert!(open_with(&text, &passphrase).is_err());
            proptest::prop_assert!(open_with(&parts.join("."), &passphrase).is_err());
            proptest::prop_assume!(passphrase != PASSPHRASE);
            proptest::prop_assert!(open_with(FILE, &passphrase).is_err());
            let mut changed = FILE.trim_end().as_bytes().to_vec();
            changed[at] = byte;
            if let Ok(changed) = String::from_utf8(changed)
                && let Ok(opened) = open_with(&changed, PASSPHRASE)
            {
                proptest::prop_assert_eq!(opened, open_with(FILE, PASSPHRASE).unwrap());
            }
        }
    }
}
