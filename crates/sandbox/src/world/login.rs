//! The state of the sign-in service: authorization codes, and sessions of `aws login`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Principal, WorldSecret};
use crate::jwt::PublicKey;

/// The state of the sign-in service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logins {
    /// Authorization codes that were not exchanged yet, by the digest of the code.
    pub codes: BTreeMap<String, LoginCode>,
    /// Sessions, by the digest of their first refresh token.
    pub sessions: BTreeMap<String, LoginSession>,
    /// Ids of the proofs that were used, and when: each proof is accepted only once.
    pub proofs: BTreeMap<String, Timestamp>,
}

/// An authorization code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginCode {
    /// Who signed in.
    pub principal: Principal,
    /// The client id of the request.
    pub client_id: String,
    /// The redirect URI that the code was sent to.
    pub redirect_uri: String,
    /// The challenge of the code verifier (SHA-256, base64url).
    pub challenge: String,
    /// The region in the host of the sign-in page, if it names one.
    pub region: Option<String>,
    /// When the code expires.
    pub expires_at: Timestamp,
}

/// A session of `aws login`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginSession {
    /// Who signed in.
    pub principal: Principal,
    /// The client that the session belongs to.
    pub client_id: String,
    /// The key that signs its proofs.
    pub key: PublicKey,
    /// The current refresh token.
    pub refresh_token: WorldSecret,
    /// The previous refresh token, and when it was replaced.
    pub previous: Option<(WorldSecret, Timestamp)>,
    /// The region in the host of the request that created the session, if it names one.
    pub region: Option<String>,
    /// When the session expires.
    pub expires_at: Timestamp,
    /// Whether the session can be refreshed.
    pub state: LoginState,
}

/// The state of a session of `aws login`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginState {
    /// It can be refreshed.
    Active,
    /// The session was revoked.
    Revoked,
    /// The user's password was changed.
    CredentialsChanged,
}

impl Logins {
    /// Removes what expired more than a day ago.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        const DAY: i64 = 24 * 3600;
        let is_recent = |at: &Timestamp| now.as_second() - at.as_second() < DAY;
        self.codes.retain(|_, code| is_recent(&code.expires_at));
        self.sessions.retain(|_, session| is_recent(&session.expires_at));
        self.proofs.retain(|_, at| is_recent(at));
    }
}
