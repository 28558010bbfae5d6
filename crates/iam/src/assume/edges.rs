//! Who can assume which role, in one step: pairs are looked at only where the trust policy may mean the caller.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::accounts::{Account, Accounts};
use crate::assume::caller::KnownCaller;
use crate::assume::context::{Assumptions, Sent};
use crate::assume::credentials::Credentials;
use crate::assume::entity::{Entity, EntityKind};
use crate::assume::judge::{Ruling, evaluate_with_gaps, request_by, set_target};
use crate::assume::target::Target;
use crate::policy::document::Effect;
use crate::policy::evaluate::Request;
use crate::policy::principal::PrincipalKind;

/// One AssumeRole that AWS lets pass, or may let pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Who calls.
    pub from: Entity,
    /// The role.
    pub to: Entity,
    /// Never a certain *no*.
    pub ruling: Ruling,
}

/// The roles, found by whom they trust, and the callers, gathered once each.
pub struct Edges<'a> {
    accounts: &'a Accounts,
    assumptions: &'a Assumptions,
    targets: Vec<Target>,
    by_role: HashMap<String, usize>,
    by_arn: HashMap<String, Vec<usize>>,
    by_account: HashMap<String, Vec<usize>>,
    /// Roles whose trust policy names anyone, or all but some, or is not known.
    open: Vec<usize>,
    callers: HashMap<String, CachedCaller>,
    /// Users and roles by account.
    entities: BTreeMap<&'a str, Vec<Entity>>,
    /// Roles whose account is not known.
    unplaced: Vec<Entity>,
    sent: Sent,
}

/// A caller, and its requests by how they are signed, which only need to be aimed at a role.
struct CachedCaller {
    caller: KnownCaller,
    requests: BTreeMap<Credentials, Request>,
}

/// Whom a trust policy may mean, its conditions left aside.
#[derive(Debug, Default)]
struct Trusted {
    arns: BTreeSet<String>,
    accounts: BTreeSet<String>,
    is_open: bool,
}

impl<'a> Edges<'a> {
    /// Sorts the roles of `accounts` by whom they trust.
    pub fn new(accounts: &'a Accounts, assumptions: &'a Assumptions) -> Self {
        let unplaced: Vec<_> = accounts.unplaced.iter().map(|role| Entity::unplaced(&role.name)).collect();
        let entities = accounts.roles().filter_map(|(_, role)| Entity::of_arn(&role.arn));
        let entities = entities.chain(unplaced.iter().cloned());
        let targets: Vec<_> = entities.map(|entity| Target::gather(accounts, &entity)).collect();
        let mut edges = Self {
            accounts,
            assumptions,
            by_role: HashMap::new(),
            by_arn: HashMap::new(),
            by_account: HashMap::new(),
            open: Vec::new(),
            unplaced,
            callers: HashMap::new(),
            sent: Sent::Nothing,
            targets: Vec::new(),
            entities: accounts
                .accounts
                .iter()
                .map(|(id, account)| (id.as_str(), entities_of(account)))
                .collect(),
        };
        for (index, target) in targets.iter().enumerate() {
            edges.by_role.insert(target.entity.arn.clone(), index);
            let trusted = trusted_by(target);
            for arn in trusted.arns {
                edges.by_arn.entry(arn).or_default().push(index);
            }
            for account in trusted.accounts {
                edges.by_account.entry(account).or_default().push(index);
            }
            if trusted.is_open {
                edges.open.push(index);
            }
        }
        edges.targets = targets;
        edges
    }

    /// The same, but for whatever a caller can send along: an external ID, tags, a source identity.
    #[must_use]
    pub fn sending_anything(self) -> Self {
        Self { sent: Sent::Anything, ..self }
    }

    /// The roles that `from` can assume in one step.
    pub fn outgoing(&mut self, from: &Entity, credentials: Credentials) -> Vec<Edge> {
        let roles = self.candidate_roles(from);
        self.with_caller(from, |edges, cached| {
            roles.into_iter().filter_map(|role| edges.edge(cached, role, credentials)).collect()
        })
    }

    /// The same by the place of each role among all roles, those without an account last.
    pub fn outgoing_steps(&mut self, from: &Entity, credentials: Credentials) -> Vec<(usize, Ruling)> {
        let roles = self.candidate_roles(from);
        self.with_caller(from, |edges, cached| {
            let step = |role| Some((role, edges.step(cached, role, credentials)?));
            roles.into_iter().filter_map(step).collect()
        })
    }

