//! What the sign-in service has given out: authorization codes, and sessions of `aws login`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Principal, WorldSecret};
use crate::jwt::PublicKey;

/// What the sign-in service knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logins {
    /// Authorization codes that were not exchanged yet, by the code's digest.
    pub codes: BTreeMap<String, LoginCode>,
    /// Sessions, by the digest of the refresh token that they began with.
    pub sessions: BTreeMap<String, LoginSession>,
    /// Ids of the proofs that were seen, and when: each is good once.
    pub proofs: BTreeMap<String, Timestamp>,
}

/// An authorization code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginCode {
    /// Who signed in.
    pub principal: Principal,
    /// Which of the two clients asked.
    pub client_id: String,
    /// Where the code was sent to.
    pub redirect_uri: String,
    /// The challenge of the code verifier (SHA-256, base64url).
    pub challenge: String,
    /// The region whose page it was, where the host named one.
    pub region: Option<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A session of `aws login`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginSession {
    /// Who signed in.
    pub principal: Principal,
    /// The client that it belongs to.
    pub client_id: String,
    /// The key that signs its proofs.
    pub key: PublicKey,
    /// The refresh token of now.
    pub refresh_token: WorldSecret,
    /// The one before it, and when it was replaced.
    pub previous: Option<(WorldSecret, Timestamp)>,
    /// The region that it was made in, where the host named one.
    pub region: Option<String>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What became of it.
    pub state: LoginState,
}

/// What became of a session of `aws login`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginState {
    /// It can be refreshed.
    Active,
    /// It was revoked.
    Revoked,
    /// The password of its user was changed.
    CredentialsChanged,
}

impl Logins {
    /// Removes what can no longer be asked for.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        const DAY: i64 = 24 * 3600;
        let is_recent = |at: &Timestamp| now.as_second() - at.as_second() < DAY;
        self.codes.retain(|_, code| is_recent(&code.expires_at));
        self.sessions.retain(|_, session| is_recent(&session.expires_at));
        self.proofs.retain(|_, at| is_recent(at));
    }
}
