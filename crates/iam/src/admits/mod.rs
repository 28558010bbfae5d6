//! Which of five kinds of callers can assume a role, when their own policies allow it.
//!
//! What a kind of credentials says of MFA (IAM User Guide, "MFA-protected API access"):
//!
//! | kind | `aws:MultiFactorAuthPresent` | `aws:MultiFactorAuthAge` |
//! |---|---|---|
//! | access keys | absent | absent |
//! | access keys and an MFA code | true | 0 |
//! | session token without MFA | false | absent |
//! | session token with MFA | true | 600: it is ten minutes old |
//! | session of a role | false | absent |

mod candidate;
mod context;
mod judge;
pub(crate) mod people;

use jiff::Timestamp;

use crate::policy::document::{Effect, Policy};
use crate::policy::evaluate::Decision;

pub use candidate::Candidate;
pub(super) use candidate::candidates_of;
pub(super) use judge::Judge;

/// A kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A user's access keys.
    AccessKeys,
    /// The same, with serial number and code in the call.
    AccessKeysWithMfa,
    /// A session of GetSessionToken that was made without MFA.
    SessionToken,
    /// One that was made with MFA.
    SessionTokenWithMfa,
    /// A session of a role: chaining.
    RoleSession,
}

impl Kind {
    /// All, in the order of tables.
    pub const ALL: [Self; 5] = [
        Self::AccessKeys,
        Self::AccessKeysWithMfa,
        Self::SessionToken,
        Self::SessionTokenWithMfa,
        Self::RoleSession,
    ];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessKeys => "access-keys",
            Self::AccessKeysWithMfa => "access-keys+mfa",
            Self::SessionToken => "session-token",
            Self::SessionTokenWithMfa => "session-token+mfa",
            Self::RoleSession => "role-session",
        }
    }

    /// What it is, in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::AccessKeys => "access keys",
            Self::AccessKeysWithMfa => "access keys + MFA code",
            Self::SessionToken => "session token without MFA",
            Self::SessionTokenWithMfa => "session token with MFA",
            Self::RoleSession => "another role (chaining)",
        }
    }

    /// Whether it carries MFA.
    pub fn has_mfa(self) -> bool {
        matches!(self, Self::AccessKeysWithMfa | Self::SessionTokenWithMfa)
    }
}

/// Whether a caller can assume the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It depends on these condition keys, of which nothing is known.
    DependsOn(Vec<String>),
}

impl Entry {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::DependsOn(_) => "depends",
        }
    }

    /// Whether it is not ruled out.
    pub fn is_possible(&self) -> bool {
        *self != Self::No
    }

    pub(super) fn of(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Yes,
            Decision::Deny { .. } => Self::No,
            Decision::Unknown { depends_on } => Self::DependsOn(depends_on),
        }
    }

    /// Whether one of two callers can.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, other) => other,
            (this, Self::No) => this,
            (Self::DependsOn(mut keys), Self::DependsOn(more)) => {
                keys.extend(more);
                keys.sort();
                keys.dedup();
                Self::DependsOn(keys)
            }
        }
    }
}

/// Whether a policy requires MFA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mfa {
    /// No one can assume the role without MFA.
    Required,
    /// Someone can.
    NotRequired,
    /// No one can, with MFA or without.
    Unsatisfiable,
}

impl Mfa {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::NotRequired => "not-required",
            Self::Unsatisfiable => "unsatisfiable",
        }
    }
}

/// Who calls, and what else is known of the request.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The caller; `None`: the first account, user or role that the policy trusts.
    pub caller: Option<Candidate>,
    /// `sts:RoleSessionName`.
    pub role_session_name: Option<String>,
    /// Condition keys with their values.
    pub context: Vec<(String, Vec<String>)>,
    /// The time.
    pub now: Timestamp,
}

/// Who can assume the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admits {
    /// In the order of [`Kind::ALL`].
    pub rows: [Row; 5],
    /// Whether MFA is required.
    pub mfa: Mfa,
}

/// Whether one kind of caller can assume the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The kind.
    pub kind: Kind,
    /// With what is known.
    pub entry: Entry,
}

/// Judges `policy`.
pub fn judge_admits(policy: &Policy, asked: &Asked) -> Admits {
    let judge = Judge::new(policy.clone(), asked);
    let candidates = asked.caller.clone().map_or_else(|| default_candidates(policy), |caller| vec![caller]);
    let rows = Kind::ALL.map(|kind| {
        let entries = candidates.iter().map(|candidate| judge.ask(candidate, kind));
        Row { kind, entry: entries.fold(Entry::No, Entry::or) }
    });
    let gets_in =
        |with_mfa: bool| rows.iter().any(|row| row.kind.has_mfa() == with_mfa && row.entry.is_possible());
    let mfa = if gets_in(false) {
        Mfa::NotRequired
    } else if gets_in(true) {
        Mfa::Required
    } else if judge.admits_outsider(policy) {
        Mfa::NotRequired
    } else {
        Mfa::Unsatisfiable
    };
    Admits { rows, mfa }
}

/// Callers whom the first principal of an Allow names that is an account, a user or a role; failing that,
/// anybody.
fn default_candidates(policy: &Policy) -> Vec<Candidate> {
    let allows = || policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let named = allows().find_map(|statement| {
        let entries = &statement.principals.as_ref().filter(|element| !element.is_negated)?.entries;
        let named = entries.iter().find(|principal| Candidate::parse(&principal.text).is_some())?;
        Some(candidates_of(statement, named))
    });
    let anybody = || {
        allows().find_map(|statement| {
            let entries = &statement.principals.as_ref()?.entries;
            Some(candidates_of(statement, entries.first()?)).filter(|found| !found.is_empty())
        })
    };
    named.or_else(anybody).unwrap_or_default()
}

#[cfg(test)]
mod tests;
