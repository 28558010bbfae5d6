//! Renders the graph as SVG: a single file without scripts, fonts or links, in a light or dark theme as the reader's
//! system prefers.

use super::frames::{Frame, MARGIN, NAME_SIZE, Rect, SMALL_SIZE, TEXT_FROM, below};
use super::layout::{Label, Layout, Line, arrange_picture};
use super::model::{Graph, Kind, Node};
use super::picture::{Picture, Weight};
use super::slots::{HEAD, Look, Side};
use super::words::{break_lines, escape_xml, fit, list, whole, width};

const STYLE: &str = include_str!("svg.css");
const LEAST_WIDTH: usize = 420;
/// The maximum number of names in a title.
const MOST_NAMES: usize = 40;
/// With more lines than this, all are drawn lighter, so that crossing lines can be told apart.
const MANY_LINES: usize = 80;

/// Renders the graph as an SVG document.
pub fn render_svg(graph: &Graph) -> String {
    let picture = Picture::new(graph);
    let layout = arrange_picture(&picture);
    let width = layout.width.max(LEAST_WIDTH);
    let (footer, height) = footer(&picture, &layout, width);
    let is_dense = layout.lines.len() > MANY_LINES;
    let (many, pointed) = if is_dense { (" class=\"many\"", pointed(&layout)) } else { ("", String::new()) };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\"{many}>\n<title>{}</title>\n<style>\n{STYLE}{pointed}</style>\n\
         <rect class=\"page\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"10\"/>\n",
        escape_xml(&format!("Who can assume which role: {}", picture.summary)),
        width - 1,
        height - 1,
    );
    svg.extend(layout.frames.iter().map(frame));
    let mut lines: Vec<&Line> = layout.lines.iter().collect();
    lines.sort_by_key(|line| (line.look == Look::Open, line.edge));
    let arrows: Vec<_> = picture.graph.arrows().collect();
    for line in lines {
        let title = arrows.get(line.edge).map(|arrow| whole(arrow, &picture.names)).unwrap_or_default();
        let ends = match arrows.get(line.edge) {
            Some(arrow) if is_dense => format!(" e{} e{}", arrow.edge.from, arrow.edge.to),
            _ => String::new(),
        };
        svg.push_str(&format!(
            "<path class=\"line {}{ends}\" d=\"{}\"><title>{}</title></path>\n",
            class(line.look),
            path(line),
            escape_xml(&title)
        ));
    }
    svg.extend(layout.labels.iter().map(|one| label(one, &layout)));
    let neighbours = Neighbours::of(&picture);
    for ((at, node), rect) in picture.graph.nodes().iter().enumerate().zip(&layout.nodes) {
        svg.push_str(&draw_node(&picture, at, node, rect, &neighbours));
    }
    svg.push_str(&footer);
    svg.push_str("</svg>\n");
    svg
}

/// Returns CSS rules that highlight the lines of a node under the pointer.
fn pointed(layout: &Layout) -> String {
    let rule = |at| format!(".many:has(.n{at}:hover) .e{at}{{opacity:1;stroke-width:3}}\n");
    (0..layout.nodes.len()).map(rule).collect()
}

fn class(look: Look) -> &'static str {
    match look {
        Look::Mfa => "mfa",
        Look::Open => "open",
        Look::Chained => "chained",
        Look::Unknown => "unknown",
    }
}

fn frame(frame: &Frame) -> String {
    let Rect { x, y, width, height } = frame.rect;
    let (text_x, text_y) = (x + 16, y + 22);
    format!(
        "<rect class=\"frame\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\">\
         <title>{}</title></rect>\n<text class=\"account\" x=\"{text_x}\" y=\"{text_y}\">{}</text>\n",
        escape_xml(&frame.title),
        escape_xml(&fit(&frame.title, SMALL_SIZE + 1, width - 28))
    )
}

/// Returns a curve that starts and ends horizontally.
fn path(line: &Line) -> String {
    let ((x1, y1), (x2, y2)) = (line.from, line.to);
    let bend = if line.sides == (Side::Right, Side::Right) {
        40 + (y1.abs_diff(y2) / 6).min(60)
    } else {
        x1.abs_diff(x2) / 2
    };
    let along = |x: usize, side: Side| match side {
        Side::Left => x.saturating_sub(bend),
        Side::Right => x + bend,
    };
    if y1 == y2 && line.sides == (Side::Right, Side::Left) {
        return format!("M{x1} {y1}H{x2}");
    }
    // Both halves of a loop extend equally far.
    let furthest = x1.max(x2);
    let (first, second) = if line.sides == (Side::Right, Side::Right) {
        (furthest + bend, furthest + bend)
    } else {
        (along(x1, line.sides.0), along(x2, line.sides.1))
    };
    format!("M{x1} {y1}C{first} {y1} {second} {y2} {x2} {y2}")
}

fn label(label: &Label, layout: &Layout) -> String {
    let Rect { x, y, width, height } = label.rect;
    let class = class(label.look);
    let middle = label.rect.middle();
    let node = layout.nodes.get(label.role).copied().unwrap_or_default();
    let head = match label.side {
        Side::Left => {
            let tip = node.x - 1;
            format!("M{} {middle}H{}m0 -5l9 5l-9 5z", label.rect.right(), tip - 9)
        }
        Side::Right => {
            let tip = node.right() + 1;
            format!("M{x} {middle}H{}m0 -5l-9 5l9 5z", tip + 9)
        }
    };
    debug_assert!(label.rect.right() + HEAD == node.x || node.right() + HEAD == x);
    format!(
        "<path class=\"head {class}\" d=\"{head}\"/>\n\
         <rect class=\"label {class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>\n\
         <text class=\"words {class}\" x=\"{}\" y=\"{}\">{}</text>\n",
        x + width / 2,
        middle + 4,
        escape_xml(&label.words)
    )
}

