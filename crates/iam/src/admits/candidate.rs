//! Callers to test a policy with: a user and a role of each trusted account, and the callers that it names.

use crate::assume::credentials::Credentials;
use crate::policy::arn::Arn;
use crate::policy::condition::Condition;
use crate::policy::document::Statement;
use crate::policy::evaluate::Caller;
use crate::policy::principal::{Principal, PrincipalKind};
use hatbox_types::name::AccountId;

/// The maximum number of callers to test for one principal. Policies within AWS's size limits stay below it.
const MAX: usize = 64;

/// Used if a policy trusts everyone and names no account.
const ANY_ACCOUNT: &str = "111122223333";

/// A user and a role of one account. One of them may stand in for any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The user's ARN.
    pub user: String,
    /// The role's ARN.
    pub role: String,
    /// The ARN of the role's session; `None` for any session.
    pub session: Option<String>,
    /// Whether the user's name is a placeholder for any name.
    is_any_user: bool,
}

impl Candidate {
    /// Parses a caller: an account, or the ARN of a user, a role or a role session.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(account) = AccountId::parse(text) {
            return Some(Self::of_account("aws", account.as_str()));
        }
        let arn = Arn::parse(text)?;
        AccountId::parse(arn.account).ok()?;
        let any = Self::of_account(arn.partition, arn.account);
        match (arn.service, arn.resource.split_once('/')) {
            ("iam", None) if arn.resource == "root" => Some(any),
            ("iam", Some(("user", name))) if is_whole(name) => {
                Some(Self { user: text.to_owned(), is_any_user: false, ..any })
            }
            ("iam", Some(("role", name))) if is_whole(name) => Some(Self { role: text.to_owned(), ..any }),
            ("sts", Some(("assumed-role", rest))) => {
                let (role, session) = rest.split_once('/')?;
                let role_arn = format!("arn:{}:iam::{}:role/{role}", arn.partition, arn.account);
                let is_named = is_whole(role) && is_whole(session);
                is_named.then(|| Self { role: role_arn, session: Some(text.to_owned()), ..any })
            }
            _ => None,
        }
    }

    /// Creates a candidate for any user and any role of `account`.
    fn of_account(partition: &str, account: &str) -> Self {
        Self {
            user: format!("arn:{partition}:iam::{account}:user/any-user"),
            role: format!("arn:{partition}:iam::{account}:role/any-role"),
            session: None,
            is_any_user: true,
        }
    }

    /// Returns the caller that signs with these credentials.
    pub(super) fn caller(&self, credentials: Credentials) -> Caller {
        if credentials == Credentials::RoleSession {
            Caller::RoleSession { session_arn: self.session.clone(), role_arn: self.role.clone() }
        } else {
            Caller::User { arn: self.user.clone() }
        }
    }

    /// Whether the user may have any name, so that a condition on the name may match some user.
    pub(super) fn is_any_user(&self) -> bool {
        self.is_any_user
    }
}

fn is_whole(name: &str) -> bool {
    !name.is_empty() && !name.contains(['*', '?', '$'])
}

/// Returns callers that `principal` of `statement` may match: any caller of the account, and those that the conditions
/// name. Empty for services, identity providers and principals that match no caller.
pub(crate) fn candidates_of(statement: &Statement, principal: &Principal) -> Vec<Candidate> {
    match &principal.kind {
        PrincipalKind::Arn => Candidate::parse(&principal.text).into_iter().collect(),
        PrincipalKind::Account { account, partition } => {
            let Ok(account) = AccountId::parse(account) else { return Vec::new() };
            let partition = partition.as_deref().unwrap_or("aws");
            let mut found = vec![Candidate::of_account(partition, account.as_str())];
            add_named(&mut found, statement, partition, account.as_str());
            found
        }
        PrincipalKind::Everyone => {
            let mut found = Vec::new();
            for account in values_of(statement, "aws:PrincipalAccount").filter_map(as_account) {
                found.push(Candidate::of_account("aws", account.as_str()));
                add_named(&mut found, statement, "aws", account.as_str());
            }
            if found.is_empty() {
                found.push(Candidate::of_account("aws", ANY_ACCOUNT));
                add_named(&mut found, statement, "aws", ANY_ACCOUNT);
            }
            found
        }
        PrincipalKind::NoOne
        | PrincipalKind::Service
        | PrincipalKind::Federated
        | PrincipalKind::CanonicalUser => Vec::new(),
    }
}

