//! The rows of an explanation: what each layer says about a step.

use crate::assume::caller::KnownCaller;
use crate::assume::credentials::Credentials;
use crate::assume::entity::EntityKind;
use crate::assume::judge::facts_of;
use crate::assume::target::Target;
use crate::policy::answer::{Answer, Gap, names_of};
use crate::policy::document::Effect;
use crate::policy::evaluate::{Layer, Layers, Request};
use crate::policy::explain::{LayerReport, Outcome, StatementReport, explain_layers};
use crate::report::words::join_or;
use crate::report::words::{principals, requirement};

/// The maximum number of non-matching statements in a row.
const MAX_SHOWN: usize = 3;

/// One row: a layer, what it says, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The layer.
    pub layer: RowLayer,
    /// What it says.
    pub says: Say,
    /// The reasons as sentences, the most specific first.
    pub because: Vec<String>,
}

/// The layer or layers that a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowLayer {
    /// The identity-based policies of the caller and of the caller's groups.
    OwnPolicies,
    /// The permissions boundary.
    Boundary,
    /// The role's trust policy.
    TrustPolicy,
    /// Service control policies.
    Scp,
    /// Resource control policies.
    Rcp,
    /// SCPs and RCPs, if both say the same.
    Organization,
}

/// What a layer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Say {
    /// A statement allows the call.
    Allow,
    /// A statement denies the call.
    Deny,
    /// No statement allows the call.
    NoMatch,
    /// The layer does not need to allow the call.
    NotNeeded,
    /// A policy of the layer is missing from the sources.
    NotKnown,
    /// It depends on unknown facts.
    Depends,
    /// The layer has no policies.
    None,
}

impl RowLayer {
    /// Returns the name used in text and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnPolicies => "own policies",
            Self::Boundary => "boundary",
            Self::TrustPolicy => "trust policy",
            Self::Scp => "SCP",
            Self::Rcp => "RCP",
            Self::Organization => "SCP, RCP",
        }
    }
}

impl Say {
    /// Returns the name used in text and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::NoMatch => "no match",
            Self::NotNeeded => "not needed",
            Self::NotKnown => "not known",
            Self::Depends => "depends",
            Self::None => "none",
        }
    }
}

/// Returns the rows, the caller's own policies first, as users look there first.
pub(crate) fn rows_of(
    request: &Request,
    layers: &Layers,
    caller: &KnownCaller,
    target: &Target,
    gaps: &[Gap],
    credentials: Credentials,
) -> Vec<Row> {
    let reports = explain_layers(request, layers);
    let of = |layer| reports.iter().find(|report| report.layer == layer);
    let gap_in = |layer| names_of(&facts_of(gaps, |found| found == layer));
    let mut rows = Vec::new();
    let writer = RowWriter { caller, target, credentials };
    if let Some(report) = of(Layer::Identity) {
        rows.push(writer.own_policies(report, &gap_in(Layer::Identity)));
    }
    if let Some(report) = of(Layer::Boundary) {
        rows.push(writer.boundary(report, layers, &gap_in(Layer::Boundary)));
    }
    if let Some(report) = of(Layer::Trust) {
        rows.push(writer.trust(report, &gap_in(Layer::Trust)));
    }
    let organization = [(Layer::Scp, RowLayer::Scp, &layers.scps), (Layer::Rcp, RowLayer::Rcp, &layers.rcps)]
        .into_iter()
        .filter_map(|(layer, name, levels)| {
            Some(writer.organization(of(layer)?, name, levels.is_empty(), !gap_in(layer).is_empty()))
        });
    let organization: Vec<_> = organization.collect();
    match organization.as_slice() {
        [scp, rcp] if (scp.says, &scp.because) == (rcp.says, &rcp.because) => {
            rows.push(Row { layer: RowLayer::Organization, ..scp.clone() });
        }
        _ => rows.extend(organization),
    }
    rows
}

/// Builds the rows of one step.
struct RowWriter<'a> {
    caller: &'a KnownCaller,
    target: &'a Target,
    credentials: Credentials,
}

