//! Names that tell nodes apart where they stand away from their accounts.

use std::collections::BTreeMap;

use super::model::{Graph, Kind};

/// How many of its members the name of a node for several gives.
const MOST_MEMBERS: usize = 2;

/// Of each node: `Ops`; `Ops (prod)` where several nodes are called so; `12 users: alice, bob, …`.
pub(super) fn names(graph: &Graph) -> Vec<String> {
    let of_members: Vec<String> = graph
        .nodes()
        .iter()
        .map(|node| {
            if node.members.is_empty() || node.members.first().is_some_and(|first| *first == node.name) {
                return node.name.clone();
            }
            let shown = node.members.iter().take(MOST_MEMBERS).cloned().collect::<Vec<_>>().join(", ");
            let rest = if node.members.len() > MOST_MEMBERS { ", …" } else { "" };
            format!("{}: {shown}{rest}", node.name)
        })
        .collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &of_members {
        *seen.entry(name).or_default() += 1;
    }
    let labels: BTreeMap<&str, &str> =
        graph.accounts().iter().map(|a| (a.id.as_str(), a.label.as_deref().unwrap_or(&a.id))).collect();
    graph
        .nodes()
        .iter()
        .zip(&of_members)
        .map(|(node, name)| match node.account.as_deref() {
            Some(account) if node.kind != Kind::Outside && seen.get(name.as_str()) > Some(&1) => {
                format!("{name} ({})", labels.get(account).copied().unwrap_or(account))
            }
            _ => name.clone(),
        })
        .collect()
}
