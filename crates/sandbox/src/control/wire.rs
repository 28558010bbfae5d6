//! The names, requests and responses of the control paths, shared by the server and [`Client`](super::Client).

use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::faults::Fault;
use crate::sso::Consent;

/// The header that carries the control token.
pub(crate) const TOKEN_HEADER: &str = "x-sandbox-token";
/// The prefix of the control paths.
pub(crate) const PREFIX: &str = "/_sandbox/";

/// What a running server writes to its directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ServerNote {
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
    pub(crate) id: String,
}

/// The status of a running sandbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The sandbox's id.
    pub id: String,
    /// The process id of the server.
    pub pid: u32,
    /// The time of the sandbox's clock.
    pub now: Timestamp,
    /// How many seconds the sandbox's clock is ahead of the system clock.
    pub clock_offset_seconds: i64,
    /// The number of calls since the server started.
    pub calls: u64,
    /// The faults that are still pending.
    pub faults: Vec<Fault>,
}

/// The current code of an MFA device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeShown {
    /// The device's serial number.
    pub serial: String,
    /// The code of the current 30-second step.
    pub code: String,
    /// How many seconds the code remains current.
    pub seconds_left: i64,
    /// Whether this code or a later one was used already, so that AWS would reject it.
    pub is_used: bool,
}

impl std::fmt::Debug for CodeShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "CodeShown({}, [redacted], {} s left, used: {})",
            self.serial, self.seconds_left, self.is_used
        )
    }
}

/// The encoded authorization message of a denied call.
#[derive(Serialize, Deserialize)]
pub(crate) struct Denial {
    pub(crate) encoded_message: String,
}

/// A request for a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenOrder {
    /// The issuer, which signs the token.
    pub issuer: String,
    /// The subject of the token.
    pub subject: String,
    /// The audience of the token.
    pub audience: String,
    /// The lifetime in seconds from now, by the sandbox's clock; a negative value creates an expired token.
    pub lifetime_seconds: i64,
    /// More claims, which override the default ones; `null` removes a claim.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

/// A token that was minted.
#[derive(Serialize, Deserialize)]
pub(crate) struct TokenMinted {
    pub(crate) token: String,
}

/// The answer to a page of Identity Center, given without a browser.
#[derive(Serialize, Deserialize)]
pub(crate) struct SignInOrder {
    /// The code that a device shows, or the URL of the page.
    pub(crate) page: String,
    pub(crate) consent: Consent,
}

/// The result of answering a page.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInDone {
    /// The name with which the client registered.
    pub client: String,
    /// The user who answered.
    pub user: String,
    /// The URL with the code that the browser is redirected to; `None` for a device.
    pub redirect: Option<String>,
}

impl std::fmt::Debug for SignInDone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let redirect = self.redirect.as_ref().map(|_| "[redacted]");
        write!(f, "SignInDone({}, {}, {redirect:?})", self.client, self.user)
    }
}

/// What to revoke of the sign-ins of Identity Center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revoked {
    /// Access tokens only. A refresh token can still get a new one.
    AccessTokens,
    /// Whole sign-ins, including their refresh tokens.
    Sessions,
}

/// A request to add or remove an assignment of the user.
#[derive(Serialize, Deserialize)]
pub(crate) struct AssignmentOrder {
    pub(crate) account: String,
    pub(crate) permission_set: String,
    pub(crate) is_assigned: bool,
}

/// A request for accounts with roles in each.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccountOrder {
    pub(crate) accounts: u32,
    pub(crate) roles: u32,
}