impl RowWriter<'_> {
    fn own_policies(&self, report: &LayerReport, gaps: &[String]) -> Row {
        let label = |statement: &StatementReport| {
            let policy = self.caller.labels.get(statement.policy).map_or("policy", String::as_str);
            format!("{policy}, {}", numbered(statement))
        };
        let nothing = || {
            let name = &self.caller.entity.name;
            format!("no policy of {name} allows sts:AssumeRole on this role")
        };
        self.callers_layer(RowLayer::OwnPolicies, report, gaps, label, nothing)
    }

    fn boundary(&self, report: &LayerReport, layers: &Layers, gaps: &[String]) -> Row {
        if layers.boundary.is_none() && gaps.is_empty() {
            return Row { layer: RowLayer::Boundary, says: Say::None, because: Vec::new() };
        }
        if layers.boundary.is_none() {
            return Row { layer: RowLayer::Boundary, says: Say::NotKnown, because: not_known(gaps) };
        }
        let name = self.caller.boundary.clone().unwrap_or_default();
        let label = |statement: &StatementReport| format!("{name}, {}", numbered(statement));
        let nothing = || format!("{name} leaves out sts:AssumeRole on this role");
        self.callers_layer(RowLayer::Boundary, report, gaps, label, nothing)
    }

    fn callers_layer(
        &self,
        layer: RowLayer,
        report: &LayerReport,
        gaps: &[String],
        label: impl Fn(&StatementReport) -> String,
        nothing: impl Fn() -> String,
    ) -> Row {
        let row = |says, because| Row { layer, says, because };
        let denying = self.sentences(report, Effect::Deny, &label);
        match (&report.denies, &report.allows) {
            (Answer::Yes, _) => row(Say::Deny, denying),
            (denies, _) if !report.is_needed => {
                let mut because = vec!["the trust policy names the caller, which suffices here".to_owned()];
                if *denies != Answer::No {
                    because = denying;
                }
                row(Say::NotNeeded, because)
            }
            (_, Answer::Yes) => row(Say::Allow, self.sentences(report, Effect::Allow, &label)),
            (_, Answer::Unknown(_)) => row(Say::Depends, self.sentences(report, Effect::Allow, &label)),
            (_, Answer::No) => {
                let nearly = self.sentences(report, Effect::Allow, &label);
                let mut because = if nearly.is_empty() { vec![nothing()] } else { nearly };
                if !gaps.is_empty() {
                    because.extend(not_known(gaps));
                    return row(Say::NotKnown, because);
                }
                row(Say::NoMatch, because)
            }
        }
    }

    fn trust(&self, report: &LayerReport, gaps: &[String]) -> Row {
        let row = |says, because| Row { layer: RowLayer::TrustPolicy, says, because };
        if !gaps.is_empty() {
            return row(Say::NotKnown, not_known(gaps));
        }
        let label = |statement: &StatementReport| match statement.statement.effect {
            Effect::Allow => format!("{} trusts {}", numbered(statement), principals(statement.statement)),
            Effect::Deny => numbered(statement),
        };
        match (&report.denies, &report.allows) {
            (Answer::Yes, _) => row(Say::Deny, self.sentences(report, Effect::Deny, &label)),
            (_, Answer::Yes) => row(Say::Allow, self.sentences(report, Effect::Allow, &label)),
            (_, Answer::Unknown(_)) => row(Say::Depends, self.sentences(report, Effect::Allow, &label)),
            (_, Answer::No) => {
                let nearly = self.sentences(report, Effect::Allow, &label);
                if !nearly.is_empty() {
                    return row(Say::NoMatch, nearly);
                }
                let trusted: Vec<_> = report
                    .statements
                    .iter()
                    .filter(|statement| statement.statement.effect == Effect::Allow)
                    .take(MAX_SHOWN)
                    .map(|statement| principals(statement.statement))
                    .collect();
                let trusted = if trusted.is_empty() { "no one".to_owned() } else { trusted.join(", ") };
                row(Say::NoMatch, vec![format!("{} trusts {trusted}", self.target.entity.name)])
            }
        }
    }

    fn organization(&self, report: &LayerReport, layer: RowLayer, is_empty: bool, has_gap: bool) -> Row {
        let row = |says, because| Row { layer, says, because };
        let label = |statement: &StatementReport| {
            format!("level {}, policy {}, {}", statement.level + 1, statement.policy + 1, numbered(statement))
        };
        match (&report.denies, &report.allows) {
            (Answer::Yes, _) => row(Say::Deny, self.sentences(report, Effect::Deny, &label)),
            (_, Answer::No) => row(
                Say::NoMatch,
                vec![format!("a level of the organization has no {} that allows it", layer.name())],
            ),
            _ if has_gap => {
                row(Say::NotKnown, vec!["(no organization data; add --from org.json)".to_owned()])
            }
            (Answer::Unknown(_), _) => row(Say::Depends, self.sentences(report, Effect::Deny, &label)),
            _ if is_empty => row(Say::None, Vec::new()),
            _ => row(Say::Allow, Vec::new()),
        }
    }

    /// Returns sentences about the statements of `effect` that applied, may apply, or failed because of a condition.
    fn sentences(
        &self,
        report: &LayerReport,
        effect: Effect,
        label: &impl Fn(&StatementReport) -> String,
    ) -> Vec<String> {
        let rank = |statement: &&StatementReport| match &statement.outcome {
            Outcome::Applies => 0,
            Outcome::DependsOn(_) => 1,
            Outcome::Fails { .. } => 2,
            Outcome::OtherPrincipal | Outcome::OtherAction | Outcome::OtherResource => 3,
        };
        let mut found: Vec<_> = report
            .statements
            .iter()
            .filter(|statement| statement.statement.effect == effect && rank(statement) < 3)
            .collect();
        found.sort_by_key(rank);
        // If a statement applies, it decides, and those that almost applied are not shown.
        let best = found.first().map_or(3, rank);
        let is_deny = effect == Effect::Deny;
        found
            .into_iter()
            .filter(|statement| rank(statement) == best)
            .take(MAX_SHOWN)
            .map(|statement| self.sentence(statement, &label(statement), is_deny))
            .collect()
    }

    fn sentence(&self, statement: &StatementReport, label: &str, is_deny: bool) -> String {
        match &statement.outcome {
            Outcome::Fails { condition, has_key } if !is_deny => {
                let why = self.failure(&condition.key, *has_key);
                format!("{label}, but requires {}; {why}", requirement(condition))
            }
            Outcome::DependsOn(keys) => format!("{label}, depending on {}", join_or(&names_of(keys))),
            _ if is_deny && !statement.statement.conditions.is_empty() => {
                let all: Vec<_> = statement.statement.conditions.iter().map(requirement).collect();
                format!("{label} denies where {}", all.join(" and "))
            }
            _ if is_deny => format!("{label} denies it"),
            _ => label.to_owned(),
        }
    }

    /// Renders why a condition on `key` fails.
    fn failure(&self, key: &str, has_key: bool) -> String {
        let is_mfa = key.to_lowercase().starts_with("aws:multifactorauth");
        match (is_mfa, self.credentials, has_key) {
            (true, Credentials::AccessKeys, _) => "with access keys the key is absent".to_owned(),
            (true, Credentials::RoleSession, _) => "a session of a role never has MFA".to_owned(),
            (_, _, false) if key.to_lowercase().starts_with("sts:") => "none is sent".to_owned(),
            (_, _, false) => "the request has none".to_owned(),
            (_, _, true) => match self.caller.entity.kind {
                EntityKind::User => "the request has another".to_owned(),
                EntityKind::Role => "the session has another".to_owned(),
            },
        }
    }
}

/// Renders the number of a statement, with its Sid if it has one.
fn numbered(statement: &StatementReport) -> String {
    match statement.statement.sid.as_deref() {
        // Terraform writes empty Sids.
        Some(sid) if !sid.is_empty() => format!("statement {} ({sid})", statement.number),
        _ => format!("statement {}", statement.number),
    }
}

fn not_known(gaps: &[String]) -> Vec<String> {
    gaps.iter().map(|gap| format!("not seen: {gap}")).collect()
}
