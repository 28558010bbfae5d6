//! IAM Identity Center: who may have which permission set in which account, and what was given out to whom.
//!
//! Tokens and codes are kept by their digests: whoever reads the world's file learns none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Role, World, WorldSecret};
use crate::error::Error;
use crate::{clock, mint};

/// How long a sign-in lasts.
const PORTAL_SESSION_SECONDS: i64 = 8 * 3600;
/// The path of the roles that Identity Center makes.
pub(crate) const ROLE_PATH: &str = "/aws-reserved/sso.amazonaws.com/";

/// An instance of IAM Identity Center.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdentityCenter {
    /// The address of its portal.
    pub start_url: String,
    /// The user who signs in, in the browser.
    pub browser_user: String,
    /// Permission sets by name.
    pub permission_sets: BTreeMap<String, PermissionSet>,
    /// Who has which permission set where.
    pub assignments: BTreeSet<Assignment>,
    /// How long a sign-in lasts, in seconds.
    pub session_seconds: i64,
    /// Registered clients by client id.
    #[serde(default)]
    pub clients: BTreeMap<String, SsoClient>,
    /// Device authorizations under way, by the digest of the device code.
    #[serde(default)]
    pub devices: BTreeMap<String, DeviceAuthorization>,
    /// Authorization codes that wait for their exchange, by digest.
    #[serde(default)]
    pub codes: BTreeMap<String, AuthorizationCode>,
    /// Sign-ins by id.
    #[serde(default)]
    pub sessions: BTreeMap<String, SsoSession>,
    /// Access tokens by digest.
    #[serde(default)]
    pub access_tokens: BTreeMap<String, AccessToken>,
    /// Refresh tokens that can still be used, by digest.
    #[serde(default)]
    pub refresh_tokens: BTreeMap<String, RefreshToken>,
}

/// A permission set. In each account where it is used, a role has its policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionSet {
    /// How long its credentials last, in seconds: 3600..=43200.
    pub session_seconds: i64,
    /// Its policies: name to document.
    pub policies: BTreeMap<String, String>,
}

/// A permission set of a user in an account.
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
    /// The name that it gave itself.
    pub name: String,
    /// Its secret.
    pub secret: WorldSecret,
    /// What it may ask for; empty when it named nothing.
    pub scopes: BTreeSet<String>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<String>,
    /// How it may ask for tokens.
    pub grant_types: BTreeSet<GrantType>,
    /// When its registration ends.
    pub expires_at: Timestamp,
}

/// How a client asks for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum GrantType {
    /// With a code that the browser brought back.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// With a device code, again and again until it is approved.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// With a refresh token.
    #[serde(rename = "refresh_token")]
    RefreshToken,
}

impl GrantType {
    /// Parses the name that OAuth gives it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_value(json!(text)).ok()
    }
}

/// A device that waits for its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceAuthorization {
    /// The client that asked.
    pub client_id: String,
    /// What the user compares, or types.
    pub user_code: WorldSecret,
    /// What the user said.
    pub verdict: Verdict,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When the client last asked for a token.
    pub asked_at: Option<Timestamp>,
    /// How long the client must wait between two questions.
    pub interval_seconds: i64,
}

/// What the user said to a device's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing yet.
    Pending,
    /// This user allowed it.
    Allowed(String),
    /// The user denied it.
    Denied,
}

/// A code that the browser took back to the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCode {
    /// The client that asked.
    pub client_id: String,
    /// Who signed in.
    pub user: String,
    /// Where it was sent, port included.
    pub redirect_uri: String,
    /// SHA-256 of the verifier, in base64url.
    pub challenge: String,
    /// What was asked for.
    pub scopes: BTreeSet<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SsoSession {
    /// Who signed in.
    pub user: String,
    /// The client that it was for.
    pub client_id: String,
    /// What the client may do with it.
    pub scopes: BTreeSet<String>,
    /// When it ends, whatever is refreshed.
    pub expires_at: Timestamp,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The sign-in that it belongs to.
    pub session: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The sign-in that it belongs to.
    pub session: String,
}

/// The name under which a token or code is kept.
pub(crate) fn digest_of(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

impl IdentityCenter {
    /// An instance without assignments.
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

    /// Whether `url` is the address of this portal, as people write it.
    pub(crate) fn is_at(&self, url: &str) -> bool {
        url.trim_end_matches(['/', '#']) == self.start_url
    }

    /// Whether `user` has the permission set in the account.
    pub(crate) fn is_assigned(&self, user: &str, account: &str, permission_set: &str) -> bool {
        let (user, account) = (user.to_owned(), account.to_owned());
        self.assignments.contains(&Assignment { user, account, permission_set: permission_set.to_owned() })
    }

    /// The sign-in of an access token that is good now.
    pub(crate) fn session_of(&self, access_token: &str, now: Timestamp) -> Option<&SsoSession> {
        let token =
            self.access_tokens.get(&digest_of(access_token)).filter(|token| now < token.expires_at)?;
        self.sessions.get(&token.session).filter(|session| now < session.expires_at)
    }

    /// Ends a sign-in and all its tokens.
    pub(crate) fn end_session(&mut self, id: &str) {
        self.sessions.remove(id);
        self.access_tokens.retain(|_, token| token.session != id);
        self.refresh_tokens.retain(|_, token| token.session != id);
    }

    /// Forgets what can no longer be used.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        self.codes.retain(|_, code| now < code.expires_at);
        // A device that asks too late gets `expired_token`, for a while.
        self.devices.retain(|_, device| now < clock::later(device.expires_at, 3600));
        self.clients.retain(|_, client| now < clock::later(client.expires_at, 3600));
        self.access_tokens.retain(|_, token| now < token.expires_at);
        self.sessions.retain(|_, session| now < session.expires_at);
        self.refresh_tokens.retain(|_, token| self.sessions.contains_key(&token.session));
    }
}

/// The name of the role that has the policies of `permission_set` in `account`.
pub(crate) fn reserved_role_name(account: &str, permission_set: &str) -> String {
    let digest = hex::encode(Sha256::digest(format!("{account}/{permission_set}")));
    format!("AWSReservedSSO_{permission_set}_{}", digest.get(..16).unwrap_or_default())
}

impl World {
    /// Adds a permission set with these policies, name to document.
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

    /// The role of a permission set in an account, which is made when it is first needed. Gives its name, and how long
    /// its credentials last; `None` when there is no such permission set.
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

/// As Identity Center writes it: its own provider in the account, for SAML.
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
