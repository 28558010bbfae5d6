//! Who can assume which role in one step. Skips pairs in which the trust policy cannot match the caller.

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

/// A call of AssumeRole that AWS allows, or may allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The caller.
    pub from: Entity,
    /// The role.
    pub to: Entity,
    /// The ruling, whose answer is never *no*.
    pub ruling: Ruling,
}

/// Finds edges: indexes the roles by whom they trust, and collects each caller's policies only once.
pub struct Edges<'a> {
    accounts: &'a Accounts,
    assumptions: &'a Assumptions,
    targets: Vec<Target>,
    by_role: HashMap<String, usize>,
    by_arn: HashMap<String, Vec<usize>>,
    by_account: HashMap<String, Vec<usize>>,
    /// Roles whose trust policy uses `*` or `NotPrincipal`, or is unknown.
    open: Vec<usize>,
    callers: HashMap<String, CachedCaller>,
    /// Users and roles of each account.
    entities: BTreeMap<&'a str, Vec<Entity>>,
    /// Roles whose account is unknown.
    unplaced: Vec<Entity>,
    sent: Sent,
}

/// A caller, with one prepared request for each kind of credentials; only the role remains to be set.
struct CachedCaller {
    caller: KnownCaller,
    requests: BTreeMap<Credentials, Request>,
}

/// The callers that a trust policy may match, ignoring conditions.
#[derive(Debug, Default)]
struct Trusted {
    arns: BTreeSet<String>,
    accounts: BTreeSet<String>,
    is_open: bool,
}

impl<'a> Edges<'a> {
    /// Indexes the roles of `accounts` by whom they trust.
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

    /// Treats everything that a caller can send as unknown: an external ID, tags, a source identity.
    #[must_use]
    pub fn sending_anything(self) -> Self {
        Self { sent: Sent::Anything, ..self }
    }

    /// Returns the roles that `from` can assume in one step.
    pub fn outgoing(&mut self, from: &Entity, credentials: Credentials) -> Vec<Edge> {
        let roles = self.candidate_roles(from);
        self.with_caller(from, |edges, cached| {
            roles.into_iter().filter_map(|role| edges.edge(cached, role, credentials)).collect()
        })
    }

    /// Like [`Self::outgoing`], but names each role by its index among all roles, those without an account last.
    pub fn outgoing_steps(&mut self, from: &Entity, credentials: Credentials) -> Vec<(usize, Ruling)> {
        let roles = self.candidate_roles(from);
        self.with_caller(from, |edges, cached| {
            let step = |role| Some((role, edges.step(cached, role, credentials)?));
            roles.into_iter().filter_map(step).collect()
        })
    }

    /// Returns the indexes of the roles whose trust policy may match `from`.
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

    /// Returns the callers accepted by `is_wanted` that can assume `to` in one step: roles if `credentials` are those of
    /// a role session, users otherwise.
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

    /// Whether an already collected caller needs a full evaluation.
    fn may_assume(&self, from: &Entity, role: usize) -> bool {
        let (Some(CachedCaller { caller, .. }), Some(target)) =
            (self.callers.get(&from.arn), self.targets.get(role))
        else {
            return true;
        };
        let is_same_account = target.entity.account == from.account;
        // `edge` evaluates callers that the trust policy names.
        is_same_account || target.entity.account.is_none() || caller.may_assume(&target.entity.arn)
    }

    /// Calls `work` with the caller `from`, whose policies are collected on first use.
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
        // The policies are moved in and out rather than cloned: there are many pairs.
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
    // An unknown policy may match any caller.
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
                // A session's ARN omits the role's path, so several roles may match.
                PrincipalKind::Arn if principal.text.contains(":assumed-role/") => trusted.is_open = true,
                PrincipalKind::Arn => drop(trusted.arns.insert(principal.text.clone())),
                PrincipalKind::NoOne | PrincipalKind::Service | PrincipalKind::Federated => {}
            }
        }
    }
    trusted
}
