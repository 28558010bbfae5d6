//! The frames of accounts, and the nodes in them: below each other in their columns, users in the middle.

use super::columns::{Column, PADDING};
use super::order::{Group, Half};
use super::picture::Picture;

const TITLE_HEIGHT: usize = 34;
const BETWEEN_FRAMES: usize = 22;
const BETWEEN_NODES: usize = 12;

/// A rectangle.
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

/// The frame of an account's users or roles.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) rect: Rect,
    pub(super) title: String,
}

/// Gives every node its place, and every group its frame, in their order.
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

/// How far apart users stand, so that they are spread along the roles where there are many more of these.
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

/// The nodes that each node is reached from.
fn sources(picture: &Picture) -> Vec<Vec<usize>> {
    let mut sources = vec![Vec::new(); picture.graph.nodes().len()];
    for edge in picture.graph.edges() {
        if let Some(sources) = sources.get_mut(edge.to) {
            sources.push(edge.from);
        }
    }
    sources
}

/// Where the middle of a group of roles that are reached from roles only should be: at the height of these.
fn wanted_middle(group: &Group, sources: &[Vec<usize>], nodes: &[Rect]) -> Option<usize> {
    if group.columns.keys().any(|column| *column < 2) {
        return None;
    }
    let members = group.columns.values().flatten().filter_map(|at| sources.get(*at)).flatten();
    let placed: Vec<usize> =
        members.filter_map(|at| nodes.get(*at)).filter(|r| r.y > 0).map(Rect::middle).collect();
    placed.iter().sum::<usize>().checked_div(placed.len())
}

/// Puts a group below what its columns hold already. Returns its frame.
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

/// Moves the shorter side, users or roles, to the middle of the other.
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
