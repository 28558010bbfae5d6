//! Renders the graph as JSON, with all nodes and edges, also those that pictures combine or omit.

use std::collections::BTreeSet;

use serde::Serialize;

use super::model::{Account, Graph, Kind, Mfa};
use super::picture::{Weight, notes};
use super::words::names;
use crate::report::path::INDIRECT;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    accounts: Vec<AccountRow<'a>>,
    nodes: Vec<NodeRow<'a>>,
    edges: Edges<'a>,
    perhaps: Pairs<'a>,
    warnings: Vec<WarningRow<'a>>,
    not_known: BTreeSet<&'a str>,
    note: &'static str,
}

#[derive(Serialize)]
struct AccountRow<'a> {
    id: &'a str,
    label: Option<&'a str>,
}

#[derive(Serialize)]
struct NodeRow<'a> {
    id: &'a str,
    kind: &'static str,
    name: &'a str,
    account: Option<&'a str>,
}

impl<'a> AccountRow<'a> {
    fn of(account: &'a Account) -> Self {
        Self { id: &account.id, label: account.label.as_deref() }
    }
}

/// Serialized one at a time, as there may be many.
struct Edges<'a>(&'a Graph);

#[derive(Serialize)]
struct EdgeRow<'a> {
    from: &'a str,
    to: &'a str,
    mfa: &'static str,
    chained: bool,
    conditions: &'a [String],
    depends_on: &'a [String],
}

/// Serialized one at a time, as there may be many.
struct Pairs<'a>(&'a Graph);

#[derive(Serialize)]
struct PairRow<'a> {
    from: &'a str,
    to: &'a str,
    depends_on: &'a [String],
}

#[derive(Serialize)]
struct WarningRow<'a> {
    role: &'a str,
    text: String,
}

impl Serialize for Edges<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.arrows().map(|arrow| EdgeRow {
            from: &arrow.from.id,
            to: &arrow.to.id,
            mfa: match arrow.edge.mfa {
                Mfa::Required => "required",
                Mfa::NotRequired => "not-required",
                Mfa::Unknown => "unknown",
            },
            chained: arrow.is_chained(),
            conditions: &arrow.edge.conditions,
            depends_on: &arrow.edge.unknown,
        }))
    }
}

impl Serialize for Pairs<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = |at: usize| self.0.nodes().get(at).map(|node| node.id.as_str());
        serializer.collect_seq(self.0.perhaps().iter().filter_map(|pair| {
            Some(PairRow { from: id(pair.from)?, to: id(pair.to)?, depends_on: &pair.unknown })
        }))
    }
}

/// Renders the graph as one line of JSON.
///
/// # Errors
/// None in practice, as all parts can be serialized.
pub fn render_json(graph: &Graph) -> Result<String, serde_json::Error> {
    let kind = |kind| match kind {
        Kind::User => "user",
        Kind::Outside => "outside",
        Kind::Role => "role",
    };
    let notes = notes(graph, &names(graph));
    let document = Document {
        schema: 1,
        accounts: graph.accounts().iter().map(AccountRow::of).collect(),
        nodes: graph
            .nodes()
            .iter()
            .map(|node| NodeRow {
                id: &node.id,
                kind: kind(node.kind),
                name: &node.name,
                account: node.account.as_deref(),
            })
            .collect(),
        edges: Edges(graph),
        perhaps: Pairs(graph),
        warnings: graph
            .nodes()
            .iter()
            .zip(notes)
            .filter_map(|(node, note)| Some((node, note?)))
            .filter(|(_, note)| note.weight >= Weight::Warning)
            .map(|(node, note)| WarningRow { role: &node.id, text: note.text })
            .collect(),
        not_known: graph
            .not_known()
            .iter()
            .chain(graph.perhaps().iter().flat_map(|pair| pair.unknown.iter()))
            .map(String::as_str)
            .collect(),
        note: INDIRECT,
    };
    serde_json::to_string(&document).map(|text| text + "\n")
}
