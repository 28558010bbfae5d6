//! Principals: whom a statement names, and whether they match the caller.

use super::answer::{Answer, Fact};
use super::arn::Arn;
use super::node::Place;
use super::request::Caller;
use hatbox_types::name::AccountId;

/// One entry of a `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The entry as written.
    pub text: String,
    /// The position of the entry.
    pub place: Place,
    /// What the entry names.
    pub kind: PrincipalKind,
}

/// What a principal names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// `"*"` or `{"AWS": "*"}`, which are equivalent.
    Everyone,
    /// An entire account: `arn:aws:iam::A:root`, or the 12 digits.
    Account {
        /// The account.
        account: String,
        /// The partition, if the entry has one.
        partition: Option<String>,
    },
    /// The ARN of a user, role or role session.
    Arn,
    /// A unique id (`AIDA...`, `AROA...`), which AWS shows for a deleted user or role, or a text that matches no
    /// principal.
    NoOne,
    /// A service: `ec2.amazonaws.com`.
    Service,
    /// A web identity provider or SAML provider.
    Federated,
    /// An account by its canonical id, which cannot be derived from any other fact of a request.
    CanonicalUser,
}

/// How a principal matches the caller, which decides what else must allow the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// A service or an identity provider, by name.
    Outsider,
    /// Everyone.
    Everyone,
    /// The user's own ARN.
    User,
    /// The ARN of the caller's session.
    Session,
    /// The ARN of the role that the caller's session belongs to.
    Role,
    /// The caller's account.
    Account,
}

impl Principal {
    /// Parses an entry of the principal type `AWS`.
    pub(super) fn parse_aws(text: String, place: Place) -> Self {
        let kind = match Arn::parse(&text) {
            _ if text == "*" => PrincipalKind::Everyone,
            _ if AccountId::parse(&text).is_ok() => {
                PrincipalKind::Account { account: text.clone(), partition: None }
            }
            Some(arn) if arn.service == "iam" && arn.resource == "root" => PrincipalKind::Account {
                account: arn.account.to_owned(),
                partition: Some(arn.partition.to_owned()),
            },
            Some(_) => PrincipalKind::Arn,
            None => PrincipalKind::NoOne,
        };
        Self { text, place, kind }
    }

    /// How the principal matches `caller`. AWS compares exactly: no wildcards except a lone `*`, case-sensitive.
    pub(super) fn fits(&self, caller: &Caller) -> Option<(Route, Answer)> {
        let fits = |route| Some((route, Answer::Yes));
        match (&self.kind, caller) {
            (PrincipalKind::Everyone, _) => fits(Route::Everyone),
            (PrincipalKind::Account { account, partition }, _) => {
                let is_account = caller.account() == Some(account);
                let is_partition = match (partition, caller.partition()) {
                    (Some(wanted), Some(actual)) => wanted == actual,
                    _ => true,
                };
                (is_account && is_partition).then_some((Route::Account, Answer::Yes))
            }
            (PrincipalKind::Arn, Caller::User { arn }) if *arn == self.text => fits(Route::User),
            (PrincipalKind::Arn, Caller::RoleSession { role_arn, .. }) if *role_arn == self.text => {
                fits(Route::Role)
            }
            (PrincipalKind::Arn, Caller::RoleSession { session_arn: Some(session_arn), .. })
                if *session_arn == self.text =>
            {
                fits(Route::Session)
            }
            (PrincipalKind::Arn, Caller::RoleSession { session_arn: None, role_arn })
                if is_session_of(&self.text, role_arn) =>
            {
                let name = self.text.rsplit('/').next().unwrap_or_default();
                Some((Route::Session, Answer::unknown(Fact::SessionName(name.to_owned()))))
            }
            (PrincipalKind::Service, Caller::Service(name))
            | (PrincipalKind::Federated, Caller::Federated(name))
                if self.text == "*" || *name == self.text =>
            {
                fits(Route::Outsider)
            }
            (
                PrincipalKind::CanonicalUser,
                Caller::User { .. } | Caller::RoleSession { .. } | Caller::Root(_),
            ) => Some((Route::Account, Answer::unknown(Fact::CanonicalId))),
            _ => None,
        }
    }
}

