//! Decides between GetSessionToken and a direct AssumeRole.
//!
//! GetSessionToken costs one code and gives a session from which many roles are assumed without another; but
//! a role from it lasts one hour at most, and a role's session never carries MFA further. So, first match:
//!
//! | base | `--no-session` | roles | further | calls |
//! |---|---|---|---|---|
//! | temporary | any | 0 | | none: the base is handed over |
//! | temporary, a role's | any | 1.. | | every role, 1 h at most, without MFA |
//! | temporary, perhaps a user's | any | 1.. | | every role, 1 h at most; MFA on the first |
//! | long-lived | yes | 0 | | none: the key is handed over |
//! | long-lived | no | 0 | for calls to IAM, and no device | none: the key signs, as IAM takes no session without MFA |
//! | long-lived | no | 0 | | GetSessionToken with MFA: it is the product |
//! | long-lived | yes | 1.. | | every role; MFA on the first; from the second on 1 h at most |
//! | long-lived | no | 1 | the key holder's own role | the role, with MFA, full length |
//! | long-lived | no | 1.. | user and first role do not name the same device | as with `--no-session` |
//! | long-lived | no | 1 | more than 1 h wanted | the role, with MFA, full length |
//! | long-lived | no | 1.. | else | GetSessionToken with MFA, then every role, without MFA, 1 h at most |
//!
//! "Roles" counts every role from the key holder to the target; profiles without a role in between count for
//! nothing. The user's device is what the profile nearest to the first role names, of those between it and
//! the key holder, that one included. [`resolve_opening`] is the table, and its test has a line for each row.

use super::base::Signer;
use super::input::{Purpose, Sessions};

/// What the table is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// What the base can do.
    pub base: Signer,
    /// `--no-session` or not.
    pub sessions: Sessions,
    /// What the plan is for.
    pub purpose: Purpose,
    /// How many roles there are.
    pub roles: usize,
    /// Whether the first role is named by the profile that has the base.
    pub is_first_role_own: bool,
    /// Which devices user and first role name.
    pub devices: Devices,
    /// Whether more than one hour of the first role is wanted.
    pub is_first_role_long: bool,
}

/// Which devices user and first role name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// The user names none.
    NoneOfUser,
    /// Both name the same one.
    Same,
    /// The first role names another, or none, or there is no role.
    Different,
}

/// How a plan opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Nothing is called: the base is handed over.
    HandOver,
    /// GetSessionToken; its session is the product.
    SessionOnly,
    /// GetSessionToken with MFA, then the roles, none of which carries MFA.
    SessionThenRoles,
    /// The roles, the first with its own device.
    RolesWithMfa,
    /// The roles, without MFA.
    RolesWithoutMfa,
}

/// The table of the module's comment.
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
