//! The state of a sandbox: accounts, users, keys, MFA devices, roles, sessions, buckets, and the external identity
//! providers.
//!
//! The world is plain data that is serialized as JSON. `file` stores it; other modules decide which changes are
//! allowed. Object bytes are stored beside it, named by their digest.

mod bucket;
mod console;
mod demo;
mod file;
mod identity;
mod identity_center;
mod login;
mod machine;
mod organization;
mod secret;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use hatbox_types::name::RoleArn;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::mint;

pub use bucket::{Bucket, Object, Part, Upload};
pub use console::{Console, ConsoleSession, SignInToken};
pub use demo::{
    ADMIN_ROLE, AUDIENCE, AUDITOR_ROLE, DEVELOPER_SET, ISSUER, JOB_ROLE, MFA_SERIAL, PEOPLE_ACCOUNT,
    READ_ONLY_SET, REGION, START_URL, SUBJECT, USER, WORK_ACCOUNT, WORKER_ROLE,
};
pub(crate) use file::Home;
pub use file::{load_world, save_world};
pub use identity::{Curve, IdentityKey, IdentityProvider, OidcProvider, PublicKey};
pub(crate) use identity::{issuer_name, oidc_provider_arn};
pub use identity_center::{
    AccessToken, Assignment, AuthorizationCode, DeviceAuthorization, GrantType, IdentityCenter,
    PermissionSet, RefreshToken, SsoClient, SsoSession, Verdict,
};
pub(crate) use identity_center::{ROLE_PATH, digest_of, reserved_role_name};
pub use login::{LoginCode, LoginSession, LoginState, Logins};
pub use machine::{Machine, MachineToken};
pub(crate) use organization::task_policy;
pub use organization::{Organization, RootSessions};
pub use secret::WorldSecret;
pub use session::{Principal, Session, SessionKind, WebIdentity};

/// The whole state of a sandbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The sandbox's id. Every access key id that the sandbox mints contains a mark derived from it.
    pub id: String,
    /// How many seconds the sandbox's clock is ahead of the system clock.
    pub clock_offset_seconds: i64,
    /// Accounts by their 12 digits.
    pub accounts: BTreeMap<String, Account>,
    /// Temporary credentials that were issued, by access key id.
    pub sessions: BTreeMap<String, Session>,
    /// Buckets by name.
    pub buckets: BTreeMap<String, Bucket>,
    /// Multipart uploads in progress, by upload id.
    pub uploads: BTreeMap<String, Upload>,
    /// AWS's own managed policies: ARN to document.
    pub managed_policies: BTreeMap<String, String>,
    /// Identity providers by issuer. They belong to no account; an account must register one to trust it.
    #[serde(default)]
    pub identity_providers: BTreeMap<String, IdentityProvider>,
    /// The organization of some of the accounts, if there is one.
    #[serde(default)]
    pub organization: Option<Organization>,
    /// The state of the sign-in service.
    #[serde(default)]
    pub logins: Logins,
    /// The state of the console.
    #[serde(default)]
    pub console: Console,
    /// The instance of IAM Identity Center.
    #[serde(default)]
    pub identity_center: Option<IdentityCenter>,
    /// The machine that instance metadata and the container endpoint serve.
    #[serde(default)]
    pub machine: Option<Machine>,
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Access keys of the root user.
    pub root_keys: Vec<Key>,
    /// Users by name.
    pub users: BTreeMap<String, User>,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Roles by name.
    pub roles: BTreeMap<String, Role>,
    /// MFA devices by serial number.
    pub mfa_devices: BTreeMap<String, MfaDevice>,
    /// Regions in which STS issues no credentials to its users and roles.
    #[serde(default)]
    pub disabled_regions: BTreeSet<String>,
    /// Registered issuers of tokens, by their ARN in trust policies.
    #[serde(default)]
    pub oidc_providers: BTreeMap<String, OidcProvider>,
    /// The issuer of the tokens that GetWebIdentityToken returns to its users and roles; `None` if outbound web
    /// identity federation is disabled. Its key is among the world's identity providers.
    #[serde(default)]
    pub outbound_issuer: Option<String>,
    /// The account's own managed policies: ARN to document.
    #[serde(default)]
    pub managed_policies: BTreeMap<String, String>,
    /// Attachments of managed policies, AWS's or the account's own, by the ARN of the policy.
    #[serde(default)]
    pub attachments: BTreeMap<String, Attached>,
    /// The account's alias, which is part of the URL of its sign-in page.
    #[serde(default)]
    pub alias: Option<String>,
    /// The account's name in its organization, as in lists of accounts.
    #[serde(default)]
    pub name: Option<String>,
}

