//! What a picture shows of a graph: few enough nodes, a note for each role, and the line that sums it up.

use std::collections::{BTreeMap, BTreeSet};

use super::collapse::collapse;
use super::label::{count, list};
use super::model::{Graph, Kind, Mfa};
use super::names::names;
use super::notes::{Note, Weight, notes};
use super::trim::{steps, trim};
use crate::assume::gap::INDIRECT;

/// How many names a line below the picture gives before it only counts.
const MOST_NAMES: usize = 8;

/// How many lines below the picture tell of pairs that are not known, before the rest are counted.
const MOST_PAIRS: usize = 12;

/// A graph made ready to be drawn.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) graph: Graph,
    /// Of each node, as [`names`] has them.
    pub(super) names: Vec<String>,
    /// Of each node.
    pub(super) notes: Vec<Option<Note>>,
    /// `4 roles, 3 users, 2 warnings.`
    pub(super) summary: String,
    /// What the picture leaves out and what is not known, a sentence each.
    pub(super) remarks: Vec<String>,
}

impl Picture {
    pub(super) fn new(graph: &Graph) -> Self {
        let warnings = notes(graph, &names(graph))
            .iter()
            .flatten()
            .filter(|note| note.weight >= Weight::Warning)
            .count();
        let summary = format!(
            "{}, {}, {}.",
            count(graph.count(Kind::Role), "role", "roles"),
            count(graph.count(Kind::User), "user", "users"),
            count(warnings, "warning", "warnings"),
        );
        let trimmed = trim(graph);
        let mut remarks = Vec::new();
        if !trimmed.idle_users.is_empty() {
            remarks.push(format!("Can assume no role: {}.", list(&trimmed.idle_users, MOST_NAMES)));
        }
        if !trimmed.unreached_roles.is_empty() {
            remarks.push(format!("No user here can assume: {}.", list(&trimmed.unreached_roles, MOST_NAMES)));
        }
        remarks.extend(render_perhaps(graph));
        if !graph.not_known().is_empty() {
            remarks.push(format!("Not known, and may change this: {}.", list(graph.not_known(), MOST_NAMES)));
        }
        remarks.push(INDIRECT.to_owned());
        let graph = collapse(trimmed.graph);
        let names = names(&graph);
        let notes = notes(&graph, &names);
        Self { graph, names, notes, summary, remarks }
    }

    pub(super) fn name(&self, node: usize) -> &str {
        self.names.get(node).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn note(&self, node: usize) -> Option<&Note> {
        self.notes.get(node)?.as_ref()
    }

    /// Whether any edge hangs on facts that are not known.
    pub(super) fn has_unknown(&self) -> bool {
        self.graph.edges().iter().any(|edge| !edge.unknown.is_empty() || edge.mfa == Mfa::Unknown)
    }
}

/// The pairs of which it is not known whether there is a way, a sentence for all who have the same of them. Those that
/// begin at a role which no user can assume in any case are left out, as the edges from it are.
fn render_perhaps(graph: &Graph) -> Vec<String> {
    if graph.perhaps().is_empty() {
        return Vec::new();
    }
    let names = names(graph);
    let steps = steps(graph);
    let is_reached = |at: usize| steps.get(at).copied().flatten().is_some();
    let has_more = |at: usize| graph.nodes().get(at).is_some_and(|node| node.has_more);
    let mut by_caller: BTreeMap<usize, (Vec<usize>, BTreeSet<&str>)> = BTreeMap::new();
    for pair in graph.perhaps().iter().filter(|pair| is_reached(pair.from) || has_more(pair.from)) {
        let (roles, unknown) = by_caller.entry(pair.from).or_default();
        roles.push(pair.to);
        unknown.extend(pair.unknown.iter().map(String::as_str));
    }
    let is_role = |at: usize| graph.nodes().get(at).is_some_and(|node| node.kind == Kind::Role);
    let mut alike: BTreeMap<(Vec<usize>, BTreeSet<&str>), Vec<usize>> = BTreeMap::new();
    for (caller, (mut roles, unknown)) in by_caller {
        // That a role is not a way to itself does not set it apart from others of the same ways.
        if is_role(caller) {
            roles.push(caller);
            roles.sort_unstable();
        }
        alike.entry((roles, unknown)).or_default().push(caller);
    }
    let mut alike: Vec<_> = alike.into_iter().map(|(what, callers)| (callers, what)).collect();
    for (callers, (roles, _)) in &mut alike {
        if let [only] = callers.as_slice() {
            roles.retain(|role| role != only);
        }
    }
    alike.sort_unstable();
    let named = |nodes: &[usize]| {
        let names: Vec<String> = nodes.iter().filter_map(|&at| names.get(at).cloned()).collect();
        list(&names, MOST_NAMES)
    };
    let sentence = |(callers, (roles, unknown)): &(Vec<usize>, (Vec<usize>, BTreeSet<&str>))| {
        let unknown: Vec<String> = unknown.iter().map(|what| (*what).to_owned()).collect();
        let (callers, roles) = (named(callers), named(roles));
        format!(
            "Not known whether {callers} can assume {roles}: it depends on {}.",
            list(&unknown, MOST_NAMES)
        )
    };
    let mut sentences: Vec<String> = alike.iter().take(MOST_PAIRS).map(sentence).collect();
    let pairs = |(callers, (roles, _)): &(Vec<usize>, (Vec<usize>, BTreeSet<&str>))| -> usize {
        callers.iter().map(|caller| roles.iter().filter(|role| *role != caller).count()).sum()
    };
    let more: usize = alike.iter().skip(MOST_PAIRS).map(pairs).sum();
    if more > 0 {
        sentences
            .push(format!("Not known of {}; the JSON lists them.", count(more, "more pair", "more pairs")));
    }
    let unsure: Vec<usize> = (0..graph.nodes().len()).filter(|&at| has_more(at) && !is_reached(at)).collect();
    if !unsure.is_empty() {
        sentences.push(format!("Not known whether any user here can assume: {}.", named(&unsure)));
    }
    sentences
}
