//! A role that Identity Center assigns to the user, checked: the portal's texts are another organization's choice.

use hatbox_types::name::{AccountId, NameError};

/// The longest name of a permission set is 32 characters; a server that is not AWS's may allow more.
const MAX_ROLE: usize = 64;

/// A role in an account. Ordered by account id, then by role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssignedRole {
    /// The account.
    pub account_id: AccountId,
    /// The permission set: `[A-Za-z0-9_+=,.@-]`, at most 64 characters.
    pub role_name: String,
    /// The account's name, any text, also an empty one.
    pub account_name: String,
}

/// Why there is no profile for a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// The account id is not one.
    #[error("invalid account id: {0}")]
    Account(NameError),
    /// The role's name has a character that AWS does not allow, or is too long or empty.
    #[error("the role name is not one that AWS allows")]
    Role,
    /// Every name that the template gives is taken or too long.
    #[error("no profile name is left for it: the template gives one that is taken or too long")]
    Name,
}

impl AssignedRole {
    /// Checks what the portal returned.
    ///
    /// # Errors
    /// When the account id or the role's name cannot be AWS's. The account's name may be anything.
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