/// The entities that a managed policy is attached to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Names of users.
    pub users: BTreeSet<String>,
    /// Names of groups.
    pub groups: BTreeSet<String>,
    /// Names of roles.
    pub roles: BTreeSet<String>,
}

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The path: `/` or `/team/`.
    pub path: String,
    /// `AIDA...`.
    pub user_id: String,
    /// When the user was created.
    pub created_at: Timestamp,
    /// Access keys, at most two.
    pub keys: Vec<Key>,
    /// Inline policies: name to document.
    pub policies: BTreeMap<String, String>,
    /// The ARN of the managed policy that is the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// An IAM group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// The path: `/` or `/team/`.
    pub path: String,
    /// `AGPA...`.
    pub group_id: String,
    /// When the group was created.
    pub created_at: Timestamp,
    /// Names of its users.
    pub members: BTreeSet<String>,
    /// Inline policies: name to document.
    pub policies: BTreeMap<String, String>,
}

impl Attached {
    /// Returns the number of entities.
    pub(crate) fn count(&self) -> usize {
        self.users.len() + self.groups.len() + self.roles.len()
    }
}

impl Default for Group {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            group_id: "AGPAAAAAAAAAAAAAAAAAA".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            members: BTreeSet::new(),
            policies: BTreeMap::new(),
        }
    }
}

/// A long-lived access key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: WorldSecret,
    /// Whether the key is accepted.
    pub status: KeyStatus,
    /// When the key was created.
    pub created_at: Timestamp,
    /// What it was last used for.
    pub last_used: Option<LastUsed>,
}

/// Whether an access key is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyStatus {
    /// The key is accepted.
    Active,
    /// The key is rejected until it is activated again.
    Inactive,
}

/// The last use of an access key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastUsed {
    /// When the key was used.
    pub at: Timestamp,
    /// The service: `sts`, `iam`, `s3`.
    pub service: String,
    /// The region that the request was signed for.
    pub region: String,
}

/// A virtual MFA device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MfaDevice {
    /// The seed in base32, as for authenticator apps.
    pub seed: WorldSecret,
    /// The user for whom it is enabled.
    pub user: Option<String>,
    /// When it was enabled.
    pub enabled_at: Option<Timestamp>,
    /// The last step whose code was accepted. The codes of this and earlier steps are used up.
    pub last_step: Option<i64>,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// The path: `/` or `/team/`.
    pub path: String,
    /// `AROA...`.
    pub role_id: String,
    /// When the role was created.
    pub created_at: Timestamp,
    /// The trust policy's document.
    pub trust: String,
    /// The description of the role.
    pub description: String,
    /// Inline policies: name to document.
    pub policies: BTreeMap<String, String>,
    /// The ARN of the managed policy that is the permissions boundary.
    pub boundary: Option<String>,
    /// The maximum duration of a session in seconds, 3600..=43200.
    pub max_session_seconds: i64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// The owner of a long-lived key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyOwner<'a> {
    /// A user, by account and name.
    User(&'a str, &'a str),
    /// The root user of an account.
    Root(&'a str),
}

