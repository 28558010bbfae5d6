//! Many nodes made few: those of one account and kind with the same ways in and out become one.

use std::collections::BTreeMap;

use super::alike::merge_accounts;
use super::label::count;
use super::model::{Edge, Graph, Kind, Mfa, Node};

/// Up to here each node is drawn by itself.
pub(super) const MOST_NODES: usize = 60;

/// A graph in which nodes of equal reach are one, if it has more nodes than are read at a glance.
pub(super) fn collapse(graph: Graph) -> Graph {
    if graph.nodes().len() <= MOST_NODES {
        return graph;
    }
    let users = merge(&graph, |node| node.kind == Kind::User);
    let roles = merge(&users, |node| node.kind == Kind::Role);
    merge_accounts(&roles)
}

/// One end of an edge, seen from the other.
type Way<'a> = (usize, Mfa, &'a [String], &'a [String]);

/// The ways in and the ways out of a node.
type Reach<'a> = (Vec<Way<'a>>, Vec<Way<'a>>);

/// What nodes share that become one: nothing but themselves if they stay alone, their account, their reach and whether
/// there may be more of it.
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

/// The node that stands for these.
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
