//! What exists in the sandbox: accounts, users, keys, MFA devices, roles, sessions, buckets, and the
//! identity providers outside.
//!
//! The world is plain data with one text form, JSON. Where it is kept is `file`'s matter,
//! what may be done to it is decided elsewhere. Object bytes lie beside it, named by their digest.

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

/// All that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The sandbox's id. Every access key id that it mints carries a mark made from it.
    pub id: String,
    /// How far the sandbox's clock is ahead of the system's, in seconds.
    pub clock_offset_seconds: i64,
    /// Accounts by their 12 digits.
    pub accounts: BTreeMap<String, Account>,
    /// Temporary credentials that were given out, by access key id.
    pub sessions: BTreeMap<String, Session>,
    /// Buckets by name.
    pub buckets: BTreeMap<String, Bucket>,
    /// Multipart uploads under way, by upload id.
    pub uploads: BTreeMap<String, Upload>,
    /// AWS's own managed policies: ARN to document.
    pub managed_policies: BTreeMap<String, String>,
    /// Identity providers by issuer. They are no one's in particular: an account must know them to trust them.
    #[serde(default)]
    pub identity_providers: BTreeMap<String, IdentityProvider>,
    /// The organization that some of the accounts belong to.
    #[serde(default)]
    pub organization: Option<Organization>,
    /// What the sign-in service has given out.
    #[serde(default)]
    pub logins: Logins,
    /// What the console has given out.
    #[serde(default)]
    pub console: Console,
    /// The instance of IAM Identity Center.
    #[serde(default)]
    pub identity_center: Option<IdentityCenter>,
    /// The machine that instance metadata and the container endpoint are on.
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
    /// Regions in which STS gives its users and roles no credentials.
    #[serde(default)]
    pub disabled_regions: BTreeSet<String>,
    /// Issuers whose tokens it takes, by the ARN that trust policies name.
    #[serde(default)]
    pub oidc_providers: BTreeMap<String, OidcProvider>,
    /// The issuer of the tokens that GetWebIdentityToken gives its users and roles; `None` where outbound web
    /// identity federation is not enabled. Its key is among the world's identity providers.
    #[serde(default)]
    pub outbound_issuer: Option<String>,
    /// The account's own managed policies: ARN to document.
    #[serde(default)]
    pub managed_policies: BTreeMap<String, String>,
    /// Who has which managed policy, AWS's or the account's: by the policy's ARN.
    #[serde(default)]
    pub attachments: BTreeMap<String, Attached>,
    /// The account's alias, the name in the address of its sign-in page.
    #[serde(default)]
    pub alias: Option<String>,
    /// The account's name in its organization, which lists of accounts show.
    #[serde(default)]
    pub name: Option<String>,
}

/// Names of those that have a managed policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Users.
    pub users: BTreeSet<String>,
    /// Groups.
    pub groups: BTreeSet<String>,
    /// Roles.
    pub roles: BTreeSet<String>,
}

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The path: `/` or `/team/`.
    pub path: String,
    /// `AIDA...`.
    pub user_id: String,
    /// When it was made.
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
    /// When it was made.
    pub created_at: Timestamp,
    /// Names of the users in it.
    pub members: BTreeSet<String>,
    /// Inline policies: name to document.
    pub policies: BTreeMap<String, String>,
}

impl Attached {
    /// How many have it.
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
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: WorldSecret,
    /// Whether it is taken.
    pub status: KeyStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it was last used for.
    pub last_used: Option<LastUsed>,
}

/// Whether an access key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyStatus {
    /// It is.
    Active,
    /// It is not, until it is made active again.
    Inactive,
}

/// The last use of an access key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastUsed {
    /// When.
    pub at: Timestamp,
    /// The service: `sts`, `iam`, `s3`.
    pub service: String,
    /// The region that the request was signed for.
    pub region: String,
}

