//! Finds the smallest change that turns a *no* into another answer, by evaluating the changed policies.

use crate::accounts::Accounts;
use crate::assume::caller::KnownCaller;
use crate::assume::context::Assumptions;
use crate::assume::credentials::Credentials;
use crate::assume::judge::{Ruling, evaluate_with_gaps, request_of};
use crate::assume::target::Target;
use crate::policy::answer::{Answer, Fact, Gap, names_of};
use crate::policy::document::{Effect, Policy};
use crate::policy::evaluate::{Layer, Layers, Request};
use crate::policy::explain::{Outcome, explain_layers};
use crate::report::words::join_or;

/// The maximum number of changes that are tried together.
const MAX_CHANGES: usize = 3;

/// One possible change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Send an MFA code.
    MfaCode,
    /// Allow the call in the caller's own policies.
    OwnPolicy,
    /// Allow the call in the permissions boundary.
    Boundary,
    /// Trust the caller in the trust policy.
    TrustPolicy,
    /// Remove the statements of this layer that deny the call.
    Deny(Layer),
    /// Allow the call in the SCPs of every level.
    Scp,
}

/// Changes that together turn the answer, and what it then depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// The changes, all of which are needed.
    pub changes: Vec<Change>,
    /// What the answer then depends on: `an SCP or RCP`, `aws:SourceIp`.
    pub unless: Vec<Fact>,
}

/// A step that AWS denies.
pub(crate) struct RefusedStep<'a> {
    pub(crate) accounts: &'a Accounts,
    pub(crate) caller: &'a KnownCaller,
    pub(crate) target: &'a Target,
    pub(crate) credentials: Credentials,
    pub(crate) assumptions: &'a Assumptions,
    pub(crate) gaps: &'a [Gap],
}

