//! The parts of a sign-in with the browser: verifier and challenge of RFC 7636, the page's URL, and the redirect.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// Everything except RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The redirect path of Identity Center and the sign-in service, which both accept any port.
pub const CALLBACK_PATH: &str = "/oauth/callback";

/// The redirect URI without a port, for the registration of a client.
pub const REGISTERED_REDIRECT: &str = "http://127.0.0.1/oauth/callback";

/// Renders a code verifier of 64 characters from 48 random bytes. RFC 7636 requires 43 to 128 characters.
pub fn render_verifier(random: &[u8; 48]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// Renders the S256 challenge of a verifier (RFC 7636, section 4.2).
pub fn render_challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Renders `name=value&...`, percent-encoded.
pub fn render_query(pairs: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, UNRESERVED).to_string();
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// The result in a redirect.
#[derive(Clone, PartialEq, Eq)]
pub enum Redirect {
    /// A code to exchange for a token.
    Code(String),
    /// The sign-in failed: `error`, and `error_description` if present.
    Denied(String, Option<String>),
}

/// Omits the code, which is a secret.
impl fmt::Debug for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(_) => f.write_str("Code(..)"),
            Self::Denied(error, description) => {
                f.debug_tuple("Denied").field(error).field(description).finish()
            }
        }
    }
}

/// Why a redirect is not the answer to this sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// A path other than [`CALLBACK_PATH`].
    #[error("unexpected path")]
    Path,
    /// `state` is missing, or belongs to another sign-in.
    #[error("the state does not match this sign-in")]
    State,
    /// Neither a code nor an error, or one of them twice.
    #[error("expected `code` and `state`")]
    Form,
}

/// Parses the target of the browser's request, such as `/oauth/callback?code=...&state=...`.
///
/// `state` must be the one that was sent, and is compared before anything else is used.
///
/// # Errors
/// If it answers another sign-in, or is no answer.
pub fn parse_redirect(target: &str, state: &str) -> Result<Redirect, RedirectError> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != CALLBACK_PATH {
        return Err(RedirectError::Path);
    }
    parse_answer(query, state)
}

/// Parses `code=...&state=...`, from a redirect or pasted by the user.
///
/// # Errors
/// As [`parse_redirect`].
pub fn parse_answer(query: &str, state: &str) -> Result<Redirect, RedirectError> {
    let mut found: [Option<String>; 4] = Default::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match name {
            "state" => 0,
            "code" => 1,
            "error" => 2,
            "error_description" => 3,
            _ => continue,
        };
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8().map_err(|_| RedirectError::Form)?.into_owned();
        let slot = found.get_mut(place).ok_or(RedirectError::Form)?;
        if slot.replace(value).is_some() {
            return Err(RedirectError::Form);
        }
    }
    let [came, code, error, description] = found;
    // The state is not worth a constant-time comparison.
    if came.as_deref() != Some(state) {
        return Err(RedirectError::State);
    }
    match (code, error) {
        (Some(code), None) if !code.is_empty() => Ok(Redirect::Code(code)),
        (None, Some(error)) => Ok(Redirect::Denied(error, description)),
        _ => Err(RedirectError::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(render_challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let made = render_verifier(&[0xff; 48]);
        assert_eq!(made.len(), 64);
        assert!(made.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)), "{made}");
    }

    #[test]
    fn a_query_is_encoded() {
        let query = render_query(&[("a", "http://127.0.0.1:80/x"), ("b c", "\u{e9}&=+")]);
        assert_eq!(query, "a=http%3A%2F%2F127.0.0.1%3A80%2Fx&b%20c=%C3%A9%26%3D%2B");
    }

    #[test]
    fn a_code_is_not_in_the_debug_text() {
        assert_eq!(format!("{:?}", Redirect::Code("canary".to_owned())), "Code(..)");
        let denied = Redirect::Denied("access_denied".to_owned(), None);
        assert_eq!(format!("{denied:?}"), r#"Denied("access_denied", None)"#);
    }

    #[test]
    fn only_the_answer_to_this_sign_in_is_taken() {
        let read = |target| parse_redirect(target, "s1");
        assert_eq!(read("/oauth/callback?code=a%2Fb&state=s1"), Ok(Redirect::Code("a/b".to_owned())));
        assert_eq!(
            read("/oauth/callback?error=access_denied&error_description=User+said+no&state=s1"),
            Ok(Redirect::Denied("access_denied".to_owned(), Some("User said no".to_owned())))
        );
        for (target, error) in [
            ("/", RedirectError::Path),
            ("/favicon.ico", RedirectError::Path),
            ("/oauth/callback/?code=a&state=s1", RedirectError::Path),
            ("/oauth/callback", RedirectError::State),
            ("/oauth/callback?code=a", RedirectError::State),
            ("/oauth/callback?code=a&state=", RedirectError::State),
            ("/oauth/callback?code=a&state=s2", RedirectError::State),
            ("/oauth/callback?error=x&state=s2", RedirectError::State),
            ("/oauth/callback?code=a&state=s1&state=s1", RedirectError::Form),
            ("/oauth/callback?code=a&code=b&state=s1", RedirectError::Form),
            ("/oauth/callback?code=&state=s1", RedirectError::Form),
            ("/oauth/callback?state=s1", RedirectError::Form),
            ("/oauth/callback?code=a&error=b&state=s1", RedirectError::Form),
            ("/oauth/callback?code=%ff&state=s1", RedirectError::Form),
        ] {
            assert_eq!(read(target), Err(error), "{target}");
        }
    }
}
