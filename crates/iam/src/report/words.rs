//! Principals in words.

use crate::policy::arn::Arn;
use crate::policy::principal::{Principal, PrincipalKind};

/// Whom `principal` means, without an article where it has a name: `user alice of account 111122223333`.
pub(crate) fn describe_principal(principal: &Principal) -> String {
    let text = &principal.text;
    match &principal.kind {
        PrincipalKind::Everyone => "anyone in any AWS account".to_owned(),
        PrincipalKind::Account { account, .. } => format!("any user or role of account {account}"),
        PrincipalKind::Service => format!("the service {text}"),
        PrincipalKind::Federated => format!("identities of {text}"),
        PrincipalKind::CanonicalUser => format!("the account with the canonical ID {text}"),
        PrincipalKind::Nobody if is_deleted(text) => format!("no one: {text} was deleted"),
        PrincipalKind::Nobody => format!("no one: `{text}` is not a principal"),
        PrincipalKind::Arn => describe_arn(text),
    }
}

/// Whether `text` is the unique id of a user or role that is no more.
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
