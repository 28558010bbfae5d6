//! Sign-in tokens and browser sessions of the console. Both are stored under the digest of their secret.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Principal;

/// The state of the console.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Console {
    /// Sign-in tokens, by the digest of the token.
    pub tokens: BTreeMap<String, SignInToken>,
    /// Browser sessions, by the digest of the cookie.
    pub sessions: BTreeMap<String, ConsoleSession>,
}

/// A sign-in token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInToken {
    /// The principal of the credentials that the token was issued for.
    pub principal: Principal,
    /// When a session created with this token expires.
    pub session_expires_at: Timestamp,
    /// When the token itself expires.
    pub expires_at: Timestamp,
}

/// A session of a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleSession {
    /// The session's id, which is part of its pages' URLs.
    pub id: String,
    /// Who is signed in.
    pub principal: Principal,
    /// When the session expires.
    pub expires_at: Timestamp,
}

impl Console {
    /// Removes expired tokens and sessions.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        const DAY: i64 = 24 * 3600;
        let is_recent = |at: &Timestamp| now.as_second() - at.as_second() < DAY;
        self.tokens.retain(|_, token| is_recent(&token.expires_at));
        self.sessions.retain(|_, session| is_recent(&session.expires_at));
    }
}
