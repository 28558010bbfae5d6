//! Conditions and principals of a policy in a person's words.

use crate::assume::entity::{Entity, EntityKind, Session};
use crate::policy::condition::Condition;
use crate::policy::document::Statement;
use crate::policy::principal::PrincipalKind;

/// How many principals of a statement are told by name.
const MAX_NAMED: usize = 3;

/// Keys whose values are secrets between two parties: never shown.
const KEPT_BACK: &str = "sts:externalid";

/// Whom a statement names: `account 111122223333`, `user alice (111122223333)`, `everybody`.
pub(crate) fn principals(statement: &Statement) -> String {
    let Some(element) = &statement.principals else { return "nobody".to_owned() };
    let mut named: Vec<String> = element
        .entries
        .iter()
        .take(MAX_NAMED)
        .map(|principal| match &principal.kind {
            PrincipalKind::Everyone => "everybody".to_owned(),
            PrincipalKind::Account { account, .. } => format!("account {account}"),
            PrincipalKind::Arn => principal_of_arn(&principal.text),
            PrincipalKind::Nobody => format!("`{}`, which was deleted", principal.text),
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
    if element.is_negated { format!("everybody but {named}") } else { named }
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

/// What a condition asks for: `aws:MultiFactorAuthPresent = true`.
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
