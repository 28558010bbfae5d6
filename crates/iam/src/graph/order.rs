//! Arranges the nodes in columns, one for each step from the users, and orders each column to reduce crossings.

use std::collections::BTreeMap;

use super::model::{Graph, Kind};
use super::simplify::steps;

/// The maximum number of rounds in which each half is reordered to match the other.
const ROUNDS: usize = 24;
/// The resolution of average positions, in fractions of one position.
const PART: usize = 1 << 10;

/// The users, or the roles, of an account, which share a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) account: Option<String>,
    /// The nodes in each of its columns, from the top.
    pub(super) columns: BTreeMap<usize, Vec<usize>>,
}

/// The two halves of a picture, left and right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Half {
    /// Users and outside callers.
    People,
    Roles,
}

impl Group {
    pub(super) fn half(&self) -> Half {
        if self.columns.contains_key(&0) { Half::People } else { Half::Roles }
    }

    pub(super) fn title(&self, graph: &Graph) -> String {
        let kind = match self.half() {
            Half::People => Kind::Outside,
            Half::Roles => Kind::Role,
        };
        graph.account_title(self.account.as_deref(), kind)
    }
}

/// Returns the groups from the top. Users are in column 0, roles in all other columns.
pub(super) fn arrange(graph: &Graph) -> Vec<Group> {
    let mut groups = group(graph);
    let mut neighbours = vec![Vec::new(); graph.nodes().len()];
    for edge in graph.edges() {
        for (at, other) in [(edge.from, edge.to), (edge.to, edge.from)] {
            if let Some(neighbours) = neighbours.get_mut(at) {
                neighbours.push(other);
            }
        }
    }
    // Users stay sorted by name until the roles are ordered.
    settle(&mut groups, &neighbours, Half::Roles);
    for _ in 0..ROUNDS {
        let before = groups.clone();
        settle(&mut groups, &neighbours, Half::People);
        settle(&mut groups, &neighbours, Half::Roles);
        if groups == before {
            break;
        }
    }
    groups
}

fn group(graph: &Graph) -> Vec<Group> {
    let mut groups = BTreeMap::<_, BTreeMap<usize, Vec<usize>>>::new();
    for (at, (node, steps)) in graph.nodes().iter().zip(steps(graph)).enumerate() {
        let column = if node.kind == Kind::Role { steps.unwrap_or(1) } else { 0 };
        let account = node.account.as_deref();
        let group = groups.entry((column > 0, account.is_none(), account)).or_default();
        group.entry(column).or_default().push(at);
    }
    groups
        .into_iter()
        .map(|((_, _, account), columns)| Group { account: account.map(str::to_owned), columns })
        .collect()
}

/// Sorts the groups of one half, and the nodes in each, by the average position of their neighbors.
fn settle(groups: &mut [Group], neighbours: &[Vec<usize>], half: Half) {
    let places = places(groups, neighbours.len());
    let average = |nodes: &mut dyn Iterator<Item = &usize>| {
        let (sum, count) = nodes
            .filter_map(|&at| places.get(at))
            .fold((0_usize, 0_usize), |(sum, count), place| (sum.saturating_add(*place), count + 1));
        sum.saturating_mul(PART).checked_div(count).unwrap_or(usize::MAX)
    };
    let of_node = |at: &usize| average(&mut neighbours.get(*at).into_iter().flatten());
    for group in groups.iter_mut().filter(|group| group.half() == half) {
        for nodes in group.columns.values_mut() {
            nodes.sort_by_cached_key(|at| (of_node(at), *at));
        }
    }
    let of_group = |group: &Group| {
        average(&mut group.columns.values().flatten().filter_map(|at| neighbours.get(*at)).flatten())
    };
    let mut place = 0;
    groups.sort_by_cached_key(|group| {
        place += 1;
        let average = if group.half() == half { of_group(group) } else { place };
        (group.half(), average, group.account.clone())
    });
}

/// Returns the position of each node in its column, from the top.
fn places(groups: &[Group], count: usize) -> Vec<usize> {
    let mut places = vec![0; count];
    let mut next: BTreeMap<usize, usize> = BTreeMap::new();
    for (column, nodes) in groups.iter().flat_map(|group| &group.columns) {
        let next = next.entry(*column).or_default();
        for at in nodes {
            if let Some(place) = places.get_mut(*at) {
                *place = *next;
            }
            *next += 1;
        }
    }
    places
}
