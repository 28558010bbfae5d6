//! Judges whether a caller can put on a role, what is not known taken into account.
//!
//! The layers are judged twice where something is missing: as if there were nothing but what is known, and
//! with the layers that have a gap as unknown. The first tells what the answer would be ("yes, unless an SCP
//! forbids it"), the second whether it is certain. An explicit Deny that is known is certain in any case.

use crate::accounts::{Accounts, Attribute, Organization};
use crate::assume::caller::{KnownCaller, has_level};
use crate::assume::context::{Assumptions, Sent, context_of, set_role};
use crate::assume::credentials::Credentials;
use crate::assume::entity::Entity;
use crate::assume::gap::{facts_of, layers_of};
use crate::policy::answer::{Answer, Fact, Gap};
use crate::policy::arn::Arn;
use crate::policy::document::{Effect, Policy};
use crate::policy::evaluate::{Context, Decision, DenyKind, Layer, Layers, Request, decide};
use crate::policy::principal::{Principal, PrincipalKind};
use hatbox_types::name::AccountId;

/// Stands for the account of a role where no source tells it.
const NOWHERE: &str = "000000000000";

/// The role that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) entity: Entity,
    pub(crate) trust: Option<Policy>,
    pub(crate) gaps: Vec<Gap>,
}

/// The answer to one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Yes, no, or what it depends on: policies that no source has before facts that must fit.
    pub answer: Answer,
    /// What it would be if there were nothing but what is known; *no* where only something unseen could allow it.
    pub as_known: Answer,
}

impl Target {
    /// Gathers what is known of the role `entity`.
    pub(crate) fn gather(accounts: &Accounts, entity: &Entity) -> Self {
        let known = entity
            .account
            .as_ref()
            .and_then(|id| accounts.accounts.get(id)?.roles.get(&entity.arn))
            .map(|role| &role.trust);
        let unplaced =
            || accounts.unplaced.iter().find(|role| role.name == entity.arn).map(|role| &role.trust);
        let fact = known.or_else(|| unplaced().filter(|_| entity.account.is_none()));
        let mut target = Self { entity: entity.clone(), trust: None, gaps: Vec::new() };
        let what = match fact {
            Some(Attribute::Known(document)) => match document.policy() {
                Ok(policy) => {
                    target.trust = Some(policy.clone());
                    None
                }
                Err(error) => {
                    Some(format!("the trust policy of {} (it cannot be read: {error})", entity.name))
                }
            },
            Some(Attribute::UntilApply) => {
                Some(format!("the trust policy of {} (not known until apply)", entity.name))
            }
            Some(Attribute::NotGiven) | None => {
                Some(format!("the trust policy of {} (not in the sources)", entity.name))
            }
        };
        target.gaps.extend(what.map(|what| Gap::new(Layer::Trust, what)));
        if let (Organization::Known(policies), Some(account)) = (&accounts.organization, &entity.account)
            && let Some(levels) = &policies.rcps
            && !has_level(levels, account)
            && policies.management_account.as_ref() != Some(account)
        {
            target.gaps.push(Gap::rcp());
        }
        if entity.account.is_none() {
            let what = format!("a policy of the caller (the account of {} is not known)", entity.name);
            target.gaps.push(Gap::new(Layer::Identity, what));
        }
        target
    }
}

impl Target {
    /// Whether a role whose account is not known may be one that the trust policy means.
    pub(crate) fn may_mean(&self, caller: &Entity) -> bool {
        let Some(trust) = &self.trust else { return true };
        let allows = trust.statements.iter().filter(|statement| statement.effect == Effect::Allow);
        let mut elements = allows.filter_map(|statement| statement.principals.as_ref());
        elements.any(|element| {
            element.is_negated || element.entries.iter().any(|principal| may_name(principal, &caller.name))
        })
    }

    /// What is missing besides where the account of the caller is not known.
    pub(crate) fn gap_for(&self, caller: &Entity) -> Option<Gap> {
        let is_open = caller.account.is_none() && self.trust.is_some() && self.may_mean(caller);
        let (role, caller) = (&self.entity.name, &caller.name);
        let what = || format!("the trust policy of {role} (the account of {caller} is not known)");
        is_open.then(|| Gap::new(Layer::Trust, what()))
    }
}

