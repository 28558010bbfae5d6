//! Access key ids of a sandbox contain a mark, to ensure that no other key is ever sent to a sandbox.
//!
//! An id consists of a prefix (`AKIA`, `ASIA`), eight random characters, and eight characters derived from those and
//! the sandbox's own id. The check needs no file and no call: a real key fails it before a signature or an MFA code
//! leaves the process.

use sha2::{Digest, Sha256};

use crate::name::AccessKeyId;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Renders an access key id of the sandbox `sandbox_id`: `prefix` (4 characters) and 16 more characters.
pub fn render_sandbox_key_id(prefix: &str, sandbox_id: &str, random: [u8; 8]) -> String {
    let random = encode(random);
    let mark = mark(prefix, sandbox_id, &random);
    format!("{prefix}{random}{mark}")
}

/// Whether the sandbox `sandbox_id` issued `id`.
pub fn is_minted_by(id: &AccessKeyId, sandbox_id: &str) -> bool {
    let id = id.as_str();
    match (id.len(), id.get(..4), id.get(4..12), id.get(12..)) {
        (20, Some(prefix), Some(random), Some(tail)) => mark(prefix, sandbox_id, random) == tail,
        _ => false,
    }
}

/// Whether the issuer (`iss`) of a token is a sandbox's identity provider. `.example` is reserved, so it is never a
/// real one.
pub fn is_sandbox_issuer(issuer: &str) -> bool {
    let host = issuer.strip_prefix("https://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    host.is_some_and(|host| host.ends_with(".sandbox.example"))
}

fn mark(prefix: &str, sandbox_id: &str, random: &str) -> String {
    let digest = Sha256::digest(format!("hatbox sandbox key\n{sandbox_id}\n{prefix}{random}"));
    encode(std::array::from_fn(|i| digest.get(i).copied().unwrap_or_default()))
}

fn encode(bytes: [u8; 8]) -> String {
    bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b & 31))).map(|&c| char::from(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_knows_its_own_keys_and_no_others() {
        let id =
            AccessKeyId::parse(&render_sandbox_key_id("AKIA", "box-1", [7, 1, 200, 3, 4, 5, 6, 9])).unwrap();
        assert!(is_minted_by(&id, "box-1"));
        assert!(!is_minted_by(&id, "box-2"));
        let real = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
        assert!(!is_minted_by(&real, "box-1"));
        let swapped = AccessKeyId::parse(&id.as_str().replacen("AKIA", "ASIA", 1)).unwrap();
        assert!(!is_minted_by(&swapped, "box-1"));
    }
}
