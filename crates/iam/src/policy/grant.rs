//! The verdict and the grants of the role's trust policy or the resource's policy.

use super::answer::{Answer, Fact, Layer};
use super::arn::Arn;
use super::document::{Effect, Statement};
use super::finding::Origin;
use super::principal::Route;
use super::request::Caller;
use super::statement::{Routes, routes};
use super::verdict::{Judge, Verdict, is_one_of};

/// Actions for which a role session needs permission in its own policies too, however the trust policy names it.
const ALLOWED_ON_BOTH_SIDES: [&str; 2] = ["sts:TagSession", "sts:SetSourceIdentity"];

const OWN_POLICIES: &[Layer] = &[Layer::Identity, Layer::Boundary, Layer::Session];

/// A grant by the resource's policy: whether it applies, and which other layers must allow the request too.
pub(super) struct GrantPath {
    pub(super) opened: Answer,
    pub(super) needs: &'static [Layer],
    /// Set if the documentation leaves open whether a session policy limits this grant.
    pub(super) contest: Option<Contest>,
}

/// A grant for which the AWS documentation leaves open whether a session policy limits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contest {
    /// The resource's policy names this session: the User Guide says no limit applies, other pages disagree.
    Session,
    /// The resource's policy names everyone: the documentation does not say.
    Everyone,
}

impl Contest {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Session => {
                "the session is named, but its session policy is narrower: AWS's documents and others \
                 contradict each other"
            }
            Self::Everyone => {
                "everyone is named, but the session policy does not allow it: AWS's documents do not say \
                 which of the two decides"
            }
        }
    }
}

impl<'p> Judge<'p> {
    /// Evaluates the trust policy or the resource's policy; returns its verdict and its grants.
    pub(super) fn judge_resource(&self) -> (Verdict<'p>, Vec<GrantPath>) {
        let is_same_account = self.request.is_same_account();
        let trust = self.layers.trust.as_ref().filter(|_| self.is_about_roles());
        let policy = trust.or(self.layers.resource.as_ref());
        let has_duty = trust.is_some() || self.must_resource_allow();
        if self.layers.unknown.contains(&Layer::Trust) {
            let unknown = Verdict::unknown(Layer::Trust);
            let way = GrantPath { contest: None, ..self.way(Route::Everyone, unknown.allow) };
            return (Verdict { allow: Answer::Yes, ..unknown }, vec![way]);
        }
        let mut ways = Vec::new();
        if is_same_account && !has_duty {
            ways.push(GrantPath { opened: Answer::Yes, needs: OWN_POLICIES, contest: None });
        }
        // `allow` follows from the grants, as the way the caller is named decides which other layers must allow.
        let mut verdict = Verdict::absent();
        let origin = Origin::only(if trust.is_some() { "trust policy" } else { "resource policy" });
        for (statement, number) in policy.iter().flat_map(|policy| policy.statements.iter().zip(1..)) {
            let named = self.routes_of_resource(statement);
            let (finding, applies) = self.judge_statement(Layer::Trust, origin, number, statement, &named);
            match statement.effect {
                Effect::Deny => verdict.deny = verdict.deny.or(finding.truth.clone()),
                Effect::Allow => {
                    let way = |(route, is_named): &(Route, Answer)| {
                        self.way(*route, applies.clone().and(is_named.clone()))
                    };
                    ways.extend(named.iter().map(way));
                }
            }
            self.keep(finding, &mut verdict);
        }
        // A role is assumed with a signed request or a provider's token, never anonymously.
        if self.request.caller == Caller::Anonymous && self.is_about_roles() {
            ways.clear();
        }
        (verdict, ways)
    }

    /// A Deny with `NotPrincipal` applies to every caller with a permissions boundary, listed or not (IAM User Guide,
    /// "NotPrincipal").
    fn routes_of_resource(&self, statement: &Statement) -> Routes {
        let is_not_principal = statement.effect == Effect::Deny
            && statement.principals.as_ref().is_some_and(|element| element.is_negated);
        let has_boundary = match &self.request.caller {
            Caller::User { .. } | Caller::RoleSession { .. } if is_not_principal => {
                if self.layers.unknown.contains(&Layer::Boundary) {
                    Answer::unknown(Fact::Layer(Layer::Boundary))
                } else {
                    self.layers.boundary.is_some().into()
                }
            }
            _ => Answer::No,
        };
        let mut named = routes(statement, Layer::Trust, &self.request.caller);
        if !has_boundary.is_no() {
            named.to_mut().push((Route::Everyone, has_boundary));
        }
        named
    }

    /// Whether the resource's policy must allow the request even if the caller's own policies do: roles and KMS keys.
    fn must_resource_allow(&self) -> bool {
        let Some(arn) = Arn::parse(&self.request.resource) else { return false };
        let is_role = arn.service == "iam" && arn.resource.starts_with("role/");
        let is_key = arn.service == "kms" && arn.resource.starts_with("key/");
        is_key || (is_role && self.is_about_roles())
    }

    /// Whether the trust policy decides: every STS action on a role is about assuming it.
    fn is_about_roles(&self) -> bool {
        self.action.get(..4).is_some_and(|service| service.eq_ignore_ascii_case("sts:"))
    }

    fn way(&self, route: Route, opened: Answer) -> GrantPath {
        let caller = &self.request.caller;
        let is_chained = matches!(caller, Caller::RoleSession { .. });
        let is_same_account = self.request.is_same_account();
        let needs: &[Layer] = match (caller, route) {
            (Caller::Service(_) | Caller::Federated(_) | Caller::Anonymous, _) => &[],
            (Caller::Root(_), _) => &[Layer::Identity, Layer::Session],
            _ if !is_same_account || (is_chained && is_one_of(&ALLOWED_ON_BOTH_SIDES, self.action)) => {
                OWN_POLICIES
            }
            (_, Route::Account) => OWN_POLICIES,
            (_, Route::Role) => &[Layer::Boundary, Layer::Session],
            (_, Route::Outsider | Route::Everyone | Route::User | Route::Session) => &[],
        };
        let is_limited = needs.is_empty() && self.layers.session.is_some();
        let contest = match (caller, route) {
            (Caller::User { .. } | Caller::RoleSession { .. }, Route::Session) => Some(Contest::Session),
            (Caller::User { .. } | Caller::RoleSession { .. }, Route::Everyone) => Some(Contest::Everyone),
            _ => None,
        };
        GrantPath { opened, needs, contest: contest.filter(|_| is_limited) }
    }
}
