//! The positions of frames, nodes, labels and lines, in pixels.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::frames::{Column, Frame, MARGIN, PADDING, Rect, columns, heights, place};
use super::model::Arrow;
use super::order::arrange;
use super::picture::Picture;
use super::slots::{HEAD, Look, Side, Slot, Slots, label_width, position, sides, slots};
use super::words::short;

const LABEL_HEIGHT: usize = 20;

/// The shared label of lines that have the same text and lead to the same role.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) rect: Rect,
    pub(super) words: String,
    pub(super) look: Look,
    /// The side of the role where the arrowhead is.
    pub(super) side: Side,
    pub(super) role: usize,
}

/// A line from a node to a label; `edge` is the index of its edge.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) edge: usize,
    pub(super) look: Look,
    pub(super) from: (usize, usize),
    pub(super) to: (usize, usize),
    pub(super) sides: (Side, Side),
}

/// The positions of all parts of the picture.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) frames: Vec<Frame>,
    /// One rectangle for each node.
    pub(super) nodes: Vec<Rect>,
    pub(super) labels: Vec<Label>,
    pub(super) lines: Vec<Line>,
}

/// Positions all parts of the picture.
pub(super) fn arrange_picture(picture: &Picture) -> Layout {
    let mut groups = arrange(&picture.graph);
    // Roles are positioned after the roles that can assume them, and before users, which are spread along the roles.
    groups.sort_by_key(|group| (Reverse(group.half()), group.columns.keys().next().copied()));
    let mut column_of = vec![0; picture.graph.nodes().len()];
    for (column, at) in
        groups.iter().flat_map(|g| &g.columns).flat_map(|(c, nodes)| nodes.iter().map(move |n| (c, n)))
    {
        if let Some(place) = column_of.get_mut(*at) {
            *place = *column;
        }
    }
    let slots = slots(picture, &column_of);
    let heights = heights(picture, &slots);
    let mut columns = columns(picture, &groups, &slots, &heights, &column_of);
    let (frames, nodes) = place(picture, &groups, &heights, &mut columns);
    let labels = labels(&slots, &nodes);
    let lines = lines(picture, &column_of, &slots, &nodes, &labels);
    let width = columns.iter().map(Column::end).max().unwrap_or_default() + PADDING + MARGIN;
    let height = frames.iter().map(|frame| frame.rect.bottom()).max().unwrap_or_default() + MARGIN;
    Layout { width, height, frames, nodes, labels: labels.into_values().collect(), lines }
}

/// Returns the vertical middle of a slot at the side of a node.
fn slot_y(node: &Rect, slots: &[Slot], slot: &Slot) -> usize {
    let (part, parts) = position(slots, slot);
    node.y + node.height * part / parts
}

fn labels(slots: &Slots, nodes: &[Rect]) -> BTreeMap<(usize, Side, Slot), Label> {
    let mut labels = BTreeMap::new();
    for ((at, side), slots) in slots {
        let Some(node) = nodes.get(*at) else { continue };
        for slot in slots {
            let Slot::In(look, words) = slot else { continue };
            let width = label_width(words);
            let x = match side {
                Side::Left => node.x - HEAD - width,
                Side::Right => node.right() + HEAD,
            };
            let y = slot_y(node, slots, slot) - LABEL_HEIGHT / 2;
            let rect = Rect { x, y, width, height: LABEL_HEIGHT };
            let label = Label { rect, words: words.clone(), look: *look, side: *side, role: *at };
            labels.insert((*at, *side, slot.clone()), label);
        }
    }
    labels
}

fn lines(
    picture: &Picture,
    column_of: &[usize],
    slots: &Slots,
    nodes: &[Rect],
    labels: &BTreeMap<(usize, Side, Slot), Label>,
) -> Vec<Line> {
    let column = |at: usize| column_of.get(at).copied().unwrap_or_default();
    let line = |(edge, arrow): (usize, Arrow<'_>)| {
        let (from, to) = (arrow.edge.from, arrow.edge.to);
        let sides = sides(column(from), column(to));
        let node = nodes.get(from)?;
        let y = slot_y(node, slots.get(&(from, sides.0))?, &Slot::Out);
        let x = if sides.0 == Side::Left { node.x } else { node.right() };
        let look = Look::of(&arrow);
        let label = labels.get(&(to, sides.1, Slot::In(look, short(&arrow))))?.rect;
        let end = if sides.1 == Side::Left { label.x } else { label.right() };
        Some(Line { edge, look, from: (x, y), to: (end, label.middle()), sides })
    };
    picture.graph.arrows().enumerate().filter_map(line).collect()
}
