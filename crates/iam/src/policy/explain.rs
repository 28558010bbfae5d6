//! Reports what each layer says about a request, statement by statement, for explanations.
//!
//! [`super::evaluate::evaluate`] decides; this shows the reasons as data rather than as text.

use super::answer::{Answer, Fact, sort_by_name};
use super::condition::Condition;
use super::document::Statement;
use super::evaluate::{Layer, Layers, Request};
use super::finding::Finding;
use super::statement::Miss;
use super::verdict::{Detail, Judge, Verdict};

/// What one layer says about the action of a request.
#[derive(Debug, Clone)]
pub struct LayerReport<'p> {
    /// The layer.
    pub layer: Layer,
    /// Whether this layer must allow the request, by the grant that is closest to being complete.
    pub is_needed: bool,
    /// Whether the layer allows the action.
    pub allows: Answer,
    /// Whether a statement of the layer denies it.
    pub denies: Answer,
    /// The statements, in the order of the policies.
    pub statements: Vec<StatementReport<'p>>,
}

/// How one statement applies to the request.
#[derive(Debug, Clone)]
pub struct StatementReport<'p> {
    /// The index of the policy in the layer, from 0.
    pub policy: usize,
    /// The level of the organization, from 0; only for its policies.
    pub level: usize,
    /// The number of the statement in the policy, from 1.
    pub number: usize,
    /// The statement.
    pub statement: &'p Statement,
    /// Whether the statement applies, and if not, why.
    pub outcome: Outcome<'p>,
}

/// Whether a statement applies, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'p> {
    /// The statement applies.
    Applies,
    /// The statement applies depending on these facts.
    DependsOn(Vec<Fact>),
    /// The principal does not match.
    OtherPrincipal,
    /// The action does not match.
    OtherAction,
    /// The resource does not match.
    OtherResource,
    /// A condition is not met.
    Fails {
        /// The first condition that is not met.
        condition: &'p Condition,
        /// Whether the request has the condition's key.
        has_key: bool,
    },
}

/// Evaluates every layer for the first action of `request`; returns them in the order of [`Layer`].
pub fn explain_layers<'p>(request: &'p Request, layers: &'p Layers) -> Vec<LayerReport<'p>> {
    let judge = Judge { request, layers, action: &request.action, detail: Detail::Reasons };
    let (mut trust, ways) = judge.judge_resource();
    trust.allow = Answer::any(ways.iter().map(|way| way.opened.clone()));
    let nearest = ways.iter().filter(|way| !way.opened.is_no()).min_by_key(|way| way.needs.len());
    let needs = nearest.map_or(&[] as &[Layer], |way| way.needs);
    let of = |layer, verdict: Verdict<'p>| LayerReport {
        layer,
        is_needed: matches!(layer, Layer::Trust | Layer::Scp) || nearest.is_none() || needs.contains(&layer),
        allows: verdict.allow.sorted(),
        denies: verdict.deny.sorted(),
        statements: verdict.findings.into_iter().map(report).collect(),
    };
    vec![
        of(Layer::Scp, judge.judge_scps()),
        of(Layer::Rcp, judge.judge_rcps()),
        of(Layer::Trust, trust),
        of(Layer::Identity, judge.judge_identity()),
        of(Layer::Boundary, judge.judge_limit(Layer::Boundary, layers.boundary.as_deref())),
        of(Layer::Session, judge.judge_limit(Layer::Session, layers.session.as_deref())),
    ]
}

