//! What is to be said of each role: who alone has it, and where plain access keys get in.

use super::label::list;
use super::model::{Arrow, Graph, Kind, Mfa};
use super::trim::steps;
use crate::policy::arn::Arn;

/// What stands beside a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) weight: Weight,
}

/// Whether somebody should do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Plain,
    Warning,
    /// A warning of the kind that is marked with `!`: plain access keys get in.
    Open,
}

/// The note of each node, if it has one.
///
/// `names` are those of [`names`](super::names::names).
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

/// Whether an outsider is an identity provider, not an account, a user, a role or everyone.
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
    // The edge of a provider whose tokens are limited has no answer to the question of MFA.
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
