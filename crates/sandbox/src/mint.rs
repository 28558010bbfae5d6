//! Random ids and secrets in the formats of AWS.

use hatbox_types::sandbox_key::render_sandbox_key_id;

use crate::encoding::{render_base32, render_base64, render_base64_url};
use crate::error::Error;

/// Returns random bytes from the operating system.
pub(crate) fn mint_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes)
}

/// Mints an access key id that the sandbox `sandbox_id` recognizes as its own. `prefix` is `AKIA` or `ASIA`.
pub(crate) fn mint_key_id(prefix: &str, sandbox_id: &str) -> Result<String, Error> {
    Ok(render_sandbox_key_id(prefix, sandbox_id, mint_bytes()?))
}

/// Mints a secret access key of 40 characters.
pub(crate) fn mint_secret() -> Result<String, Error> {
    Ok(render_base64(&mint_bytes::<30>()?))
}

/// Mints an opaque session token of at least `min_size` bytes, with all characters that real tokens have (`/`, `+`,
/// `=`).
pub(crate) fn mint_session_token(min_size: usize) -> Result<String, Error> {
    let mut token = "HatboxSandbox//////////".to_owned();
    let last = render_base64(&mint_bytes::<193>()?);
    while token.len() + last.len() < min_size {
        token.push_str(&render_base64(&mint_bytes::<48>()?));
    }
    Ok(token + &last)
}

/// Mints a client id, code or token of Identity Center. It contains its kind and the sandbox's id, so it cannot be
/// mistaken for one of another sandbox or of AWS.
pub(crate) fn mint_sso_token(kind: &str, sandbox_id: &str) -> Result<String, Error> {
    Ok(format!("sandbox-{sandbox_id}-{kind}-{}", render_base64_url(&mint_bytes::<32>()?)))
}

/// Mints a client secret.
pub(crate) fn mint_sso_secret() -> Result<String, Error> {
    Ok(render_base64_url(&mint_bytes::<48>()?))
}

/// Mints a code for people to compare, such as `BCDF-GHJK`; it has no vowels.
pub(crate) fn mint_user_code() -> Result<String, Error> {
    const LETTERS: &[u8; 16] = b"BCDFGHJKLMNPQRST";
    let letter = |byte: &u8| LETTERS.get(usize::from(byte & 15)).map(|&c| char::from(c));
    let letters: String = mint_bytes::<8>()?.iter().filter_map(letter).collect();
    let (first, second) = letters.split_at(4);
    Ok(format!("{first}-{second}"))
}

/// Mints a unique id of 21 characters, such as `AIDA...` or `AROA...`.
pub(crate) fn mint_unique_id(prefix: &str) -> Result<String, Error> {
    let random: String = render_base32(&mint_bytes::<11>()?).chars().take(17).collect();
    Ok(format!("{prefix}{random}"))
}

/// Mints a request id in the form of a UUID.
pub(crate) fn mint_request_id() -> Result<String, Error> {
    let hex = hex::encode(mint_bytes::<16>()?);
    let part = |range| hex.get(range).unwrap_or_default();
    Ok(format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)))
}