impl World {
    /// Creates a world that contains only AWS's managed policies.
    ///
    /// # Errors
    /// If the operating system returns no random bytes.
    pub fn empty() -> Result<Self, Error> {
        Ok(Self {
            id: hex::encode(mint::mint_bytes::<8>()?),
            clock_offset_seconds: 0,
            accounts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            buckets: BTreeMap::new(),
            uploads: BTreeMap::new(),
            managed_policies: demo::managed_policies(),
            identity_providers: BTreeMap::new(),
            organization: None,
            logins: Logins::default(),
            console: Console::default(),
            identity_center: None,
            machine: None,
        })
    }

    /// Creates an active access key with this world's mark. The caller assigns it to an owner.
    ///
    /// # Errors
    /// If the operating system returns no random bytes.
    pub fn mint_key(&self, created_at: Timestamp) -> Result<Key, Error> {
        Ok(Key {
            id: mint::mint_key_id("AKIA", &self.id)?,
            secret: WorldSecret::new(mint::mint_secret()?),
            status: KeyStatus::Active,
            created_at,
            last_used: None,
        })
    }

    /// Returns the first access key of a user, as a store accepts it.
    pub fn access_key(&self, account: &str, user: &str) -> Option<hatbox_types::secret::AccessKey> {
        let key = self.accounts.get(account)?.users.get(user)?.keys.first()?;
        hatbox_types::secret::AccessKey::parse(&key.id, key.secret.expose()).ok()
    }

    /// Finds a long-lived key and its owner by id.
    pub(crate) fn find_key(&self, id: &str) -> Option<(KeyOwner<'_>, &Key)> {
        self.accounts.iter().find_map(|(account, entry)| {
            let of_root = entry.root_keys.iter().map(|key| (KeyOwner::Root(account), key));
            let of_users = entry.users.iter().flat_map(|(name, user)| {
                user.keys.iter().map(move |key| (KeyOwner::User(account, name), key))
            });
            of_root.chain(of_users).find(|(_, key)| key.id == id)
        })
    }

    /// Finds a long-lived key by id, to change it.
    pub(crate) fn find_key_mut(&mut self, id: &str) -> Option<&mut Key> {
        self.accounts.values_mut().find_map(|account| {
            let of_users = account.users.values_mut().flat_map(|user| user.keys.iter_mut());
            account.root_keys.iter_mut().chain(of_users).find(|key| key.id == id)
        })
    }

    /// Returns a user by account and name.
    pub(crate) fn user(&self, account: &str, name: &str) -> Option<&User> {
        self.accounts.get(account)?.users.get(name)
    }

    /// Returns a role by account and name.
    pub(crate) fn role(&self, account: &str, name: &str) -> Option<&Role> {
        self.accounts.get(account)?.roles.get(name)
    }

    /// Returns a role by its ARN, if the path matches too.
    pub(crate) fn role_of(&self, arn: &RoleArn) -> Option<&Role> {
        let found = self.role(arn.account(), arn.role_name());
        found.filter(|role| role_arn(arn.account(), &role.path, arn.role_name()) == arn.as_str())
    }

    /// Returns the document of a managed policy that can be attached to users and roles of `account`.
    pub(crate) fn managed_policy<'a>(&'a self, account: &'a Account, arn: &str) -> Option<&'a String> {
        self.managed_policies.get(arn).or_else(|| account.managed_policies.get(arn))
    }

    /// Removes sessions that ended more than a week ago, and other expired state.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        const WEEK: i64 = 7 * 24 * 3600;
        self.sessions.retain(|_, session| now.as_second() - session.expires_at.as_second() < WEEK);
        self.logins.prune(now);
        self.console.prune(now);
    }
}

/// Returns `arn:aws:iam::A:user/PATH/NAME`.
pub(crate) fn user_arn(account: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:user{path}{name}")
}

/// Returns `arn:aws:iam::A:group/PATH/NAME`.
pub(crate) fn group_arn(account: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:group{path}{name}")
}

/// Returns `arn:aws:iam::A:role/PATH/NAME`.
pub(crate) fn role_arn(account: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role{path}{name}")
}
