//! Rules about the policy as a whole: its length, each `Sid`, empty lists, and whether any caller can assume the role.

use hatbox_types::level::Level;
use std::collections::BTreeSet;

use super::finding::{Finding, Spot};
use super::rule::Rule;
use crate::admits::people::MAX_STATEMENTS;
use crate::admits::{Judge, Trial, candidates_of};
use crate::assume::credentials::Credentials;
use crate::policy::Place;
use crate::policy::answer::Answer;
use crate::policy::document::{Effect, Policy, Statement};
use crate::policy::principal::{Principal, PrincipalKind};

/// The default quota for the length of a trust policy, in characters. IAM does not count whitespace.
pub(crate) const USUAL: usize = 2048;

/// The maximum to which the quota can be raised, in characters.
pub(crate) const MAX: usize = 4096;

/// Counts the characters that count toward the quota.
pub(crate) fn count_characters(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').count()
}

pub(super) fn find_too_long(text: &str, statements: usize) -> Option<Finding> {
    let count = count_characters(text);
    let (level, message) = match count {
        0..=USUAL => return None,
        _ if count <= MAX => (
            Level::Warning,
            format!("The policy has {count} characters; AWS accepts {USUAL}, unless the quota was raised."),
        ),
        _ if statements > MAX_STATEMENTS => (
            Level::Error,
            format!("The policy has {count} characters; AWS accepts {MAX} at most. MFA was not checked."),
        ),
        _ => (Level::Error, format!("The policy has {count} characters; AWS accepts {MAX} at most.")),
    };
    Some(Finding {
        rule: Rule::TooLong,
        level,
        place: Place { line: 1, column: 1 },
        statement: None,
        sid: None,
        element: String::new(),
        message,
        fix: "trust the account, and allow sts:AssumeRole in the policies of its users.".to_owned(),
    })
}

/// Checks the form of all statements.
pub(super) fn find_shape(policy: &Policy) -> Vec<Finding> {
    let mut found = Vec::new();
    if policy.statements.is_empty() {
        found.push(Finding {
            rule: Rule::EmptyList,
            level: Rule::EmptyList.level(),
            place: Place { line: 1, column: 1 },
            statement: None,
            sid: None,
            element: "Statement".to_owned(),
            message: "The policy has no statements; AWS rejects it.".to_owned(),
            fix: "add a statement that allows sts:AssumeRole.".to_owned(),
        });
    }
    let mut seen = BTreeSet::new();
    for spot in Spot::all(&policy.statements) {
        found.extend(find_sid(spot, &mut seen));
        found.extend(find_empty(spot));
    }
    found
}

/// AWS treats an empty `Sid`, which Terraform writes, as absent.
fn find_sid<'p>(spot: Spot<'p>, seen: &mut BTreeSet<&'p str>) -> Option<Finding> {
    let sid = spot.statement.sid.as_deref().filter(|sid| !sid.is_empty())?;
    let finding = |rule, message: &str, fix: &str| {
        Some(spot.at(rule, spot.statement.place, "Sid".to_owned(), message, fix))
    };
    if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = "A Sid can contain only letters and digits; AWS rejects the policy.";
        return finding(Rule::InvalidSid, message, "remove the other characters.");
    }
    if !seen.insert(sid) {
        let message = "Another statement has the same Sid; AWS rejects the policy.";
        return finding(Rule::DuplicateSid, message, "give each statement its own Sid.");
    }
    None
}

fn find_empty(spot: Spot) -> Vec<Finding> {
    let statement = spot.statement;
    let mut found = Vec::new();
    let mut add = |place, element: String| {
        let message = format!("{element} is empty, so it matches nothing; AWS rejects an empty list.");
        found.push(spot.at(Rule::EmptyList, place, element, message, "add a value, or remove it."));
    };
    if let Some(element) = statement.principals.as_ref().filter(|element| element.entries.is_empty()) {
        add(element.place, if element.is_negated { "NotPrincipal" } else { "Principal" }.to_owned());
    }
    if statement.actions.entries.is_empty() {
        let name = if statement.actions.is_negated { "NotAction" } else { "Action" };
        add(statement.actions.place, name.to_owned());
    }
    for condition in statement.conditions.iter().filter(|condition| condition.values.is_empty()) {
        add(condition.place, format!("Condition.{}", condition.operator_name));
    }
    found
}

/// Whether none of the trusted callers can assume the role. Unknown, and so false, if the trial is for one caller only.
pub(super) fn is_closed(policy: &Policy, trial: &Trial) -> bool {
    if policy.statements.len() > MAX_STATEMENTS || trial.caller.is_some() {
        return false;
    }
    let judge = Judge::new(policy.clone(), trial);
    let allows = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    !allows.into_iter().any(|statement| may_admit(&judge, statement))
}

fn may_admit(judge: &Judge, statement: &Statement) -> bool {
    let Some(element) = &statement.principals else { return false };
    // Canonical ids, and `*` with a pattern for the ARN, cannot be tested with example callers.
    let is_beyond_trying =
        |principal: &Principal| principal.kind == PrincipalKind::CanonicalUser || principal.text == "*";
    let has_pattern = statement.conditions.iter().any(|condition| {
        condition.key.eq_ignore_ascii_case("aws:PrincipalArn")
            && condition.values.iter().any(|value| value.text.contains(['*', '?', '$']))
    });
    if element.is_negated {
        return true;
    }
    element.entries.iter().any(|principal| {
        let admits = |answer: Answer| !answer.is_no();
        if is_beyond_trying(principal) && (has_pattern || principal.kind != PrincipalKind::Everyone) {
            return true;
        }
        admits(judge.ask_outsider(principal))
            || candidates_of(statement, principal)
                .iter()
                .any(|candidate| Credentials::ALL.iter().any(|kind| admits(judge.ask(candidate, *kind))))
    })
}

/// Returns the finding about the whole policy.
pub(super) fn no_one() -> Finding {
    Finding {
        rule: Rule::NoOneAdmitted,
        level: Rule::NoOneAdmitted.level(),
        place: Place { line: 1, column: 1 },
        statement: None,
        sid: None,
        element: String::new(),
        message:
            "No one can assume this role: each Allow is denied again, or lacks an action or a principal \
                  that matches."
                .to_owned(),
        fix: "nothing, if the role is meant to be locked.".to_owned(),
    }
}
