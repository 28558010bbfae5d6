//! A checked role that Identity Center assigns to the user. The portal's texts come from another organization.

use hatbox_types::name::{AccountId, NameError};

/// Names of permission sets have at most 32 characters; other servers than AWS's may allow more.
const MAX_ROLE: usize = 64;

/// A role in an account. Ordered by account id, then by role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssignedRole {
    /// The account.
    pub account_id: AccountId,
    /// The permission set: `[A-Za-z0-9_+=,.@-]`, at most 64 characters.
    pub role_name: String,
    /// The account's name: any text, which may be empty.
    pub account_name: String,
}

/// Why a role gets no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// The account id is invalid.
    #[error("invalid account id: {0}")]
    Account(NameError),
    /// The role's name is empty or too long, or contains a character that AWS does not allow.
    #[error("the role name is not one that AWS allows")]
    Role,
    /// All names from the template are taken or too long.
    #[error("no profile name is left for it: the template gives one that is taken or too long")]
    Name,
}

impl AssignedRole {
    /// Checks the values that the portal returned.
    ///
    /// # Errors
    /// If AWS would not allow the account id or the role's name. The account's name may be anything.
    pub fn parse(account_id: &str, account_name: &str, role_name: &str) -> Result<Self, RoleError> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
        if role_name.is_empty() || role_name.len() > MAX_ROLE || !role_name.bytes().all(is_allowed) {
            return Err(RoleError::Role);
        }
        Ok(Self {
            account_id: AccountId::parse(account_id).map_err(RoleError::Account)?,
            role_name: role_name.to_owned(),
            account_name: account_name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_would_not_return_is_refused_and_any_account_name_is_taken() {
        for name in ["Prod", "", "a]\n[default]", "\u{202e}x", &"x".repeat(10_000)] {
            assert!(AssignedRole::parse("111122223333", name, "Admin+=,.@-_1").is_ok(), "{name:?}");
        }
        for (account, role) in [
            ("1111", "Admin"),
            ("11112222333a", "Admin"),
            ("111122223333", ""),
            ("111122223333", "a b"),
            ("111122223333", "a\ncredential_process = x"),
            ("111122223333", "a]"),
            ("111122223333", "#a"),
        ] {
            assert!(AssignedRole::parse(account, "Prod", role).is_err(), "{account} {role:?}");
        }
    }
}
