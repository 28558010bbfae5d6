//! What the console has given out: sign-in tokens and sessions, both by the digests of what opens them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Principal;

/// What the console knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Console {
    /// Sign-in tokens, by digest.
    pub tokens: BTreeMap<String, SignInToken>,
    /// Sessions of browsers, by the digest of the cookie.
    pub sessions: BTreeMap<String, ConsoleSession>,
}

/// A sign-in token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInToken {
    /// Whom the credentials represent that it was given for.
    pub principal: Principal,
    /// When a session that it opens ends.
    pub session_expires_at: Timestamp,
    /// When the token itself ends.
    pub expires_at: Timestamp,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleSession {
    /// A part of the address of its pages.
    pub id: String,
    /// Who is signed in.
    pub principal: Principal,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Console {
    /// Removes what can no longer be used.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        const DAY: i64 = 24 * 3600;
        let is_recent = |at: &Timestamp| now.as_second() - at.as_second() < DAY;
        self.tokens.retain(|_, token| is_recent(&token.expires_at));
        self.sessions.retain(|_, session| is_recent(&session.expires_at));
    }
}
