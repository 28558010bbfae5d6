//! The graph: accounts, callers, roles, and an edge for each caller that can assume a role.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// An AWS account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// The 12 digits.
    pub id: String,
    /// The name shown for the account.
    pub label: Option<String>,
}

/// The kind of a node. Nodes are sorted in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A user with access keys.
    User,
    /// A trusted caller that the sources do not describe: another account, an identity provider, anyone.
    Outside,
    /// A role.
    Role,
}

/// A user, an outside caller or a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// The kind of the node.
    pub kind: Kind,
    /// The id of its account, if it belongs to one.
    pub account: Option<String>,
    /// The name shown in pictures.
    pub name: String,
    /// The ARN; for an outside caller, a unique text.
    pub id: String,
    /// The names of the nodes that it represents; empty if it is a single one.
    pub members: Vec<String>,
    /// For a role: whether more callers than the edges show may be able to assume it. Set by [`Graph::new`].
    pub has_more: bool,
}

impl Node {
    /// Returns the number of nodes that it represents, at least 1.
    pub fn count(&self) -> usize {
        self.members.len().max(1)
    }
}

/// Whether a path to a role requires MFA, from the weakest requirement: if two answers exist for a pair, the weakest
/// wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mfa {
    /// Callers without MFA can assume it too.
    NotRequired,
    /// It depends on unknown facts.
    Unknown,
    /// Only a caller with MFA can assume it.
    Required,
}

/// A caller that can assume a role in one step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The caller, as an index into the nodes.
    pub from: usize,
    /// The role, as an index into the nodes.
    pub to: usize,
    /// Whether MFA is required.
    pub mfa: Mfa,
    /// The other conditions, as text.
    pub conditions: Vec<String>,
    /// The unknown facts that the edge depends on; empty if it is certain.
    pub unknown: Vec<String>,
}

/// A caller that cannot assume a role by the known policies, but possibly by unknown ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Perhaps {
    /// The caller, as an index into the nodes.
    pub from: usize,
    /// The role, as an index into the nodes.
    pub to: usize,
    /// What is missing from the sources and may allow it. Shared, as there may be many pairs.
    pub unknown: Arc<[String]>,
}

/// Who can assume which role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    accounts: Vec<Account>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    perhaps: Vec<Perhaps>,
    not_known: Vec<String>,
}

/// An edge with the nodes at both ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrow<'a> {
    pub(super) edge: &'a Edge,
    pub(super) from: &'a Node,
    pub(super) to: &'a Node,
}

impl Arrow<'_> {
    /// Whether the edge starts at a role: such sessions last at most 1 hour and never have MFA.
    pub(super) fn is_chained(&self) -> bool {
        self.from.kind == Kind::Role
    }
}

impl Graph {
    /// Sorts the facts: users, outside callers, roles; by account; roles with the most incoming edges first; by name.
    ///
    /// Edges refer to nodes by their index in `nodes`. Of nodes with the same id the first is kept, of edges with the
    /// same ends the one that requires the least. Drops edges from a role to itself, edges to anything but a role,
    /// edges with an invalid index, and pairs of `perhaps` that are also edges. `not_known` is what is unknown for all
    /// edges, such as missing SCPs.
    pub fn new(
        accounts: Vec<Account>,
        nodes: Vec<Node>,
        edges: Vec<Edge>,
        perhaps: Vec<Perhaps>,
        not_known: Vec<String>,
    ) -> Self {
        let mut by_id = BTreeMap::new();
        for account in accounts {
            by_id.entry(account.id.clone()).or_insert(account);
        }
        let mut first_places: HashMap<&str, usize> = HashMap::new();
        let same: Vec<usize> =
            nodes.iter().enumerate().map(|(at, node)| *first_places.entry(&node.id).or_insert(at)).collect();
        let edges = merge(&nodes, &same, edges);
        let perhaps = merge_perhaps(&nodes, &same, &edges, perhaps);
        let mut nodes = nodes;
        mark_more(&mut nodes, &edges, &perhaps);

        let mut ways_in = vec![0_usize; nodes.len()];
        for edge in &edges {
            let sources = nodes.get(edge.from).map_or(0, Node::count);
            if let Some(ways) = ways_in.get_mut(edge.to) {
                *ways += sources;
            }
        }
        let mut sorted: Vec<(usize, Node)> =
            nodes.into_iter().enumerate().filter(|(at, _)| same.get(*at) == Some(at)).collect();
        sorted.sort_by(|(a_place, a), (b_place, b)| {
            let key = |place: &usize| Reverse(ways_in.get(*place).copied());
            (a.kind, &a.account, key(a_place), a).cmp(&(b.kind, &b.account, key(b_place), b))
        });
        let mut places = vec![0; same.len()];
        for (new, (old, _)) in sorted.iter().enumerate() {
            if let Some(place) = places.get_mut(*old) {
                *place = new;
            }
        }
        let place = |old: usize| places.get(old).copied().unwrap_or_default();
        let mut edges: Vec<Edge> = edges
            .into_iter()
            .map(|edge| Edge { from: place(edge.from), to: place(edge.to), ..edge })
            .collect();
        edges.sort_unstable();
        let mut perhaps: Vec<Perhaps> = perhaps
            .into_iter()
            .map(|pair| Perhaps { from: place(pair.from), to: place(pair.to), ..pair })
            .collect();
        perhaps.sort_unstable();
        let mut not_known = not_known;
        not_known.sort_unstable();
        not_known.dedup();
        let nodes = sorted.into_iter().map(|(_, node)| node).collect();
        Self { accounts: by_id.into_values().collect(), nodes, edges, perhaps, not_known }
    }

