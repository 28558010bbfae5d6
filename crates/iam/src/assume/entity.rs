//! The caller and the role of a question, found by ARN or name.

use crate::accounts::Accounts;
use crate::policy::arn::Arn;
use crate::policy::evaluate::Caller;
use hatbox_types::name::AccountId;

/// An IAM user or role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entity {
    /// Whether it is a user or a role.
    pub kind: EntityKind,
    /// The ARN, or only the name of a role whose account is unknown.
    pub arn: String,
    /// The name without the path.
    pub name: String,
    /// The account; `None` if no source has it.
    pub account: Option<AccountId>,
}

/// The kind of an entity. Reports list users before roles, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityKind {
    /// An IAM user.
    User,
    /// An IAM role; as a caller, a session of the role.
    Role,
}

/// Why a name does not identify a user or role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// No user or role has this name.
    #[error("no {wanted} `{name}` in the sources")]
    NotFound {
        /// `user or role`, or `role`.
        wanted: &'static str,
        /// The name that was asked for.
        name: String,
        /// Similar names, as suggestions.
        near: Vec<String>,
    },
    /// Several users or roles have this name.
    #[error("`{name}` may be any of {}", arns.join(", "))]
    Several {
        /// The name that was asked for.
        name: String,
        /// The ARNs of all of them.
        arns: Vec<String>,
    },
}

impl Entity {
    /// Returns the entity that an ARN of a user, a role or a role session names; `None` for other text.
    pub fn of_arn(text: &str) -> Option<Self> {
        let arn = Arn::parse(text)?;
        let account = AccountId::parse(arn.account).ok()?;
        let (kind, name) = arn.resource.split_once('/')?;
        let name = name.rsplit('/').next().filter(|name| !name.is_empty())?.to_owned();
        let kind = match (arn.service, kind) {
            ("iam", "user") => EntityKind::User,
            ("iam", "role") => EntityKind::Role,
            _ => return None,
        };
        Some(Self { kind, arn: text.to_owned(), name, account: Some(account) })
    }

    /// Returns the caller for a request: this user, or a session of this role.
    pub(crate) fn caller(&self) -> Caller {
        match self.kind {
            EntityKind::User => Caller::User { arn: self.arn.clone() },
            EntityKind::Role => Caller::RoleSession { session_arn: None, role_arn: self.arn.clone() },
        }
    }

    /// Creates a role whose account is unknown.
    pub fn unplaced(name: &str) -> Self {
        Self { kind: EntityKind::Role, arn: name.to_owned(), name: name.to_owned(), account: None }
    }

    /// Returns the label used in output: `alice (111122223333)`.
    pub fn label(&self) -> String {
        match &self.account {
            Some(account) => format!("{} ({account})", self.name),
            None => format!("{} (account not known)", self.name),
        }
    }
}

/// A role session, as a trust policy names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session<'t> {
    pub(crate) account: &'t str,
    /// The role's name without its path.
    pub(crate) role: &'t str,
    pub(crate) name: &'t str,
}

impl<'t> Session<'t> {
    /// Parses an ARN such as `arn:aws:sts::111122223333:assumed-role/Deploy/ci`.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let arn = Arn::parse(text).filter(|arn| arn.service == "sts")?;
        let (role, name) = arn.resource.strip_prefix("assumed-role/")?.split_once('/')?;
        Some(Self { account: arn.account, role, name })
    }
}

/// Finds the caller by ARN or name. If a user and a role have the same name, returns the user.
///
/// # Errors
/// If no user or role has the name, or several do.
pub fn find_caller(accounts: &Accounts, text: &str) -> Result<Entity, FindError> {
    if let Some(entity) = Entity::of_arn(text) {
        return Ok(entity);
    }
    let users = accounts.find_users(text).filter_map(|(_, user)| Entity::of_arn(&user.arn)).collect();
    match one_of(text, users) {
        Err(FindError::NotFound { .. }) => {
            let roles = accounts.find_roles(text).filter_map(|(_, role)| Entity::of_arn(&role.arn)).collect();
            let all = accounts.users().map(|(_, user)| &user.name);
            let names = all.chain(accounts.roles().map(|(_, role)| &role.name));
            one_of(text, roles).map_err(|error| with_near(error, "user or role", names))
        }
        found => found,
    }
}

/// Finds the role to assume, by ARN or name.
///
/// # Errors
/// If no role has the name, or several do.
pub fn find_role(accounts: &Accounts, text: &str) -> Result<Entity, FindError> {
    if let Some(entity) = Entity::of_arn(text).filter(|entity| entity.kind == EntityKind::Role) {
        return Ok(entity);
    }
    let mut roles: Vec<_> =
        accounts.find_roles(text).filter_map(|(_, role)| Entity::of_arn(&role.arn)).collect();
    if roles.is_empty() {
        let unplaced = accounts.unplaced.iter().filter(|role| role.name == text);
        roles.extend(unplaced.map(|role| Entity::unplaced(&role.name)));
    }
    let names = accounts.roles().map(|(_, role)| &role.name);
    let names = names.chain(accounts.unplaced.iter().map(|role| &role.name));
    one_of(text, roles).map_err(|error| with_near(error, "role", names))
}

fn one_of(text: &str, found: Vec<Entity>) -> Result<Entity, FindError> {
    match <[Entity; 1]>::try_from(found) {
        Ok([only]) => Ok(only),
        Err(found) if found.is_empty() => {
            Err(FindError::NotFound { wanted: "user or role", name: text.to_owned(), near: Vec::new() })
        }
        Err(found) => Err(FindError::Several {
            name: text.to_owned(),
            arns: found.into_iter().map(|entity| entity.arn).collect(),
        }),
    }
}

/// Adds similar names as suggestions, ignoring case: AWS names are case-sensitive, and users misremember the case.
fn with_near<'a>(
    error: FindError,
    wanted: &'static str,
    names: impl Iterator<Item = &'a String>,
) -> FindError {
    match error {
        FindError::NotFound { name, .. } => {
            let mut near: Vec<_> = names.filter(|known| is_near(known, &name)).cloned().collect();
            near.sort();
            near.dedup();
            FindError::NotFound { wanted, name, near }
        }
        several @ FindError::Several { .. } => several,
    }
}

fn is_near(known: &str, name: &str) -> bool {
    let (known, name) = (known.to_lowercase(), name.to_lowercase());
    known == name || (name.len() >= 3 && (known.contains(&name) || name.contains(&known)))
}