fn report(finding: Finding<'_>) -> StatementReport<'_> {
    let from_zero = |number: Option<usize>| number.map_or(0, |number| number.saturating_sub(1));
    StatementReport {
        policy: from_zero(finding.origin.index),
        level: from_zero(finding.origin.level),
        number: finding.number,
        statement: finding.statement,
        outcome: match (finding.truth, finding.miss) {
            (Answer::Yes, _) => Outcome::Applies,
            (Answer::Unknown(mut facts), _) => {
                sort_by_name(&mut facts);
                Outcome::DependsOn(facts)
            }
            (Answer::No, None | Some(Miss::Principal)) => Outcome::OtherPrincipal,
            (Answer::No, Some(Miss::Action)) => Outcome::OtherAction,
            (Answer::No, Some(Miss::Resource)) => Outcome::OtherResource,
            (Answer::No, Some(Miss::Condition { condition, has_key })) => {
                Outcome::Fails { condition, has_key }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::Policy;
    use super::super::request::{Caller, Context};
    use super::*;
    use hatbox_types::name::AccountId;

    fn layers(principal: &str, own: &str) -> Layers {
        let trust = format!(
            r#"{{"Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}},
            "Action": "sts:AssumeRole", "Condition": {{"Bool": {{"aws:MultiFactorAuthPresent": "true"}}}}}}]}}"#
        );
        Layers {
            trust: Some(Policy::parse(&trust).unwrap()),
            identity: vec![Policy::parse(own).unwrap()],
            ..Layers::default()
        }
    }

    #[test]
    fn each_layer_reports_what_its_statements_did() {
        let request = Request {
            caller: Caller::User { arn: "arn:aws:iam::111122223333:user/alice".into() },
            action: "sts:AssumeRole".into(),
            also_actions: Vec::new(),
            resource: "arn:aws:iam::111122223333:role/Ops".into(),
            resource_account: AccountId::parse("111122223333").unwrap(),
            context: Context::complete::<&str, &str>([]),
        };
        let own = r#"{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}"#;
        let by_account = layers("111122223333", own);
        let reports = explain_layers(&request, &by_account);
        let of = |layer| reports.iter().find(|report| report.layer == layer).unwrap();
        let trust = of(Layer::Trust);
        assert_eq!((&trust.allows, &trust.denies), (&Answer::No, &Answer::No));
        assert!(matches!(trust.statements[0].outcome, Outcome::Fails { has_key: false, .. }));
        let identity = of(Layer::Identity);
        assert_eq!(identity.allows, Answer::Yes);
        let outcomes: Vec<_> = identity.statements.iter().map(|statement| &statement.outcome).collect();
        assert_eq!(outcomes, [&Outcome::OtherAction, &Outcome::Applies]);

        let mut with_code = request.clone();
        with_code.context.set("aws:MultiFactorAuthPresent", ["true"]);
        let by_name = layers("arn:aws:iam::111122223333:user/alice", own);
        for (layers, is_needed) in [(&by_account, true), (&by_name, false)] {
            let reports = explain_layers(&with_code, layers);
            let identity = reports.iter().find(|report| report.layer == Layer::Identity).unwrap();
            assert_eq!(identity.is_needed, is_needed);
        }
    }

    #[test]
    fn which_layers_are_needed_hangs_on_the_way_in() {
        let mut request = Request {
            caller: Caller::Service("ec2.amazonaws.com".into()),
            action: "sts:AssumeRole".into(),
            also_actions: Vec::new(),
            resource: "arn:aws:iam::111122223333:role/Ops".into(),
            resource_account: AccountId::parse("111122223333").unwrap(),
            context: Context::complete::<&str, &str>([]),
        };
        let deny_nothing = r#"{"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}"#;
        let layers = Layers {
            trust: Policy::parse(
                r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                    "Action": "sts:AssumeRole"}}"#,
            )
            .ok(),
            rcps: vec![super::super::layers::OrganizationLevel {
                account: None,
                policies: vec![Policy::parse(deny_nothing).unwrap()],
            }],
            ..Layers::default()
        };
        let needed = |request: &Request| -> Vec<Layer> {
            let reports = explain_layers(request, &layers);
            reports.iter().filter(|report| report.is_needed).map(|report| report.layer).collect()
        };
        assert_eq!(needed(&request), [Layer::Scp, Layer::Trust], "the trust policy alone decides");
        let rcp = explain_layers(&request, &layers).into_iter().nth(1).unwrap();
        assert_eq!((rcp.allows, rcp.denies), (Answer::Yes, Answer::No), "AWS's own policy allows");
        request.caller = Caller::User { arn: "arn:aws:iam::111122223333:user/alice".into() };
        assert_eq!(needed(&request), Layer::ALL, "nobody knows what another way in would need");
    }
}
