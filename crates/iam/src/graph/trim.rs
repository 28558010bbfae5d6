//! What a picture leaves out: users who can assume no role, and roles that no user here can assume.

use std::collections::BTreeSet;

use super::model::{Edge, Graph, Kind, Node};

/// A graph of those who become roles, and the names of those who have no part in it. Those of whom that is not known
/// are in neither.
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

/// By how many edges each node is reached from a user or outsider: 0 for these themselves, `None` where there is no way.
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
