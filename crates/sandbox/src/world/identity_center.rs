//! IAM Identity Center: which user has which permission set in which account, and the clients, codes and tokens.
//!
//! Tokens and codes are stored as digests, so the world's file does not reveal them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Role, World, WorldSecret};
use crate::error::Error;
use crate::{clock, mint};

/// The lifetime of a sign-in.
const PORTAL_SESSION_SECONDS: i64 = 8 * 3600;
/// The path of roles that Identity Center creates.
pub(crate) const ROLE_PATH: &str = "/aws-reserved/sso.amazonaws.com/";

/// An instance of IAM Identity Center.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdentityCenter {
    /// The URL of its portal.
    pub start_url: String,
    /// The user who signs in through the browser.
    pub browser_user: String,
    /// Permission sets by name.
    pub permission_sets: BTreeMap<String, PermissionSet>,
    /// The permission sets of each user in each account.
    pub assignments: BTreeSet<Assignment>,
    /// The lifetime of a sign-in, in seconds.
    pub session_seconds: i64,
    /// Registered clients by client id.
    #[serde(default)]
    pub clients: BTreeMap<String, SsoClient>,
    /// Pending device authorizations, by the digest of the device code.
    #[serde(default)]
    pub devices: BTreeMap<String, DeviceAuthorization>,
    /// Authorization codes that were not exchanged yet, by the digest of the code.
    #[serde(default)]
    pub codes: BTreeMap<String, AuthorizationCode>,
    /// Sign-ins by id.
    #[serde(default)]
    pub sessions: BTreeMap<String, SsoSession>,
    /// Access tokens, by the digest of the token.
    #[serde(default)]
    pub access_tokens: BTreeMap<String, AccessToken>,
    /// Unused refresh tokens, by the digest of the token.
    #[serde(default)]
    pub refresh_tokens: BTreeMap<String, RefreshToken>,
}

/// A permission set. Each account in which it is assigned gets a role with its policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionSet {
    /// The lifetime of its credentials in seconds, 3600..=43200.
    pub session_seconds: i64,
    /// Its inline policies: name to document.
    pub policies: BTreeMap<String, String>,
}

/// The assignment of a permission set to a user in an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Assignment {
    /// The user's name.
    pub user: String,
    /// The account's 12 digits.
    pub account: String,
    /// The permission set's name.
    pub permission_set: String,
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SsoClient {
    /// The name with which the client registered.
    pub name: String,
    /// Its secret.
    pub secret: WorldSecret,
    /// The scopes that it registered; empty if it named none.
    pub scopes: BTreeSet<String>,
    /// The allowed redirect URIs for codes.
    pub redirect_uris: Vec<String>,
    /// The allowed grant types.
    pub grant_types: BTreeSet<GrantType>,
    /// When the registration expires.
    pub expires_at: Timestamp,
}

/// The OAuth grant type of a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum GrantType {
    /// A code from the redirect of the browser.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// A device code, polled until the user answers.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// With a refresh token.
    #[serde(rename = "refresh_token")]
    RefreshToken,
}

impl GrantType {
    /// Parses the OAuth name of a grant type.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_value(json!(text)).ok()
    }
}

/// A device that waits for its user's approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAuthorization {
    /// The client that requested it.
    pub client_id: String,
    /// The code that the user compares or types.
    pub user_code: WorldSecret,
    /// The user's answer.
    pub verdict: Verdict,
    /// When the device code expires.
    pub expires_at: Timestamp,
    /// When the client last asked for a token.
    pub asked_at: Option<Timestamp>,
    /// The minimum time between two polls, in seconds.
    pub interval_seconds: i64,
}

/// The user's answer to a device authorization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The user has not answered yet.
    Pending,
    /// Allowed by this user.
    Allowed(String),
    /// Denied by the user.
    Denied,
}

/// An authorization code that was sent to the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCode {
    /// The client that requested it.
    pub client_id: String,
    /// The user who signed in.
    pub user: String,
    /// The redirect URI that it was sent to, including the port.
    pub redirect_uri: String,
    /// SHA-256 of the verifier, in base64url.
    pub challenge: String,
    /// The requested scopes.
    pub scopes: BTreeSet<String>,
    /// When the code expires.
    pub expires_at: Timestamp,
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SsoSession {
    /// The user who signed in.
    pub user: String,
    /// The client that the sign-in is for.
    pub client_id: String,
    /// The scopes that were granted to the client.
    pub scopes: BTreeSet<String>,
    /// When the sign-in expires, regardless of refreshes.
    pub expires_at: Timestamp,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The sign-in that it belongs to.
    pub session: String,
    /// When the token expires.
    pub expires_at: Timestamp,
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The sign-in that it belongs to.
    pub session: String,
}

