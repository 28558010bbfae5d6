//! Temporary credentials that were issued, and their principals.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{World, WorldSecret, role_arn, user_arn};

/// Temporary credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The secret half of the temporary key.
    pub secret: WorldSecret,
    /// The session token that must be sent with the key.
    pub token: WorldSecret,
    /// The principal of the credentials.
    pub principal: Principal,
    /// The call that issued them.
    pub kind: SessionKind,
    /// When they were issued.
    pub issued_at: Timestamp,
    /// When they expire, in whole seconds.
    pub expires_at: Timestamp,
    /// The documents of the session policies; `None` if there are none, which does not limit the session.
    pub policies: Option<Vec<String>>,
    /// Session tags, including those inherited through role chaining.
    pub tags: BTreeMap<String, String>,
    /// Keys of the transitive tags, which the next role session inherits.
    pub transitive_tags: BTreeSet<String>,
    /// The source identity, which every later role session inherits.
    pub source_identity: Option<String>,
    /// The provider's token that the role was assumed with, if it was.
    #[serde(default)]
    pub web_identity: Option<WebIdentity>,
    /// Whether a user's access key signed the call that issued them.
    #[serde(default)]
    pub by_access_key: bool,
}

/// The data of a provider's token that is available to policies of the session's role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebIdentity {
    /// ARN of the provider.
    pub provider: String,
    /// Condition keys and their values, names in lower case: `issuer:sub`, `issuer:aud`.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl WebIdentity {
    /// Returns the condition keys for policies, names in lower case.
    pub(crate) fn condition_keys(&self) -> BTreeMap<String, Vec<String>> {
        let mut keys = self.keys.clone();
        keys.insert("aws:federatedprovider".to_owned(), vec![self.provider.clone()]);
        keys
    }
}

/// The call that issued temporary credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionKind {
    /// AssumeRole, AssumeRoleWithWebIdentity, or GetRoleCredentials of Identity Center.
    AssumeRole,
    /// GetSessionToken.
    GetSessionToken {
        /// When the MFA code was accepted, if the call had one.
        mfa_at: Option<Timestamp>,
    },
    /// GetFederationToken.
    GetFederationToken,
    /// AssumeRoot: the root user of a member account for one task.
    AssumeRoot,
    /// `aws login`: a user, role session or root user that signed in through the browser.
    Login,
}

/// The principal of credentials.
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
    /// A federated user, with the permissions of the user that called GetFederationToken.
    Federated {
        /// The account.
        account: String,
        /// The user that called GetFederationToken.
        user: Option<String>,
        /// The federated user's name.
        name: String,
    },
}

impl Principal {
    /// Returns the account.
    pub fn account(&self) -> &str {
        match self {
            Self::User { account, .. }
            | Self::Root { account }
            | Self::RoleSession { account, .. }
            | Self::Federated { account, .. } => account,
        }
    }

    /// Returns the ARN that GetCallerIdentity shows. `world` is needed for the path of a user.
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

    /// Returns the value of `aws:PrincipalArn`: for a role session, the ARN of the role.
    pub fn principal_arn(&self, world: &World) -> String {
        match self {
            Self::RoleSession { account, role, .. } => {
                role_arn(account, world.role(account, role).map_or("/", |role| &role.path), role)
            }
            _ => self.arn(world),
        }
    }

    /// Returns `aws:userid`, as GetCallerIdentity shows it; empty if the user or role no longer exists.
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
