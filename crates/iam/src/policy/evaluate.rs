//! Evaluates one request against all layers of policies that apply to it.
//!
//! The order of the layers follows the IAM User Guide ("Policy evaluation logic") and the STS reference of
//! `AssumeRole`. So does the table of what else must allow the request, by how the resource's policy names the caller:
//!
//! | the trust policy names | same account | other account |
//! |---|---|---|
//! | the account | identity allow, boundary and session policy | identity allow, boundary, session |
//! | the user | nothing else | identity allow, boundary, session |
//! | the role of the session | boundary and session policy | identity allow, boundary, session |
//! | this session | nothing else | identity allow, boundary, session |
//! | everyone | nothing else; unknown if a session policy does not allow | identity allow, boundary, session |
//! | a service, a provider | nothing else | nothing else |

pub use super::answer::{Decision, DenyKind, Layer};
pub use super::layers::{Judgement, Layers, OrganizationLevel};
pub use super::request::{Caller, Context, PossibleKeys, Request};

use super::answer::{Answer, Fact, add_facts, sort_by_name};
use super::document::{Effect, Policy};
use super::finding::{Finding, Origin, render_findings};
use super::grant::{Contest, GrantPath};
use super::verdict::{Detail, Judge, is_one_of};

/// Calls that no policy can deny, not even explicitly (STS reference: "No permissions are required").
const ALWAYS_ALLOWED: [&str; 2] = ["sts:GetCallerIdentity", "sts:GetSessionToken"];

/// Evaluates `request` against `layers`.
pub fn evaluate(request: &Request, layers: &Layers) -> Judgement {
    judge(request, layers, Detail::Reasons)
}

/// Returns only the decision of [`evaluate`]. Faster for many requests, as it renders no reasons.
pub fn decide(request: &Request, layers: &Layers) -> Decision {
    judge(request, layers, Detail::Nothing).decision
}

fn judge(request: &Request, layers: &Layers, detail: Detail) -> Judgement {
    if request.also_actions.is_empty() {
        return judge_action(request, layers, &request.action, detail);
    }
    let judgements: Vec<_> = std::iter::once(&request.action)
        .chain(&request.also_actions)
        .map(|action| {
            let mut judgement = judge_action(request, layers, action, detail);
            for text in &mut judgement.because {
                text.insert_str(0, &format!("{action}: "));
            }
            judgement
        })
        .collect();
    combine(judgements)
}

/// Combines the results of several actions, all of which must be allowed. The worst decides: explicit denies before
/// implicit ones, then by layer.
fn combine(mut judgements: Vec<Judgement>) -> Judgement {
    let rank = |judgement: &Judgement| match &judgement.decision {
        Decision::Deny { kind: DenyKind::Explicit, layer } => (0, Some(*layer)),
        Decision::Deny { kind: DenyKind::Implicit, layer } => (1, Some(*layer)),
        Decision::Unknown { .. } => (2, None),
        Decision::Allow => (3, None),
    };
    judgements.sort_by_key(rank);
    let mut all = judgements.into_iter();
    let Some(mut worst) = all.next() else {
        return Judgement { decision: Decision::Allow, because: Vec::new() };
    };
    for other in all {
        match (&mut worst.decision, other.decision) {
            (Decision::Unknown { depends_on }, Decision::Unknown { depends_on: more }) => {
                add_facts(depends_on, more);
                sort_by_name(depends_on);
            }
            (Decision::Allow, Decision::Allow) => {}
            _ => continue,
        }
        worst.because.extend(other.because);
    }
    worst
}

fn judge_action(request: &Request, layers: &Layers, action: &str, detail: Detail) -> Judgement {
    let judge = Judge { request, layers, action, detail };
    if layers.is_single_policy {
        return judge.judge_single();
    }
    if is_one_of(&ALWAYS_ALLOWED, action) {
        let because = vec![format!("no policy can forbid {action}")];
        return Judgement { decision: Decision::Allow, because };
    }
    judge.judge()
}

