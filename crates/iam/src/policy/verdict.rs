//! The verdict of each layer on one action: whether it allows the action, and whether it denies it.

use super::answer::{Answer, Fact, Layer};
use super::document::{Effect, Policy, Statement};
use super::finding::{Finding, Origin};
use super::layers::{Layers, OrganizationLevel};
use super::principal::Route;
use super::request::{Caller, Request};
use super::statement::{Miss, applies, routes};

/// Whether `action` is one of `actions`, ignoring case.
pub(super) fn is_one_of(actions: &[&str], action: &str) -> bool {
    actions.iter().any(|known| known.eq_ignore_ascii_case(action))
}

/// One layer's verdict.
pub(super) struct Verdict<'p> {
    pub(super) allow: Answer,
    pub(super) deny: Answer,
    pub(super) findings: Vec<Finding<'p>>,
}

impl Verdict<'_> {
    /// Returns the verdict of a layer that does not apply: it neither limits nor denies.
    pub(super) fn absent() -> Self {
        Self { allow: Answer::Yes, deny: Answer::No, findings: Vec::new() }
    }

    pub(super) fn unknown(layer: Layer) -> Self {
        let unknown = Answer::unknown(Fact::Layer(layer));
        Self { allow: unknown.clone(), deny: unknown, findings: Vec::new() }
    }
}

/// Whether to collect the reasons for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Reasons,
    Nothing,
}

/// Evaluates the layers for one action of a request.
pub(super) struct Judge<'p> {
    pub(super) request: &'p Request,
    pub(super) layers: &'p Layers,
    pub(super) action: &'p str,
    pub(super) detail: Detail,
}