    /// The places of the roles whose trust policy may mean `from`.
    fn candidate_roles(&self, from: &Entity) -> Vec<usize> {
        if from.account.is_none() {
            let targets = self.targets.iter().enumerate();
            return targets.filter(|(_, target)| target.may_mean(from)).map(|(role, _)| role).collect();
        }
        let none: &[usize] = &[];
        let of =
            |map: &HashMap<String, Vec<usize>>, key: &str| map.get(key).map_or(none, Vec::as_slice).to_vec();
        let mut roles = of(&self.by_arn, &from.arn);
        if let Some(account) = &from.account {
            roles.extend(of(&self.by_account, account.as_str()));
        }
        roles.extend(&self.open);
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// Those of the wanted who can assume `to` in one step: users by this credentials, or roles.
    pub fn incoming(
        &mut self,
        to: &Entity,
        credentials: Credentials,
        is_wanted: impl Fn(&Entity) -> bool,
    ) -> Vec<Edge> {
        let Some(&role) = self.by_role.get(&to.arn) else { return Vec::new() };
        let Some(target) = self.targets.get(role) else { return Vec::new() };
        let trusted = trusted_by(target);
        let kind = if credentials == Credentials::RoleSession { EntityKind::Role } else { EntityKind::User };
        let is_meant = |entity: &Entity| entity.kind == kind && is_wanted(entity);
        let mut callers: BTreeSet<Entity> =
            trusted.arns.iter().filter_map(|arn| Entity::of_arn(arn)).filter(is_meant).collect();
        for (account, entities) in &self.entities {
            if trusted.is_open || trusted.accounts.contains(*account) {
                let may = |entity: &&Entity| is_meant(entity) && self.may_assume(entity, role);
                callers.extend(entities.iter().filter(may).cloned());
            }
        }
        let without_account =
            self.unplaced.iter().filter(|entity| is_meant(entity) && target.may_mean(entity));
        callers.extend(without_account.cloned());
        let edge = |caller| self.with_caller(caller, |edges, cached| edges.edge(cached, role, credentials));
        callers.iter().filter_map(edge).collect()
    }

    /// Whether a caller who was met before is worth a closer look.
    fn may_assume(&self, from: &Entity, role: usize) -> bool {
        let (Some(CachedCaller { caller, .. }), Some(target)) =
            (self.callers.get(&from.arn), self.targets.get(role))
        else {
            return true;
        };
        let is_same_account = target.entity.account == from.account;
        // `edge` looks at those whom the trust policy names.
        is_same_account || target.entity.account.is_none() || caller.may_assume(&target.entity.arn)
    }

    /// Does `work` with the caller `from`, who is gathered when first met.
    fn with_caller<T>(&mut self, from: &Entity, work: impl FnOnce(&mut Self, &mut CachedCaller) -> T) -> T {
        let known = self.callers.remove(&from.arn);
        let mut cached = known.unwrap_or_else(|| CachedCaller {
            caller: KnownCaller::gather(self.accounts, from),
            requests: BTreeMap::new(),
        });
        let result = work(self, &mut cached);
        self.callers.insert(from.arn.clone(), cached);
        result
    }

    fn edge(&mut self, cached: &mut CachedCaller, role: usize, credentials: Credentials) -> Option<Edge> {
        let ruling = self.step(cached, role, credentials)?;
        let to = self.targets.get(role)?.entity.clone();
        Some(Edge { from: cached.caller.entity.clone(), to, ruling })
    }

    fn step(&mut self, cached: &mut CachedCaller, role: usize, credentials: Credentials) -> Option<Ruling> {
        let CachedCaller { caller, requests } = cached;
        let accounts = self.accounts;
        let target = self.targets.get_mut(role)?;
        let from = &caller.entity;
        if target.entity.arn == from.arn {
            return None;
        }
        let is_same_account = target.entity.account == from.account;
        let is_known_by_name = || self.by_arn.get(&from.arn).is_some_and(|roles| roles.contains(&role));
        let suffices = is_same_account && (self.open.contains(&role) || is_known_by_name());
        let is_placed = target.entity.account.is_some();
        if is_placed && !suffices && !caller.may_assume(&target.entity.arn) {
            return None;
        }
        let request = match requests.entry(credentials) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert(request_by(accounts, caller, credentials, self.sent, self.assumptions)?)
            }
        };
        set_target(request, accounts, target, self.assumptions);
        let gap = target.gap_for(&caller.entity);
        // The policies are lent, not copied: there are many pairs.
        caller.layers.trust = target.trust.take();
        let own = caller.gaps.len();
        caller.gaps.extend_from_slice(&target.gaps);
        caller.gaps.extend(gap);
        let ruling = evaluate_with_gaps(request, &mut caller.layers, &caller.gaps);
        caller.gaps.truncate(own);
        target.trust = caller.layers.trust.take();
        (!ruling.answer.is_no()).then_some(ruling)
    }
}

fn entities_of(account: &Account) -> Vec<Entity> {
    account.users.keys().chain(account.roles.keys()).filter_map(|arn| Entity::of_arn(arn)).collect()
}

fn trusted_by(target: &Target) -> Trusted {
    // A policy that is not known may mean anyone.
    let Some(trust) = &target.trust else { return Trusted { is_open: true, ..Trusted::default() } };
    let mut trusted = Trusted::default();
    for statement in trust.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        let Some(element) = &statement.principals else { continue };
        if element.is_negated {
            trusted.is_open = true;
        }
        for principal in &element.entries {
            match &principal.kind {
                PrincipalKind::Everyone | PrincipalKind::CanonicalUser => trusted.is_open = true,
                PrincipalKind::Account { account, .. } => {
                    trusted.accounts.insert(account.clone());
                }
                // A session's ARN does not contain its role's path, so it may be anyone's.
                PrincipalKind::Arn if principal.text.contains(":assumed-role/") => trusted.is_open = true,
                PrincipalKind::Arn => drop(trusted.arns.insert(principal.text.clone())),
                PrincipalKind::NoOne | PrincipalKind::Service | PrincipalKind::Federated => {}
            }
        }
    }
    trusted
}
