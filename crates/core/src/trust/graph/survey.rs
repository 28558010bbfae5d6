//! Fills the graph from what is known of the accounts.
//!
//! An edge is drawn where a caller gets in by all that is known. What the sources leave out is told once for the whole
//! picture where most edges hang on it, and on the edge where few do.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Account, Edge, Graph, Kind, Mfa, Node};
use super::outsiders::outsiders;
use crate::accounts::{Accounts, Fact};
use crate::policy::document::Policy;
use crate::trust::can::{Given, Signing, Verdict, gives_codes};
use crate::trust::context::SENDABLE;
use crate::trust::edges::{Edges, Step};
use crate::trust::gap::phrases;
use crate::trust::judge::Target;
use crate::trust::party::{Party, PartyKind};

/// Who can become which role, by everything that the sources tell.
pub fn survey(accounts: &Accounts, given: &Given) -> Graph {
    let users: Vec<Party> = accounts.users().filter_map(|(_, user)| Party::of_arn(&user.arn)).collect();
    let roles = accounts.roles().filter_map(|(_, role)| Party::of_arn(&role.arn));
    let unplaced = accounts.unplaced.iter().map(|role| Party::unplaced(&role.name));
    let targets: Vec<Target> = roles.chain(unplaced).map(|role| Target::gather(accounts, &role)).collect();
    let first_role = users.len();

    let mut ways = Edges::new(accounts, given);
    let asks = targets.iter().filter_map(|target| target.trust.as_ref()).any(asks_for_what_is_sent);
    let mut ways_if_sent = asks.then(|| Edges::new(accounts, given).sending_anything());
    let mut edges = Vec::new();
    let mut not_known = BTreeSet::new();
    for (from, caller) in users.iter().chain(targets.iter().map(|target| &target.party)).enumerate() {
        let mut found = leaving(&mut ways, caller);
        for (role, way) in ways_if_sent.iter_mut().flat_map(|ways| leaving(ways, caller)) {
            // What asks for nothing to be sent goes first, unless something sent takes the place of MFA.
            if found.get(&role).is_none_or(|(mfa, _)| way.0 < *mfa) {
                found.insert(role, way);
            }
        }
        for (role, (mfa, way)) in found {
            let to = first_role + role;
            let (mut conditions, unknown) = hangs_on(&way, &mut not_known);
            if mfa == Mfa::Required && has_no_device(accounts, caller) {
                conditions.push("an MFA device is registered".to_owned());
            }
            edges.push(Edge { from, to, mfa, conditions, unknown });
        }
    }
    not_known.extend(share(&mut edges));
    not_known.extend(targets.iter().flat_map(|target| phrases(&target.gaps, |_| true)));
    let parties = users.iter().chain(targets.iter().map(|target| &target.party));
    let mut nodes: Vec<Node> = parties.map(node).collect();
    outsiders(accounts, &targets, given, first_role, &mut nodes, &mut edges);
    let accounts = accounts
        .accounts
        .iter()
        .map(|(id, account)| Account { id: id.to_string(), label: account.alias.clone() });
    Graph::new(accounts.collect(), nodes, edges, not_known.into_iter().collect())
}

/// The roles that a caller gets into by what is known, by their places among the roles: whether with MFA only, and the
/// way that says so.
fn leaving(ways: &mut Edges<'_>, caller: &Party) -> BTreeMap<usize, (Mfa, Step)> {
    if caller.kind == PartyKind::Role {
        let session = ways.leaving_as_known(caller, Signing::RoleSession);
        return session.into_iter().map(|(role, way)| (role, (Mfa::NotRequired, way))).collect();
    }
    let plain = ways.leaving_as_known(caller, Signing::AccessKeys);
    let mut plain: BTreeMap<_, _> = plain.into_iter().collect();
    let with_code = ways.leaving_as_known(caller, Signing::WithMfaCode);
    let mut found: BTreeMap<_, _> = with_code
        .into_iter()
        .map(|(role, with_code)| {
            let plain = plain.remove(&role);
            let mfa = mfa(plain.as_ref().map_or(Verdict::No, |edge| edge.as_known));
            let edge = plain.filter(|_| mfa == Mfa::NotRequired).unwrap_or(with_code);
            (role, (mfa, edge))
        })
        .collect();
    found.extend(plain.into_iter().map(|(role, edge)| (role, (Mfa::NotRequired, edge))));
    found
}

/// Whether a condition is on something that a caller may send.
fn asks_for_what_is_sent(trust: &Policy) -> bool {
    let mut conditions = trust.statements.iter().flat_map(|statement| &statement.conditions);
    conditions.any(|condition| is_sendable(&condition.key))
}

fn is_sendable(key: &str) -> bool {
    let key = key.to_lowercase();
    SENDABLE.iter().any(|start| key.starts_with(start))
}

/// What follows from the answer to a caller without MFA, where one with MFA gets in. Who may get in without, if
/// something fits, does not need it.
pub(super) fn mfa(plain: Verdict) -> Mfa {
    if plain == Verdict::No { Mfa::Required } else { Mfa::NotRequired }
}

/// The conditions on a way, and what is missing of the sources. What is missing of the organization is put by.
fn hangs_on(way: &Step, not_known: &mut BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    let (missing, keys): (Vec<&String>, Vec<&String>) =
        way.unless.iter().partition(|what| what.contains(' '));
    let mut unknown = Vec::new();
    for what in missing {
        if ["an SCP", "an RCP", "an SCP or RCP"].contains(&what.as_str()) {
            if !not_known.contains(what) {
                not_known.insert(what.clone());
            }
        } else {
            unknown.push(what.clone());
        }
    }
    (keys.into_iter().map(|key| condition(key)).collect(), unknown)
}

/// What must hold of a key that is not known.
pub(super) fn condition(key: &str) -> String {
    if is_sendable(key) || key.eq_ignore_ascii_case("sts:RoleSessionName") {
        format!("the right {key} is sent")
    } else {
        format!("{key} fits")
    }
}

/// Takes off the edges what more than half of them hang on, and gives it back.
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

fn has_no_device(accounts: &Accounts, user: &Party) -> bool {
    let account = user.account.as_ref().and_then(|id| accounts.accounts.get(id));
    match account.and_then(|account| account.users.get(&user.arn)).map(|user| &user.mfa_devices) {
        Some(Fact::Known(serials)) => !serials.iter().any(|serial| gives_codes(serial)),
        Some(Fact::UntilApply | Fact::NotGiven) | None => false,
    }
}

fn node(party: &Party) -> Node {
    Node {
        kind: match party.kind {
            PartyKind::User => Kind::User,
            PartyKind::Role => Kind::Role,
        },
        account: party.account.as_ref().map(ToString::to_string),
        name: party.name.clone(),
        id: party.arn.clone(),
        members: Vec::new(),
    }
}