fn draw_node(picture: &Picture, at: usize, node: &Node, rect: &Rect, neighbours: &Neighbours<'_>) -> String {
    let note = picture.note(at);
    let (class, sign, corner) = match node.kind {
        Kind::User => ("user", PERSON, rect.height.min(34) / 2),
        Kind::Outside => ("user", OUTSIDE, rect.height.min(34) / 2),
        Kind::Role => ("role", HAT, 6),
    };
    let class = match note.map(|note| note.weight) {
        Some(Weight::Open) => format!("{class} open"),
        Some(Weight::Warning) => format!("{class} chained"),
        _ => class.to_owned(),
    };
    let room = rect.width - TEXT_FROM - 8;
    let middle = rect.middle();
    let below = below(picture, at, node);
    let name_y = if below.is_some() { middle - 4 } else { middle + 5 };
    let text_x = rect.x + TEXT_FROM;
    let mut drawn =
        format!("<g class=\"{class} n{at}\"><title>{}</title>", title(picture, at, node, neighbours));
    let Rect { x, y, width, height } = *rect;
    if !node.members.is_empty() {
        drawn.push_str(&format!(
            "<rect class=\"behind\" x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"{corner}\"/>",
            x + 4,
            y + 4
        ));
    }
    drawn.push_str(&format!(
        "<rect class=\"node\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{corner}\"/>\
         <path class=\"sign\" d=\"M{} {middle}{sign}\"/>\
         <text class=\"name\" x=\"{text_x}\" y=\"{name_y}\">{}</text>",
        x + 18,
        escape_xml(&fit(&node.name, NAME_SIZE, room))
    ));
    if let Some(below) = below {
        drawn.push_str(&format!(
            "<text class=\"note\" x=\"{text_x}\" y=\"{}\">{}</text>",
            middle + 13,
            escape_xml(&fit(&below, SMALL_SIZE, room))
        ));
    }
    drawn.push_str("</g>\n");
    drawn
}

/// Icon paths, relative to their center.
const PERSON: &str = "m-3.5 -3.5a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0zm-3 11.5a6.5 6 0 0 1 13 0z";
const OUTSIDE: &str =
    "m-6.5 0a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0 -13 0zm0 0h13m-6.5 -6.5c-5 4 -5 9 0 13c5 -4 5 -9 0 -13z";
const HAT: &str = "m-9 6h18v-2.5h-3.5l-1.5 -9h-8l-1.5 9h-3.5z";

/// Returns the tooltip of a node, with one line each: who it is, who can assume it, which roles it can assume.
fn title(picture: &Picture, at: usize, node: &Node, neighbours: &Neighbours<'_>) -> String {
    let mut who = if node.members.is_empty() { node.id.clone() } else { list(&node.members, MOST_NAMES) };
    if let Some(note) = picture.note(at) {
        who.push_str(&format!(" ({})", note.text));
    }
    let mut lines = vec![who];
    for (word, names) in [("from", neighbours.from.get(at)), ("to", neighbours.to.get(at))] {
        let names: Vec<String> = names.into_iter().flatten().map(|name| (*name).to_owned()).collect();
        if !names.is_empty() {
            lines.push(format!("{word}: {}", list(&names, MOST_NAMES)));
        }
    }
    lines.iter().map(|line| escape_xml(line)).collect::<Vec<_>>().join("\n")
}

/// For each node, the names of the callers that can assume it, and of the roles that it can assume.
struct Neighbours<'a> {
    from: Vec<Vec<&'a str>>,
    to: Vec<Vec<&'a str>>,
}

impl<'a> Neighbours<'a> {
    fn of(picture: &'a Picture) -> Self {
        let none = vec![Vec::new(); picture.graph.nodes().len()];
        let mut neighbours = Self { from: none.clone(), to: none };
        for edge in picture.graph.edges() {
            if let Some(names) = neighbours.from.get_mut(edge.to) {
                names.push(picture.name(edge.from));
            }
            if let Some(names) = neighbours.to.get_mut(edge.from) {
                names.push(picture.name(edge.to));
            }
        }
        neighbours
    }
}

/// Draws the legend, the summary and the remarks. Returns them with the height of the whole picture in pixels.
fn footer(picture: &Picture, layout: &Layout, page: usize) -> (String, usize) {
    let mut drawn = String::new();
    let (mut x, mut y) = (MARGIN, layout.height + 14);
    let entries = [
        (Look::Mfa, "MFA required"),
        (Look::Open, "no MFA: access keys alone are enough"),
        (Look::Chained, "chained: from a role's session, 1 h at most, never with MFA"),
        (Look::Unknown, "not known"),
    ];
    for (look, words) in entries.iter().filter(|(look, _)| layout.lines.iter().any(|line| line.look == *look))
    {
        let room = 40 + width(words, SMALL_SIZE);
        if x > MARGIN && x + room > page - MARGIN {
            (x, y) = (MARGIN, y + 20);
        }
        drawn.push_str(&format!(
            "<path class=\"line {}\" d=\"M{x} {}h26\"/><text class=\"small\" x=\"{}\" y=\"{y}\">{words}</text>\n",
            class(*look),
            y - 4,
            x + 34
        ));
        x += room + 20;
    }
    if x > MARGIN {
        y += 24;
    }
    let remarks = std::iter::once(&picture.summary).chain(&picture.remarks);
    for line in remarks.flat_map(|remark| break_lines(remark, SMALL_SIZE, page - 2 * MARGIN)) {
        let words = escape_xml(&line);
        drawn.push_str(&format!("<text class=\"small\" x=\"{MARGIN}\" y=\"{y}\">{words}</text>\n"));
        y += 18;
    }
    (drawn, y + 4)
}