impl<'p> Judge<'p> {
    fn judge(&self) -> Judgement {
        let (resource, ways) = self.judge_resource();
        // In the order of [`Layer`], by which a denial is attributed.
        let verdicts = [
            (Layer::Scp, self.judge_scps()),
            (Layer::Rcp, self.judge_rcps()),
            (Layer::Trust, resource),
            (Layer::Identity, self.judge_identity()),
            (Layer::Boundary, self.judge_limit(Layer::Boundary, self.layers.boundary.as_deref())),
            (Layer::Session, self.judge_limit(Layer::Session, self.layers.session.as_deref())),
        ];
        let of =
            |wanted: Layer| verdicts.iter().find(|(layer, _)| *layer == wanted).map(|(_, verdict)| verdict);
        let allow_of = |layer| of(layer).map_or(Answer::No, |verdict| verdict.allow.clone());
        let findings = || verdicts.iter().flat_map(|(_, verdict)| &verdict.findings);

        let denying = verdicts.iter().find(|(_, verdict)| verdict.deny.is_yes());
        if let Some((layer, _)) = denying {
            let because = self.render_reasons(findings(), |finding| {
                finding.layer == *layer && finding.statement.effect == Effect::Deny && finding.truth.is_yes()
            });
            return deny(DenyKind::Explicit, *layer, because);
        }

        let through = |way: &GrantPath| {
            let rest = Answer::all(way.needs.iter().map(|layer| allow_of(*layer)));
            let contested = if way.contest.is_some() {
                allow_of(Layer::Session).or(Answer::unknown(Fact::Layer(Layer::Session)))
            } else {
                Answer::Yes
            };
            way.opened.clone().and(rest).and(contested)
        };
        let allow = allow_of(Layer::Scp).and(Answer::any(ways.iter().map(through)));
        if allow.is_no() {
            let layer = blame(&ways, |layer| allow_of(layer).is_no());
            let because = self.render_reasons(findings(), |finding| {
                finding.layer == layer && finding.statement.effect == Effect::Allow
            });
            return self.deny_for_want(layer, because);
        }

        let denied = Answer::any(verdicts.iter().map(|(_, verdict)| verdict.deny.clone()));
        if let Answer::Unknown(facts) = allow.and(denied.not()) {
            let mut because =
                self.render_reasons(findings(), |finding| matches!(finding.truth, Answer::Unknown(_)));
            if self.detail == Detail::Reasons {
                let contest = ways.iter().filter(|way| !way.opened.is_no()).find_map(|way| way.contest);
                because.extend(self.render_unknown_layers(&facts, contest));
            }
            return unknown(facts, because);
        }
        let mut because = self.render_reasons(findings(), |finding| {
            finding.statement.effect == Effect::Allow && finding.truth.is_yes()
        });
        if let (Caller::Root(account), Detail::Reasons) = (&self.request.caller, self.detail) {
            because.push(format!("the root user of {account} has every permission"));
        }
        Judgement { decision: Decision::Allow, because }
    }

