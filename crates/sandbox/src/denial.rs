//! Encoded authorization messages: encrypted reasons for a denial, for callers that are allowed to decode them.
//!
//! AWS returns them with errors of EC2 and a few other services, none of which the sandbox implements. A control path
//! returns the message of any denied call, so that decoding can be tested. The decoded form is that of
//! DecodeAuthorizationMessage in the STS reference.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde_json::{Value, json};

use crate::encoding::{parse_base64_url, render_base64_url};
use crate::error::Error;
use crate::log::LogEntry;
use crate::mint;

/// The key that encrypts messages, and decrypts those that it encrypted. It lives as long as the server.
pub(crate) struct DenialKey(LessSafeKey);

impl DenialKey {
    pub(crate) fn mint() -> Result<Self, Error> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &mint::mint_bytes::<32>()?);
        key.map(|key| Self(LessSafeKey::new(key))).map_err(|_| Error::Random)
    }

    /// Returns the encoded message of a denied call; `None` if no policy denied it.
    pub(crate) fn encode(&self, entry: &LogEntry) -> Option<Result<String, Error>> {
        let is_refused = entry.error.as_deref() == Some("AccessDenied");
        let resource = entry.resource.as_ref().filter(|_| is_refused && !entry.because.is_empty())?;
        let text = render_message(entry, entry.caller.as_ref()?, resource).to_string();
        Some(self.seal(text.into_bytes()))
    }

    /// Returns the decoded message; `None` if this key did not encrypt it.
    pub(crate) fn decode(&self, encoded: &str) -> Option<String> {
        let sealed = parse_base64_url(encoded)?;
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = rest.to_vec();
        let text = self.0.open_in_place(nonce, Aad::empty(), &mut rest).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }

    fn seal(&self, mut text: Vec<u8>) -> Result<String, Error> {
        // Security: a server encodes few messages, so random 96-bit nonces do not collide.
        let nonce = mint::mint_bytes::<NONCE_LEN>()?;
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(unique, Aad::empty(), &mut text).map_err(|_| Error::Random)?;
        Ok(render_base64_url(&[&nonce, text.as_slice()].concat()))
    }
}

impl std::fmt::Debug for DenialKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DenialKey([redacted])")
    }
}

fn render_message(entry: &LogEntry, caller: &str, resource: &str) -> Value {
    let is_explicit = entry.because.iter().any(|why| why.contains(": denies it"));
    let mfa = entry.mfa_present.map(|is_present| {
        json!({
            "key": "aws:MultiFactorAuthPresent",
            "values": { "items": [{ "value": is_present.to_string() }] },
        })
    });
    json!({
        "allowed": false,
        "explicitDeny": is_explicit,
        "matchedStatements": { "items": [] },
        "failures": { "items": [] },
        "context": {
            "principal": { "arn": caller },
            "action": format!("{}:{}", entry.service, entry.action),
            "resource": resource,
            "conditions": { "items": mfa.into_iter().collect::<Vec<_>>() },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_opened_whole_by_the_key_that_sealed_it_alone() {
        let key = DenialKey::mint().unwrap();
        let sealed = key.seal(b"why".to_vec()).unwrap();
        assert_eq!(key.decode(&sealed).as_deref(), Some("why"));
        assert_eq!(DenialKey::mint().unwrap().decode(&sealed), None);
        let last = if sealed.ends_with('A') { 'Q' } else { 'A' };
        assert_eq!(key.decode(&format!("{}{last}", &sealed[..sealed.len() - 1])), None);
        for text in ["", "x", "AAAA", &sealed[..20]] {
            assert_eq!(key.decode(text), None, "{text}");
        }
    }
}
