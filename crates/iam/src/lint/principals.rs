//! Rules about principals.

use super::finding::{Finding, Spot};
use super::issuer::Provider;
use super::limits::{Wide, judge_limit};
use super::rule::Rule;
use super::services::find_service;
use super::whole::{ASSUMING, Whole};
use crate::policy::arn::Arn;
use crate::policy::condition::Condition;
use crate::policy::condition_keys::strip_start;
use crate::policy::document::Effect;
use crate::policy::operator::Test;
use crate::policy::principal::{Principal, PrincipalKind};
use crate::report::words::is_deleted;
use hatbox_types::name::AccountId;

/// Keys whose value a caller can choose. Names that end with `/` are prefixes.
const CHOSEN_BY_CALLER: [&str; 10] = [
    "aws:PrincipalTag/",
    "aws:Referer",
    "aws:RequestTag/",
    "aws:SourceIdentity",
    "aws:TagKeys",
    "aws:UserAgent",
    "aws:username",
    "sts:ExternalId",
    "sts:RoleSessionName",
    "sts:SourceIdentity",
];

/// Checks the principals of one statement. `role` is the ARN of the policy's role, if known.
pub(super) fn find_principals(spot: Spot, whole: &Whole, role: Option<&str>) -> Vec<Finding> {
    let statement = spot.statement;
    let Some(element) = &statement.principals else {
        let fix = "add \"Principal\" with the accounts that you trust.";
        return vec![spot.whole(
            Rule::MissingPrincipal,
            "A statement of a trust policy needs a Principal; AWS rejects the policy.",
            fix,
        )];
    };
    if element.is_negated {
        let message = "A trust policy cannot use NotPrincipal; AWS rejects it.";
        let fix = "name whom you trust with \"Principal\".";
        return vec![spot.at(Rule::NotPrincipal, element.place, "NotPrincipal".to_owned(), message, fix)];
    }
    let is_allow = statement.effect == Effect::Allow;
    let mut found: Vec<_> =
        element.entries.iter().filter_map(|principal| find_invalid(spot, principal)).collect();
    let everyone = element.entries.iter().find(|principal| is_everyone(principal));
    if let Some(everyone) = everyone.filter(|_| is_allow) {
        found.extend(find_public(spot, everyone, whole));
    }
    if let Some(finding) = find_self(spot, &element.entries, role).filter(|_| is_allow) {
        found.push(finding);
    }
    found
}

fn is_everyone(principal: &Principal) -> bool {
    principal.text == "*"
}

fn find_invalid(spot: Spot, principal: &Principal) -> Option<Finding> {
    let text = &principal.text;
    let finding = |rule, message: &str, fix: &str| Some(spot.on_principal(rule, principal, message, fix));
    if !is_everyone(principal) && text.contains(['*', '?']) {
        return finding(
            Rule::PartialWildcard,
            "A principal cannot contain a wildcard, except \"*\" alone; AWS rejects the policy.",
            "name the account, and add a condition on aws:PrincipalArn.",
        );
    }
    match &principal.kind {
        PrincipalKind::CanonicalUser => finding(
            Rule::CanonicalUser,
            "A trust policy cannot use CanonicalUser; AWS rejects it.",
            "write the account ID under \"AWS\".",
        ),
        PrincipalKind::NoOne if is_deleted(text) => finding(
            Rule::DeletedPrincipal,
            "This is the unique ID of a deleted user or role; no caller matches it.",
            "replace it with the ARN of the new user or role, or remove it.",
        ),
        PrincipalKind::NoOne => finding(
            Rule::InvalidPrincipal,
            "This is neither an ARN nor an account ID; AWS rejects the policy.",
            "write the ARN of a user or role, or a 12-digit account ID.",
        ),
        PrincipalKind::Arn if Arn::parse(text).is_none_or(|arn| AccountId::parse(arn.account).is_err()) => {
            finding(
                Rule::InvalidPrincipal,
                "The ARN has no account ID of 12 digits; AWS rejects the policy.",
                "write the 12 digits of the account ID.",
            )
        }
        PrincipalKind::Arn => match Arn::parse(text).map(|arn| (arn.service, arn.resource)) {
            Some(("iam", resource)) if resource.starts_with("group/") => finding(
                Rule::GroupPrincipal,
                "A group cannot be a principal; AWS rejects the policy.",
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
                "This is not the ARN of a user, a role or a session; AWS rejects the policy.",
                "write the ARN of a user or a role.",
            ),
        },
        PrincipalKind::Account { account, .. } if AccountId::parse(account).is_err() => finding(
            Rule::InvalidPrincipal,
            &format!("`{account}` is not an account ID: expected 12 digits; AWS rejects the policy."),
            "write the 12 digits of the account ID.",
        ),
        PrincipalKind::Service if !is_everyone(principal) => find_service(spot, principal),
        PrincipalKind::Federated if !is_everyone(principal) && !is_provider(text) => finding(
            Rule::InvalidPrincipal,
            "This is not the ARN of an identity provider; AWS rejects the policy.",
            "write arn:aws:iam::ACCOUNT:oidc-provider/HOST or arn:aws:iam::ACCOUNT:saml-provider/NAME.",
        ),
        PrincipalKind::Everyone
        | PrincipalKind::Account { .. }
        | PrincipalKind::Service
        | PrincipalKind::Federated => None,
    }
}

