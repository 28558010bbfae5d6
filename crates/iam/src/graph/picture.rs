//! Prepares a graph for a picture: reduces the number of nodes, and adds a note for each role (who alone can assume it,
//! or that plain access keys can) and a summary.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Arrow, Graph, Kind, Mfa};
use super::simplify::{collapse, steps, trim};
use super::words::{count, list, names};
use crate::policy::arn::Arn;
use crate::report::path::INDIRECT;

/// The note beside a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) weight: Weight,
}

/// How much attention the note needs, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Plain,
    Warning,
    /// A warning marked with `!`: plain access keys can assume the role.
    Open,
}

/// Returns the note of each node that has one.
///
/// `names` is the result of [`names`](super::words::names).
pub(super) fn notes(graph: &Graph, names: &[String]) -> Vec<Option<Note>> {
    let mut incoming: Vec<Vec<Arrow<'_>>> = vec![Vec::new(); graph.nodes().len()];
    let steps = steps(graph);
    let is_reached = |at: usize| steps.get(at).copied().flatten().is_some();
    for arrow in graph.arrows().filter(|arrow| is_reached(arrow.edge.from)) {
        if let Some(arrows) = incoming.get_mut(arrow.edge.to) {
            arrows.push(arrow);
        }
    }
    let nodes = graph.nodes().iter().zip(&incoming);
    nodes.map(|(node, arrows)| note(arrows, names, node.has_more)).collect()
}

/// Whether an outside caller is an identity provider, rather than an account, a user, a role or everyone.
fn is_provider(id: &str) -> bool {
    match Arn::parse(id) {
        Some(arn) => arn.resource.starts_with("oidc-provider/"),
        None => id.contains('.'),
    }
}

fn note(arrows: &[Arrow<'_>], names: &[String], has_more: bool) -> Option<Note> {
    let name = |arrow: &Arrow<'_>| names.get(arrow.edge.from).cloned().unwrap_or_default();
    let lets_keys_in = |arrow: &&Arrow<'_>| arrow.edge.mfa == Mfa::NotRequired;
    let is_sure = |arrow: &Arrow<'_>| arrow.edge.unknown.is_empty();
    // For a provider with limited tokens, it is unknown whether MFA is required.
    let is_open_provider = |arrow: &&Arrow<'_>| {
        lets_keys_in(arrow) && arrow.from.kind == Kind::Outside && is_provider(&arrow.from.id)
    };
    if let Some(arrow) = arrows.iter().find(is_open_provider) {
        return Some(Note { text: format!("open to anyone at {}", name(arrow)), weight: Weight::Open });
    }
    let (chained, direct): (Vec<_>, Vec<_>) = arrows.iter().copied().partition(Arrow::is_chained);
    let open: Vec<_> = direct.iter().filter(lets_keys_in).collect();
    if open.iter().any(|arrow| is_sure(arrow)) {
        return Some(Note { text: "no MFA".to_owned(), weight: Weight::Open });
    }
    let through: Vec<_> = chained.iter().filter(lets_keys_in).collect();
    let names_of = |arrows: &[&Arrow<'_>]| {
        let mut names: Vec<String> = arrows.iter().map(|arrow| name(arrow)).collect();
        names.sort_unstable();
        names.dedup();
        list(&names, 2)
    };
    let sure: Vec<_> = through.iter().copied().filter(|arrow| is_sure(arrow)).collect();
    if !sure.is_empty() {
        let text = format!("reachable without MFA through {}", names_of(&sure));
        return Some(Note { text, weight: Weight::Warning });
    }
    if !open.is_empty() {
        return Some(Note { text: "perhaps no MFA".to_owned(), weight: Weight::Warning });
    }
    if !through.is_empty() {
        let text = format!("perhaps reachable without MFA through {}", names_of(&through));
        return Some(Note { text, weight: Weight::Warning });
    }
    match direct.as_slice() {
        [arrow] if chained.is_empty() && arrow.from.kind == Kind::User && arrow.from.count() == 1 => {
            let name = name(arrow);
            let text = if has_more { format!("{name}, perhaps others") } else { format!("only {name}") };
            Some(Note { text, weight: Weight::Plain })
        }
        _ => None,
    }
}

/// The maximum number of names in a line below the picture; more are only counted.
const MOST_NAMES: usize = 8;

/// The maximum number of lines about unknown pairs below the picture; more are only counted.
const MOST_PAIRS: usize = 12;

/// A graph that is ready to be drawn.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) graph: Graph,
    /// The name of each node, from [`names`].
    pub(super) names: Vec<String>,
    /// The note of each node.
    pub(super) notes: Vec<Option<Note>>,
    /// A summary: `4 roles, 3 users, 2 warnings.`
    pub(super) summary: String,
    /// Sentences about what the picture omits and what is unknown.
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

    /// Whether any edge depends on unknown facts.
    pub(super) fn has_unknown(&self) -> bool {
        self.graph.edges().iter().any(|edge| !edge.unknown.is_empty() || edge.mfa == Mfa::Unknown)
    }
}

/// Renders the pairs for which it is unknown whether the caller can assume the role, with one sentence for all callers
/// of the same roles. Omits pairs that start at a role that no user can assume, as the picture omits its edges too.
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
        // A role cannot assume itself; add it, so that it still groups with others that have the same roles.
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