impl<'p> Judge<'p> {
    pub(super) fn judge_identity(&self) -> Verdict<'p> {
        match &self.request.caller {
            // The root user has all permissions, but STS does not let it assume roles.
            Caller::Root(_) => {
                let may = !self.action.eq_ignore_ascii_case("sts:AssumeRole");
                Verdict { allow: may.into(), ..Verdict::absent() }
            }
            Caller::User { .. } | Caller::RoleSession { .. } => {
                if self.layers.unknown.contains(&Layer::Identity) {
                    return Verdict::unknown(Layer::Identity);
                }
                self.judge_policies(Layer::Identity, Origin::policy("identity policy"), &self.layers.identity)
            }
            Caller::Service(_) | Caller::Federated(_) | Caller::Anonymous => Verdict::absent(),
        }
    }

    /// The root user has no permissions boundary; its sessions from AssumeRoot are limited by their task policy.
    pub(super) fn judge_limit(&self, layer: Layer, policies: Option<&'p [Policy]>) -> Verdict<'p> {
        let is_limited = match self.request.caller {
            Caller::User { .. } | Caller::RoleSession { .. } => true,
            Caller::Root(_) => layer == Layer::Session && policies.is_some(),
            Caller::Service(_) | Caller::Federated(_) | Caller::Anonymous => false,
        };
        if !is_limited {
            return Verdict::absent();
        }
        if self.layers.unknown.contains(&layer) {
            return Verdict::unknown(layer);
        }
        let name = if layer == Layer::Boundary { "permissions boundary" } else { "session policy" };
        let judge = |policies| self.judge_policies(layer, Origin::policy(name), policies);
        policies.map_or_else(Verdict::absent, judge)
    }

    pub(super) fn judge_scps(&self) -> Verdict<'p> {
        match self.request.caller.account() {
            Some(account) => {
                self.judge_levels(Layer::Scp, "service control policy", &self.layers.scps, account)
            }
            None => Verdict::absent(),
        }
    }

    /// The managed policy RCPFullAWSAccess is always attached at each level, so RCPs can only deny.
    pub(super) fn judge_rcps(&self) -> Verdict<'p> {
        let account = self.request.resource_account.as_str();
        let verdict = self.judge_levels(Layer::Rcp, "resource control policy", &self.layers.rcps, account);
        Verdict { allow: Answer::Yes, ..verdict }
    }

    fn judge_levels(
        &self,
        layer: Layer,
        name: &'static str,
        levels: &'p [OrganizationLevel],
        account: &str,
    ) -> Verdict<'p> {
        let is_management = self.layers.management_account.as_ref().is_some_and(|id| id.as_str() == account);
        if is_management || self.request.caller.is_service_linked() {
            return Verdict::absent();
        }
        if self.layers.unknown.contains(&layer) {
            return Verdict::unknown(layer);
        }
        let applying = levels
            .iter()
            .zip(1..)
            .filter(|(level, _)| level.account.as_ref().is_none_or(|id| id.as_str() == account));
        let mut all = Verdict::absent();
        for (level, number) in applying {
            let origin = Origin { level: Some(number), ..Origin::policy(name) };
            let verdict = self.judge_policies(layer, origin, &level.policies);
            all.allow = all.allow.and(verdict.allow);
            all.deny = all.deny.or(verdict.deny);
            all.findings.extend(verdict.findings);
        }
        all
    }

    /// Evaluates policies of which at least one must allow and none may deny.
    pub(super) fn judge_policies(&self, layer: Layer, origin: Origin, policies: &'p [Policy]) -> Verdict<'p> {
        let mut verdict = Verdict { allow: Answer::No, deny: Answer::No, findings: Vec::new() };
        for (policy, index) in policies.iter().zip(1..) {
            let origin = Origin { index: origin.index.map(|_| index), ..origin };
            for (statement, number) in policy.statements.iter().zip(1..) {
                // A further Allow only adds a reason; it does not change the decision.
                let has_reasons = self.detail == Detail::Reasons;
                if !has_reasons && statement.effect == Effect::Allow && verdict.allow.is_yes() {
                    continue;
                }
                let named = routes(statement, layer, &self.request.caller);
                let (finding, _) = self.judge_statement(layer, origin, number, statement, &named);
                match statement.effect {
                    Effect::Deny => verdict.deny = verdict.deny.or(finding.truth.clone()),
                    Effect::Allow => verdict.allow = verdict.allow.or(finding.truth.clone()),
                }
                self.keep(finding, &mut verdict);
            }
        }
        verdict
    }

    pub(super) fn keep(&self, finding: Finding<'p>, verdict: &mut Verdict<'p>) {
        if self.detail == Detail::Reasons {
            verdict.findings.push(finding);
        }
    }

    /// Evaluates whether `statement` applies to the caller. Checks the principals before the conditions, as most
    /// statements do not name the caller.
    pub(super) fn judge_statement(
        &self,
        layer: Layer,
        origin: Origin,
        number: usize,
        statement: &'p Statement,
        named: &[(Route, Answer)],
    ) -> (Finding<'p>, Answer) {
        let is_named = Answer::any(named.iter().map(|(_, truth)| truth.clone()));
        let finding = |truth, miss| Finding { layer, origin, number, statement, truth, miss };
        if is_named.is_no() {
            return (finding(Answer::No, Some(Miss::Principal)), Answer::No);
        }
        let applies = applies(statement, layer, self.request, self.action);
        (finding(applies.truth.clone().and(is_named), applies.miss), applies.truth)
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::Policy;
    use super::super::evaluate::{Context, Decision, DenyKind, evaluate};
    use super::*;
    use hatbox_types::name::AccountId;

    fn policy(statement: &str) -> Policy {
        Policy::parse(&format!(r#"{{"Version": "2012-10-17", "Statement": {{{statement}}}}}"#)).unwrap()
    }

    fn request(caller: Caller, action: &str, resource: &str) -> Request {
        Request {
            caller,
            action: action.into(),
            also_actions: Vec::new(),
            resource: resource.into(),
            resource_account: AccountId::parse("111122223333").unwrap(),
            context: Context::complete::<&str, &str>([]),
        }
    }

    fn alice() -> Caller {
        Caller::User { arn: "arn:aws:iam::111122223333:user/alice".into() }
    }

    const ROLE: &str = "arn:aws:iam::111122223333:role/Ops";
    const EVERYONE: &str = r#""Effect": "Allow", "Principal": "*", "Action": "*""#;

    fn implicit(layer: Layer) -> Decision {
        Decision::Deny { kind: DenyKind::Implicit, layer }
    }

    #[test]
    fn an_unsigned_request_reads_a_public_bucket_but_assumes_no_role() {
        let bucket = Layers { resource: Some(policy(EVERYONE)), ..Layers::default() };
        let read = request(Caller::Anonymous, "s3:GetObject", "arn:aws:s3:::box/a");
        assert_eq!(evaluate(&read, &bucket).decision, Decision::Allow);
        let spared = r#""Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": "*""#;
        let mut closed = bucket.clone();
        closed.resource.iter_mut().for_each(|open| open.statements.extend(policy(spared).statements));
        let explicit = Decision::Deny { kind: DenyKind::Explicit, layer: Layer::Trust };
        assert_eq!(evaluate(&read, &closed).decision, explicit);
        let role = Layers { trust: Some(policy(EVERYONE)), ..Layers::default() };
        let assume = request(Caller::Anonymous, "sts:AssumeRole", ROLE);
        assert_eq!(evaluate(&assume, &role).decision, implicit(Layer::Trust));
    }

    #[test]
    fn a_trust_policy_has_no_say_on_other_actions_on_the_role() {
        let trusted = Layers { trust: Some(policy(EVERYONE)), ..Layers::default() };
        let read = request(alice(), "iam:GetRole", ROLE);
        assert_eq!(evaluate(&read, &trusted).decision, implicit(Layer::Identity));
        let may = policy(r#""Effect": "Allow", "Action": "iam:*", "Resource": "*""#);
        let permitted = Layers { identity: vec![may], ..Layers::default() };
        assert_eq!(evaluate(&read, &permitted).decision, Decision::Allow);
    }

    #[test]
    fn a_policy_of_a_caller_without_resource_grants_nothing_and_forbids_all() {
        let all = policy(r#""Effect": "Allow", "Action": "*", "Resource": "*""#);
        let read = request(alice(), "s3:GetObject", "arn:aws:s3:::box/a");
        let granting =
            Layers { identity: vec![policy(r#""Effect": "Allow", "Action": "*""#)], ..Layers::default() };
        assert_eq!(evaluate(&read, &granting).decision, implicit(Layer::Identity));
        let forbidding = policy(r#""Effect": "Deny", "Action": "s3:*""#);
        let forbidden = Layers { identity: vec![all, forbidding], ..Layers::default() };
        let explicit = Decision::Deny { kind: DenyKind::Explicit, layer: Layer::Identity };
        assert_eq!(evaluate(&read, &forbidden).decision, explicit);
    }

    #[test]
    fn an_empty_boundary_allows_nothing_and_none_limits_nothing() {
        let all = policy(r#""Effect": "Allow", "Action": "*", "Resource": "*""#);
        let read = request(alice(), "s3:GetObject", "arn:aws:s3:::box/a");
        let free = Layers { identity: vec![all], ..Layers::default() };
        assert_eq!(evaluate(&read, &free).decision, Decision::Allow);
        let bound = Layers { boundary: Some(Vec::new()), ..free };
        assert_eq!(evaluate(&read, &bound).decision, implicit(Layer::Boundary));
    }

    #[test]
    fn the_root_user_is_limited_by_the_policy_of_a_session_and_by_no_boundary() {
        let root = || Caller::Root(AccountId::parse("111122223333").unwrap());
        let read = policy(r#""Effect": "Allow", "Action": "s3:GetObject", "Resource": "*""#);
        let task = Layers { session: Some(vec![read]), boundary: Some(Vec::new()), ..Layers::default() };
        let judge =
            |action, layers| evaluate(&request(root(), action, "arn:aws:s3:::box/a"), layers).decision;
        assert_eq!(judge("s3:GetObject", &task), Decision::Allow);
        assert_eq!(judge("s3:PutObject", &task), implicit(Layer::Session));
        assert_eq!(judge("s3:PutObject", &Layers::default()), Decision::Allow);
    }

    #[test]
    fn a_service_linked_role_is_beyond_the_organization() {
        let caller = |role: &str| Caller::RoleSession {
            session_arn: None,
            role_arn: format!("arn:aws:iam::111122223333:role/{role}"),
        };
        let layers = Layers {
            identity: vec![policy(r#""Effect": "Allow", "Action": "*", "Resource": "*""#)],
            scps: vec![OrganizationLevel { account: None, policies: Vec::new() }],
            ..Layers::default()
        };
        let judge =
            |role| evaluate(&request(caller(role), "s3:GetObject", "arn:aws:s3:::box/a"), &layers).decision;
        assert_eq!(judge("aws-service-role/x.amazonaws.com/X"), Decision::Allow);
        assert_eq!(judge("X"), implicit(Layer::Scp));
    }

    #[test]
    fn resources_of_the_management_account_are_beyond_resource_control_policies() {
        let deny = policy(r#""Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*""#);
        let limited = Layers {
            identity: vec![policy(r#""Effect": "Allow", "Action": "*", "Resource": "*""#)],
            rcps: vec![OrganizationLevel { account: None, policies: vec![deny] }],
            ..Layers::default()
        };
        let read = request(alice(), "s3:GetObject", "arn:aws:s3:::box/a");
        let explicit = Decision::Deny { kind: DenyKind::Explicit, layer: Layer::Rcp };
        assert_eq!(evaluate(&read, &limited).decision, explicit);
        let management_account = AccountId::parse("111122223333").ok();
        let free = Layers { management_account, ..limited };
        assert_eq!(evaluate(&read, &free).decision, Decision::Allow);
    }

    #[test]
    fn a_key_without_a_policy_is_nobodys_unless_its_policy_is_not_known() {
        let all = policy(r#""Effect": "Allow", "Action": "*", "Resource": "*""#);
        let layers = Layers { identity: vec![all], ..Layers::default() };
        let decrypt = request(alice(), "kms:Decrypt", "arn:aws:kms:eu-central-1:111122223333:key/k1");
        assert_eq!(evaluate(&decrypt, &layers).decision, implicit(Layer::Trust));
        let unseen = Layers { unknown: [Layer::Trust].into(), ..layers.clone() };
        let expected = Decision::Unknown { depends_on: vec![Fact::Layer(Layer::Trust)] };
        assert_eq!(evaluate(&decrypt, &unseen).decision, expected);
        let list = request(alice(), "kms:ListKeys", "*");
        assert_eq!(evaluate(&list, &layers).decision, Decision::Allow);
    }
}
