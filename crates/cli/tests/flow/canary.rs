//! A secret and the forms in which it may have leaked.

use std::fmt::Write;

/// A secret in all forms that are searched for.
pub(crate) struct Canary {
    pub(crate) name: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    pub(crate) fn new(name: impl Into<String>, secret: &str) -> Self {
        let bytes = secret.as_bytes();
        let mut forms = vec![
            ("plain", bytes.to_vec()),
            ("hex", hex(bytes, "0123456789abcdef").into_bytes()),
            ("HEX", hex(bytes, "0123456789ABCDEF").into_bytes()),
            ("URL-encoded", url_encoded(bytes, "0123456789ABCDEF").into_bytes()),
            ("url-encoded", url_encoded(bytes, "0123456789abcdef").into_bytes()),
        ];
        // Within a longer text, its base64 form depends on where the secret starts. Characters at the ends that also
        // depend on other bytes are left out.
        for (skip, prefix) in [(0, 0), (2, 1), (3, 2)] {
            for alphabet in [STANDARD, URL_SAFE] {
                let padded = [&b"\0\0"[..prefix], bytes].concat();
                let text = base64(&padded, alphabet);
                let whole = padded.len() / 3 * 4;
                let core = text.as_bytes()[skip..whole].to_vec();
                if core.len() >= 6 {
                    forms.push(("base64", core));
                }
            }
        }
        Self { name: name.into(), forms }
    }

    /// Returns the form in which it occurs in `bytes`.
    pub(crate) fn find_in(&self, bytes: &[u8]) -> Option<&'static str> {
        let has = |form: &[u8]| bytes.windows(form.len()).any(|window| window == form);
        self.forms.iter().find(|(_, form)| has(form)).map(|(how, _)| *how)
    }
}

pub(crate) const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(crate) const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(crate) fn hex(bytes: &[u8], digits: &str) -> String {
    let digit = |n: u8| char::from(digits.as_bytes()[usize::from(n)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

pub(crate) fn url_encoded(bytes: &[u8], digits: &str) -> String {
    let mut text = String::new();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{}", hex(&[byte], digits)).unwrap();
        }
    }
    text
}

pub(crate) fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            text.push(char::from(alphabet[(bits >> (18 - 6 * i) & 63) as usize]));
        }
    }
    text
}