    fn render_reasons<'f>(
        &self,
        findings: impl IntoIterator<Item = &'f Finding<'p>>,
        is_reason: impl Fn(&Finding) -> bool,
    ) -> Vec<String>
    where
        'p: 'f,
    {
        match self.detail {
            Detail::Reasons => render_findings(findings, is_reason),
            Detail::Nothing => Vec::new(),
        }
    }

    fn render_unknown_layers(
        &self,
        facts: &[Fact],
        contest: Option<Contest>,
    ) -> impl Iterator<Item = String> {
        Layer::ALL.into_iter().filter(|layer| facts.contains(&Fact::Layer(*layer))).map(move |layer| {
            match contest {
                Some(contest) if layer == Layer::Session && !self.layers.unknown.contains(&layer) => {
                    contest.text().to_owned()
                }
                _ => format!("the policies of the layer `{}` are not known", layer.name()),
            }
        })
    }

    /// Evaluates the first given policy on its own.
    fn judge_single(&self) -> Judgement {
        let layers = self.layers;
        let levels =
            |levels: &'p [OrganizationLevel]| levels.iter().flat_map(|level| &level.policies).collect();
        let by_layer: [(Layer, Vec<&'p Policy>); 6] = [
            (Layer::Trust, layers.trust.iter().chain(&layers.resource).collect()),
            (Layer::Identity, layers.identity.iter().collect()),
            (Layer::Boundary, layers.boundary.iter().flatten().collect()),
            (Layer::Session, layers.session.iter().flatten().collect()),
            (Layer::Scp, levels(&layers.scps)),
            (Layer::Rcp, levels(&layers.rcps)),
        ];
        let given = by_layer.into_iter().find_map(|(layer, of)| Some((layer, *of.first()?)));
        let Some((layer, policy)) = given else {
            return deny(DenyKind::Implicit, Layer::Identity, vec!["no policy is given".to_owned()]);
        };
        let verdict = self.judge_policies(layer, Origin::only("policy"), std::slice::from_ref(policy));
        let reasons =
            |is_reason: &dyn Fn(&Finding) -> bool| self.render_reasons(&verdict.findings, is_reason);
        let applied =
            |effect| reasons(&|finding| finding.statement.effect == effect && finding.truth.is_yes());
        if verdict.deny.is_yes() {
            return deny(DenyKind::Explicit, layer, applied(Effect::Deny));
        }
        match verdict.allow.clone().and(verdict.deny.clone().not()) {
            Answer::Yes => Judgement { decision: Decision::Allow, because: applied(Effect::Allow) },
            Answer::No => {
                self.deny_for_want(layer, reasons(&|finding| finding.statement.effect == Effect::Allow))
            }
            Answer::Unknown(facts) => {
                unknown(facts, reasons(&|finding| matches!(finding.truth, Answer::Unknown(_))))
            }
        }
    }

    fn deny_for_want(&self, layer: Layer, because: Vec<String>) -> Judgement {
        let is_silent = because.is_empty() && self.detail == Detail::Reasons;
        let because = if is_silent { vec![self.render_silence(layer)] } else { because };
        deny(DenyKind::Implicit, layer, because)
    }

    /// Renders why a layer without a matching `Allow` does not allow the request.
    fn render_silence(&self, layer: Layer) -> String {
        let caller = self.request.caller.label();
        match layer {
            Layer::Scp => "a level of the organization has no service control policy that allows".to_owned(),
            Layer::Rcp => "no resource control policy allows".to_owned(),
            Layer::Trust => format!("no policy of the resource allows {caller}"),
            Layer::Identity if matches!(self.request.caller, Caller::Root(_)) => {
                "the root user cannot assume a role".to_owned()
            }
            Layer::Identity => format!("no policy of {caller} allows {}", self.action),
            Layer::Boundary => "the permissions boundary has no statement that allows".to_owned(),
            Layer::Session => "the session policies have no statement that allows".to_owned(),
        }
    }
}

/// Returns the first layer that prevents the request; with several ways to be allowed, of the one that requires the
/// fewest layers.
fn blame(ways: &[GrantPath], is_closed: impl Fn(Layer) -> bool) -> Layer {
    if is_closed(Layer::Scp) {
        return Layer::Scp;
    }
    let open = ways.iter().filter(|way| !way.opened.is_no());
    let nearest = open.min_by_key(|way| way.needs.len());
    let closed = nearest.and_then(|way| way.needs.iter().find(|layer| is_closed(**layer)));
    closed.copied().unwrap_or(Layer::Trust)
}

fn deny(kind: DenyKind, layer: Layer, because: Vec<String>) -> Judgement {
    Judgement { decision: Decision::Deny { kind, layer }, because }
}

fn unknown(mut depends_on: Vec<Fact>, because: Vec<String>) -> Judgement {
    sort_by_name(&mut depends_on);
    Judgement { decision: Decision::Unknown { depends_on }, because }
}

#[cfg(test)]
mod tests {
    use super::super::rows::parse_row;
    use super::*;

