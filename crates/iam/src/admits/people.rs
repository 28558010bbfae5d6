//! Statements that let people in: the users of an account, one user, or everyone; and what they ask of MFA.

use crate::policy::condition::Condition;
use crate::policy::document::{Effect, Policy, Statement};
use crate::policy::principal::{Principal, PrincipalKind};

use crate::admits::{Candidate, Judge, Trial, candidates_of};
use crate::assume::credentials::Credentials;

/// Policies of more statements are not judged one by one: AWS saves none that is half as long.
pub(crate) const MAX_STATEMENTS: usize = 150;

/// An Allow that lets people in, once they have MFA or if it asked for none.
#[derive(Debug)]
pub(crate) struct PeopleStatement {
    /// Its index, from 0.
    pub(crate) index: usize,
    /// The people to try it with.
    pub(crate) candidates: Vec<Candidate>,
    /// Whether someone without MFA gets in by it, the Denies of the policy counted.
    pub(crate) is_open: bool,
    /// Whether a session of a role gets in, which never carries MFA.
    pub(crate) is_open_to_roles: bool,
    /// Whether someone with a fresh MFA code does not.
    pub(crate) is_shut: bool,
}

/// Whether `condition` is about MFA.
pub(crate) fn is_about_mfa(condition: &Condition) -> bool {
    is_presence(condition) || is_age(condition)
}

/// Whether it is on `aws:MultiFactorAuthPresent`.
pub(crate) fn is_presence(condition: &Condition) -> bool {
    condition.key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent")
}

/// Whether it is on `aws:MultiFactorAuthAge`.
pub(crate) fn is_age(condition: &Condition) -> bool {
    condition.key.eq_ignore_ascii_case("aws:MultiFactorAuthAge")
}

/// Whether `principal` names people: an account, a user, everyone.
pub(crate) fn is_people(principal: &Principal) -> bool {
    match principal.kind {
        PrincipalKind::Account { .. } | PrincipalKind::Everyone => true,
        PrincipalKind::Arn => {
            Candidate::parse(&principal.text).is_some_and(|candidate| candidate.user == principal.text)
        }
        PrincipalKind::NoOne
        | PrincipalKind::Service
        | PrincipalKind::Federated
        | PrincipalKind::CanonicalUser => false,
    }
}

/// The principals of a statement that names them plainly.
pub(crate) fn principals(statement: &Statement) -> &[Principal] {
    statement
        .principals
        .as_ref()
        .filter(|element| !element.is_negated)
        .map_or(&[], |element| element.entries.as_slice())
}

/// `statement` with all Denies of `policy`, as a policy of its own.
pub(crate) fn alone(policy: &Policy, statement: &Statement) -> Policy {
    let denies = policy.statements.iter().filter(|other| other.effect == Effect::Deny);
    with_statements(policy, std::iter::once(statement).chain(denies))
}

/// The same, as if nothing in it were about MFA.
pub(crate) fn without_mfa(policy: &Policy, statement: &Statement) -> Policy {
    let mut bare = statement.clone();
    bare.conditions.retain(|condition| !is_about_mfa(condition));
    let denies = policy
        .statements
        .iter()
        .filter(|other| other.effect == Effect::Deny && !other.conditions.iter().any(is_about_mfa));
    with_statements(policy, std::iter::once(&bare).chain(denies))
}

fn with_statements<'s>(policy: &Policy, statements: impl Iterator<Item = &'s Statement>) -> Policy {
    Policy { version: policy.version, id: None, statements: statements.cloned().collect() }
}

/// The statements of `policy` that let people in.
pub(crate) fn people_statements(policy: &Policy, trial: &Trial) -> Vec<PeopleStatement> {
    if policy.statements.len() > MAX_STATEMENTS {
        return Vec::new();
    }
    let allows = policy.statements.iter().enumerate().filter(|(_, of)| of.effect == Effect::Allow);
    allows.filter_map(|(index, statement)| judge_people(policy, index, statement, trial)).collect()
}

fn judge_people(
    policy: &Policy,
    index: usize,
    statement: &Statement,
    trial: &Trial,
) -> Option<PeopleStatement> {
    let mut candidates: Vec<_> = principals(statement)
        .iter()
        .filter(|principal| is_people(principal))
        .flat_map(|principal| candidates_of(statement, principal))
        .collect();
    if candidates.is_empty() {
        return None;
    }
    let bare = Judge::new(without_mfa(policy, statement), trial);
    candidates.retain(|candidate| !bare.ask(candidate, Credentials::AccessKeysWithMfa).is_no());
    let judge = Judge::new(alone(policy, statement), trial);
    let gets_in = |candidate: &Candidate, kind| !judge.ask(candidate, kind).is_no();
    let is_open = candidates
        .iter()
        .any(|candidate| Credentials::ALL.iter().any(|one| !one.has_mfa() && gets_in(candidate, *one)));
    let is_shut = candidates.iter().any(|candidate| !gets_in(candidate, Credentials::AccessKeysWithMfa));
    let is_open_to_roles = candidates.iter().any(|candidate| gets_in(candidate, Credentials::RoleSession));
    (!candidates.is_empty()).then_some(PeopleStatement {
        index,
        candidates,
        is_open,
        is_open_to_roles,
        is_shut,
    })
}
