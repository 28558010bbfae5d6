//! Many accounts made few: those whose roles have the same names and the same ways in and out become one.

use std::collections::{BTreeMap, BTreeSet};

use super::label::count;
use super::model::{Account, Edge, Graph, Kind, Mfa, Node};

/// The other end of an edge: a role of the same account by its name, any other node by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Other<'a> {
    Here(&'a str, &'a [String]),
    There(usize),
}

/// Which end of an edge a role is, the other end, and what the edge asks for.
type Way<'a> = (bool, Other<'a>, Mfa, &'a [String], &'a [String]);

/// What is known of a role but its account: its name, its members, whether there may be more ways to it, and its ways.
type Role<'a> = (&'a str, &'a [String], bool, Vec<Way<'a>>);

/// A graph in which accounts that differ in nothing but their ids are one. Accounts with users stay alone.
pub(super) fn merge_accounts(graph: &Graph) -> Graph {
    let mut groups: BTreeMap<Vec<Role<'_>>, Vec<&str>> = BTreeMap::new();
    for (account, mut roles) in roles(graph) {
        roles.sort_unstable();
        let has_namesakes = roles.windows(2).any(|pair| matches!(pair, [a, b] if (a.0, a.1) == (b.0, b.1)));
        if !has_namesakes {
            groups.entry(roles).or_default().push(account);
        }
    }
    let mut accounts = graph.accounts().to_vec();
    // Of each account that is merged: the one that is drawn, and the id for all of them.
    let mut drawn: BTreeMap<&str, (&str, String)> = BTreeMap::new();
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let Some(first) = group.first() else { continue };
        let id = group.iter().map(|account| call(graph, account)).collect::<Vec<_>>().join(", ");
        let label = Some(count(group.len(), "account", "accounts"));
        accounts.push(Account { id: id.clone(), label });
        drawn.extend(group.iter().map(|account| (*account, (*first, id.clone()))));
    }

    let mut nodes: Vec<Node> = Vec::new();
    let mut places: BTreeMap<(&str, &str, &[String]), usize> = BTreeMap::new();
    // Accounts are in their order, so the one that is drawn comes before those that are merged with it.
    let mut place_of = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let merged = node.account.as_deref().and_then(|account| Some((account, drawn.get(account)?)));
        let Some((account, (first, id))) = merged else {
            place_of.push(nodes.len());
            nodes.push(node.clone());
            continue;
        };
        let key = (*first, node.name.as_str(), node.members.as_slice());
        if account == *first {
            places.insert(key, nodes.len());
            nodes.push(Node {
                account: Some(id.clone()),
                id: format!("{} in each of {id}", node.name),
                ..node.clone()
            });
        }
        place_of.push(places.get(&key).copied().unwrap_or(usize::MAX));
    }
    let place = |at: usize| place_of.get(at).copied().unwrap_or(usize::MAX);
    let edges =
        graph.edges().iter().map(|edge| Edge { from: place(edge.from), to: place(edge.to), ..edge.clone() });
    Graph::new(accounts, nodes, edges.collect(), Vec::new(), graph.not_known().to_vec())
}

/// The roles of each account that has nothing but roles.
fn roles(graph: &Graph) -> BTreeMap<&str, Vec<Role<'_>>> {
    let mut ways: Vec<Vec<Way<'_>>> = vec![Vec::new(); graph.nodes().len()];
    for arrow in graph.arrows() {
        let edge = arrow.edge;
        let is_inside = arrow.from.account == arrow.to.account;
        for (at, is_in, place, other) in
            [(edge.from, false, edge.to, arrow.to), (edge.to, true, edge.from, arrow.from)]
        {
            let other =
                if is_inside { Other::Here(&other.name, &other.members) } else { Other::There(place) };
            if let Some(ways) = ways.get_mut(at) {
                ways.push((is_in, other, edge.mfa, &edge.conditions, &edge.unknown));
            }
        }
    }
    let with_people: BTreeSet<&str> = graph
        .nodes()
        .iter()
        .filter(|node| node.kind != Kind::Role)
        .filter_map(|node| node.account.as_deref())
        .collect();
    let mut roles: BTreeMap<&str, Vec<Role<'_>>> = BTreeMap::new();
    for (node, mut ways) in graph.nodes().iter().zip(ways) {
        let Some(account) = node.account.as_deref().filter(|account| !with_people.contains(account)) else {
            continue;
        };
        ways.sort_unstable();
        roles.entry(account).or_default().push((&node.name, &node.members, node.has_more, ways));
    }
    roles
}

/// The short name of an account.
fn call<'a>(graph: &'a Graph, id: &'a str) -> &'a str {
    let account = graph.accounts().iter().find(|account| account.id == id);
    account.and_then(|account| account.label.as_deref()).unwrap_or(id)
}