    /// Returns the accounts, sorted by id.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Returns the nodes; edges refer to them by index.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the edges, sorted by their ends.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Returns the pairs for which it is unknown whether the caller can assume the role, sorted by their ends.
    pub fn perhaps(&self) -> &[Perhaps] {
        &self.perhaps
    }

    /// Returns what is unknown for all edges.
    pub fn not_known(&self) -> &[String] {
        &self.not_known
    }

    /// Returns the edges with the nodes at both ends.
    pub(super) fn arrows(&self) -> impl Iterator<Item = Arrow<'_>> {
        self.edges.iter().filter_map(|edge| {
            Some(Arrow { edge, from: self.nodes.get(edge.from)?, to: self.nodes.get(edge.to)? })
        })
    }

    /// Returns the edges that start at each node.
    pub(super) fn outgoing(&self) -> Vec<Vec<Arrow<'_>>> {
        let mut outgoing = vec![Vec::new(); self.nodes.len()];
        for arrow in self.arrows() {
            if let Some(arrows) = outgoing.get_mut(arrow.edge.from) {
                arrows.push(arrow);
            }
        }
        outgoing
    }

    /// Returns how many users, outside callers or roles there are, including those that share a node.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.nodes.iter().filter(|node| node.kind == kind).map(Node::count).sum()
    }

    /// Returns the title of an account: `prod 444455556666`, or only the id if it has no other name.
    pub(super) fn account_title(&self, id: Option<&str>, kind: Kind) -> String {
        let Some(id) = id else {
            return match kind {
                Kind::Role => "account not known".to_owned(),
                Kind::User | Kind::Outside => "elsewhere".to_owned(),
            };
        };
        match self.accounts.iter().find(|account| account.id == id).and_then(|account| account.label.as_ref())
        {
            Some(label) => format!("{label} {id}"),
            None => id.to_owned(),
        }
    }
}

/// Keeps one edge for each pair of ends, the one that requires the least.
fn merge(nodes: &[Node], same: &[usize], edges: Vec<Edge>) -> Vec<Edge> {
    let leads_to_a_role = |edge: &Edge| nodes.get(edge.to).is_some_and(|node| node.kind == Kind::Role);
    let mut kept: Vec<Edge> = edges
        .into_iter()
        .filter_map(|edge| Some(Edge { from: *same.get(edge.from)?, to: *same.get(edge.to)?, ..edge }))
        .filter(|edge| edge.from != edge.to && leads_to_a_role(edge))
        .collect();
    kept.sort_unstable_by(|a, b| {
        let key = |edge: &Edge| (edge.from, edge.to, edge.unknown.len(), edge.mfa, edge.conditions.len());
        key(a).cmp(&key(b)).then_with(|| a.cmp(b))
    });
    kept.dedup_by_key(|edge| (edge.from, edge.to));
    kept
}

fn merge_perhaps(nodes: &[Node], same: &[usize], edges: &[Edge], perhaps: Vec<Perhaps>) -> Vec<Perhaps> {
    let drawn: HashSet<(usize, usize)> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let leads_to_a_role = |pair: &Perhaps| nodes.get(pair.to).is_some_and(|node| node.kind == Kind::Role);
    let mut kept: Vec<Perhaps> = perhaps
        .into_iter()
        .filter_map(|pair| Some(Perhaps { from: *same.get(pair.from)?, to: *same.get(pair.to)?, ..pair }))
        .filter(|pair| {
            pair.from != pair.to && leads_to_a_role(pair) && !drawn.contains(&(pair.from, pair.to))
        })
        .collect();
    kept.sort_unstable();
    kept.dedup_by_key(|pair| (pair.from, pair.to));
    kept
}

/// Marks the roles that more callers may be able to assume: those on a path that contains a pair of `perhaps`, which
/// pictures do not draw.
fn mark_more(nodes: &mut [Node], edges: &[Edge], perhaps: &[Perhaps]) {
    if perhaps.is_empty() {
        return;
    }
    let mut onward: HashMap<usize, Vec<usize>> = HashMap::new();
    for (from, to) in edges.iter().map(|e| (e.from, e.to)).chain(perhaps.iter().map(|p| (p.from, p.to))) {
        onward.entry(from).or_default().push(to);
    }
    let is_person = |at: usize, nodes: &[Node]| nodes.get(at).is_some_and(|node| node.kind != Kind::Role);
    let mut met: HashSet<usize> = (0..nodes.len()).filter(|&at| is_person(at, nodes)).collect();
    let mut queue: Vec<usize> = met.iter().copied().collect();
    while let Some(at) = queue.pop() {
        let next = onward.get(&at).into_iter().flatten().copied();
        queue.extend(next.filter(|to| met.insert(*to)));
    }
    let mut queue: Vec<usize> = perhaps.iter().filter(|p| met.contains(&p.from)).map(|p| p.to).collect();
    while let Some(at) = queue.pop() {
        let Some(node) = nodes.get_mut(at) else { continue };
        if !std::mem::replace(&mut node.has_more, true) {
            queue.extend(onward.get(&at).into_iter().flatten());
        }
    }
}