/// Whether it is the ARN of an account's identity provider, or one of the providers that AWS supports without one.
fn is_provider(text: &str) -> bool {
    match Arn::parse(text) {
        Some(arn) => AccountId::parse(arn.account).is_ok() && Provider::parse(text).is_some(),
        None => {
            ["accounts.google.com", "graph.facebook.com", "www.amazon.com"].contains(&text)
                || (text.starts_with("cognito-identity") && text.contains(".amazonaws.com"))
        }
    }
}

/// Finds a trusted `*` that neither conditions nor a Deny limit to known accounts.
fn find_public(spot: Spot, everyone: &Principal, whole: &Whole) -> Option<Finding> {
    let actions: Vec<_> =
        ASSUMING.into_iter().filter(|action| spot.statement.covers_action(action)).collect();
    if actions.is_empty() {
        return None;
    }
    let trusted = match everyone.kind {
        PrincipalKind::Service => "Every AWS service is trusted",
        PrincipalKind::Federated => "Every identity provider of the account is trusted",
        _ => "Every AWS account is trusted",
    };
    let limits: Vec<_> =
        spot.statement.conditions.iter().map(|condition| (condition, judge_limit(condition))).collect();
    if let Some((limit, _)) = limits.iter().find(|(_, judged)| judged.is_ok()) {
        let message = format!("{trusted}; the condition on {} limits who can assume the role.", limit.key);
        let fix = "name the accounts in Principal, if they are known.";
        return Some(spot.on_principal(Rule::PublicPrincipalConditioned, everyone, message, fix));
    }
    if everyone.kind == PrincipalKind::Everyone && actions.iter().all(|action| whole.is_limited(action)) {
        let message = format!("{trusted}; a Deny limits who can assume the role.");
        let fix = "name the accounts in Principal, if they are known.";
        return Some(spot.on_principal(Rule::PublicPrincipalConditioned, everyone, message, fix));
    }
    let why = |wanted: &dyn Fn(&Condition, &Wide) -> Option<String>| {
        limits.iter().find_map(|(condition, judged)| wanted(condition, judged.as_ref().err()?))
    };
    let reason = why(&|condition, wide| match wide {
        Wide::Value(value) => Some(format!(
            "`{value}` for {} also matches callers of accounts that you do not know",
            condition.key
        )),
        Wide::Key | Wide::Operator => None,
    })
    .or_else(|| {
        why(&|condition, wide| {
            (*wide == Wide::Operator && condition.operator.test != Test::Null)
                .then(|| format!("{} on {} limits it to no account", condition.operator_name, condition.key))
        })
    })
    .or_else(|| {
        why(&|condition, _| {
            is_chosen(&condition.key)
                .then(|| format!("callers choose the value of {} themselves", condition.key))
        })
    });
    let message = match reason {
        Some(reason) => format!("{trusted}: {reason}."),
        None => format!("{trusted}, and no condition limits who can assume the role."),
    };
    let fix = "name the accounts in Principal, or add a condition on aws:PrincipalOrgID with the whole ID.";
    Some(spot.on_principal(Rule::PublicPrincipal, everyone, message, fix))
}

fn is_chosen(key: &str) -> bool {
    CHOSEN_BY_CALLER.iter().any(|chosen| {
        let rest = strip_start(key, chosen);
        rest.is_some_and(|rest| rest.is_empty() || chosen.ends_with('/'))
    })
}

/// Finds a role that trusts itself, by its ARN or by a condition on it.
fn find_self(spot: Spot, entries: &[Principal], role: Option<&str>) -> Option<Finding> {
    let role = role?;
    let message = "The role is allowed to assume itself.";
    let fix = "remove it, if nothing needs it.";
    if let Some(entry) = entries.iter().find(|entry| entry.text == role) {
        return Some(spot.on_principal(Rule::SelfAssume, entry, message, fix));
    }
    let account = Arn::parse(role)?.account;
    let has_role = entries.iter().any(|entry| match &entry.kind {
        PrincipalKind::Everyone => true,
        PrincipalKind::Account { account: of, .. } => of == account,
        _ => false,
    });
    let condition = spot.statement.conditions.iter().find(|condition| is_on_role(condition, role))?;
    has_role.then(|| spot.on_condition(Rule::SelfAssume, condition, message, fix))
}

fn is_on_role(condition: &Condition, role: &str) -> bool {
    condition.key.eq_ignore_ascii_case("aws:PrincipalArn")
        && !condition.operator.is_negated
        && condition.operator.test != Test::Null
        && condition.values.iter().any(|value| value.text == role)
}

/// Finds a `Resource`, which a trust policy must not have.
pub(super) fn find_resource(spot: Spot) -> Option<Finding> {
    let resources = spot.statement.resources.as_ref()?;
    let name = if resources.is_negated { "NotResource" } else { "Resource" };
    Some(spot.at(
        Rule::ResourceElement,
        resources.place,
        name.to_owned(),
        format!("A trust policy cannot use {name}, because the role is the resource; AWS rejects it."),
        "remove it.",
    ))
}
