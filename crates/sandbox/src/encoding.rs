//! Bytes as text: base32, base64 with two alphabets, and percent-encoding.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// Every byte except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_BUT_SLASH: &AsciiSet = &RESERVED.remove(b'/');
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn letter(alphabet: &[u8], index: usize) -> char {
    alphabet.get(index).map_or('?', |&c| char::from(c))
}

/// Renders bytes as base64 with padding.
pub(crate) fn render_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Renders bytes as base64url without padding, as in JSON Web Tokens.
pub(crate) fn render_base64_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Parses base64url without padding. `None` if a character is not in the alphabet or leftover bits are not zero, so
/// that each byte string has exactly one encoding.
pub(crate) fn parse_base64_url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Renders bytes as base32 without padding, as for MFA seeds.
pub(crate) fn render_base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut word, mut bits) = (0_usize, 0);
    for &byte in bytes {
        word = (word << 8 | usize::from(byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(BASE32, word >> bits & 31));
        }
    }
    if bits > 0 {
        text.push(letter(BASE32, word << (5 - bits) & 31));
    }
    text
}

/// Parses base32, with or without padding. `None` if a character is not in the alphabet.
pub(crate) fn parse_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut word, mut bits) = (0_usize, 0);
    for c in text.trim_end_matches('=').bytes() {
        let value = BASE32.iter().position(|&b| b == c.to_ascii_uppercase())?;
        word = (word << 5 | value) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// Percent-encodes every byte except the unreserved ones (RFC 3986).
pub(crate) fn render_percent(text: &[u8]) -> String {
    percent_encode(text, RESERVED).to_string()
}

/// Like [`render_percent`], but keeps slashes.
pub(crate) fn render_percent_path(text: &[u8]) -> String {
    percent_encode(text, RESERVED_BUT_SLASH).to_string()
}

/// Decodes percent-encoded text; a `%` that is not followed by two hex digits is literal.
pub(crate) fn parse_percent(text: &str) -> Vec<u8> {
    percent_decode_str(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(render_base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn base64_url_has_one_text_for_a_run_of_bytes_and_reads_its_own() {
        for bytes in [&b""[..], b"\xff", b"\xfb\xff", b"\xfb\xff\xfe", b"foobar"] {
            assert_eq!(parse_base64_url(&render_base64_url(bytes)).unwrap(), bytes);
        }
        assert_eq!(render_base64_url(b"\xfb\xff"), "-_8");
        for bad in ["-_9", "A", "AAAAA", "-_8=", "+/8", "- _8"] {
            assert_eq!(parse_base64_url(bad), None, "{bad}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648_and_reads_its_own_text() {
        for (bytes, text) in [("f", "MY"), ("foo", "MZXW6"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(render_base32(bytes.as_bytes()), text);
            assert_eq!(parse_base32(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(parse_base32("M1"), None);
    }

    #[test]
    fn percent_encoding_leaves_unreserved_bytes_and_reads_its_own_text() {
        assert_eq!(render_percent("a/b c~é".as_bytes()), "a%2Fb%20c~%C3%A9");
        assert_eq!(parse_percent("a%2Fb%20c~%C3%A9"), "a/b c~é".as_bytes());
        assert_eq!(parse_percent("100%"), b"100%");
        assert_eq!(parse_percent("%+1"), b"%+1");
    }
}