/// Whether a principal may be the role `name` of some account, or a session of it.
fn may_name(principal: &Principal, name: &str) -> bool {
    match &principal.kind {
        PrincipalKind::Everyone | PrincipalKind::Account { .. } | PrincipalKind::CanonicalUser => true,
        PrincipalKind::Arn => Arn::parse(&principal.text).is_some_and(|arn| {
            let mut parts = arn.resource.split('/');
            match (arn.service, parts.next()) {
                ("iam", Some("role")) => parts.next_back() == Some(name),
                ("sts", Some("assumed-role")) => parts.next() == Some(name),
                _ => false,
            }
        }),
        PrincipalKind::Nobody | PrincipalKind::Service | PrincipalKind::Federated => false,
    }
}

/// The request that a step is.
pub(crate) fn request_of(
    accounts: &Accounts,
    caller: &KnownCaller,
    target: &Target,
    credentials: Credentials,
    given: &Assumptions,
) -> Option<Request> {
    let mut request = request_by(accounts, caller, credentials, Sent::Nothing, given)?;
    set_target(&mut request, accounts, target, given);
    Some(request)
}

/// The request that a step of this caller is, whatever the role: [`set_target`] names one.
pub(crate) fn request_by(
    accounts: &Accounts,
    caller: &KnownCaller,
    credentials: Credentials,
    sent: Sent,
    given: &Assumptions,
) -> Option<Request> {
    let context = context_of(accounts, caller, credentials, sent, given);
    Some(Request {
        caller: caller.principal(),
        action: "sts:AssumeRole".to_owned(),
        also_actions: also_actions(&context),
        resource: String::new(),
        resource_account: AccountId::parse(NOWHERE).ok()?,
        context,
    })
}

/// Makes a request, whichever role it was for before, one for `target`.
pub(crate) fn set_target(request: &mut Request, accounts: &Accounts, target: &Target, given: &Assumptions) {
    if let Some(account) = &target.entity.account {
        request.resource.clone_from(&target.entity.arn);
        request.resource_account.clone_from(account);
    } else {
        // An ARN that no policy can name.
        request.resource = format!("arn:aws:iam::{NOWHERE}:role/{}", target.entity.name);
        if let Ok(nowhere) = AccountId::parse(NOWHERE) {
            request.resource_account = nowhere;
        }
    }
    set_role(&mut request.context, accounts, &target.entity, given);
}

/// What is sent along asks for a permission of its own.
fn also_actions(context: &Context) -> Vec<String> {
    let sends = |start: &str| {
        context.values.iter().any(|(name, values)| name.starts_with(start) && !values.is_empty())
    };
    let mut actions = Vec::new();
    if sends("aws:requesttag/") || sends("sts:transitivetagkeys") {
        actions.push("sts:TagSession".to_owned());
    }
    if sends("sts:sourceidentity") {
        actions.push("sts:SetSourceIdentity".to_owned());
    }
    actions
}

/// Judges. `layers` are the caller's with the role's trust policy; they are given back as they were.
pub(crate) fn evaluate_with_gaps(request: &Request, layers: &mut Layers, gaps: &[Gap]) -> Ruling {
    let as_known = decide(request, layers);
    let unknown = layers_of(gaps);
    let can_be_widened = unknown.contains(&Layer::Identity) || unknown.contains(&Layer::Trust);
    let is_certain = match &as_known {
        Decision::Deny { kind: DenyKind::Explicit, .. } => true,
        // What is missing of the other layers can only forbid.
        Decision::Deny { kind: DenyKind::Implicit, .. } => !can_be_widened,
        Decision::Allow | Decision::Unknown { .. } => false,
    };
    let as_known = Answer::from(as_known);
    if unknown.is_empty() || is_certain {
        return Ruling { answer: as_known.clone(), as_known };
    }
    let before = std::mem::replace(&mut layers.unknown, unknown);
    let decision = decide(request, layers);
    layers.unknown = before;
    let answer = match decision {
        // A refusal can only be turned by what allows: own policies and the trust policy.
        Decision::Unknown { .. } if as_known.is_no() => {
            Answer::Unknown(facts_of(gaps, |layer| matches!(layer, Layer::Identity | Layer::Trust)))
        }
        Decision::Unknown { depends_on } => {
            let mut facts = facts_of(gaps, |layer| depends_on.contains(&Fact::Layer(layer)));
            facts.extend(depends_on.into_iter().filter(|fact| !fact.is_policy()));
            Answer::Unknown(facts)
        }
        decision => decision.into(),
    };
    Ruling { answer, as_known }
}