fn as_account(text: &str) -> Option<AccountId> {
    AccountId::parse(text).ok()
}

/// Adds the callers that conditions on the caller's ARN or name match, with wildcards filled in.
fn add_named(found: &mut Vec<Candidate>, statement: &Statement, partition: &str, account: &str) {
    for name in values_of(statement, "aws:username") {
        let any = Candidate::of_account(partition, account);
        let user = format!("arn:{partition}:iam::{account}:user/{}", fill(name));
        found.push(Candidate { user, is_any_user: !is_whole(name), ..any });
    }
    for arn in values_of(statement, "aws:PrincipalArn") {
        if let Some(Arn { account: of, resource, .. }) = Arn::parse(arn) {
            let of = if of.contains(['*', '?']) { account } else { of };
            // `user/*` and `role/team/*` fix the kind; `*` matches both.
            let wanted: &[String] = if resource.starts_with(['*', '?']) {
                &["user/x".to_owned(), "role/x".to_owned()]
            } else {
                &[fill(resource)]
            };
            let arn = |resource: &String| format!("arn:{partition}:iam::{of}:{resource}");
            let is_pattern = !is_whole(resource);
            let named = wanted.iter().filter_map(|resource| Candidate::parse(&arn(resource)));
            found.extend(named.map(|of| Candidate { is_any_user: of.is_any_user || is_pattern, ..of }));
        }
    }
    found.truncate(MAX);
}

/// Returns a text that the pattern matches.
fn fill(pattern: &str) -> String {
    pattern.replace(['*', '?'], "x")
}

/// Returns the values of the conditions that require `key` to match one of them.
fn values_of<'s>(statement: &'s Statement, key: &'s str) -> impl Iterator<Item = &'s str> {
    let asks = move |condition: &&Condition| {
        condition.key.eq_ignore_ascii_case(key) && !condition.operator.is_negated
    };
    statement
        .conditions
        .iter()
        .filter(asks)
        .flat_map(|condition| &condition.values)
        .map(|value| value.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::document::Policy;

    #[test]
    fn a_caller_is_an_account_or_an_arn() {
        let any = Candidate::parse("111122223333").unwrap();
        assert_eq!(Candidate::parse("arn:aws:iam::111122223333:root"), Some(any.clone()));
        let alice = Candidate::parse("arn:aws:iam::111122223333:user/team/alice").unwrap();
        assert_eq!(
            (alice.user.as_str(), &alice.role),
            ("arn:aws:iam::111122223333:user/team/alice", &any.role)
        );
        let session = Candidate::parse("arn:aws:sts::111122223333:assumed-role/Deploy/ci").unwrap();
        assert_eq!(session.role, "arn:aws:iam::111122223333:role/Deploy");
        for bad in ["", "alice", "*", "AIDAEXAMPLE", "arn:aws:iam::111122223333:group/ops"] {
            assert_eq!(Candidate::parse(bad), None, "{bad}");
        }
        for bad in ["arn:aws:iam::1:user/a", "arn:aws:iam::111122223333:user/*", "arn:aws:iam::*:root"] {
            assert_eq!(Candidate::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn conditions_name_callers_too() {
        let policy = Policy::parse(
            r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {
                "ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::444455556666:user/t?/*", "arn:aws:iam::*:role/Ops"]},
                "StringEquals": {"aws:username": "bob"}}}}"#,
        )
        .unwrap();
        let statement = &policy.statements[0];
        let found = candidates_of(statement, &statement.principals.as_ref().unwrap().entries[0]);
        let users: Vec<_> = found.iter().map(|candidate| candidate.user.as_str()).collect();
        assert_eq!(
            users,
            [
                "arn:aws:iam::111122223333:user/any-user",
                "arn:aws:iam::111122223333:user/bob",
                "arn:aws:iam::444455556666:user/tx/x",
                "arn:aws:iam::111122223333:user/any-user",
            ]
        );
        assert_eq!(found[3].role, "arn:aws:iam::111122223333:role/Ops");
    }
}
