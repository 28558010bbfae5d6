//! Rules about MFA: first evaluates who can assume the role, then finds the condition that causes it.

use super::deputy::is_for_third_party;
use super::finding::{Finding, Spot, Subject};
use super::limits::find_weakness;
use super::rule::Rule;
use crate::admits::people::{
    MAX_STATEMENTS, PeopleStatement, alone, is_about_mfa, is_people, people_statements, principals,
    without_mfa,
};
use crate::admits::{Candidate, Judge, Trial, candidates_of};
use crate::assume::credentials::Credentials;
use crate::policy::answer::Answer;
use crate::policy::condition::Condition;
use crate::policy::document::{Effect, Policy};
use crate::policy::principal::Principal;
use crate::report::words::describe_principal;

const CONDITION: &str = r#""Bool": { "aws:MultiFactorAuthPresent": "true" }"#;

/// Finds statements that allow callers without MFA, and statements whose MFA conditions no caller can meet.
pub(super) fn find_mfa(policy: &Policy, subject: Subject, trial: &Trial) -> Vec<Finding> {
    if policy.statements.len() > MAX_STATEMENTS {
        return Vec::new();
    }
    let people = people_statements(policy, trial);
    let spots: Vec<_> = Spot::all(&policy.statements).collect();
    let mut found: Vec<Finding> = Vec::new();
    let mut add = |finding: Finding| {
        if !found.contains(&finding) {
            found.push(finding);
        }
    };
    for of_people in &people {
        let Some(spot) = spots.get(of_people.index) else { continue };
        if of_people.is_open {
            let finding = blame_open(policy, *spot, of_people, &people, trial);
            // A third-party service assumes the role with an external ID and has no MFA device.
            if finding.rule != Rule::MfaMissing || !is_for_third_party(*spot, subject) {
                add(finding);
            }
        } else if of_people.is_shut {
            add(blame_shut(policy, *spot));
        }
    }
    for spot in &spots {
        if spot.statement.effect == Effect::Allow {
            find_unsatisfiable(policy, *spot, trial).into_iter().for_each(&mut add);
        }
    }
    found
}

/// Finds why a statement allows a caller without MFA.
fn blame_open(
    policy: &Policy,
    spot: Spot,
    of_people: &PeopleStatement,
    people: &[PeopleStatement],
    trial: &Trial,
) -> Finding {
    if let Some(finding) = own_weakness(spot) {
        return finding;
    }
    let denies = Spot::all(&policy.statements).filter(|deny| deny.statement.effect == Effect::Deny);
    for deny in denies.filter(|deny| hits(policy, *deny, of_people, trial)) {
        if let Some(finding) = own_weakness(deny) {
            return finding;
        }
    }
    let strict = people.iter().find(|other| {
        !other.is_open
            && policy.statements.get(other.index).is_some_and(|statement| {
                let judge = Judge::new(alone(policy, statement), trial);
                let lets_in = |candidate| !judge.ask(candidate, Credentials::AccessKeysWithMfa).is_no();
                of_people.candidates.iter().any(lets_in)
            })
    });
    match strict {
        Some(strict) => spot.whole(
            Rule::MfaSecondStatement,
            format!(
                "Statement {} requires MFA, but this one allows the same callers without it.",
                strict.index + 1
            ),
            "add the MFA condition here too, or remove the statement.",
        ),
        None => spot.whole(
            Rule::MfaMissing,
            "Users can assume this role without MFA.",
            format!("add {CONDITION} to the Condition."),
        ),
    }
}

/// Whether `deny` applies to at least one of the same callers.
fn hits(policy: &Policy, deny: Spot, of_people: &PeopleStatement, trial: &Trial) -> bool {
    let mut allowing = deny.statement.clone();
    allowing.effect = Effect::Allow;
    allowing.conditions.clear();
    let only = Policy { version: policy.version, id: None, statements: vec![allowing] };
    let judge = Judge::new(only, trial);
    of_people.candidates.iter().any(|candidate| judge.ask(candidate, Credentials::AccessKeys) != Answer::No)
}

/// Finds the statement's first condition on MFA that does not enforce it.
fn own_weakness(spot: Spot) -> Option<Finding> {
    spot.statement.conditions.iter().filter(|condition| is_about_mfa(condition)).find_map(|condition| {
        let rule = find_weakness(condition, spot.statement.effect)?;
        let (message, fix) = describe(rule, condition, spot.statement.effect);
        Some(spot.on_condition(rule, condition, message, fix))
    })
}

