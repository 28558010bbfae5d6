//! Reduces a graph for a picture. Omits users that can assume no role, and roles that no caller can assume; combines
//! accounts whose roles have the same names and edges, and nodes of one account and kind with the same edges.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Account, Edge, Graph, Kind, Mfa, Node};
use super::words::count;

/// A graph without the nodes that have no edges, and the names of those nodes. Nodes for which this is uncertain are in
/// neither.
#[derive(Debug)]
pub(super) struct Trimmed {
    pub(super) graph: Graph,
    pub(super) idle_users: Vec<String>,
    pub(super) unreached_roles: Vec<String>,
}

pub(super) fn trim(graph: &Graph) -> Trimmed {
    let steps = steps(graph);
    let mut places = Vec::with_capacity(steps.len());
    let mut nodes: Vec<Node> = Vec::new();
    let (mut idle_users, mut unreached_roles) = (Vec::new(), Vec::new());
    let outgoing = graph.outgoing();
    let unsure: BTreeSet<usize> = graph.perhaps().iter().map(|pair| pair.from).collect();
    for (at, ((node, steps), ways_out)) in graph.nodes().iter().zip(steps).zip(outgoing).enumerate() {
        let is_part = match node.kind {
            Kind::Role => steps.is_some(),
            Kind::User | Kind::Outside => !ways_out.is_empty(),
        };
        places.push(is_part.then_some(nodes.len()));
        match node.kind {
            _ if is_part => nodes.push(node.clone()),
            _ if node.has_more || unsure.contains(&at) && node.kind != Kind::Role => {}
            Kind::Role => unreached_roles.push(node.name.clone()),
            Kind::User => idle_users.push(node.name.clone()),
            Kind::Outside => {}
        }
    }
    let place = |old: usize| places.get(old).copied().flatten();
    let edges = graph
        .edges()
        .iter()
        .filter_map(|edge| Some(Edge { from: place(edge.from)?, to: place(edge.to)?, ..edge.clone() }))
        .collect();
    let graph = Graph::new(graph.accounts().to_vec(), nodes, edges, Vec::new(), graph.not_known().to_vec());
    Trimmed { graph, idle_users, unreached_roles }
}

/// Returns the number of steps from the nearest user or outside caller to each node: 0 for these callers, `None` for
/// unreachable roles.
pub(super) fn steps(graph: &Graph) -> Vec<Option<usize>> {
    let outgoing = graph.outgoing();
    let mut steps: Vec<Option<usize>> =
        graph.nodes().iter().map(|node| (node.kind != Kind::Role).then_some(0)).collect();
    let mut reached: Vec<usize> = (0..steps.len()).filter(|&at| steps.get(at) == Some(&Some(0))).collect();
    let mut count = 0;
    while !reached.is_empty() {
        count += 1;
        let mut next = Vec::new();
        for arrow in reached.iter().filter_map(|&at| outgoing.get(at)).flatten() {
            if let Some(step @ None) = steps.get_mut(arrow.edge.to) {
                *step = Some(count);
                next.push(arrow.edge.to);
            }
        }
        reached = next;
    }
    steps
}

/// The other end of an edge: a role of the same account by its name, any other node by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Other<'a> {
    Here(&'a str, &'a [String]),
    There(usize),
}

/// Whether the edge leads to the role, the other end, and what the edge requires.
type HalfEdge<'a> = (bool, Other<'a>, Mfa, &'a [String], &'a [String]);

/// Everything about a role except its account: its name, its members, [`Node::has_more`], and its edges.
type Role<'a> = (&'a str, &'a [String], bool, Vec<HalfEdge<'a>>);

/// Combines accounts whose only difference is their id. Accounts with users stay separate.
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
    // For each combined account: the account whose nodes are drawn, and the common id.
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
    // Accounts are sorted, so the one whose nodes are drawn comes before the others.
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

