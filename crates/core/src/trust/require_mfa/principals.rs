//! The principals of a statement, told apart: people, who can have MFA, and the others, who never can.

use serde_json::{Map, Value};

use crate::policy::principal::{Principal, PrincipalKind};
use crate::trust::party::{Party, PartyKind};

/// Whether a principal means people: an account's users, one user, everybody.
pub(super) fn is_people(principal: &Principal) -> bool {
    match principal.kind {
        PrincipalKind::Everyone | PrincipalKind::Account { .. } => true,
        PrincipalKind::Arn => {
            Party::of_arn(&principal.text).is_some_and(|party| party.kind == PartyKind::User)
        }
        PrincipalKind::Nobody
        | PrincipalKind::Service
        | PrincipalKind::Federated
        | PrincipalKind::CanonicalUser => false,
    }
}

/// What stays in `Principal` when only the entries that `is_kept` names stay.
pub(super) fn keep(principal: &Value, is_kept: impl Fn(&str, &str) -> bool) -> Value {
    let Value::Object(types) = principal else { return principal.clone() };
    let kept = types.iter().filter_map(|(kind, names)| {
        let kept = match names {
            Value::Array(names) => {
                let names = names.iter().filter(|name| name.as_str().is_some_and(|name| is_kept(kind, name)));
                Value::Array(names.cloned().collect())
            }
            Value::String(name) if is_kept(kind, name) => names.clone(),
            _ => return None,
        };
        let kept = match kept {
            Value::Array(names) if names.is_empty() => return None,
            Value::Array(mut names) if names.len() == 1 => names.pop()?,
            kept => kept,
        };
        Some((kind.clone(), kept))
    });
    Value::Object(kept.collect::<Map<_, _>>())
}