    fn because(rest: &str) -> Vec<String> {
        let row = format!(
            r#"{{"request": {{"principal": "arn:aws:iam::111122223333:user/alice", "action": "sts:AssumeRole",
                "resource": "arn:aws:iam::444455556666:role/Ops", "context": {{"sts:ExternalId": "mine"}}}}, {rest}}}"#
        );
        let row = parse_row(&row).unwrap();
        evaluate(&row.request, &row.layers).because
    }

    const MAY: &str = r#""identity_policies": [{"Statement": [{"Sid": "May", "Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}]"#;

    #[test]
    fn a_reason_names_layer_statement_sid_and_key() {
        for (policies, expected) in [
            (
                r#""trust_policy": {"Statement": [
                    {"Sid": "Ext", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole",
                     "Condition": {"StringEquals": {"sts:ExternalId": "theirs"}}},
                    {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole",
                     "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]}"#,
                vec![
                    "trust policy, statement 1 (Sid `Ext`): does not allow: StringEquals on `sts:ExternalId` fails, \
                     the request has another value",
                    "trust policy, statement 2: does not allow: Bool on `aws:MultiFactorAuthPresent` fails, \
                     the key is absent",
                ],
            ),
            (
                r#""trust_policy": {"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*"}}"#,
                vec![
                    "trust policy, statement 1: allows it",
                    "identity policy 1, statement 1 (Sid `May`): allows it",
                ],
            ),
            (
                r#""scps": [{"policies": [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},
                    {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:SourceIp": "true"}}}]}]}]"#,
                vec![
                    "level 1, service control policy 1, statement 2: denies it: Null on `aws:SourceIp` holds",
                ],
            ),
            (
                r#""trust_policy": {"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*"}},
                   "identity_policies": [{"Statement": []}, {"Statement": [
                       {"Effect": "Allow", "Action": "*", "Resource": "*"},
                       {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}]"#,
                vec![
                    "trust policy, statement 1: allows it",
                    "identity policy 2, statement 1: allows it",
                    "identity policy 2, statement 2: allows it",
                ],
            ),
            (r#""single_policy": true"#, vec!["policy, statement 1 (Sid `May`): allows it"]),
            (
                r#""single_policy": true, "identity_policies": [{"Statement":
                    {"Sid": "", "Effect": "Allow", "Action": "*", "Resource": "*"}}]"#,
                vec!["policy, statement 1: allows it"],
            ),
            (
                r#""single_policy": true, "trust_policy": {"Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "*"},
                    {"Effect": "Deny", "Principal": {"AWS": "444455556666"}, "Action": "*"}]}"#,
                vec!["policy, statement 1: does not allow: names someone else"],
            ),
            (
                r#""boundary_policies": [{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}],
                   "trust_policy": {"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*"}}"#,
                vec!["permissions boundary 1, statement 1: does not allow: is about other actions"],
            ),
            (
                r#""scps": [[]]"#,
                vec!["a level of the organization has no service control policy that allows"],
            ),
        ] {
            let has_own = policies.contains("identity_policies");
            let rest = if has_own { policies.to_owned() } else { format!("{policies}, {MAY}") };
            assert_eq!(because(&rest), expected);
        }
    }

    #[test]
    fn an_unknown_layer_and_a_contested_one_are_kept_apart() {
        let row = r#"{"request": {"principal": "arn:aws:sts::111122223333:assumed-role/R/s",
            "principal_role": "arn:aws:iam::111122223333:role/R", "action": "sts:AssumeRole",
            "resource": "arn:aws:iam::111122223333:role/Ops"}, "session_policies": [{"Statement": []}],
            "trust_policy": {"Statement": {"Effect": "Allow", "Action": "*",
                "Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/R/s"}}}}"#;
        let mut row = parse_row(row).unwrap();
        let contested = evaluate(&row.request, &row.layers);
        assert_eq!(contested.decision, Decision::Unknown { depends_on: vec![Fact::Layer(Layer::Session)] });
        assert!(contested.because.concat().contains("contradict"), "{:?}", contested.because);
        row.layers.unknown.insert(Layer::Scp);
        row.layers.session = None;
        let unknown = evaluate(&row.request, &row.layers);
        assert_eq!(unknown.because, ["the policies of the layer `scp` are not known"]);
    }

    #[test]
    fn a_session_policy_that_is_not_known_is_not_a_contested_one() {
        let row = r#"{"request": {"principal": "arn:aws:sts::111122223333:assumed-role/R/s",
            "principal_role": "arn:aws:iam::111122223333:role/R", "action": "sts:AssumeRole",
            "resource": "arn:aws:iam::111122223333:role/Ops"},
            "trust_policy": {"Statement": {"Effect": "Allow", "Action": "*",
                "Principal": {"AWS": "arn:aws:iam::111122223333:role/R"}}}}"#;
        let mut row = parse_row(row).unwrap();
        row.layers.unknown.insert(Layer::Session);
        let unknown = evaluate(&row.request, &row.layers);
        assert_eq!(unknown.decision, Decision::Unknown { depends_on: vec![Fact::Layer(Layer::Session)] });
        assert_eq!(unknown.because, ["the policies of the layer `session` are not known"]);
    }

    #[test]
    fn of_several_actions_all_must_be_allowed_and_each_has_its_reasons() {
        let judge = |conditions: [&str; 2], is_complete: bool| {
            let [first, second] = conditions;
            let row = parse_row(&format!(
                r#"{{"request": {{"principal": "arn:aws:iam::444455556666:user/alice", "action": "sts:AssumeRole",
                    "also_actions": ["sts:TagSession"], "resource": "arn:aws:iam::444455556666:role/Ops",
                    "context_complete": {is_complete}}},
                  "trust_policy": {{"Statement": [
                    {{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {first}}},
                    {{"Effect": "Allow", "Principal": "*", "Action": "sts:TagSession", "Condition": {second}}}]}}}}"#
            ))
            .unwrap();
            evaluate(&row.request, &row.layers)
        };
        let (address, tag) = (
            r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
            r#"{"StringLike": {"aws:RequestTag/team": "*"}}"#,
        );
        let unknown = judge([address, tag], false);
        let keys = vec![Fact::key("aws:RequestTag/team"), Fact::key("aws:SourceIp")];
        assert_eq!(unknown.decision, Decision::Unknown { depends_on: keys });
        assert_eq!(
            unknown.because,
            [
                "sts:AssumeRole: trust policy, statement 1: may allow, depending on `aws:SourceIp`",
                "sts:TagSession: trust policy, statement 2: may allow, depending on `aws:RequestTag/team`",
            ]
        );
        let allowed = judge(["{}", "{}"], true);
        assert_eq!(allowed.decision, Decision::Allow);
        assert_eq!(
            allowed.because,
            [
                "sts:AssumeRole: trust policy, statement 1: allows it",
                "sts:TagSession: trust policy, statement 2: allows it",
            ]
        );
        let denied = judge([address, "{}"], true);
        assert_eq!(denied.decision, Decision::Deny { kind: DenyKind::Implicit, layer: Layer::Trust });
        assert!(
            denied.because.iter().all(|text| text.starts_with("sts:AssumeRole: ")),
            "{:?}",
            denied.because
        );
    }

    #[test]
    fn an_answer_names_some_statements_and_counts_the_rest() {
        let reasons = |count: usize| {
            let other = r#"{"Effect": "Allow", "Principal": {"AWS": "777788889999"}, "Action": "*"}"#;
            because(&format!(r#""trust_policy": {{"Statement": [{}]}}, {MAY}"#, vec![other; count].join(",")))
        };
        assert_eq!(reasons(8).len(), 8);
        let ten = reasons(10);
        assert_eq!((ten.len(), ten.last().map(String::as_str)), (9, Some("and 2 more statements")));
    }

    #[test]
    fn the_root_user_assumes_no_role_even_where_everyone_may() {
        let row = r#"{"request": {"principal": "arn:aws:iam::444455556666:root", "action": "sts:AssumeRole",
            "resource": "arn:aws:iam::444455556666:role/Ops"},
            "trust_policy": {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}}}"#;
        let row = parse_row(row).unwrap();
        let judgement = evaluate(&row.request, &row.layers);
        assert_eq!(judgement.decision, Decision::Deny { kind: DenyKind::Implicit, layer: Layer::Identity });
        assert_eq!(judgement.because, ["the root user cannot assume a role"]);
    }

    #[test]
    fn an_expected_external_id_is_never_shown() {
        let reasons = because(
            r#""trust_policy": {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*",
                "Condition": {"StringEquals": {"sts:ExternalId": "theirs"}}}}"#,
        );
        assert!(!reasons.concat().contains("theirs"), "{reasons:?}");
    }
}
