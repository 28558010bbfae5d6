//! Renders conditions, principals and lists as text.

use crate::assume::entity::{Entity, EntityKind, Session};
use crate::policy::arn::Arn;
use crate::policy::condition::Condition;
use crate::policy::document::Statement;
use crate::policy::principal::{Principal, PrincipalKind};

/// The maximum number of principals named for a statement.
const MAX_NAMED: usize = 3;

/// The key whose value is never shown: the external ID is a secret between two parties.
const KEPT_BACK: &str = "sts:externalid";

/// Renders whom a statement names: `account 111122223333`, `user alice (111122223333)`, `everyone`.
pub(crate) fn principals(statement: &Statement) -> String {
    let Some(element) = &statement.principals else { return "no one".to_owned() };
    let mut named: Vec<String> = element
        .entries
        .iter()
        .take(MAX_NAMED)
        .map(|principal| match &principal.kind {
            PrincipalKind::Everyone => "everyone".to_owned(),
            PrincipalKind::Account { account, .. } => format!("account {account}"),
            PrincipalKind::Arn => principal_of_arn(&principal.text),
            PrincipalKind::NoOne => format!("`{}`, which was deleted", principal.text),
            PrincipalKind::Service => format!("the service {}", principal.text),
            PrincipalKind::Federated => format!("the provider {}", principal.text),
            PrincipalKind::CanonicalUser => "an account by its canonical id".to_owned(),
        })
        .collect();
    let more = element.entries.len().saturating_sub(MAX_NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let named = named.join(", ");
    if element.is_negated { format!("everyone but {named}") } else { named }
}

fn principal_of_arn(arn: &str) -> String {
    match Entity::of_arn(arn) {
        Some(entity) => {
            let kind = match entity.kind {
                EntityKind::User => "user",
                EntityKind::Role => "role",
            };
            format!("{kind} {}", entity.label())
        }
        None => match Session::parse(arn) {
            Some(Session { account, role, name }) => format!("the session {name} of role {role} ({account})"),
            None => arn.to_owned(),
        },
    }
}

/// Renders what a condition requires: `aws:MultiFactorAuthPresent = true`.
pub(crate) fn requirement(condition: &Condition) -> String {
    if condition.key.eq_ignore_ascii_case(KEPT_BACK) {
        return format!("the right {}", condition.key);
    }
    let values: Vec<_> = condition.values.iter().map(|value| value.text.as_str()).collect();
    let values = values.join(" or ");
    let operator = condition.operator_name.rsplit(':').next().unwrap_or_default();
    let operator = operator.strip_suffix("IfExists").unwrap_or(operator);
    let sign = match operator {
        "Null" if values.eq_ignore_ascii_case("true") => return format!("no {}", condition.key),
        "Null" => return format!("some {}", condition.key),
        "NumericLessThan" | "DateLessThan" => "<",
        "NumericLessThanEquals" | "DateLessThanEquals" => "<=",
        "NumericGreaterThan" | "DateGreaterThan" => ">",
        "NumericGreaterThanEquals" | "DateGreaterThanEquals" => ">=",
        "IpAddress" => "in",
        "NotIpAddress" => "not in",
        "StringLike" | "ArnLike" | "ArnEquals" => "like",
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => "not like",
        negated if negated.contains("Not") => "other than",
        _ => "=",
    };
    format!("{} {sign} {values}", condition.key)
}

/// Renders whom `principal` names, without an article if it has a name: `user alice of account 111122223333`.
pub(crate) fn describe_principal(principal: &Principal) -> String {
    let text = &principal.text;
    match &principal.kind {
        PrincipalKind::Everyone => "anyone in any AWS account".to_owned(),
        PrincipalKind::Account { account, .. } => format!("any user or role of account {account}"),
        PrincipalKind::Service => format!("the service {text}"),
        PrincipalKind::Federated => format!("identities of {text}"),
        PrincipalKind::CanonicalUser => format!("the account with the canonical ID {text}"),
        PrincipalKind::NoOne if is_deleted(text) => format!("no one: {text} was deleted"),
        PrincipalKind::NoOne => format!("no one: `{text}` is not a principal"),
        PrincipalKind::Arn => describe_arn(text),
    }
}

/// Whether `text` is the unique id of a deleted user or role.
pub(crate) fn is_deleted(text: &str) -> bool {
    (text.starts_with("AIDA") || text.starts_with("AROA"))
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn describe_arn(text: &str) -> String {
    let Some(arn) = Arn::parse(text) else { return text.to_owned() };
    let account = arn.account;
    let parts: Vec<_> = arn.resource.split('/').collect();
    match (arn.service, parts.as_slice()) {
        ("iam", [kind @ ("user" | "role" | "group"), .., name]) => {
            format!("{kind} {name} of account {account}")
        }
        ("sts", ["assumed-role", role, session]) => {
            format!("session {session} of role {role} of account {account}")
        }
        _ => text.to_owned(),
    }
}

/// Joins texts: `a`, `a or b`, `a, b or c`.
pub(crate) fn join_or(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
