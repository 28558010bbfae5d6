//! The rules about whom a statement names.

use super::finding::{Finding, Spot};
use super::rule::Rule;
use crate::policy::arn::Arn;
use crate::policy::condition::Condition;
use crate::policy::document::{Effect, Statement};
use crate::policy::operator::{Quantifier, Test};
use crate::policy::principal::{Principal, PrincipalKind};
use crate::trust::condition_keys::strip_start;
use crate::trust::words::is_deleted;

/// Keys that tell who calls, or from where.
const LIMITING: [&str; 14] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:VpcSourceIp",
    "aws:userid",
    "sts:ExternalId",
];

/// Judges the principals of one statement. `role` is the ARN of the role that the policy is of, where known.
pub(super) fn find_principals(spot: Spot, role: Option<&str>) -> Vec<Finding> {
    let statement = spot.statement;
    let Some(element) = &statement.principals else {
        let fix = "add \"Principal\".";
        return vec![spot.whole(
            Rule::MissingPrincipal,
            "AWS takes no such statement in a trust policy.",
            fix,
        )];
    };
    if element.is_negated {
        let message = "AWS takes no NotPrincipal in a trust policy.";
        let fix = "name whom you trust with \"Principal\".";
        return vec![spot.at(Rule::NotPrincipal, element.place, "NotPrincipal".to_owned(), message, fix)];
    }
    let is_allow = statement.effect == Effect::Allow;
    let mut found: Vec<_> =
        element.entries.iter().filter_map(|principal| find_invalid(spot, principal)).collect();
    let everybody = element.entries.iter().find(|principal| is_everybody(principal));
    if let Some(everybody) = everybody.filter(|_| is_allow) {
        found.push(find_public(spot, everybody));
    }
    if let Some(finding) = find_self(spot, &element.entries, role).filter(|_| is_allow) {
        found.push(finding);
    }
    found
}

fn is_everybody(principal: &Principal) -> bool {
    principal.text == "*"
}

fn find_invalid(spot: Spot, principal: &Principal) -> Option<Finding> {
    let text = &principal.text;
    let finding = |rule, message: &str, fix: &str| Some(spot.on_principal(rule, principal, message, fix));
    if !is_everybody(principal) && text.contains(['*', '?']) {
        return finding(
            Rule::PartialWildcard,
            "A principal is \"*\" or a whole name: AWS takes no wildcard within.",
            "name the account, and limit it by a condition on aws:PrincipalArn.",
        );
    }
    match &principal.kind {
        PrincipalKind::CanonicalUser => finding(
            Rule::CanonicalUser,
            "AWS takes no CanonicalUser in a trust policy.",
            "name the account by its number.",
        ),
        PrincipalKind::Nobody if is_deleted(text) => finding(
            Rule::DeletedPrincipal,
            "This is the id of a user or role that was deleted: it lets nobody in.",
            "save the policy with the ARN again, or remove the entry.",
        ),
        PrincipalKind::Nobody => finding(
            Rule::InvalidPrincipal,
            "This is neither an ARN nor an account: AWS refuses the policy.",
            "write the ARN.",
        ),
        PrincipalKind::Arn => match Arn::parse(text).map(|arn| (arn.service, arn.resource)) {
            Some(("iam", resource)) if resource.starts_with("group/") => finding(
                Rule::GroupPrincipal,
                "A group is no principal: AWS refuses the policy.",
                "name the account, and allow sts:AssumeRole in a policy of the group.",
            ),
            Some(("iam", resource)) if resource.starts_with("user/") || resource.starts_with("role/") => None,
            Some(("sts", resource))
                if resource.starts_with("assumed-role/") || resource.starts_with("federated-user/") =>
            {
                None
            }
            _ => finding(
                Rule::InvalidPrincipal,
                "This is no ARN of a user, a role or a session: AWS refuses the policy.",
                "write the ARN of a user or a role.",
            ),
        },
        PrincipalKind::Everyone
        | PrincipalKind::Account { .. }
        | PrincipalKind::Service
        | PrincipalKind::Federated => None,
    }
}