/// Returns the roles of each account that contains only roles.
fn roles(graph: &Graph) -> BTreeMap<&str, Vec<Role<'_>>> {
    let mut half_edges: Vec<Vec<HalfEdge<'_>>> = vec![Vec::new(); graph.nodes().len()];
    for arrow in graph.arrows() {
        let edge = arrow.edge;
        let is_inside = arrow.from.account == arrow.to.account;
        for (at, is_in, place, other) in
            [(edge.from, false, edge.to, arrow.to), (edge.to, true, edge.from, arrow.from)]
        {
            let other =
                if is_inside { Other::Here(&other.name, &other.members) } else { Other::There(place) };
            if let Some(half_edges) = half_edges.get_mut(at) {
                half_edges.push((is_in, other, edge.mfa, &edge.conditions, &edge.unknown));
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
    for (node, mut half_edges) in graph.nodes().iter().zip(half_edges) {
        let Some(account) = node.account.as_deref().filter(|account| !with_people.contains(account)) else {
            continue;
        };
        half_edges.sort_unstable();
        roles.entry(account).or_default().push((&node.name, &node.members, node.has_more, half_edges));
    }
    roles
}

/// Returns the short name of an account.
fn call<'a>(graph: &'a Graph, id: &'a str) -> &'a str {
    let account = graph.accounts().iter().find(|account| account.id == id);
    account.and_then(|account| account.label.as_deref()).unwrap_or(id)
}

/// Up to this number of nodes, each one is drawn separately.
pub(super) const MOST_NODES: usize = 60;

/// Combines nodes with equal edges, if the graph has more nodes than a reader can take in at a glance.
pub(super) fn collapse(graph: Graph) -> Graph {
    if graph.nodes().len() <= MOST_NODES {
        return graph;
    }
    let users = merge(&graph, |node| node.kind == Kind::User);
    let roles = merge(&users, |node| node.kind == Kind::Role);
    merge_accounts(&roles)
}

/// An edge as seen from one of its ends: the other end, and what it requires.
type Link<'a> = (usize, Mfa, &'a [String], &'a [String]);

/// The incoming and outgoing edges of a node.
type Reach<'a> = (Vec<Link<'a>>, Vec<Link<'a>>);

/// The properties shared by nodes that are combined: the index of a node that stays separate, the account,
/// [`Node::has_more`], and the edges.
type Alike<'a> = (Option<usize>, Option<&'a str>, bool, Reach<'a>);

fn merge(graph: &Graph, is_merged: impl Fn(&Node) -> bool) -> Graph {
    let mut reaches: Vec<Reach<'_>> = vec![Reach::default(); graph.nodes().len()];
    for edge in graph.edges() {
        let way = |other| (other, edge.mfa, edge.conditions.as_slice(), edge.unknown.as_slice());
        if let Some((_, out)) = reaches.get_mut(edge.from) {
            out.push(way(edge.to));
        }
        if let Some((ways_in, _)) = reaches.get_mut(edge.to) {
            ways_in.push(way(edge.from));
        }
    }
    let mut groups: BTreeMap<Alike<'_>, Vec<usize>> = BTreeMap::new();
    for (at, (node, reach)) in graph.nodes().iter().zip(reaches).enumerate() {
        let alone = if is_merged(node) { None } else { Some(at) };
        groups.entry((alone, node.account.as_deref(), node.has_more, reach)).or_default().push(at);
    }
    let mut places = vec![usize::MAX; graph.nodes().len()];
    let mut nodes = Vec::with_capacity(groups.len());
    for group in groups.values() {
        for &at in group {
            if let Some(place) = places.get_mut(at) {
                *place = nodes.len();
            }
        }
        nodes.extend(one(graph, group));
    }
    let place = |old: usize| places.get(old).copied().unwrap_or(usize::MAX);
    let edges = graph
        .edges()
        .iter()
        .map(|edge| Edge { from: place(edge.from), to: place(edge.to), ..edge.clone() })
        .collect();
    Graph::new(graph.accounts().to_vec(), nodes, edges, Vec::new(), graph.not_known().to_vec())
}

/// Returns the node that represents a group.
fn one(graph: &Graph, group: &[usize]) -> Option<Node> {
    let mut members = group.iter().filter_map(|&at| graph.nodes().get(at));
    let first = members.next()?;
    if group.len() == 1 {
        return Some(first.clone());
    }
    let mut names: Vec<String> = members.chain([first]).map(|node| node.name.clone()).collect();
    names.sort_unstable();
    let name = match first.kind {
        Kind::Role => count(names.len(), "role", "roles"),
        Kind::User | Kind::Outside => count(names.len(), "user", "users"),
    };
    Some(Node { name, members: names, ..first.clone() })
}