/// Returns the key under which a token or code is stored.
pub(crate) fn digest_of(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

impl IdentityCenter {
    /// Creates an instance without assignments.
    pub fn new(start_url: &str, browser_user: &str) -> Self {
        Self {
            start_url: start_url.to_owned(),
            browser_user: browser_user.to_owned(),
            permission_sets: BTreeMap::new(),
            assignments: BTreeSet::new(),
            session_seconds: PORTAL_SESSION_SECONDS,
            clients: BTreeMap::new(),
            devices: BTreeMap::new(),
            codes: BTreeMap::new(),
            sessions: BTreeMap::new(),
            access_tokens: BTreeMap::new(),
            refresh_tokens: BTreeMap::new(),
        }
    }

    /// Returns whether `url` is the URL of this portal, ignoring `/` and `#` at its end.
    pub(crate) fn is_at(&self, url: &str) -> bool {
        url.trim_end_matches(['/', '#']) == self.start_url
    }

    /// Returns whether the permission set is assigned to `user` in the account.
    pub(crate) fn is_assigned(&self, user: &str, account: &str, permission_set: &str) -> bool {
        let (user, account) = (user.to_owned(), account.to_owned());
        self.assignments.contains(&Assignment { user, account, permission_set: permission_set.to_owned() })
    }

    /// Returns the sign-in of an access token that is valid at `now`.
    pub(crate) fn session_of(&self, access_token: &str, now: Timestamp) -> Option<&SsoSession> {
        let token =
            self.access_tokens.get(&digest_of(access_token)).filter(|token| now < token.expires_at)?;
        self.sessions.get(&token.session).filter(|session| now < session.expires_at)
    }

    /// Ends a sign-in and revokes all its tokens.
    pub(crate) fn end_session(&mut self, id: &str) {
        self.sessions.remove(id);
        self.access_tokens.retain(|_, token| token.session != id);
        self.refresh_tokens.retain(|_, token| token.session != id);
    }

    /// Removes everything that has expired.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        self.codes.retain(|_, code| now < code.expires_at);
        // Kept for another hour, so that a late poll still gets `expired_token`.
        self.devices.retain(|_, device| now < clock::later(device.expires_at, 3600));
        self.clients.retain(|_, client| now < clock::later(client.expires_at, 3600));
        self.access_tokens.retain(|_, token| now < token.expires_at);
        self.sessions.retain(|_, session| now < session.expires_at);
        self.refresh_tokens.retain(|_, token| self.sessions.contains_key(&token.session));
    }
}

/// Returns the name of the role for `permission_set` in `account`.
pub(crate) fn reserved_role_name(account: &str, permission_set: &str) -> String {
    let digest = hex::encode(Sha256::digest(format!("{account}/{permission_set}")));
    format!("AWSReservedSSO_{permission_set}_{}", digest.get(..16).unwrap_or_default())
}

impl World {
    /// Adds a permission set with these inline policies: name to document.
    pub fn add_permission_set(
        &mut self,
        name: &str,
        session_seconds: i64,
        policies: BTreeMap<String, String>,
    ) {
        if let Some(center) = &mut self.identity_center {
            center.permission_sets.insert(name.to_owned(), PermissionSet { session_seconds, policies });
        }
    }

    /// Assigns a permission set to a user in an account.
    pub fn assign_permission_set(&mut self, user: &str, account: &str, permission_set: &str) {
        let Some(center) = &mut self.identity_center else { return };
        center.assignments.insert(Assignment {
            user: user.to_owned(),
            account: account.to_owned(),
            permission_set: permission_set.to_owned(),
        });
        self.accounts.entry(account.to_owned()).or_default();
    }

    /// Returns the role of a permission set in an account, which is created when it is first needed: its name, and the
    /// lifetime of its credentials in seconds. `None` if there is no such permission set.
    pub(crate) fn provision_role(
        &mut self,
        account: &str,
        permission_set: &str,
        now: Timestamp,
    ) -> Result<Option<(String, i64)>, Error> {
        let set = self.identity_center.as_ref().and_then(|center| center.permission_sets.get(permission_set));
        let Some(set) = set.cloned() else { return Ok(None) };
        let name = reserved_role_name(account, permission_set);
        let role = Role {
            path: ROLE_PATH.to_owned(),
            role_id: mint::mint_unique_id("AROA")?,
            created_at: clock::whole_seconds(now),
            trust: trust_of_identity_center(account),
            description: String::new(),
            policies: set.policies,
            boundary: None,
            max_session_seconds: 43_200,
            tags: BTreeMap::new(),
        };
        let account = self.accounts.entry(account.to_owned()).or_default();
        account.roles.entry(name.clone()).or_insert(role);
        Ok(Some((name, set.session_seconds)))
    }
}

/// The trust policy that Identity Center writes: it trusts its own SAML provider in the account.
fn trust_of_identity_center(account: &str) -> String {
    let provider = format!("arn:aws:iam::{account}:saml-provider/AWSSSO_1f2e3d4c5b6a7980_DO_NOT_DELETE");
    let statement = json!([{
        "Effect": "Allow",
        "Principal": { "Federated": provider },
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
        "Condition": { "StringEquals": { "SAML:aud": "https://signin.aws.amazon.com/saml" } },
    }]);
    format!("{:#}", json!({ "Version": "2012-10-17", "Statement": statement }))
}