/// Whether `session` is the ARN of a session of the role `role`. Session ARNs omit the role's path.
fn is_session_of(session: &str, role: &str) -> bool {
    let (Some(session), Some(role)) = (Arn::parse(session), Arn::parse(role)) else { return false };
    let name = role.resource.rsplit('/').next().unwrap_or_default();
    let of = session.resource.strip_prefix("assumed-role/").and_then(|rest| rest.strip_prefix(name));
    session.service == "sts"
        && (session.partition, session.account) == (role.partition, role.account)
        && of.is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(principal: &str, caller: &Caller) -> Option<Route> {
        let principal = Principal::parse_aws(principal.to_owned(), Place { line: 1, column: 1 });
        principal.fits(caller).map(|(route, _)| route)
    }

    #[test]
    fn a_user_is_named_by_account_by_arn_or_with_everyone() {
        let alice = Caller::User { arn: "arn:aws:iam::111122223333:user/team/alice".into() };
        for (principal, expected, why) in [
            ("*", Some(Route::Everyone), "everybody"),
            ("111122223333", Some(Route::Account), "twelve digits are the account"),
            ("arn:aws:iam::111122223333:root", Some(Route::Account), "root is the account"),
            ("arn:aws-cn:iam::111122223333:root", None, "another partition"),
            ("arn:aws:iam::444455556666:root", None, "another account"),
            ("arn:aws:iam::111122223333:user/team/alice", Some(Route::User), "the very ARN"),
            ("arn:aws:iam::111122223333:user/alice", None, "the path counts"),
            ("arn:aws:iam::111122223333:user/team/Alice", None, "case counts"),
            ("arn:aws:iam::111122223333:user/*", None, "no wildcard within"),
            ("arn:aws:iam::111122223333:user/team/*", None, "no wildcard within"),
            ("AIDAQAAAAAAAEXAMPLE1", None, "a deleted user"),
            ("alice", None, "a bare name"),
        ] {
            assert_eq!(route(principal, &alice), expected, "{principal}: {why}");
        }
    }

    #[test]
    fn a_role_session_is_named_by_role_or_by_its_own_arn() {
        let session = Caller::RoleSession {
            session_arn: Some("arn:aws:sts::111122223333:assumed-role/Deploy/ci".into()),
            role_arn: "arn:aws:iam::111122223333:role/team/Deploy".into(),
        };
        for (principal, expected, why) in [
            ("arn:aws:iam::111122223333:role/team/Deploy", Some(Route::Role), "the role with its path"),
            ("arn:aws:iam::111122223333:role/Deploy", None, "the role without its path"),
            ("arn:aws:sts::111122223333:assumed-role/Deploy/ci", Some(Route::Session), "the session"),
            ("arn:aws:sts::111122223333:assumed-role/Deploy/me", None, "another session"),
            ("arn:aws:sts::111122223333:assumed-role/Deploy/*", None, "no wildcard within"),
            ("arn:aws:sts::111122223333:assumed-role/Deploy", None, "no session named"),
            ("AROAQAAAAAAAEXAMPLE1", None, "a deleted role"),
        ] {
            assert_eq!(route(principal, &session), expected, "{principal}: {why}");
        }
    }

    #[test]
    fn a_session_of_unknown_name_may_be_the_one_named() {
        let any = Caller::RoleSession {
            session_arn: None,
            role_arn: "arn:aws:iam::111122223333:role/team/Deploy".into(),
        };
        assert_eq!(route("arn:aws:sts::111122223333:assumed-role/Deploy/ci", &any), Some(Route::Session));
        assert_eq!(route("arn:aws:sts::111122223333:assumed-role/Deploy/", &any), None);
        assert_eq!(route("arn:aws:sts::111122223333:assumed-role/Deployer/ci", &any), None);
        assert_eq!(route("arn:aws:sts::444455556666:assumed-role/Deploy/ci", &any), None);
    }

    #[test]
    fn root_and_the_unsigned_are_few() {
        let root = Caller::Root(AccountId::parse("111122223333").unwrap());
        assert_eq!(route("arn:aws:iam::111122223333:root", &root), Some(Route::Account));
        assert_eq!(route("111122223333", &Caller::Anonymous), None);
        assert_eq!(route("*", &Caller::Anonymous), Some(Route::Everyone));
    }

    #[test]
    fn services_and_providers_are_named_exactly() {
        let place = Place { line: 1, column: 1 };
        let service = Principal { text: "ec2.amazonaws.com".into(), place, kind: PrincipalKind::Service };
        assert!(service.fits(&Caller::Service("ec2.amazonaws.com".into())).is_some());
        assert!(service.fits(&Caller::Service("EC2.amazonaws.com".into())).is_none());
        assert!(service.fits(&Caller::Federated("ec2.amazonaws.com".into())).is_none());
    }
}
