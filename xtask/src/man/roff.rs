//! Text for man(7): escaped, with literals in bold, and wrapped.

use std::fmt::Write as _;

/// The maximum line length, from mandoc's STYLE messages.
const WIDTH: usize = 78;

/// Escapes text for any position except the start of a line: see [`line`].
///
/// Hyphens become `\-`: otherwise they are rendered as typographic hyphens, which shells do not accept.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\(rs"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '`' => escaped.push_str("\\(ga"),
            '"' => escaped.push_str("\\(dq"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            ' ' | '!'..='}' => escaped.push(c),
            c if c.is_control() => {}
            c => {
                write!(escaped, "\\[u{:04X}]", u32::from(c)).ok();
            }
        }
    }
    escaped
}

/// Renders a line. Guards a dot at its start, which would begin a request; quotes, which would too, are already
/// escaped.
pub(super) fn line(escaped: &str) -> String {
    let guard = if escaped.starts_with('.') { "\\&" } else { "" };
    format!("{guard}{escaped}\n")
}

pub(super) fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escape(text))
}

pub(super) fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", escape(text))
}

/// Escapes prose. Options and text in backticks become bold; the backticks are removed.
pub(super) fn inline(text: &str) -> String {
    let mut parts = text.split('`');
    let mut made = options_bold(parts.next().unwrap_or_default());
    while let Some(code) = parts.next() {
        match parts.next() {
            Some(after) => {
                made.push_str(&bold(code));
                made.push_str(&options_bold(after));
            }
            // An unmatched backtick.
            None => made.push_str(&escape(&format!("`{code}"))),
        }
    }
    made
}

/// Escapes text, and makes words such as `--from` bold.
fn options_bold(text: &str) -> String {
    let mut made = String::new();
    for word in text.split_inclusive(' ') {
        let begin = word.len() - word.trim_start_matches(['(', '[']).len();
        let (before, word) = word.split_at(begin);
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let (name, after) = word.split_at(word.find(|c| !is_of_name(c)).unwrap_or(word.len()));
        made.push_str(&escape(before));
        let is_option = name.starts_with("--") && name.len() > 2;
        made.push_str(&if is_option { bold(name) } else { escape(name) });
        made.push_str(&escape(after));
    }
    made
}

/// Renders a usage line or the name of an option: placeholders in italics, the rest in bold.
pub(super) fn synopsis(text: &str) -> String {
    let mut made = String::new();
    let mut literal = String::new();
    let end_literal = |literal: &mut String, made: &mut String| {
        if !literal.is_empty() {
            made.push_str(&bold(literal));
            literal.clear();
        }
    };
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c: char| !(c.is_ascii_uppercase() || c == '_')).unwrap_or(rest.len());
        let is_word_begun = literal.ends_with(|c: char| c.is_alphanumeric() || c == '-');
        if !is_word_begun && (length > 1 || length == 1 && before == '<') {
            let (name, after) = rest.split_at(length);
            end_literal(&mut literal, &mut made);
            made.push_str(&italic(name));
            rest = after;
            continue;
        }
        before = c;
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            // Delimiters of a placeholder.
            '<' | '>' => {}
            ' ' | '[' | ']' | '.' | ',' | '|' | '=' => {
                end_literal(&mut literal, &mut made);
                made.push_str(&escape(&c.to_string()));
            }
            c => literal.push(c),
        }
    }
    end_literal(&mut literal, &mut made);
    made
}

/// Wraps escaped text at its spaces.
pub(super) fn wrap(escaped: &str) -> String {
    let mut made = String::new();
    let mut current = String::new();
    for word in escaped.split(' ').filter(|word| !word.is_empty()) {
        if !current.is_empty() && current.len() + 1 + word.len() > WIDTH {
            made.push_str(&line(&current));
            current.clear();
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    made.push_str(&line(&current));
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_backslashes_quotes_and_other_characters_are_escaped() {
        assert_eq!(escape(r"a-b \n 'c' `d` ~^"), r"a\-b \(rsn \(aqc\(aq \(gad\(ga \(ti\(ha");
        assert_eq!(escape("e\u{301}\u{1b}…\"x"), r"e\[u0301]\[u2026]\(dqx");
        assert_eq!(line(".hatbox"), "\\&.hatbox\n");
    }

    #[test]
    fn literals_are_bold_and_what_is_replaced_is_in_italics() {
        assert_eq!(inline("see --from, `a-b` (or --x)"), r"see \fB\-\-from\fR, \fBa\-b\fR (or \fB\-\-x\fR)");
        assert_eq!(inline("one ` alone -- here"), r"one \(ga alone \-\- here");
        assert_eq!(synopsis("-d, --duration <DURATION>"), r"\fB\-d\fR, \fB\-\-duration\fR \fIDURATION\fR");
        assert_eq!(
            synopsis("hatbox a [B_C]... <D|EF>"),
            r"\fBhatbox\fR \fBa\fR [\fIB_C\fR]... \fID\fR|\fIEF\fR"
        );
    }

    #[test]
    fn lines_are_broken_at_spaces_and_none_begins_with_a_dot() {
        let text = format!("{} .hatbox.toml b", "a".repeat(WIDTH));
        assert_eq!(wrap(&text), format!("{}\n\\&.hatbox.toml b\n", "a".repeat(WIDTH)));
    }
}
