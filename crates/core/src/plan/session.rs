//! Decides between GetSessionToken and a direct AssumeRole.
//!
//! GetSessionToken takes one MFA code and returns a session that can assume many roles without another code. But a role
//! session from it lasts at most 1 h, and role sessions never pass MFA on. The first match decides:
//!
//! | base | `--no-session` | roles | condition | calls |
//! |---|---|---|---|---|
//! | temporary | any | 0 | | none: the credentials of the base are handed over |
//! | temporary, a role's | any | 1.. | | every role, at most 1 h each, without MFA |
//! | temporary, perhaps a user's | any | 1.. | | every role, at most 1 h each; MFA for the first |
//! | long-lived | yes | 0 | | none: the key is handed over |
//! | long-lived | no | 0 | purpose is calls to IAM, and no device | none: the key signs, as IAM rejects sessions without MFA |
//! | long-lived | no | 0 | | GetSessionToken with MFA; its session is handed over |
//! | long-lived | yes | 1.. | | every role; MFA for the first; from the second on at most 1 h |
//! | long-lived | no | 1 | the key's own profile names the role | the role, with MFA, full duration |
//! | long-lived | no | 1.. | user and first role do not name the same device | as with `--no-session` |
//! | long-lived | no | 1 | more than 1 h requested | the role, with MFA, full duration |
//! | long-lived | no | 1.. | otherwise | GetSessionToken with MFA, then every role, without MFA, at most 1 h each |
//!
//! "Roles" is the number of roles from the key's profile to the target; profiles without a role do not count. The
//! user's device is named by the key's profile, or by a profile between it and the first role, whichever is nearest to
//! the role. [`resolve_opening`] implements the table, and its test has a case for each row.

use super::base::Signer;
use super::input::{Purpose, Sessions};

/// The facts that the table depends on.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// What the base can do.
    pub base: Signer,
    /// Whether `--no-session` was given.
    pub sessions: Sessions,
    /// The purpose of the plan.
    pub purpose: Purpose,
    /// The number of roles.
    pub roles: usize,
    /// Whether the profile with the base names the first role.
    pub is_first_role_own: bool,
    /// The devices of the user and the first role.
    pub devices: Devices,
    /// Whether more than 1 h is requested for the first role.
    pub is_first_role_long: bool,
}

/// The devices of the user and the first role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// The user's profile names none.
    NoneOfUser,
    /// Both name the same device.
    Same,
    /// The first role names another device or none, or there is no role.
    Different,
}

/// The first calls of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// No call: the credentials of the base are handed over.
    HandOver,
    /// GetSessionToken, whose session is handed over.
    SessionOnly,
    /// GetSessionToken with MFA, then the roles without MFA.
    SessionThenRoles,
    /// The roles, the first with its own MFA device.
    RolesWithMfa,
    /// The roles, without MFA.
    RolesWithoutMfa,
}

/// Looks up the table in the module's documentation.
pub fn resolve_opening(facts: Facts) -> Opening {
    match (facts.base, facts.sessions, facts.roles) {
        (Signer::MaybeUser | Signer::Role, _, 0) | (Signer::LongLivedKey, Sessions::Skip, 0) => {
            Opening::HandOver
        }
        (Signer::LongLivedKey, Sessions::Use, 0)
            if matches!(facts.purpose, Purpose::Iam | Purpose::OwnKeys)
                && facts.devices == Devices::NoneOfUser =>
        {
            Opening::HandOver
        }
        (Signer::LongLivedKey, Sessions::Use, 0) => Opening::SessionOnly,
        (Signer::Role, _, _) => Opening::RolesWithoutMfa,
        (Signer::MaybeUser, _, _) | (Signer::LongLivedKey, Sessions::Skip, _) => Opening::RolesWithMfa,
        (Signer::LongLivedKey, Sessions::Use, 1) if facts.is_first_role_own => Opening::RolesWithMfa,
        (Signer::LongLivedKey, Sessions::Use, _) if facts.devices != Devices::Same => Opening::RolesWithMfa,
        (Signer::LongLivedKey, Sessions::Use, 1) if facts.is_first_role_long => Opening::RolesWithMfa,
        (Signer::LongLivedKey, Sessions::Use, _) => Opening::SessionThenRoles,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Facts = Facts {
        base: Signer::LongLivedKey,
        sessions: Sessions::Use,
        purpose: Purpose::Use,
        roles: 0,
        is_first_role_own: false,
        devices: Devices::Same,
        is_first_role_long: false,
    };
    const SSO: Facts = Facts { base: Signer::Role, devices: Devices::Different, ..KEY };
    const PROCESS: Facts = Facts { base: Signer::MaybeUser, ..SSO };
    const NO_SESSION: Facts = Facts { sessions: Sessions::Skip, ..KEY };

    #[test]
    fn the_table_holds_row_by_row() {
        let table = [
            (SSO, Opening::HandOver, "temporary credentials are the product"),
            (Facts { sessions: Sessions::Skip, ..SSO }, Opening::HandOver, "and -n changes nothing"),
            (Facts { roles: 1, ..SSO }, Opening::RolesWithoutMfa, "a permission set cannot present a device"),
            (Facts { roles: 2, ..PROCESS }, Opening::RolesWithMfa, "a process may print a user's key"),
            (NO_SESSION, Opening::HandOver, "-n hands the key itself over"),
            (KEY, Opening::SessionOnly, "a user's session is the product"),
            (Facts { devices: Devices::Different, ..KEY }, Opening::SessionOnly, "with or without a device"),
            (
                Facts { purpose: Purpose::Iam, devices: Devices::NoneOfUser, ..KEY },
                Opening::HandOver,
                "IAM takes no session that was obtained without MFA",
            ),
            (Facts { purpose: Purpose::Iam, ..KEY }, Opening::SessionOnly, "and one with MFA it takes"),
            (Facts { roles: 1, ..NO_SESSION }, Opening::RolesWithMfa, "-n spends the code on the role"),
            (Facts { roles: 3, ..NO_SESSION }, Opening::RolesWithMfa, "-n, more hops"),
            (
                Facts { roles: 1, is_first_role_own: true, ..KEY },
                Opening::RolesWithMfa,
                "one role on the key holder itself needs no session",
            ),
            (
                Facts { roles: 2, is_first_role_own: true, ..KEY },
                Opening::SessionThenRoles,
                "the key holder's role feeds another: one code for both",
            ),
            (
                Facts { roles: 1, devices: Devices::Different, ..KEY },
                Opening::RolesWithMfa,
                "another device or none: the session's MFA would not be what the role wants",
            ),
            (
                Facts { roles: 2, devices: Devices::Different, ..KEY },
                Opening::RolesWithMfa,
                "the same with two",
            ),
            (
                Facts { roles: 1, is_first_role_long: true, ..KEY },
                Opening::RolesWithMfa,
                "only a role straight from the key lasts longer than 1 h",
            ),
            (Facts { roles: 1, ..KEY }, Opening::SessionThenRoles, "the common case"),
            (Facts { roles: 2, ..KEY }, Opening::SessionThenRoles, "two hops"),
            (
                Facts { roles: 2, is_first_role_long: true, ..KEY },
                Opening::SessionThenRoles,
                "the last of two roles is chained anyway, so nothing is lost",
            ),
        ];
        for (facts, opening, why) in table {
            assert_eq!(resolve_opening(facts), opening, "{why}: {facts:?}");
        }
    }
}
