//! Renders the graph as text: users with the roles they can assume on the left, the roles of each account on the right.

use super::model::{Arrow, Graph, Kind, Mfa, Node};
use super::picture::{Picture, Weight};
use super::words::list;
use hatbox_types::text::page::{Line, Page, Style, WIDTH};
use hatbox_types::text::printable;
use hatbox_types::text::table::pad;
use hatbox_types::text::wrap::{display_width, wrap};

/// The characters for drawing lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Characters {
    /// The box-drawing characters of Unicode.
    Lines,
    /// ASCII, for terminals that cannot show others.
    Ascii,
}

/// The minimum width of the left half if there is room, and the distance to the right half, in columns.
const LEAST_LEFT: usize = 40;
const BETWEEN: usize = 3;
/// If a line of a note would be shorter than this, the right half is placed below the left half instead.
const LEAST_NOTE: usize = 24;
/// The indentation of wrapped lines, in columns.
const INDENT: usize = 6;
/// Longer chains continue on a separate line.
const MOST_STEPS: usize = 3;
/// The maximum number of names for a node that represents several roles.
const MOST_MEMBERS: usize = 3;

/// Renders the graph for a terminal. The outgoing edges of a role are shown where the role first appears.
pub fn render_text(graph: &Graph, characters: Characters) -> Page {
    let picture = Picture::new(graph);
    let left = PathLines::render(&picture, characters);
    let widest = |lines: &[String]| lines.iter().map(|line| display_width(line)).max().unwrap_or_default();
    let room = WIDTH.saturating_sub(widest(&left) + BETWEEN);
    let mut page = Page::default();
    if let Some(right) = roles(&picture, room).filter(|right| widest(right) <= room) {
        let width = widest(&left).max(LEAST_LEFT.min(WIDTH - BETWEEN - widest(&right))) + BETWEEN;
        for at in 0..left.len().max(right.len()) {
            let half = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
            page.plain(format!("{}{}", pad(&half(&left), width), half(&right)).trim_end());
        }
    } else {
        for line in &left {
            let (path, remark) = split_remark(line);
            page.hang(Line::of(path, Style::Plain), remark, Style::Plain, INDENT);
        }
        page.blank();
        for line in roles(&picture, WIDTH).unwrap_or_default() {
            page.plain(line.trim_end());
        }
    }
    let chained = match characters {
        Characters::Lines => '┈',
        Characters::Ascii => '.',
    };
    let mut legend = format!("mfa: MFA required, {chained} chained (max 1 h), ! access keys are enough");
    if picture.has_unknown() {
        legend.push_str(", ? not known");
    }
    page.paragraph(&picture.summary);
    page.paragraph(&legend);
    for remark in &picture.remarks {
        page.hang(Line::default(), remark, Style::Plain, 2);
    }
    page
}

/// Builds the left half: the lines of the paths.
struct PathLines<'a> {
    picture: &'a Picture,
    outgoing: Vec<Vec<Arrow<'a>>>,
    characters: Characters,
    /// Roles whose outgoing edges are already shown, or will be on a separate line.
    shown: Vec<bool>,
    /// Roles at which chains were cut; each starts a line later.
    cut: Vec<usize>,
    lines: Vec<String>,
}

impl<'a> PathLines<'a> {
    fn render(picture: &'a Picture, characters: Characters) -> Vec<String> {
        let nodes = picture.graph.nodes();
        let outgoing = picture.graph.outgoing();
        let mut path_lines = Self {
            picture,
            shown: vec![false; nodes.len()],
            outgoing,
            characters,
            cut: Vec::new(),
            lines: Vec::new(),
        };
        let people = || nodes.iter().enumerate().filter(|(_, node)| node.kind != Kind::Role);
        let widest =
            people().map(|(at, _)| display_width(&printable(picture.name(at)))).max().unwrap_or_default();
        let mut accounts: Vec<Option<&str>> = people().map(|(_, node)| node.account.as_deref()).collect();
        accounts.sort_unstable_by_key(|account| (account.is_none(), *account));
        accounts.dedup();
        for account in accounts {
            path_lines.head(&picture.graph.account_title(account, Kind::Outside));
            for (at, _) in people().filter(|(_, node)| node.account.as_deref() == account) {
                path_lines.follow(&format!("{} ", pad(&printable(picture.name(at)), widest)), at, 0);
            }
        }
        let mut begun = 0;
        while let Some(&at) = path_lines.cut.get(begun) {
            if begun == 0 {
                path_lines.head("longer chains");
            }
            path_lines.follow(&format!("{} ", printable(picture.name(at))), at, 0);
            begun += 1;
        }
        path_lines.lines
    }

