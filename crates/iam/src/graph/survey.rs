//! Builds the graph from the accounts.
//!
//! An edge means that the known policies allow the call. What is missing from the sources is shown once for the whole
//! picture if most edges depend on it, and otherwise on each edge. If only a missing policy could allow the call, there
//! is no edge, and the pair is kept separately.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::model::{Account, Edge, Graph, Kind, Mfa, Node, Perhaps};
use super::outsiders::outsiders;
use super::words::{conditions_of, is_sendable};
use crate::accounts::{Accounts, Extent};
use crate::assume::context::Assumptions;
use crate::assume::credentials::Credentials;
use crate::assume::device::has_code_device;
use crate::assume::edges::Edges;
use crate::assume::entity::{Entity, EntityKind};
use crate::assume::judge::{Ruling, facts_of};
use crate::assume::target::Target;
use crate::policy::answer::{Answer, Fact, add_facts, names_of};
use crate::policy::document::{Effect, Policy};
use crate::policy::principal::PrincipalKind;

/// Builds the graph of who can assume which role, from all sources.
pub fn survey(accounts: &Accounts, assumptions: &Assumptions) -> Graph {
    let users: Vec<Entity> = accounts.users().filter_map(|(_, user)| Entity::of_arn(&user.arn)).collect();
    let roles = accounts.roles().filter_map(|(_, role)| Entity::of_arn(&role.arn));
    let unplaced = accounts.unplaced.iter().map(|role| Entity::unplaced(&role.name));
    let targets: Vec<Target> = roles.chain(unplaced).map(|role| Target::gather(accounts, &role)).collect();
    let first_role = users.len();

    let mut ways = Edges::new(accounts, assumptions);
    let asks = targets.iter().filter_map(|target| target.trust.as_ref()).any(asks_for_what_is_sent);
    let mut ways_if_sent = asks.then(|| Edges::new(accounts, assumptions).sending_anything());
    let mut edges = Vec::new();
    let mut perhaps = Vec::new();
    let mut reasons: BTreeSet<Arc<[String]>> = BTreeSet::new();
    let mut missing = Vec::new();
    for (from, caller) in users.iter().chain(targets.iter().map(|target| &target.entity)).enumerate() {
        let mut found = outgoing_of(&mut ways, caller);
        if let Some(ways) = &mut ways_if_sent {
            let if_sent = outgoing_of(ways, caller);
            for (role, way) in if_sent.known {
                // Prefer the edge for which nothing has to be sent, unless sending something makes MFA unnecessary.
                if found.known.get(&role).is_none_or(|(mfa, _)| way.0 < *mfa) {
                    found.known.insert(role, way);
                }
            }
            for (role, why) in if_sent.perhaps {
                found.perhaps.entry(role).or_insert(why);
            }
        }
        for (role, why) in found.perhaps {
            let unknown: Arc<[String]> = match reasons.get(why.as_slice()) {
                Some(known) => Arc::clone(known),
                None => Arc::from(why),
            };
            reasons.insert(Arc::clone(&unknown));
            perhaps.push(Perhaps { from, to: first_role + role, unknown });
        }
        for (role, (mfa, way)) in found.known {
            let to = first_role + role;
            let (mut conditions, unknown) = split(&way.answer, &mut missing);
            if mfa != Mfa::NotRequired && has_code_device(accounts, caller) == Some(false) {
                conditions.push("an MFA device is registered".to_owned());
            }
            edges.push(Edge { from, to, mfa, conditions, unknown });
        }
    }
    let mut not_known = share(&mut edges);
    not_known.extend(targets.iter().flat_map(|target| names_of(&facts_of(&target.gaps, |_| true))));
    not_known.extend(names_of(&missing));
    not_known.extend(known_in_part(accounts, &targets));
    let entities = users.iter().chain(targets.iter().map(|target| &target.entity));
    let mut nodes: Vec<Node> = entities.map(node).collect();
    outsiders(accounts, &targets, assumptions, first_role, &mut nodes, &mut edges);
    let accounts = accounts
        .accounts
        .iter()
        .map(|(id, account)| Account { id: id.to_string(), label: account.alias.clone() });
    Graph::new(accounts.collect(), nodes, edges, perhaps, not_known.into_iter().collect())
}

/// The roles that a caller can assume, by their indexes among the roles.
#[derive(Default)]
struct Outgoing {
    /// By known policies: whether MFA is required, and the ruling.
    known: BTreeMap<usize, (Mfa, Ruling)>,
    /// Only if a policy missing from the sources allows it: a description of these policies. May include roles of
    /// `known`.
    perhaps: BTreeMap<usize, Vec<String>>,
}

