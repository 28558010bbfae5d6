//! Which version of its format a file has. docs/formats.md has the rules.

use serde::Deserialize;

/// Whether a text in JSON says that it has a later version than `known`. One that names no version has the first.
pub(crate) fn is_newer_json(text: &[u8], known: u64) -> bool {
    #[derive(Deserialize)]
    struct Versioned {
        #[serde(alias = "schema")]
        version: Option<u64>,
    }
    // A list would be read as the members in their order.
    let is_object = text.trim_ascii_start().starts_with(b"{");
    let versioned = serde_json::from_slice::<Versioned>(text);
    is_object && versioned.is_ok_and(|text| text.version.is_some_and(|version| version > known))
}

/// Whether this is an age file of a later version than hatbox reads.
#[cfg(feature = "file")]
pub(crate) fn is_newer_age(sealed: &[u8]) -> bool {
    // The first line (age-encryption.org/v1), up to its version.
    is_newer_magic(sealed, b"age-encryption.org/v", b"1\n")
}

/// Whether `bytes` begin with `magic`, and then with another number than that of `known`.
pub(crate) fn is_newer_magic(bytes: &[u8], magic: &[u8], known: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(magic) else { return false };
    let digits = rest.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && rest.get(digits) == Some(&b'\n') && !rest.starts_with(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_version_is_newer() {
        for (text, is_newer) in [
            (&b"{\"version\":2}"[..], true),
            (b"{\"schema\":2,\"x\":[]}", true),
            (b"{\"version\":1}", false),
            (b"{\"version\":0}", false),
            (b"{\"version\":\"2\"}", false),
            (b"{}", false),
            (b"[2]", false),
            (b"", false),
            (b"{\"version\":2", false),
        ] {
            assert_eq!(is_newer_json(text, 1), is_newer, "{}", String::from_utf8_lossy(text));
        }
        for (text, is_newer) in [
            (&b"x-2\n"[..], true),
            (b"x-12\nz", true),
            (b"x-1\nz", false),
            (b"x-", false),
            (b"x-2z\n", false),
        ] {
            assert_eq!(is_newer_magic(text, b"x-", b"1\n"), is_newer, "{}", String::from_utf8_lossy(text));
        }
    }
}
