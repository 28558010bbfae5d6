//! Rules about conditions: keys, values and operators that do not have the effect they seem to have.

use super::federation::suggest_value;
use super::finding::{Finding, Spot};
use super::limits::{Wide, is_key, judge_limit, passes_absent};
use super::rule::Rule;
use super::whole::Whole;
use crate::policy::condition::Condition;
use crate::policy::condition_keys::{candidates, is_known, strip_start};
use crate::policy::document::Effect;
use crate::policy::operator::Test;
use crate::policy::variable::{Template, Version};
use hatbox_types::text::suggest::nearest_name;

/// Checks the conditions of one statement.
pub(super) fn find_conditions(spot: Spot, whole: &Whole) -> Vec<Finding> {
    let mut found = Vec::new();
    for condition in &spot.statement.conditions {
        found.extend(find_unknown(spot, condition));
        found.extend(find_variables(spot, condition, whole.version));
        found.extend(find_literal(spot, condition));
        found.extend(find_principal_arn(spot, condition));
        if spot.statement.effect == Effect::Allow {
            found.extend(find_session_name(spot, condition));
            found.extend(find_external_id(spot, condition));
            found.extend(find_unsendable(spot, condition, whole));
        }
    }
    found
}

fn find_unknown(spot: Spot, condition: &Condition) -> Option<Finding> {
    let variables = condition.values.iter().flat_map(Template::variables);
    let key = std::iter::once(condition.key.as_str()).chain(variables).find(|key| !is_known(key))?;
    let known = candidates(key);
    let names = || known.iter().map(String::as_str);
    // A key without its prefix `aws:` differs too much from the full name for the spelling check.
    let bare =
        || names().find(|name| name.rsplit(':').next().is_some_and(|bare| bare.eq_ignore_ascii_case(key)));
    let fix = match bare().or_else(|| nearest_name(key, names())) {
        Some(meant) => format!("write {meant}."),
        None => "remove it, or correct the key.".to_owned(),
    };
    let effect = match (key == condition.key, spot.statement.effect, passes_absent(condition)) {
        (true, Effect::Allow, false) => "this statement allows no one",
        (true, Effect::Deny, false) => "this statement denies no one",
        (true, _, true) => "the condition always holds",
        (false, ..) => "the value never matches",
    };
    let message = format!("A request to assume a role never has the key {key}, so {effect}.");
    Some(spot.on_condition(Rule::UnknownConditionKey, condition, message, fix))
}

fn find_variables(spot: Spot, condition: &Condition, version: Version) -> Option<Finding> {
    let has_variable = version == Version::V2008
        && condition.operator.takes_variables()
        && condition.values.iter().any(|value| value.text.contains("${"));
    has_variable.then(|| {
        let message = "Without \"Version\": \"2012-10-17\", variables are plain text and never match.";
        spot.on_condition(Rule::VersionVariables, condition, message, "add \"Version\": \"2012-10-17\".")
    })
}

fn find_literal(spot: Spot, condition: &Condition) -> Option<Finding> {
    let is_text = matches!(condition.operator.test, Test::Text | Test::TextIgnoreCase);
    let has_wildcard = |text: &str| text.replace("${*}", "").replace("${?}", "").contains(['*', '?']);
    if !is_text || !condition.values.iter().any(|value| has_wildcard(&value.text)) {
        return None;
    }
    let name = condition.operator_name.as_str();
    let effect = match (condition.operator.is_negated, spot.statement.effect, passes_absent(condition)) {
        (true, ..) => "so it always holds",
        (false, Effect::Allow, false) => "so no caller matches this value",
        (false, ..) => "so no request matches this value",
    };
    let message = format!("{name} compares * and ? literally, {effect}.");
    let is_exact = name.to_ascii_lowercase().contains("ignorecase");
    let like = if condition.operator.is_negated { "StringNotLike" } else { "StringLike" };
    let fix = if let Some(example) = suggest_value(spot, condition) {
        format!("name what you trust: \"StringLike\" with a value such as `{example}`.")
    } else if is_exact || would_open(spot, condition) {
        "write the whole value, without wildcards.".to_owned()
    } else {
        format!("write \"{like}\".")
    };
    Some(spot.on_condition(Rule::LiteralWildcard, condition, message, fix))
}

/// Whether the condition would no longer limit the callers if its wildcards worked.
fn would_open(spot: Spot, condition: &Condition) -> bool {
    let mut like = condition.clone();
    like.operator.test = Test::TextLike;
    spot.statement.effect == Effect::Allow && matches!(judge_limit(&like), Err(Wide::Value(_)))
}

fn find_principal_arn(spot: Spot, condition: &Condition) -> Option<Finding> {
    let ends = |suffix: &str| condition.values.iter().any(|value| value.text.ends_with(suffix));
    if !is_key(condition, "aws:PrincipalArn") || condition.operator.test == Test::Null {
        return None;
    }
    let (message, fix) = if condition.values.iter().any(|value| value.text.contains(":assumed-role/")) {
        (
            "For a role session, aws:PrincipalArn is the ARN of the role, so this value never matches.",
            "write arn:aws:iam::ACCOUNT:role/NAME, with the role's path.",
        )
    } else if ends(":root") {
        (
            "aws:PrincipalArn ends in :root only for the root user, who cannot assume roles.",
            "use aws:PrincipalAccount with the account ID.",
        )
    } else {
        return None;
    };
    Some(spot.on_condition(Rule::PrincipalArnSession, condition, message, fix))
}

fn find_session_name(spot: Spot, condition: &Condition) -> Option<Finding> {
    let has_user = |text: &str| text.to_ascii_lowercase().contains("${aws:username");
    let is_asked = is_key(condition, "sts:RoleSessionName")
        && condition.values.iter().any(|value| has_user(&value.text));
    is_asked.then(|| {
        let message = "A role session has no aws:username, so no role can assume this one (no chaining).";
        spot.on_condition(
            Rule::SessionNameVariable,
            condition,
            message,
            "nothing, if only users should assume the role.",
        )
    })
}

fn find_external_id(spot: Spot, condition: &Condition) -> Option<Finding> {
    (is_key(condition, "sts:ExternalId") && passes_absent(condition)).then(|| {
        let message = "A caller that sends no external ID is accepted, so the condition protects nothing.";
        spot.on_condition(Rule::ExternalIdIfExists, condition, message, "write \"StringEquals\".")
    })
}

/// Finds a condition that requires tags or a source identity, if no statement allows the action to send them.
fn find_unsendable(spot: Spot, condition: &Condition, whole: &Whole) -> Option<Finding> {
    let is_tag = strip_start(&condition.key, "aws:RequestTag/").is_some()
        || ["aws:TagKeys", "sts:TransitiveTagKeys"].iter().any(|key| is_key(condition, key));
    let action = if is_tag {
        "sts:TagSession"
    } else if is_key(condition, "sts:SourceIdentity") {
        "sts:SetSourceIdentity"
    } else {
        return None;
    };
    if passes_absent(condition) || whole.can_send(action) {
        return None;
    }
    let message = format!("Sending {} needs {action}, which no statement allows.", condition.key);
    Some(spot.on_condition(
        Rule::TagSessionMissing,
        condition,
        message,
        format!("add {action} to the Action."),
    ))
}
