//! Statements that allow people (the users of an account, one user, or everyone), and whether they require MFA.

use crate::policy::condition::Condition;
use crate::policy::document::{Effect, Policy, Statement};
use crate::policy::principal::{Principal, PrincipalKind};

use crate::admits::{Candidate, Judge, Trial, candidates_of};
use crate::assume::credentials::Credentials;

/// Larger policies are not evaluated statement by statement. AWS's size limit allows fewer than half as many.
pub(crate) const MAX_STATEMENTS: usize = 150;

/// An Allow that lets people assume the role with MFA, or would without its MFA conditions.
#[derive(Debug)]
pub(crate) struct PeopleStatement {
    /// Its index, from 0.
    pub(crate) index: usize,
    /// The callers to evaluate it with.
    pub(crate) candidates: Vec<Candidate>,
    /// Whether it allows a person without MFA, taking the policy's Denies into account.
    pub(crate) is_open: bool,
    /// Whether it allows a role session, which never has MFA.
    pub(crate) is_open_to_roles: bool,
    /// Whether it denies a person who just entered an MFA code.
    pub(crate) is_shut: bool,
}

/// Whether `condition` is about MFA.
pub(crate) fn is_about_mfa(condition: &Condition) -> bool {
    is_presence(condition) || is_age(condition)
}

/// Whether the condition is on `aws:MultiFactorAuthPresent`.
pub(crate) fn is_presence(condition: &Condition) -> bool {
    condition.key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent")
}

/// Whether the condition is on `aws:MultiFactorAuthAge`.
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

/// Returns the principals of a statement; empty for `NotPrincipal`.
pub(crate) fn principals(statement: &Statement) -> &[Principal] {
    statement
        .principals
        .as_ref()
        .filter(|element| !element.is_negated)
        .map_or(&[], |element| element.entries.as_slice())
}

/// Returns a policy of `statement` and all Denies of `policy`.
pub(crate) fn alone(policy: &Policy, statement: &Statement) -> Policy {
    let denies = policy.statements.iter().filter(|other| other.effect == Effect::Deny);
    with_statements(policy, std::iter::once(statement).chain(denies))
}

/// Returns the same policy without its MFA conditions.
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

/// Returns the statements of `policy` that allow people.
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
