//! The columns of nodes: how high each node is, how wide each column, and where it begins.

use super::label::width;
use super::model::{Kind, Node};
use super::notes::Weight;
use super::order::Group;
use super::picture::Picture;
use super::slots::{HEAD, SLOT, Side, Slot, Slots, label_width};

pub(super) const NAME_SIZE: usize = 14;
pub(super) const SMALL_SIZE: usize = 12;
/// Between the left of a node and its text, where its sign stands.
pub(super) const TEXT_FROM: usize = 34;
/// Around all.
pub(super) const MARGIN: usize = 24;
/// Inside a frame.
pub(super) const PADDING: usize = 16;
const WIDEST_TEXT: usize = 320;
const LEAST_NODE: usize = 96;

/// A column of nodes with the labels at its sides.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    /// Where its left labels begin.
    pub(super) x: usize,
    pub(super) left: usize,
    pub(super) node: usize,
    pub(super) right: usize,
    /// The lowest pixel taken so far.
    pub(super) bottom: usize,
}

impl Column {
    pub(super) fn end(&self) -> usize {
        self.x + self.left + self.node + self.right
    }
}

pub(super) fn columns(
    picture: &Picture,
    groups: &[Group],
    slots: &Slots,
    heights: &[usize],
    column_of: &[usize],
) -> Vec<Column> {
    let count = column_of.iter().max().map_or(0, |last| last + 1);
    let mut columns = vec![Column { bottom: MARGIN, ..Column::default() }; count];
    for (at, node) in picture.graph.nodes().iter().enumerate() {
        let below = below(picture, at, node).map_or(0, |text| width(&text, SMALL_SIZE + 1));
        let text = width(&node.name, NAME_SIZE + 1).max(below).min(WIDEST_TEXT);
        let Some(column) = column_of.get(at).and_then(|c| columns.get_mut(*c)) else { continue };
        column.node = column.node.max(TEXT_FROM + text + PADDING).max(LEAST_NODE);
        for (side, zone) in [(Side::Left, &mut column.left), (Side::Right, &mut column.right)] {
            for slot in slots.get(&(at, side)).into_iter().flatten() {
                if let Slot::In(_, words) = slot {
                    *zone = (*zone).max(label_width(words) + HEAD);
                }
            }
        }
    }
    for group in groups {
        let title = width(&group.title(&picture.graph), SMALL_SIZE + 1).min(WIDEST_TEXT);
        if let Some(first) = group.columns.keys().next().and_then(|first| columns.get_mut(*first)) {
            first.node = first.node.max(title.saturating_sub(first.left));
        }
    }
    let mut tall = vec![0; count];
    for (column, height) in column_of.iter().zip(heights) {
        if let Some(tall) = tall.get_mut(*column) {
            *tall += height;
        }
    }
    // Lines that rise or fall far need room, or they become too steep to be told apart.
    let between = 90 + (tall.iter().max().copied().unwrap_or_default() / 8).min(500);
    let mut x = MARGIN + PADDING;
    for column in &mut columns {
        column.x = x;
        x = column.end() + between;
    }
    columns
}

pub(super) fn heights(picture: &Picture, slots: &Slots) -> Vec<usize> {
    let nodes = picture.graph.nodes().iter().enumerate();
    nodes
        .map(|(at, node)| {
            let text = match node.kind {
                _ if below(picture, at, node).is_some() => 52,
                Kind::Role => 40,
                Kind::User | Kind::Outside => 34,
            };
            let most = [Side::Left, Side::Right]
                .iter()
                .filter_map(|side| slots.get(&(at, *side)))
                .map(Vec::len)
                .max();
            text.max(most.unwrap_or_default() * SLOT)
        })
        .collect()
}

/// The line below a node's name: its note, or who it stands for.
pub(super) fn below(picture: &Picture, at: usize, node: &Node) -> Option<String> {
    match picture.note(at) {
        Some(note) if note.weight == Weight::Open => Some(format!("! {}", note.text)),
        Some(note) if node.members.is_empty() || note.weight == Weight::Warning => Some(note.text.clone()),
        _ if node.members.is_empty() => None,
        _ => Some(node.members.join(", ")),
    }
}
