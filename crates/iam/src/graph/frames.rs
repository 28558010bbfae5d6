//! The frames of accounts and the nodes in them: stacked in columns, users centered.

use super::model::{Kind, Node};
use super::order::{Group, Half};
use super::picture::{Picture, Weight};
use super::slots::{HEAD, SLOT, Side, Slot, Slots, label_width};
use super::words::width;

pub(super) const NAME_SIZE: usize = 14;
pub(super) const SMALL_SIZE: usize = 12;
/// The distance in pixels from the left of a node to its text; the icon is in between.
pub(super) const TEXT_FROM: usize = 34;
/// The margin around the picture, in pixels.
pub(super) const MARGIN: usize = 24;
/// The padding inside a frame, in pixels.
pub(super) const PADDING: usize = 16;
const WIDEST_TEXT: usize = 320;
const LEAST_NODE: usize = 96;

/// A column of nodes, with the labels on both sides.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    /// The left edge of the labels on the left side.
    pub(super) x: usize,
    pub(super) left: usize,
    pub(super) node: usize,
    pub(super) right: usize,
    /// The lowest occupied pixel.
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
    // Lines with a large vertical distance need more horizontal space, or they become too steep to tell apart.
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

/// Returns the line below a node's name: its note, or the nodes that it represents.
pub(super) fn below(picture: &Picture, at: usize, node: &Node) -> Option<String> {
    match picture.note(at) {
        Some(note) if note.weight == Weight::Open => Some(format!("! {}", note.text)),
        Some(note) if node.members.is_empty() || note.weight == Weight::Warning => Some(note.text.clone()),
        _ if node.members.is_empty() => None,
        _ => Some(node.members.join(", ")),
    }
}

const TITLE_HEIGHT: usize = 34;
const BETWEEN_FRAMES: usize = 22;
const BETWEEN_NODES: usize = 12;

/// A rectangle, in pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Rect {
    pub(super) fn right(&self) -> usize {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> usize {
        self.y + self.height
    }

    pub(super) fn middle(&self) -> usize {
        self.y + self.height / 2
    }
}

/// The frame around the users or the roles of an account.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) rect: Rect,
    pub(super) title: String,
}

/// Positions all nodes and the frames of all groups, in the order of the groups.
pub(super) fn place(
    picture: &Picture,
    groups: &[Group],
    heights: &[usize],
    columns: &mut [Column],
) -> (Vec<Frame>, Vec<Rect>) {
    let mut nodes = vec![Rect::default(); heights.len()];
    let mut frames = Vec::new();
    let between_users = between_users(groups, heights);
    let sources = sources(picture);
    for group in groups {
        let between = if group.half() == Half::People { between_users } else { BETWEEN_NODES };
        let wanted = wanted_middle(group, &sources, &nodes);
        frames.extend(place_group(picture, group, heights, between, wanted, columns, &mut nodes));
    }
    centre(groups, &mut frames, &mut nodes);
    (frames, nodes)
}

/// Returns the distance between users in pixels, so that they are spread along the roles if there are many more roles.
fn between_users(groups: &[Group], heights: &[usize]) -> usize {
    let side = |half| groups.iter().filter(move |group| group.half() == half);
    let tall = |group: &Group| frame_height(group, heights, BETWEEN_NODES) + BETWEEN_FRAMES;
    let (users, roles): (usize, usize) =
        (side(Half::People).map(tall).sum(), side(Half::Roles).map(tall).sum());
    let count = side(Half::People).flat_map(|group| group.columns.values()).map(Vec::len).sum::<usize>();
    let spare = if roles > users * 3 / 2 { (roles - users) * 9 / 10 } else { 0 };
    BETWEEN_NODES + spare.checked_div(count).unwrap_or_default()
}

fn column_height(nodes: &[usize], heights: &[usize], between: usize) -> usize {
    let height = |at: &usize| heights.get(*at).copied().unwrap_or_default();
    nodes.iter().map(|at| height(at) + between).sum::<usize>().saturating_sub(between)
}

fn frame_height(group: &Group, heights: &[usize], between: usize) -> usize {
    let tallest = group.columns.values().map(|nodes| column_height(nodes, heights, between)).max();
    TITLE_HEIGHT + tallest.unwrap_or_default() + PADDING
}

/// Returns, for each node, the nodes with an edge to it.
fn sources(picture: &Picture) -> Vec<Vec<usize>> {
    let mut sources = vec![Vec::new(); picture.graph.nodes().len()];
    for edge in picture.graph.edges() {
        if let Some(sources) = sources.get_mut(edge.to) {
            sources.push(edge.from);
        }
    }
    sources
}

/// Returns the vertical middle for a group of roles that only roles can assume: level with those roles.
fn wanted_middle(group: &Group, sources: &[Vec<usize>], nodes: &[Rect]) -> Option<usize> {
    if group.columns.keys().any(|column| *column < 2) {
        return None;
    }
    let members = group.columns.values().flatten().filter_map(|at| sources.get(*at)).flatten();
    let placed: Vec<usize> =
        members.filter_map(|at| nodes.get(*at)).filter(|r| r.y > 0).map(Rect::middle).collect();
    placed.iter().sum::<usize>().checked_div(placed.len())
}

/// Positions a group below the existing content of its columns, and returns its frame.
fn place_group(
    picture: &Picture,
    group: &Group,
    heights: &[usize],
    between: usize,
    wanted_middle: Option<usize>,
    columns: &mut [Column],
    nodes: &mut [Rect],
) -> Option<Frame> {
    let (first, last) = (*group.columns.keys().next()?, *group.columns.keys().next_back()?);
    let spanned = columns.get_mut(first..=last)?;
    let height = frame_height(group, heights, between);
    let free = spanned.iter().map(|column| column.bottom).max()?;
    let y = wanted_middle.map_or(free, |middle| free.max(middle.saturating_sub(height / 2)));
    let tallest = height - TITLE_HEIGHT - PADDING;
    for (number, members) in &group.columns {
        let column = spanned.get(number - first)?;
        let mut next = y + TITLE_HEIGHT + (tallest - column_height(members, heights, between)) / 2;
        for at in members {
            let height = heights.get(*at).copied().unwrap_or_default();
            if let Some(node) = nodes.get_mut(*at) {
                *node = Rect { x: column.x + column.left, y: next, width: column.node, height };
            }
            next += height + between;
        }
    }
    let x = spanned.first()?.x - PADDING;
    let rect = Rect { x, y, width: spanned.last()?.end() + PADDING - x, height };
    for column in spanned {
        column.bottom = rect.bottom() + BETWEEN_FRAMES;
    }
    let title = group.title(&picture.graph);
    Some(Frame { rect, title })
}

/// Moves the shorter side, users or roles, to the vertical middle of the other.
fn centre(groups: &[Group], frames: &mut [Frame], nodes: &mut [Rect]) {
    let bottom = |half: Half, frames: &[Frame]| {
        let side = groups.iter().zip(frames).filter(|(group, _)| group.half() == half);
        side.map(|(_, frame)| frame.rect.bottom()).max().unwrap_or_default()
    };
    let (people, roles) = (bottom(Half::People, frames), bottom(Half::Roles, frames));
    let moved = if people < roles { Half::People } else { Half::Roles };
    let by = people.abs_diff(roles) / 2;
    for (group, frame) in groups.iter().zip(frames).filter(|(group, _)| group.half() == moved) {
        frame.rect.y += by;
        for at in group.columns.values().flatten() {
            if let Some(node) = nodes.get_mut(*at) {
                node.y += by;
            }
        }
    }
}
