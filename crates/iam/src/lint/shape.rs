//! The rules about the form of a statement: its `Sid`, and lists without entries.

use std::collections::BTreeSet;

use super::finding::{Finding, Spot};
use super::rule::Rule;
use crate::policy::Place;
use crate::policy::document::Policy;

/// Judges the form of all statements.
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

/// AWS takes an empty `Sid`, which Terraform writes, as none.
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
        return finding(Rule::DuplicateSid, message, "give each statement a Sid of its own.");
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