fn outgoing_of(ways: &mut Edges<'_>, caller: &Entity) -> Outgoing {
    let mut found = Outgoing::default();
    let mut ask = |credentials, perhaps: &mut BTreeMap<usize, Vec<String>>| -> BTreeMap<usize, Ruling> {
        let steps = ways.outgoing_steps(caller, credentials).into_iter();
        let (known, unsure): (Vec<_>, Vec<_>) = steps.partition(|(_, step)| !step.as_known.is_no());
        perhaps.extend(unsure.into_iter().map(|(role, step)| (role, names_of(step.answer.facts()))));
        known.into_iter().collect()
    };
    if caller.kind == EntityKind::Role {
        let session = ask(Credentials::RoleSession, &mut found.perhaps);
        found.known = session.into_iter().map(|(role, way)| (role, (Mfa::NotRequired, way))).collect();
        return found;
    }
    let mut plain = ask(Credentials::AccessKeys, &mut found.perhaps);
    let perhaps_without_mfa: BTreeSet<usize> = found.perhaps.keys().copied().collect();
    let with_code = ask(Credentials::AccessKeysWithMfa, &mut found.perhaps);
    found.known.extend(with_code.into_iter().map(|(role, with_code)| {
        let way = match plain.remove(&role) {
            Some(plain) => (Mfa::NotRequired, plain),
            None if perhaps_without_mfa.contains(&role) => (Mfa::Unknown, with_code),
            None => (Mfa::Required, with_code),
        };
        (role, way)
    }));
    found.known.extend(plain.into_iter().map(|(role, plain)| (role, (Mfa::NotRequired, plain))));
    found
}

/// Whether a condition is on a key that a caller can send.
fn asks_for_what_is_sent(trust: &Policy) -> bool {
    let mut conditions = trust.statements.iter().flat_map(|statement| &statement.conditions);
    conditions.any(|condition| is_sendable(&condition.key))
}

/// Splits the facts that an answer depends on into conditions and missing policies. Those of the organization go to
/// `missing`.
fn split(answer: &Answer, missing: &mut Vec<Fact>) -> (Vec<String>, Vec<String>) {
    let (of_organization, others): (Vec<Fact>, Vec<Fact>) =
        answer.facts().iter().cloned().partition(Fact::is_of_organization);
    add_facts(missing, of_organization);
    let is_condition = |fact: &Fact| matches!(fact, Fact::Key(_) | Fact::SessionName(_));
    let (conditions, unknown): (Vec<Fact>, Vec<Fact>) = others.into_iter().partition(is_condition);
    (conditions_of(&conditions), names_of(&unknown))
}

/// Returns the trusted accounts that are only partly in the sources, whose other users and roles may assume the role
/// too.
fn known_in_part(accounts: &Accounts, targets: &[Target]) -> BTreeSet<String> {
    let statements =
        targets.iter().filter_map(|target| target.trust.as_ref()).flat_map(|trust| &trust.statements);
    let allows = statements.filter(|statement| statement.effect == Effect::Allow);
    let principals = allows.filter_map(|s| s.principals.as_ref()).flat_map(|element| &element.entries);
    let trusted = principals.filter_map(|principal| match &principal.kind {
        PrincipalKind::Account { account, .. } => accounts.account(account),
        _ => None,
    });
    let in_part = trusted.filter(|(_, account)| account.extent == Extent::Part);
    in_part.map(|(id, _)| format!("other users and roles of account {id} (partly in the sources)")).collect()
}

/// Removes the facts that more than half of the edges depend on, and returns them.
fn share(edges: &mut [Edge]) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for what in edges.iter().flat_map(|edge| &edge.unknown) {
        *counts.entry(what.clone()).or_default() += 1;
    }
    let of_most = counts.into_iter().filter(|(_, count)| count * 2 > edges.len());
    let shared: BTreeSet<String> = of_most.map(|(what, _)| what).collect();
    for edge in edges {
        edge.unknown.retain(|what| !shared.contains(what));
    }
    shared
}

fn node(entity: &Entity) -> Node {
    Node {
        kind: match entity.kind {
            EntityKind::User => Kind::User,
            EntityKind::Role => Kind::Role,
        },
        account: entity.account.as_ref().map(ToString::to_string),
        name: entity.name.clone(),
        id: entity.arn.clone(),
        members: Vec::new(),
        has_more: false,
    }
}