fn find_public(spot: Spot, everybody: &Principal) -> Finding {
    match spot.statement.conditions.iter().find(|condition| is_limiting(condition)) {
        Some(limit) => spot.on_principal(
            Rule::PublicPrincipalConditioned,
            everybody,
            format!("Anybody of any AWS account is trusted, within the condition on {}.", limit.key),
            "name the accounts, if they are known.",
        ),
        None => spot.on_principal(
            Rule::PublicPrincipal,
            everybody,
            "Anybody of any AWS account is trusted: strangers too.",
            "name the accounts, or add a condition on aws:PrincipalOrgID.",
        ),
    }
}

/// Whether it lets in some callers only, told by who they are or where they are.
fn is_limiting(condition: &Condition) -> bool {
    let operator = condition.operator;
    let asks = !operator.is_negated
        && !operator.if_exists
        && operator.quantifier != Some(Quantifier::All)
        && operator.test != Test::Null;
    let is_of_caller = LIMITING.iter().any(|key| key.eq_ignore_ascii_case(&condition.key))
        || strip_start(&condition.key, "aws:PrincipalTag/").is_some();
    let takes_all =
        |text: &str| text.chars().all(|c| c == '*') || text.ends_with("/0") || text == "arn:*:*:*:*:*";
    asks && is_of_caller && !condition.values.iter().any(|value| takes_all(&value.text))
}

/// A role let in by its ARN, as modules do to let a role put on itself.
fn find_self(spot: Spot, entries: &[Principal], role: Option<&str>) -> Option<Finding> {
    if let Some(entry) = entries.iter().find(|entry| Some(entry.text.as_str()) == role) {
        let message = "The role may put on itself.";
        return Some(spot.on_principal(Rule::SelfAssume, entry, message, "remove it, if nothing needs it."));
    }
    let names_accounts = entries
        .iter()
        .any(|entry| matches!(entry.kind, PrincipalKind::Everyone | PrincipalKind::Account { .. }));
    let condition = spot.statement.conditions.iter().find(|condition| is_on_roles(condition))?;
    names_accounts.then(|| {
        let message =
            "Sessions of this role get in by its ARN, without MFA: so modules let a role put on itself.";
        spot.on_condition(Rule::SelfAssume, condition, message, "remove it, if nothing needs it.")
    })
}

fn is_on_roles(condition: &Condition) -> bool {
    let is_role = |text: &str| Arn::parse(text).is_some_and(|arn| arn.resource.starts_with("role/"));
    condition.key.eq_ignore_ascii_case("aws:PrincipalArn")
        && !condition.operator.is_negated
        && condition.operator.test != Test::Null
        && !condition.values.is_empty()
        && condition.values.iter().all(|value| is_role(&value.text))
}

/// A trust policy says nothing of resources.
pub(super) fn find_resource(spot: Spot) -> Option<Finding> {
    let resources = spot.statement.resources.as_ref()?;
    let name = if resources.is_negated { "NotResource" } else { "Resource" };
    Some(spot.at(
        Rule::ResourceElement,
        resources.place,
        name.to_owned(),
        format!("AWS takes no {name} in a trust policy: the role is the resource."),
        "remove it.",
    ))
}

/// Whether a statement grants `action`, whatever its conditions.
pub(super) fn grants(statement: &Statement, action: &str) -> bool {
    let names = statement.actions.entries.iter().any(|entry| is_like(&entry.text, action));
    statement.effect == Effect::Allow && names != statement.actions.is_negated
}

/// Whether `pattern` is the action, or a beginning of it before a `*`.
fn is_like(pattern: &str, action: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, _)) => strip_start(action, start).is_some(),
        None => pattern.eq_ignore_ascii_case(action),
    }
}
