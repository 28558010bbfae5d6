//! Temporary credentials that were given out, and whom they represent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{World, WorldSecret, role_arn, user_arn};

/// Temporary credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The secret half of the temporary key.
    pub secret: WorldSecret,
    /// The session token that must come with it.
    pub token: WorldSecret,
    /// Whom the credentials represent.
    pub principal: Principal,
    /// The call that gave them.
    pub kind: SessionKind,
    /// When they were given.
    pub issued_at: Timestamp,
    /// When they end. Whole seconds.
    pub expires_at: Timestamp,
    /// Session policies, as documents; `None` when there are none, which is no limit.
    pub policies: Option<Vec<String>>,
    /// Session tags, with those that came along the chain.
    pub tags: BTreeMap<String, String>,
    /// Keys of the tags that go on to the next role.
    pub transitive_tags: BTreeSet<String>,
    /// The source identity. It goes on to every next role.
    pub source_identity: Option<String>,
    /// The token that a role was put on with, when it was one of a provider.
    #[serde(default)]
    pub web_identity: Option<WebIdentity>,
    /// Whether a user's access key signed the call for them.
    #[serde(default)]
    pub by_access_key: bool,
}

/// What a session keeps of the token of a provider. Policies of the role see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebIdentity {
    /// ARN of the provider.
    pub provider: String,
    /// Condition keys, names in lower case: `issuer:sub`, `issuer:aud`.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl WebIdentity {
    /// The condition keys that it brings, names in lower case.
    pub(crate) fn condition_keys(&self) -> BTreeMap<String, Vec<String>> {
        let mut keys = self.keys.clone();
        keys.insert("aws:federatedprovider".to_owned(), vec![self.provider.clone()]);
        keys
    }
}

/// The call that gave temporary credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionKind {
    /// AssumeRole, signed or with the token of a provider; or GetRoleCredentials of Identity Center.
    AssumeRole,
    /// GetSessionToken; with the time of the MFA code, if one was given.
    GetSessionToken {
        /// When the code was accepted.
        mfa_at: Option<Timestamp>,
    },
    /// GetFederationToken.
    GetFederationToken,
    /// AssumeRoot: the root user of a member account, for one task.
    AssumeRoot,
    /// `aws login`: a user, a role or the root user, signed in by a browser.
    Login,
}

/// Whom credentials represent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Principal {
    /// A user.
    User {
        /// The account.
        account: String,
        /// The user's name.
        name: String,
    },
    /// The root user of an account.
    Root {
        /// The account.
        account: String,
    },
    /// A session of a role.
    RoleSession {
        /// The account of the role.
        account: String,
        /// The role's name.
        role: String,
        /// The session's name.
        session: String,
    },
    /// A federated user, with the rights of the user that asked for the token.
    Federated {
        /// The account.
        account: String,
        /// The user that asked.
        user: Option<String>,
        /// The federated user's name.
        name: String,
    },
}

impl Principal {
    /// The account.
    pub fn account(&self) -> &str {
        match self {
            Self::User { account, .. }
            | Self::Root { account }
            | Self::RoleSession { account, .. }
            | Self::Federated { account, .. } => account,
        }
    }

    /// The ARN, as GetCallerIdentity shows it. `world` knows the path of a user.
    pub fn arn(&self, world: &World) -> String {
        match self {
            Self::User { account, name } => {
                user_arn(account, world.user(account, name).map_or("/", |user| &user.path), name)
            }
            Self::Root { account } => format!("arn:aws:iam::{account}:root"),
            Self::RoleSession { account, role, session } => {
                format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
            }
            Self::Federated { account, name, .. } => format!("arn:aws:sts::{account}:federated-user/{name}"),
        }
    }

    /// The ARN that policies mean by `aws:PrincipalArn`: that of the role for its sessions.
    pub fn principal_arn(&self, world: &World) -> String {
        match self {
            Self::RoleSession { account, role, .. } => {
                role_arn(account, world.role(account, role).map_or("/", |role| &role.path), role)
            }
            _ => self.arn(world),
        }
    }

    /// `aws:userid`, as GetCallerIdentity shows it; empty when the user or role is gone.
    pub fn user_id(&self, world: &World) -> String {
        match self {
            Self::User { account, name } => {
                world.user(account, name).map(|user| user.user_id.clone()).unwrap_or_default()
            }
            Self::Root { account } => account.clone(),
            Self::RoleSession { account, role, session } => {
                let id = world.role(account, role).map(|role| role.role_id.as_str()).unwrap_or_default();
                format!("{id}:{session}")
            }
            Self::Federated { account, name, .. } => format!("{account}:{name}"),
        }
    }
}
