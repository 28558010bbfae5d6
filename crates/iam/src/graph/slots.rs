//! The slots where lines leave and reach the sides of nodes: one for all outgoing lines of a side, and one for each
//! kind of incoming lines, with their shared label.

use std::collections::BTreeMap;

use super::model::{Arrow, Mfa};
use super::picture::Picture;
use super::words::{short, width};

pub(super) const LABEL_SIZE: usize = 12;
/// The distance in pixels from a label to its node, for the arrowhead.
pub(super) const HEAD: usize = 20;
/// The height of a slot, in pixels.
pub(super) const SLOT: usize = 26;

/// How a line is drawn. Lines at one side of a node are sorted in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    Mfa,
    Open,
    Chained,
    Unknown,
}

impl Look {
    pub(super) fn of(arrow: &Arrow<'_>) -> Self {
        match arrow.edge.mfa {
            _ if !arrow.edge.unknown.is_empty() => Self::Unknown,
            Mfa::Unknown => Self::Unknown,
            _ if arrow.is_chained() => Self::Chained,
            Mfa::Required => Self::Mfa,
            Mfa::NotRequired => Self::Open,
        }
    }
}

/// A side of a node. Ordered only to be the key of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Left,
    Right,
}

/// What a slot is for: an incoming line with its label, or all outgoing lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    In(Look, String),
    Out,
}

/// The slots of each side of each node, sorted and without duplicates.
pub(super) type Slots = BTreeMap<(usize, Side), Vec<Slot>>;

/// Returns the sides where a line starts and ends. Lines go to the next columns, back, or around to the same column.
pub(super) fn sides(from: usize, to: usize) -> (Side, Side) {
    match from.cmp(&to) {
        std::cmp::Ordering::Less => (Side::Right, Side::Left),
        std::cmp::Ordering::Equal => (Side::Right, Side::Right),
        std::cmp::Ordering::Greater => (Side::Left, Side::Right),
    }
}

pub(super) fn slots(picture: &Picture, column_of: &[usize]) -> Slots {
    let mut slots = Slots::new();
    let column = |at: usize| column_of.get(at).copied().unwrap_or_default();
    for arrow in picture.graph.arrows() {
        let (leaves, meets) = sides(column(arrow.edge.from), column(arrow.edge.to));
        slots.entry((arrow.edge.from, leaves)).or_default().push(Slot::Out);
        slots.entry((arrow.edge.to, meets)).or_default().push(Slot::In(Look::of(&arrow), short(&arrow)));
    }
    for slots in slots.values_mut() {
        slots.sort_unstable();
        slots.dedup();
    }
    slots
}

/// Returns how far down its side a slot is, as a fraction.
pub(super) fn position(slots: &[Slot], slot: &Slot) -> (usize, usize) {
    let number = slots.iter().position(|other| other == slot).unwrap_or_default();
    (2 * number + 1, 2 * slots.len().max(1))
}

pub(super) fn label_width(words: &str) -> usize {
    width(words, LABEL_SIZE) + 16
}
