//! The role to assume, with its trust policy and the parts that are missing from the sources.

use super::caller::has_level;
use super::entity::Entity;
use crate::accounts::{Accounts, Attribute, Organization};
use crate::policy::answer::Gap;
use crate::policy::arn::Arn;
use crate::policy::document::{Effect, Policy};
use crate::policy::evaluate::Layer;
use crate::policy::principal::{Principal, PrincipalKind};

/// The role to assume.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) entity: Entity,
    pub(crate) trust: Option<Policy>,
    pub(crate) gaps: Vec<Gap>,
}

impl Target {
    /// Collects what the sources say about the role `entity`.
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

    /// Whether the trust policy may match a caller role whose account is unknown.
    pub(crate) fn may_mean(&self, caller: &Entity) -> bool {
        let Some(trust) = &self.trust else { return true };
        let allows = trust.statements.iter().filter(|statement| statement.effect == Effect::Allow);
        let mut elements = allows.filter_map(|statement| statement.principals.as_ref());
        elements.any(|element| {
            element.is_negated || element.entries.iter().any(|principal| may_name(principal, &caller.name))
        })
    }

    /// Returns the additional gap that exists if the caller's account is unknown.
    pub(crate) fn gap_for(&self, caller: &Entity) -> Option<Gap> {
        let is_open = caller.account.is_none() && self.trust.is_some() && self.may_mean(caller);
        let (role, caller) = (&self.entity.name, &caller.name);
        let what = || format!("the trust policy of {role} (the account of {caller} is not known)");
        is_open.then(|| Gap::new(Layer::Trust, what()))
    }
}

/// Whether a principal may be a role called `name` in any account, or a session of it.
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
        PrincipalKind::NoOne | PrincipalKind::Service | PrincipalKind::Federated => false,
    }
}