/// A virtual MFA device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MfaDevice {
    /// The seed in base32, as authenticator apps take it.
    pub seed: WorldSecret,
    /// The user that it is enabled for.
    pub user: Option<String>,
    /// Since when.
    pub enabled_at: Option<Timestamp>,
    /// The last step whose code was accepted. It and older ones are used up.
    pub last_step: Option<i64>,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// The path: `/` or `/team/`.
    pub path: String,
    /// `AROA...`.
    pub role_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The trust policy's document.
    pub trust: String,
    /// What it is for, in words.
    pub description: String,
    /// Inline policies: name to document.
    pub policies: BTreeMap<String, String>,
    /// The ARN of the managed policy that is the permissions boundary.
    pub boundary: Option<String>,
    /// The longest session, 3600..=43200 seconds.
    pub max_session_seconds: i64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// Who owns a long-lived key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyOwner<'a> {
    /// A user, by account and name.
    User(&'a str, &'a str),
    /// The root user of an account.
    Root(&'a str),
}

impl World {
    /// A world with nothing in it but AWS's managed policies.
    ///
    /// # Errors
    /// When the operating system returned no random bytes.
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

    /// Makes a new active access key with this world's mark. It belongs to no one until put somewhere.
    ///
    /// # Errors
    /// When the operating system returned no random bytes.
    pub fn mint_key(&self, created_at: Timestamp) -> Result<Key, Error> {
        Ok(Key {
            id: mint::mint_key_id("AKIA", &self.id)?,
            secret: WorldSecret::new(mint::mint_secret()?),
            status: KeyStatus::Active,
            created_at,
            last_used: None,
        })
    }

    /// The first access key of a user, in the form that a vault takes.
    pub fn access_key(&self, account: &str, user: &str) -> Option<hatbox_types::secret::AccessKey> {
        let key = self.accounts.get(account)?.users.get(user)?.keys.first()?;
        hatbox_types::secret::AccessKey::parse(&key.id, key.secret.expose()).ok()
    }

    /// A long-lived key by id, with its owner.
    pub(crate) fn find_key(&self, id: &str) -> Option<(KeyOwner<'_>, &Key)> {
        self.accounts.iter().find_map(|(account, entry)| {
            let of_root = entry.root_keys.iter().map(|key| (KeyOwner::Root(account), key));
            let of_users = entry.users.iter().flat_map(|(name, user)| {
                user.keys.iter().map(move |key| (KeyOwner::User(account, name), key))
            });
            of_root.chain(of_users).find(|(_, key)| key.id == id)
        })
    }

    /// A long-lived key by id, to be changed.
    pub(crate) fn find_key_mut(&mut self, id: &str) -> Option<&mut Key> {
        self.accounts.values_mut().find_map(|account| {
            let of_users = account.users.values_mut().flat_map(|user| user.keys.iter_mut());
            account.root_keys.iter_mut().chain(of_users).find(|key| key.id == id)
        })
    }

    /// A user by account and name.
    pub(crate) fn user(&self, account: &str, name: &str) -> Option<&User> {
        self.accounts.get(account)?.users.get(name)
    }

    /// A role by account and name.
    pub(crate) fn role(&self, account: &str, name: &str) -> Option<&Role> {
        self.accounts.get(account)?.roles.get(name)
    }

    /// A role by its ARN, of which the path is a part.
    pub(crate) fn role_of(&self, arn: &RoleArn) -> Option<&Role> {
        let found = self.role(arn.account(), arn.role_name());
        found.filter(|role| role_arn(arn.account(), &role.path, arn.role_name()) == arn.as_str())
    }

    /// The document of a managed policy that users and roles of `account` can have.
    pub(crate) fn managed_policy<'a>(&'a self, account: &'a Account, arn: &str) -> Option<&'a String> {
        self.managed_policies.get(arn).or_else(|| account.managed_policies.get(arn))
    }

    /// Forgets what no one can ask for any more: sessions that ended more than a week ago.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        const WEEK: i64 = 7 * 24 * 3600;
        self.sessions.retain(|_, session| now.as_second() - session.expires_at.as_second() < WEEK);
        self.logins.prune(now);
        self.console.prune(now);
    }
}

/// `arn:aws:iam::A:user/PATH/NAME`.
pub(crate) fn user_arn(account: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:user{path}{name}")
}

/// `arn:aws:iam::A:group/PATH/NAME`.
pub(crate) fn group_arn(account: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:group{path}{name}")
}

/// `arn:aws:iam::A:role/PATH/NAME`.
pub(crate) fn role_arn(account: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role{path}{name}")
}
