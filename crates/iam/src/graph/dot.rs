//! Renders the graph in DOT, the language of Graphviz.

use super::model::{Graph, Kind, Mfa, Node};
use super::picture::{Picture, Weight};
use super::words::{short, whole};
use hatbox_types::text::page::{Line, Page, Style};
use hatbox_types::text::printable;

/// Renders the graph as a `digraph` with one cluster for each account.
pub fn render_dot(graph: &Graph) -> String {
    let picture = Picture::new(graph);
    let nodes = picture.graph.nodes();
    let mut dot = format!(
        "digraph trust {{\n  label={}\n  rankdir=LR\n  node [shape=box, style=rounded, fontname=\"sans-serif\"]\n  \
         edge [fontname=\"sans-serif\", fontsize=11]\n",
        quote(&below(&picture))
    );
    let mut accounts: Vec<Option<&str>> = nodes.iter().map(|node| node.account.as_deref()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    for (number, account) in accounts.into_iter().enumerate() {
        let title = quote(&picture.graph.account_title(account, Kind::Outside));
        dot.push_str(&format!("  subgraph cluster_{number} {{\n    label={title}\n"));
        for (at, node) in nodes.iter().enumerate().filter(|(_, node)| node.account.as_deref() == account) {
            dot.push_str(&format!("    n{at} [{}]\n", attributes(&picture, at, node)));
        }
        dot.push_str("  }\n");
    }
    for arrow in picture.graph.arrows() {
        let style = if arrow.is_chained() { ", style=dashed" } else { "" };
        let color = match arrow.edge.mfa {
            Mfa::Required => "",
            Mfa::NotRequired if arrow.is_chained() => ", color=\"#9a6700\"",
            Mfa::NotRequired => ", color=\"#cf222e\"",
            Mfa::Unknown => ", color=\"#59636e\"",
        };
        let (label, tooltip) = (quote(&short(&arrow)), quote(&whole(&arrow, &picture.names)));
        let (from, to) = (arrow.edge.from, arrow.edge.to);
        dot.push_str(&format!("  n{from} -> n{to} [label={label}, tooltip={tooltip}{style}{color}]\n"));
    }
    dot.push_str("}\n");
    dot
}

/// Renders the text below the picture, with each sentence wrapped.
fn below(picture: &Picture) -> String {
    let mut page = Page::default();
    page.plain(&picture.summary);
    for remark in &picture.remarks {
        page.hang(Line::default(), remark, Style::Plain, 2);
    }
    page.to_string().trim_end().to_owned()
}

fn attributes(picture: &Picture, at: usize, node: &Node) -> String {
    let label = match picture.note(at) {
        Some(note) if note.weight == Weight::Open => format!("{}\n! {}", node.name, note.text),
        Some(note) => format!("{}\n{}", node.name, note.text),
        None => node.name.clone(),
    };
    let tooltip = if node.members.is_empty() { node.id.clone() } else { node.members.join(", ") };
    let shape = match node.kind {
        Kind::Role => "",
        Kind::User | Kind::Outside => ", shape=ellipse",
    };
    format!("label={}, tooltip={}{shape}", quote(&label), quote(&tooltip))
}

/// Quotes a string (<https://graphviz.org/doc/info/lang.html>). In labels, a backslash starts an escape sequence.
fn quote(text: &str) -> String {
    let lines: Vec<String> =
        text.split('\n').map(|line| printable(line).replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}
