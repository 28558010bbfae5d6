//! What the server and [`Client`](super::Client) agree on: names, questions and answers of the control paths.

use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::faults::Fault;
use crate::sso::Consent;

/// The header that carries the control token.
pub(crate) const TOKEN_HEADER: &str = "x-sandbox-token";
/// Where the control paths start.
pub(crate) const PREFIX: &str = "/_sandbox/";

/// What a running server writes into its directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ServerNote {
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
    pub(crate) id: String,
}

/// How a running sandbox is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The sandbox's id.
    pub id: String,
    /// The process that serves it.
    pub pid: u32,
    /// The time, by its clock.
    pub now: Timestamp,
    /// How far its clock is ahead of the system's, in seconds.
    pub clock_offset_seconds: i64,
    /// Calls since it started.
    pub calls: u64,
    /// Faults that are still due.
    pub faults: Vec<Fault>,
}

/// What an MFA device shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeShown {
    /// The device's serial number.
    pub serial: String,
    /// The code of this half minute.
    pub code: String,
    /// How long it is still shown.
    pub seconds_left: i64,
    /// Whether it, or a later one, was used: then AWS refuses it.
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

/// The encoded authorization message of a refused call.
#[derive(Serialize, Deserialize)]
pub(crate) struct Denial {
    pub(crate) encoded_message: String,
}

/// A token that is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenOrder {
    /// Who signs: the issuer.
    pub issuer: String,
    /// Whom it names.
    pub subject: String,
    /// Whom it is meant for.
    pub audience: String,
    /// How long it is good, in seconds from now by the sandbox's clock; below 0, it has ended before.
    pub lifetime_seconds: i64,
    /// Further claims, in the place of usual ones of the same name; a null takes one away.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

/// A token that was minted.
#[derive(Serialize, Deserialize)]
pub(crate) struct TokenMinted {
    pub(crate) token: String,
}

/// A question of Identity Center to the user, answered without a browser.
#[derive(Serialize, Deserialize)]
pub(crate) struct SignInOrder {
    /// The code that a device shows, or the address of the page.
    pub(crate) page: String,
    pub(crate) consent: Consent,
}

/// An answer that was given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInDone {
    /// The client that asked, by the name that it gave itself.
    pub client: String,
    /// Who answered.
    pub user: String,
    /// Where the browser goes now, with a code in it; `None` for a device.
    pub redirect: Option<String>,
}

impl std::fmt::Debug for SignInDone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let redirect = self.redirect.as_ref().map(|_| "[redacted]");
        write!(f, "SignInDone({}, {}, {redirect:?})", self.client, self.user)
    }
}

/// What is taken back of the sign-ins of Identity Center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revoked {
    /// Access tokens. A refresh token gives another.
    AccessTokens,
    /// Whole sign-ins, refresh tokens included.
    Sessions,
}

/// A permission set for the user, or no longer.
#[derive(Serialize, Deserialize)]
pub(crate) struct AssignmentOrder {
    pub(crate) account: String,
    pub(crate) permission_set: String,
    pub(crate) is_assigned: bool,
}

/// Accounts that are wanted, and roles in each.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccountOrder {
    pub(crate) accounts: u32,
    pub(crate) roles: u32,
}
