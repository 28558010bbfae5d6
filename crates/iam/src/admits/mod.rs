//! With which of five kinds of credentials a caller can assume a role if the caller's own policies allow it.

mod candidate;
mod judge;
pub(crate) mod people;

use crate::assume::context::Assumptions;
use crate::assume::credentials::Credentials;
use crate::policy::answer::Answer;
use crate::policy::document::{Effect, Policy};

pub use candidate::Candidate;
pub(super) use candidate::candidates_of;
pub(super) use judge::Judge;

/// Whether a policy requires MFA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mfa {
    /// The role cannot be assumed without MFA.
    Required,
    /// The role can be assumed without MFA.
    NotRequired,
    /// The role cannot be assumed at all, with or without MFA.
    Unsatisfiable,
}

impl Mfa {
    /// Returns the name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::NotRequired => "not-required",
            Self::Unsatisfiable => "unsatisfiable",
        }
    }
}

/// The input for evaluating a policy.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// The caller; `None` for the first account, user or role that the policy trusts.
    pub caller: Option<Candidate>,
    /// What else is known about the request.
    pub assumptions: Assumptions,
}

/// With which credentials the role can be assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admits {
    /// One row for each kind of credentials, in the order of [`Credentials::ALL`].
    pub rows: [Row; 5],
    /// Whether MFA is required.
    pub mfa: Mfa,
}

/// Whether a caller with one kind of credentials can assume the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The credentials that the caller signs with.
    pub credentials: Credentials,
    /// Whether the role can be assumed with them.
    pub answer: Answer,
}

/// Evaluates `policy` for each kind of credentials.
pub fn judge_admits(policy: &Policy, trial: &Trial) -> Admits {
    let judge = Judge::new(policy.clone(), trial);
    let candidates = trial.caller.clone().map_or_else(|| default_candidates(policy), |caller| vec![caller]);
    let rows = Credentials::ALL.map(|credentials| {
        let answers = candidates.iter().map(|candidate| judge.ask(candidate, credentials));
        Row { credentials, answer: Answer::any(answers).sorted() }
    });
    let gets_in =
        |with_mfa: bool| rows.iter().any(|row| row.credentials.has_mfa() == with_mfa && !row.answer.is_no());
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

/// Returns callers that match the first account, user or role that an Allow names, or else any user.
fn default_candidates(policy: &Policy) -> Vec<Candidate> {
    let allows = || policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let named = allows().find_map(|statement| {
        let entries = &statement.principals.as_ref().filter(|element| !element.is_negated)?.entries;
        let named = entries.iter().find(|principal| Candidate::parse(&principal.text).is_some())?;
        Some(candidates_of(statement, named))
    });
    let any_user = || {
        allows().find_map(|statement| {
            let entries = &statement.principals.as_ref()?.entries;
            Some(candidates_of(statement, entries.first()?)).filter(|found| !found.is_empty())
        })
    };
    named.or_else(any_user).unwrap_or_default()
}

#[cfg(test)]
mod tests;