    fn head(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.lines.push(String::new());
        }
        self.lines.push(printable(title).into_owned());
    }

    /// Adds a line for each outgoing edge of a node; the first one continues `lead`.
    fn follow(&mut self, lead: &str, from: usize, steps: usize) {
        let blank = " ".repeat(display_width(lead));
        let arrows = self.outgoing.get(from).cloned().unwrap_or_default();
        for (number, arrow) in arrows.iter().enumerate() {
            let lead = if number == 0 { lead } else { &blank };
            let line = format!("{lead}{} {}", self.line(arrow), printable(self.picture.name(arrow.edge.to)));
            let remark = remark(arrow);
            if !self.goes_on(arrow.edge.to) {
                self.lines.push(format!("{line}{remark}"));
            } else if steps + 1 >= MOST_STEPS {
                self.lines.push(format!("{line}{remark}"));
                self.cut.push(arrow.edge.to);
            } else if remark.is_empty() {
                self.follow(&format!("{line} "), arrow.edge.to, steps + 1);
            } else {
                self.follow_below(&line, &remark, arrow.edge.to, steps + 1);
            }
        }
    }

    /// Like `follow`, but starts new lines, as a remark ends the current one.
    fn follow_below(&mut self, line: &str, remark: &str, from: usize, steps: usize) {
        self.lines.push(format!("{line}{remark}"));
        let blank = " ".repeat(display_width(line) + 1);
        self.follow(&blank, from, steps);
    }

    /// Whether to show the outgoing edges of a role here. Returns true at most once for each role.
    fn goes_on(&mut self, role: usize) -> bool {
        let has_ways = self.outgoing.get(role).is_some_and(|arrows| !arrows.is_empty());
        has_ways && self.shown.get_mut(role).is_some_and(|shown| !std::mem::replace(shown, true))
    }

    fn line(&self, arrow: &Arrow<'_>) -> String {
        let dash = match (self.characters, arrow.is_chained()) {
            (Characters::Lines, false) => "─",
            (Characters::Lines, true) => "┈",
            (Characters::Ascii, false) => "-",
            (Characters::Ascii, true) => ".",
        };
        let label = match (arrow.edge.mfa, arrow.is_chained()) {
            (Mfa::Required, _) => "mfa",
            (Mfa::Unknown, _) => "mfa?",
            (Mfa::NotRequired, true) => "no mfa",
            // The remark at the end of the line mentions it.
            (Mfa::NotRequired, false) => return format!("{}>", dash.repeat(8)),
        };
        format!("{}{label}{}>", dash.repeat(2), dash.repeat(2))
    }
}

/// Splits a line before its remark and the spaces in front of it. If the path leaves no room for a remark, the path is
/// empty and the whole line is the remark, which is wrapped.
fn split_remark(line: &str) -> (&str, &str) {
    let at = line.rfind('>').and_then(|arrow| Some(arrow + line.get(arrow..)?.find("   ")?));
    match at.and_then(|at| line.split_at_checked(at)) {
        Some((path, remark)) if display_width(path) <= WIDTH - LEAST_NOTE / 2 => (path, remark),
        _ => ("", line),
    }
}

/// Returns the text behind the role at the end of a line.
fn remark(arrow: &Arrow<'_>) -> String {
    let mut parts = Vec::new();
    if arrow.edge.mfa == Mfa::NotRequired && !arrow.is_chained() {
        parts.push("! no MFA".to_owned());
    }
    parts.extend(arrow.edge.conditions.iter().map(|condition| format!("if {}", printable(condition))));
    if !arrow.edge.unknown.is_empty() {
        parts.push(format!("? depends on {}", printable(&arrow.edge.unknown.join(", "))));
    }
    if parts.is_empty() { String::new() } else { format!("   {}", parts.join("; ")) }
}

/// Returns the right half, at most `room` columns wide unless a word is longer: the roles of each account, each with
/// its note. `None` if there is too little room for the notes.
fn roles(picture: &Picture, room: usize) -> Option<Vec<String>> {
    let roles = || picture.graph.nodes().iter().enumerate().filter(|(_, node)| node.kind == Kind::Role);
    let name = |node: &Node| match node.members.as_slice() {
        [] => printable(&node.name).into_owned(),
        members => printable(&list(members, MOST_MEMBERS)).into_owned(),
    };
    let widest = roles().map(|(_, node)| display_width(&name(node))).max().unwrap_or_default();
    let room = room.saturating_sub(widest + 2);
    let mut lines = Vec::new();
    let mut account = None;
    for (at, node) in roles() {
        if account != Some(&node.account) {
            if account.is_some() {
                lines.push(String::new());
            }
            lines.push(
                printable(&picture.graph.account_title(node.account.as_deref(), Kind::Role)).into_owned(),
            );
            account = Some(&node.account);
        }
        let note = picture.note(at).map(|note| match note.weight {
            Weight::Open => format!("! {}", note.text),
            Weight::Plain | Weight::Warning => note.text.clone(),
        });
        let note = note.unwrap_or_default();
        let note = wrap(&printable(&note), room, room);
        if note.len() > 1 && room < LEAST_NOTE {
            return None;
        }
        let mut name = name(node);
        for piece in note {
            lines.push(format!("{}  {piece}", pad(&name, widest)));
            name.clear();
        }
    }
    Some(lines)
}