fn describe(rule: Rule, condition: &Condition, effect: Effect) -> (String, String) {
    let name = condition.operator_name.as_str();
    let key = "aws:MultiFactorAuthPresent";
    let instead = || format!("write {CONDITION} in the Allow instead.");
    let is_allow = effect == Effect::Allow;
    let (message, fix) = match rule {
        Rule::MfaIfExists if condition.operator.if_exists => (
            format!("Requests signed with access keys have no {key}, and IfExists allows a missing key."),
            format!("write \"Bool\" instead of \"{name}\"."),
        ),
        Rule::MfaIfExists => (
            format!("Requests signed with access keys have no {key}, and {name} allows a missing key."),
            instead(),
        ),
        Rule::MfaForAllValues => (
            format!("Requests signed with access keys have no {key}, and ForAllValues allows a missing key."),
            format!("write \"Bool\" instead of \"{name}\"."),
        ),
        Rule::MfaDenyBool => (
            format!("Requests signed with access keys have no {key}, so this Deny does not apply to them."),
            "write \"BoolIfExists\" instead of \"".to_owned() + name + "\".",
        ),
        Rule::MfaNull if is_allow => (
            "Session tokens without MFA and role sessions have the key too, with the value false.".to_owned(),
            instead(),
        ),
        Rule::MfaNull => (
            "Session tokens without MFA and role sessions have the key, so this Deny does not apply to them."
                .to_owned(),
            instead(),
        ),
        Rule::MfaAgeIfExists if is_allow => (
            format!("Requests without MFA have no aws:MultiFactorAuthAge, and {name} allows a missing key."),
            "write \"NumericLessThan\" instead of \"".to_owned() + name + "\".",
        ),
        Rule::MfaAgeIfExists => (
            "Requests without MFA have no aws:MultiFactorAuthAge, so this Deny does not apply to them."
                .to_owned(),
            format!("write \"{name}IfExists\" instead of \"{name}\"."),
        ),
        _ if is_allow => ("This allows callers without MFA.".to_owned(), instead()),
        _ => (
            "This Deny applies to callers with MFA, not to those without.".to_owned(),
            format!("write \"BoolIfExists\": {{ \"{key}\": \"false\" }} in the Deny."),
        ),
    };
    (message, fix)
}

/// Finds why a statement denies callers with MFA that it would allow without any MFA conditions.
fn blame_shut(policy: &Policy, spot: Spot) -> Finding {
    let denies = Spot::all(&policy.statements).filter(|deny| deny.statement.effect == Effect::Deny);
    let inverted = std::iter::once(spot)
        .chain(denies)
        .find_map(|spot| own_weakness(spot).filter(|finding| finding.rule == Rule::MfaInverted));
    inverted.unwrap_or_else(|| {
        let message = "No caller matches this condition, with MFA or without.";
        on_mfa_condition(policy, spot, message, format!("write {CONDITION}."))
    })
}

/// Finds principals that cannot have MFA, and would be allowed without any MFA conditions.
fn find_unsatisfiable(policy: &Policy, spot: Spot, trial: &Trial) -> Vec<Finding> {
    let is_asked = policy.statements.iter().flat_map(|statement| &statement.conditions).any(is_about_mfa);
    let others: Vec<_> =
        principals(spot.statement).iter().filter(|principal| !is_people(principal)).collect();
    if !is_asked || others.is_empty() {
        return Vec::new();
    }
    let bare = Judge::new(without_mfa(policy, spot.statement), trial);
    let judge = Judge::new(alone(policy, spot.statement), trial);
    let gets_in = |judge: &Judge, principal: &Principal| {
        let candidates = candidates_of(spot.statement, principal);
        let as_role = |candidate: &Candidate| !judge.ask(candidate, Credentials::RoleSession).is_no();
        !judge.ask_outsider(principal).is_no() || candidates.iter().any(as_role)
    };
    others
        .into_iter()
        .filter(|principal| gets_in(&bare, principal) && !gets_in(&judge, principal))
        .map(|principal| {
            let message = format!(
                "{} never has MFA, so this condition denies it.",
                capitalise(&describe_principal(principal))
            );
            let fix = "move it to its own statement, without the MFA condition.";
            on_mfa_condition(policy, spot, &message, fix.to_owned())
        })
        .collect()
}

/// Creates a finding at the statement's own MFA condition, or at the statement if a Deny requires MFA.
fn on_mfa_condition(policy: &Policy, spot: Spot, message: &str, fix: String) -> Finding {
    let own = spot.statement.conditions.iter().find(|condition| is_about_mfa(condition));
    if let Some(condition) = own {
        return spot.on_condition(Rule::MfaUnsatisfiable, condition, message, fix);
    }
    let of_deny = Spot::all(&policy.statements)
        .filter(|deny| deny.statement.effect == Effect::Deny)
        .find_map(|deny| Some((deny, deny.statement.conditions.iter().find(|of| is_about_mfa(of))?)));
    match of_deny {
        Some((deny, condition)) => deny.on_condition(Rule::MfaUnsatisfiable, condition, message, fix),
        None => spot.whole(Rule::MfaUnsatisfiable, message, fix),
    }
}

fn capitalise(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
