//! Text in pictures: unique names of nodes, labels of edges, escaping and text widths.

use std::collections::BTreeMap;

use super::model::{Arrow, Graph, Kind, Mfa};
use crate::assume::context::SENDABLE;
use crate::policy::answer::Fact;
use crate::report::words::join_or;
use hatbox_types::text::printable;

/// Escapes text for XML.
pub(super) fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Returns the maximum width of text of this size in the usual system fonts, in pixels.
pub(super) fn width(text: &str, size: usize) -> usize {
    (text.chars().map(hundredths_of_em).sum::<usize>() * size).div_ceil(100)
}

fn hundredths_of_em(c: char) -> usize {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '!' | '|' | ' ' => 34,
        'f' | 'r' | 't' | '-' | '(' | ')' | '/' | '[' | ']' => 45,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 98,
        'A'..='Z' | '&' | '+' | '=' | '<' | '>' | '_' => 76,
        c if c.is_ascii() => 63,
        '…' | '·' => 100,
        _ => 120,
    }
}

/// Truncates text to at most `most` pixels.
pub(super) fn fit(text: &str, size: usize, most: usize) -> String {
    let text = printable(text).into_owned();
    if width(&text, size) <= most {
        return text;
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if width(&cut, size) + size > most {
            cut.pop();
            break;
        }
    }
    format!("{}…", cut.trim_end())
}

/// Wraps text at spaces into lines of at most `most` pixels; truncates longer words.
pub(super) fn break_lines(text: &str, size: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in printable(text).split(' ') {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fit(word, size, most)),
        }
    }
    lines
}

/// Renders a number with its noun: `1 role`, `4 roles`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Renders the first `most` names and the number of the others.
pub(super) fn list(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The maximum number of members in the name of a node that represents several.
const MOST_MEMBERS: usize = 2;

/// Returns the name of each node: `Ops`; `Ops (prod)` if several nodes have the name; `12 users: alice, bob, …`.
pub(super) fn names(graph: &Graph) -> Vec<String> {
    let of_members: Vec<String> = graph
        .nodes()
        .iter()
        .map(|node| {
            if node.members.is_empty() || node.members.first().is_some_and(|first| *first == node.name) {
                return node.name.clone();
            }
            let shown = node.members.iter().take(MOST_MEMBERS).cloned().collect::<Vec<_>>().join(", ");
            let rest = if node.members.len() > MOST_MEMBERS { ", …" } else { "" };
            format!("{}: {shown}{rest}", node.name)
        })
        .collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &of_members {
        *seen.entry(name).or_default() += 1;
    }
    let labels: BTreeMap<&str, &str> =
        graph.accounts().iter().map(|a| (a.id.as_str(), a.label.as_deref().unwrap_or(&a.id))).collect();
    graph
        .nodes()
        .iter()
        .zip(&of_members)
        .map(|(node, name)| match node.account.as_deref() {
            Some(account) if node.kind != Kind::Outside && seen.get(name.as_str()) > Some(&1) => {
                format!("{name} ({})", labels.get(account).copied().unwrap_or(account))
            }
            _ => name.clone(),
        })
        .collect()
}

/// A longer condition, in characters, is only shown in the tooltip.
const LONGEST_CONDITION: usize = 30;

/// Renders the label of an edge: `mfa`, `no mfa, if aws:SourceIp is 203.0.113.0/24`, `mfa, perhaps`.
pub(super) fn short(arrow: &Arrow<'_>) -> String {
    let mut words = mfa_word(arrow.edge.mfa).to_owned();
    match arrow.edge.conditions.as_slice() {
        [] => {}
        [one] if one.chars().count() <= LONGEST_CONDITION => words.push_str(&format!(", if {one}")),
        several => words.push_str(&format!(", {}", count(several.len(), "condition", "conditions"))),
    }
    if !arrow.edge.unknown.is_empty() {
        words.push_str(", perhaps");
    }
    words
}

pub(super) fn mfa_word(mfa: Mfa) -> &'static str {
    match mfa {
        Mfa::Required => "mfa",
        Mfa::NotRequired => "no mfa",
        Mfa::Unknown => "mfa not known",
    }
}

/// Renders an edge in full: `alice → Ops: with MFA only; if aws:SourceIp is 203.0.113.0/24`.
pub(super) fn whole(arrow: &Arrow<'_>, names: &[String]) -> String {
    let name = |at: usize| names.get(at).map(String::as_str).unwrap_or_default();
    let mut words = format!("{} → {}: ", name(arrow.edge.from), name(arrow.edge.to));
    words.push_str(match (arrow.edge.mfa, arrow.is_chained()) {
        (Mfa::Required, false) => "with MFA only",
        (Mfa::Required, true) => "asks for MFA, which a role's session never carries",
        (Mfa::Unknown, _) => "not known whether MFA is required",
        (Mfa::NotRequired, false) => "no MFA, access keys alone are enough",
        (Mfa::NotRequired, true) => "no MFA",
    });
    if arrow.is_chained() {
        words.push_str("; chained, 1 h at most");
    }
    for condition in &arrow.edge.conditions {
        words.push_str(&format!("; if {condition}"));
    }
    if !arrow.edge.unknown.is_empty() {
        words.push_str(&format!("; perhaps, depending on {}", arrow.edge.unknown.join(", ")));
    }
    words
}

/// Renders the conditions on the request, with the session name first.
pub(super) fn conditions_of(facts: &[Fact]) -> Vec<String> {
    let mut conditions = Vec::new();
    let mut sessions = Vec::new();
    for fact in facts {
        match fact {
            Fact::SessionName(name) => sessions.push(name.clone()),
            Fact::Key(key) if is_sendable(key) || key.eq_ignore_ascii_case("sts:RoleSessionName") => {
                conditions.push(format!("the right {key} is sent"));
            }
            fact => conditions.push(format!("{fact} matches")),
        }
    }
    if !sessions.is_empty() {
        conditions.insert(0, format!("the session is named {}", join_or(&sessions)));
    }
    conditions
}

/// Whether a caller can send a value for the key.
pub(super) fn is_sendable(key: &str) -> bool {
    let key = key.to_lowercase();
    SENDABLE.iter().any(|start| key.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_cut_fits() {
        for most in [40, 60, 100] {
            let cut = fit("WWWWWWWWWWWWWWWWWWWWWWWWWW", 14, most);
            assert!(cut.ends_with('…') && width(&cut, 14) <= most, "{cut} in {most}");
        }
        assert_eq!(fit("Ops", 14, 60), "Ops");
    }

    #[test]
    fn lines_are_broken_where_the_next_word_would_not_fit() {
        let text = "one two three WWWWWWWWWWWWWWWW four";
        let lines = break_lines(text, 14, 120);
        assert!(lines.iter().all(|line| width(line, 14) <= 120), "{lines:?}");
        assert_eq!((lines[0].as_str(), lines[1].as_str()), ("one two three", "WWWWWWW…"));
        assert_eq!(lines.last().map(String::as_str), Some("four"));
        assert_eq!(break_lines("short", 14, 120), ["short"]);
    }

    #[test]
    fn marks_that_turn_the_writing_and_control_characters_are_shown_as_escapes() {
        assert_eq!(escape_xml("a\u{202e}b\u{7}c\n\u{ffff}é"), r"a\u202eb\u0007c\n\uffffé");
    }
}
