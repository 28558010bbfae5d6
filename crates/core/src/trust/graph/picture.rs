//! What a picture shows of a graph: few enough nodes, a note for each role, and the line that sums it up.

use super::collapse::collapse;
use super::label::{count, list};
use super::model::{Graph, Kind, Mfa};
use super::names::names;
use super::notes::{Note, Weight, notes};
use super::trim::trim;

/// How many names a line below the picture gives before it only counts.
const MOST_NAMES: usize = 8;

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
            remarks.push(format!("Can become no role: {}.", list(&trimmed.idle_users, MOST_NAMES)));
        }
        if !trimmed.unreached_roles.is_empty() {
            remarks.push(format!("No user here can become: {}.", list(&trimmed.unreached_roles, MOST_NAMES)));
        }
        if !graph.not_known().is_empty() {
            remarks.push(format!("Not known, and may change this: {}.", list(graph.not_known(), MOST_NAMES)));
        }
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
