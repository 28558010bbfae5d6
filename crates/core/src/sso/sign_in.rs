//! The key of a sign-in: everything that determines whose token it is, and where the token may be sent.
//!
//! All profiles of one `[sso-session]` share a sign-in. Two sessions with the same start URL do not, as they may be for
//! two users.

use sha2::{Digest, Sha256};

use crate::config::profile::Sso;

/// The default of `sso_registration_scopes`. With this scope, Identity Center issues a refresh token.
pub const DEFAULT_SCOPE: &str = "sso:account:access";

/// The digest that names the files and lock of a sign-in. It reveals nothing about its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignInKey([u8; 32]);

impl SignInKey {
    /// Returns the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Returns the key of the sign-in that a profile or a session uses.
///
/// Security: the endpoints are part of it, so a token is never sent to another endpoint, such as a stand-in for tests.
pub fn resolve_sign_in_key(sso: &Sso) -> SignInKey {
    let mut digest = Sha256::new();
    let mut part = |name: &str, value: Option<&str>| {
        for bytes in [name.as_bytes(), &[u8::from(value.is_some())], value.unwrap_or_default().as_bytes()] {
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        }
    };
    part("version", Some("hatbox sso sign-in 1"));
    part("session", sso.session.as_deref());
    part("start url", Some(&sso.start_url.value));
    part("region", Some(sso.region.as_str()));
    for scope in resolve_scopes(sso) {
        part("scope", Some(scope));
    }
    part("oidc endpoint", sso.urls.oidc.as_deref());
    part("portal endpoint", sso.urls.portal.as_deref());
    SignInKey(digest.finalize().into())
}

/// Returns the scopes to register with, sorted, each once.
pub fn resolve_scopes(sso: &Sso) -> Vec<&str> {
    let mut scopes: Vec<&str> = sso.registration_scopes.iter().map(String::as_str).collect();
    if scopes.is_empty() {
        scopes.push(DEFAULT_SCOPE);
    }
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
