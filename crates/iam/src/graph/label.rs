//! Text in a picture: what may stand in it, and how wide it is.

use hatbox_types::text::printable;

/// Text that is no markup.
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

/// The most that text of this size takes in any of the usual system fonts, in pixels.
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

/// Text cut so that it takes no more than `most` pixels.
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

/// Text broken at blanks into lines of no more than `most` pixels; a word that is wider is cut.
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

/// `1 role`, `4 roles`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The first `most` names, and how many there are besides.
pub(super) fn list(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
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