impl RefusedStep<'_> {
    /// Returns the fewest changes after which the step is no longer denied; among equal numbers, the easiest ones.
    pub(crate) fn remedy(&self, layers: &Layers) -> Option<Remedy> {
        let candidates = self.candidates(layers);
        let is_bounded = self.is_bounded(layers);
        // A trust policy that names a user of its own account bypasses the user's permissions boundary. Do not suggest
        // this, as it defeats the purpose of the boundary.
        let is_evasion = |changes: &Vec<Change>| {
            is_bounded && changes.contains(&Change::TrustPolicy) && !changes.contains(&Change::Boundary)
        };
        for count in 1..=MAX_CHANGES {
            for changes in subsets(&candidates, count).into_iter().filter(|changes| !is_evasion(changes)) {
                let ruling = self.rule_after(&changes, layers)?;
                // A change is no remedy if the known policies still deny, even if a gap makes the answer unknown.
                if !ruling.as_known.is_no() {
                    return Some(Remedy { unless: ruling.answer.facts().to_vec(), changes });
                }
            }
        }
        None
    }

    /// Whether the permissions boundary does not allow the request.
    fn is_bounded(&self, layers: &Layers) -> bool {
        let request = request_of(self.accounts, self.caller, self.target, self.credentials, self.assumptions);
        let reports = request.as_ref().map(|request| explain_layers(request, layers)).unwrap_or_default();
        reports.iter().any(|report| report.layer == Layer::Boundary && report.allows == Answer::No)
    }

    fn candidates(&self, layers: &Layers) -> Vec<Change> {
        let mut candidates = Vec::new();
        if self.credentials == Credentials::AccessKeys {
            candidates.push(Change::MfaCode);
        }
        candidates.push(Change::OwnPolicy);
        candidates.push(Change::TrustPolicy);
        if layers.boundary.is_some() {
            candidates.push(Change::Boundary);
        }
        let request = request_of(self.accounts, self.caller, self.target, self.credentials, self.assumptions);
        let reports = request.as_ref().map(|request| explain_layers(request, layers)).unwrap_or_default();
        let denying = [Layer::Trust, Layer::Identity, Layer::Boundary, Layer::Scp, Layer::Rcp];
        candidates.extend(denying.into_iter().filter_map(|layer| {
            let report = reports.iter().find(|report| report.layer == layer)?;
            (report.denies != Answer::No).then_some(Change::Deny(layer))
        }));
        if !layers.scps.is_empty() {
            candidates.push(Change::Scp);
        }
        candidates
    }

    fn rule_after(&self, changes: &[Change], layers: &Layers) -> Option<Ruling> {
        let mut layers = layers.clone();
        let has_code = changes.contains(&Change::MfaCode);
        let credentials = if has_code { Credentials::AccessKeysWithMfa } else { self.credentials };
        let request = request_of(self.accounts, self.caller, self.target, credentials, self.assumptions)?;
        let allow = |principal: Option<&str>| {
            let statement = match principal {
                Some(arn) => {
                    serde_json::json!({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:*"})
                }
                None => serde_json::json!({"Effect": "Allow", "Action": "sts:*", "Resource": "*"}),
            };
            Policy::parse(&serde_json::json!({"Statement": [statement]}).to_string()).ok()
        };
        // Remove Denies first, as which statements apply is determined from the unchanged layers.
        for change in changes {
            if let Change::Deny(layer) = change {
                take_out_denies(&request, &mut layers, *layer);
            }
        }
        for change in changes {
            match change {
                Change::MfaCode | Change::Deny(_) => {}
                Change::OwnPolicy => layers.identity.extend(allow(None)),
                Change::Boundary => layers.boundary.iter_mut().for_each(|list| list.extend(allow(None))),
                Change::TrustPolicy => {
                    let added = allow(Some(&self.caller.entity.arn))?;
                    layers.trust.as_mut()?.statements.extend(added.statements);
                }
                Change::Scp => layers.scps.iter_mut().for_each(|level| level.policies.extend(allow(None))),
            }
        }
        Some(evaluate_with_gaps(&request, &mut layers, self.gaps))
    }
}

/// Removes the statements of `layer` that deny the request, or may deny it.
fn take_out_denies(request: &Request, layers: &mut Layers, layer: Layer) {
    let reports = explain_layers(request, layers);
    let denying: Vec<_> = reports
        .iter()
        .filter(|report| report.layer == layer)
        .flat_map(|report| &report.statements)
        .filter(|statement| {
            statement.statement.effect == Effect::Deny
                && matches!(statement.outcome, Outcome::Applies | Outcome::DependsOn(_))
        })
        .map(|statement| statement.statement.clone())
        .collect();
    drop(reports);
    let strip = |policy: &mut Policy| policy.statements.retain(|statement| !denying.contains(statement));
    match layer {
        Layer::Trust => layers.trust.iter_mut().for_each(strip),
        Layer::Identity => layers.identity.iter_mut().for_each(strip),
        Layer::Boundary => layers.boundary.iter_mut().flatten().for_each(strip),
        Layer::Session => layers.session.iter_mut().flatten().for_each(strip),
        Layer::Scp => layers.scps.iter_mut().flat_map(|level| &mut level.policies).for_each(strip),
        Layer::Rcp => layers.rcps.iter_mut().flat_map(|level| &mut level.policies).for_each(strip),
    }
}

/// Returns all combinations of `count` of the `items`, in their order.
fn subsets(items: &[Change], count: usize) -> Vec<Vec<Change>> {
    let Some((first, rest)) = items.split_first() else {
        return if count == 0 { vec![Vec::new()] } else { Vec::new() };
    };
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all: Vec<_> = subsets(rest, count - 1)
        .into_iter()
        .map(|mut chosen| {
            chosen.insert(0, first.clone());
            chosen
        })
        .collect();
    all.extend(subsets(rest, count));
    all
}

impl Remedy {
    /// Renders a sentence: `With an MFA code: yes, unless an SCP or RCP denies it.`
    pub(crate) fn render(&self, caller: &str, role: &str, role_arn: &str) -> String {
        let needed: Vec<_> =
            self.changes.iter().map(|change| change.render(caller, role, role_arn)).collect();
        let needed = needed.join(", and ");
        let mut letters = needed.chars();
        let needed: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        format!("{needed}: {}.", render_yes(&self.unless))
    }
}

/// Renders `yes`, or `yes, unless an SCP or RCP denies it`.
pub(crate) fn render_yes(unless: &[Fact]) -> String {
    let (policies, others): (Vec<Fact>, Vec<Fact>) = unless.iter().cloned().partition(Fact::is_policy);
    let (policies, others) = (names_of(&policies), names_of(&others));
    match (policies.is_empty(), others.is_empty()) {
        (true, true) => "yes".to_owned(),
        (false, true) => format!("yes, unless {} denies it", join_or(&policies)),
        (true, false) => format!("yes, depending on {}", join_or(&others)),
        (false, false) => {
            format!("yes, depending on {}, unless {} denies it", join_or(&others), join_or(&policies))
        }
    }
}

impl Change {
    fn render(&self, caller: &str, role: &str, role_arn: &str) -> String {
        match self {
            Self::MfaCode => "with an MFA code".to_owned(),
            Self::OwnPolicy => {
                format!("with a policy of {caller} that allows sts:AssumeRole on {role_arn}")
            }
            Self::Boundary => {
                format!("with sts:AssumeRole on {role_arn} added to the permissions boundary of {caller}")
            }
            Self::TrustPolicy => {
                format!("with a statement in the trust policy of {role} that trusts {caller}")
            }
            Self::Deny(layer) => {
                let place = match layer {
                    Layer::Trust => format!("in the trust policy of {role}"),
                    Layer::Identity => format!("in the policies of {caller}"),
                    Layer::Boundary => format!("in the permissions boundary of {caller}"),
                    Layer::Session => "in the session policy".to_owned(),
                    Layer::Scp => "in the SCPs".to_owned(),
                    Layer::Rcp => "in the RCPs".to_owned(),
                };
                format!("without the Deny {place}")
            }
            Self::Scp => "with an SCP at every level that allows sts:AssumeRole".to_owned(),
        }
    }
}
