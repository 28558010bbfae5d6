//! Makes one statement require MFA from people, and separates the principals that cannot have MFA.

use super::edit::{Text, quote};
use crate::admits::people::{is_age, is_people, is_presence, principals};
use crate::lint::find_weakness;
use crate::policy::condition::Condition;
use crate::policy::document::{Effect, Statement};
use crate::policy::operator::Test;
use crate::policy::principal::PrincipalKind;

const PRESENT: &str = "aws:MultiFactorAuthPresent";
const AGE: &str = "aws:MultiFactorAuthAge";

/// The text of a statement, split into one or two statements.
pub(super) struct Split {
    /// The statement for people, which requires MFA.
    pub(super) people: String,
    /// The statement for services, identity providers and roles, otherwise unchanged.
    pub(super) others: Option<String>,
}

/// Patches the text of `statement`. `taken` returns whether the policy already has a Sid.
pub(super) fn patch_statement(
    text: &str,
    statement: &Statement,
    max_age: Option<u64>,
    taken: impl Fn(&str) -> bool,
) -> Split {
    let mut people = Text::new(text);
    let mut others = None;
    let entries = principals(statement);
    if entries.iter().any(|entry| !is_people(entry)) {
        let mut rest = Text::new(text);
        keep_principals(&mut people, statement, true);
        keep_principals(&mut rest, statement, false);
        if let Some(sid) = &statement.sid {
            let sid = free_sid(sid, taken);
            rest.set(&[], "Sid", &quote(&sid));
        }
        others = Some(rest.text);
    }
    ask_for_mfa(&mut people, statement, max_age);
    Split { people: people.text, others }
}

/// Returns an unused Sid. IAM requires unique Sids of letters and digits.
fn free_sid(sid: &str, taken: impl Fn(&str) -> bool) -> String {
    let first = format!("{sid}WithoutMfa");
    let more = (2..).map(|number| format!("{first}{number}"));
    std::iter::once(first.clone()).chain(more).find(|sid| !taken(sid)).unwrap_or_default()
}

/// Keeps only people, or only all other principals.
fn keep_principals(text: &mut Text, statement: &Statement, people: bool) {
    let is_person = |json: &str| {
        let name: String = serde_json::from_str(json).unwrap_or_default();
        let of_aws = |kind: &PrincipalKind| {
            !matches!(kind, PrincipalKind::Service | PrincipalKind::Federated | PrincipalKind::CanonicalUser)
        };
        principals(statement)
            .iter()
            .any(|entry| entry.text == name && of_aws(&entry.kind) && is_people(entry))
    };
    for kind in text.names(&["Principal"]) {
        let is_left = if kind == "AWS" {
            text.keep_items(&["Principal", "AWS"], |json| is_person(json) == people)
        } else {
            !people
        };
        if !is_left {
            text.remove(&["Principal"], &kind);
        }
    }
}

fn ask_for_mfa(text: &mut Text, statement: &Statement, max_age: Option<u64>) {
    let mut has_presence = false;
    for condition in &statement.conditions {
        if is_presence(condition) {
            if is_strong(condition) {
                has_presence = true;
            } else {
                has_presence |= fix_presence(text, condition, has_presence);
            }
        } else if is_age(condition) {
            fix_age(text, condition);
        }
    }
    if !has_presence {
        put(text, "Bool", PRESENT, "\"true\"");
    }
    if let Some(seconds) = max_age {
        put(text, "NumericLessThan", AGE, &quote(&seconds.to_string()));
    }
}

/// Whether the condition requires MFA and can be met.
fn is_strong(condition: &Condition) -> bool {
    let is_true = condition.values.iter().all(|value| value.text.eq_ignore_ascii_case("true"));
    let is_bool = matches!(condition.operator.test, Test::Bool | Test::TextIgnoreCase);
    is_bool && is_true && !condition.values.is_empty() && find_weakness(condition, Effect::Allow).is_none()
}

/// Replaces an operator that is true for an absent key by `Bool`, if that is the only problem; otherwise removes the
/// condition. Returns whether the statement requires MFA now.
fn fix_presence(text: &mut Text, condition: &Condition, has_presence: bool) -> bool {
    let is_true = condition.values.iter().all(|value| value.text.eq_ignore_ascii_case("true"));
    let name = condition.operator_name.as_str();
    let is_alone = text.names(&["Condition", name]).len() == 1;
    let has_bool = text.names(&["Condition"]).iter().any(|other| other.eq_ignore_ascii_case("Bool"));
    let can_rename = condition.operator.test == Test::Bool && is_true && is_alone && !has_bool;
    if can_rename && !has_presence && !condition.values.is_empty() {
        text.rename(&["Condition"], name, "Bool");
        return true;
    }
    take_out(text, condition);
    false
}

/// Keeps a limit on the age, without `IfExists`, and removes other conditions on it.
fn fix_age(text: &mut Text, condition: &Condition) {
    if find_weakness(condition, Effect::Allow).is_none() {
        return;
    }
    let name = condition.operator_name.as_str();
    let plain = name.get(..name.len().saturating_sub("IfExists".len())).unwrap_or_default().to_owned();
    let is_limit = matches!(condition.operator.test, Test::Number(_))
        && condition.operator.if_exists
        && condition.operator.quantifier.is_none()
        && !condition.operator.is_negated;
    let is_alone = text.names(&["Condition", name]).len() == 1;
    let has_plain = text.names(&["Condition"]).iter().any(|other| other.eq_ignore_ascii_case(&plain));
    if is_limit && is_alone && !has_plain {
        text.rename(&["Condition"], name, &plain);
        return;
    }
    take_out(text, condition);
    let least = condition.values.iter().filter_map(|value| value.text.trim().parse::<u64>().ok()).min();
    if let Some(least) = least.filter(|_| is_limit) {
        put(text, &plain, AGE, &quote(&least.to_string()));
    }
}

fn take_out(text: &mut Text, condition: &Condition) {
    let name = condition.operator_name.as_str();
    text.remove(&["Condition", name], &condition.key);
    if text.names(&["Condition", name]).is_empty() {
        text.remove(&["Condition"], name);
    }
}

/// Sets the condition, replacing one on the same key with the same operator.
fn put(text: &mut Text, operator: &str, key: &str, value: &str) {
    let is_spaced = text.is_spaced();
    let object = |name: &str, value: &str| {
        if is_spaced {
            format!("{{ {}: {value} }}", quote(name))
        } else {
            format!("{{{}:{value}}}", quote(name))
        }
    };
    if !text.names(&[]).iter().any(|name| name == "Condition") {
        text.add(&[], "Condition", &object(operator, &object(key, value)));
        return;
    }
    let Some(there) = text.names(&["Condition"]).into_iter().find(|name| name.eq_ignore_ascii_case(operator))
    else {
        text.add(&["Condition"], operator, &object(key, value));
        return;
    };
    let path = ["Condition", there.as_str()];
    match text.names(&path).into_iter().find(|name| name.eq_ignore_ascii_case(key)) {
        Some(known) => text.set(&path, &known, value),
        None => text.add(&path, key, value),
    }
}
