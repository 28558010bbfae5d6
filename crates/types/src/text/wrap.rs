//! Wraps long lines at words, by their width on the screen.

use unicode_width::UnicodeWidthStr;

/// Returns the columns of `text` on a terminal: two for an East Asian wide character, none for a combining accent.
pub fn display_width(text: &str) -> usize {
    // Most text is plain, and needs no look-up of each character.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain { text.len() } else { text.width() }
}

/// Splits a text at blanks into pieces: the first of at most `first` columns, the others of at most `rest`.
///
/// Longer words are not split, so they can be copied.
pub fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    fill(pieces(text, |_| false), first, rest, display_width)
}

/// Wraps a line of a message at blanks, into lines of at most `width` columns. Indents further lines to the column of
/// the text, or by two more than the line.
///
/// Keeps text in backticks together if it fits, as it may be pasted. Does not split long words, such as paths: indents
/// them less where they would not fit. The sequences `own` have no width.
pub fn wrap_line(line: &str, width: usize, own: &[&str]) -> Vec<String> {
    let shown_width = |text: &str| {
        let plain = own.iter().fold(text.to_owned(), |text, sequence| text.replace(sequence, ""));
        display_width(&plain)
    };
    let indent = column_of(line, own).min(width / 2);
    let pieces = pieces(line, |piece| shown_width(piece) + indent <= width);
    let lines = fill(pieces, width, width - indent, shown_width);
    let margin = |line: &str| indent.min(width.saturating_sub(shown_width(line)).max(LEAST_INDENT));
    let indented = |(index, line): (usize, &String)| match index {
        0 => line.clone(),
        _ => format!("{:1$}{line}", "", margin(line)),
    };
    lines.iter().enumerate().map(indented).collect()
}

/// The indent of a further line that is too long in any case.
const LEAST_INDENT: usize = 2;

/// Fills lines with pieces. The first line is at most `first` wide, the others `rest`; a wider piece gets its own line.
fn fill(pieces: Vec<&str>, first: usize, rest: usize, width_of: impl Fn(&str) -> usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut current = String::new();
    for piece in pieces {
        let room = if lines.is_empty() { first } else { rest };
        if width_of(current.trim_end()) > 0 && width_of(&current) + width_of(piece.trim_end()) > room {
            lines.push(current.trim_end().to_owned());
            current.clear();
            current.push_str(piece.trim_start());
        } else {
            current.push_str(piece);
        }
    }
    lines.push(current.trim_end().to_owned());
    lines
}

/// Returns the start of the last column of a table within the left half of a usual line; otherwise two more than the
/// line's own indentation.
fn column_of(line: &str, own: &[&str]) -> usize {
    const LEFT_HALF: usize = 44;
    let plain = own.iter().fold(line.to_owned(), |text, sequence| text.replace(sequence, ""));
    let leading = plain.len() - plain.trim_start().len();
    let mut column = leading + 2;
    let mut blanks = 0;
    for (at, c) in plain.chars().enumerate() {
        if c != ' ' && blanks >= 2 && at > leading && at <= LEFT_HALF {
            column = at;
        }
        blanks = if c == ' ' { blanks + 1 } else { 0 };
    }
    column
}

/// Returns the words of a line, each with the blanks before it. Text in backticks is one word if it `fits`.
fn pieces(line: &str, fits: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let word = rest.get(blanks..).unwrap_or_default();
        let plain_end = word.find(' ').unwrap_or(word.len());
        let mut end = plain_end;
        // A word may start a longer text in backticks: (`hatbox add x`).
        let ticks = |text: &str| text.matches('`').count() % 2 == 1;
        while ticks(word.get(..end).unwrap_or_default()) && end < word.len() {
            let next = word.get(end + 1..).unwrap_or_default();
            end = next.find(' ').map_or(word.len(), |at| end + 1 + at);
        }
        if ticks(word.get(..end).unwrap_or_default()) || !fits(word.get(..end).unwrap_or_default()) {
            end = plain_end;
        }
        let length = blanks + end;
        found.push(rest.get(..length).unwrap_or(rest));
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_breaks_at_blanks_and_keeps_long_words_whole() {
        for (text, first, rest, pieces) in [
            ("one two three", 7, 7, &["one two", "three"][..]),
            ("one two three four", 3, 10, &["one", "two three", "four"]),
            ("a wwwwwwwwwwww b", 5, 5, &["a", "wwwwwwwwwwww", "b"]),
            ("wwwwwwwwwwww b", 5, 5, &["wwwwwwwwwwww", "b"]),
            ("yes  it is", 7, 7, &["yes  it", "is"]),
            ("漢字 漢字 漢字", 9, 9, &["漢字 漢字", "漢字"]),
            ("e\u{301}e\u{301} e\u{301}e\u{301}", 5, 5, &["e\u{301}e\u{301} e\u{301}e\u{301}"]),
            ("", 5, 5, &[""]),
        ] {
            assert_eq!(wrap(text, first, rest), pieces, "{text}");
        }
    }

    #[test]
    fn lines_are_broken_at_words_and_indented_as_they_are() {
        for (line, width, lines) in [
            ("short", 20, &["short"][..]),
            ("hatbox: error: one two three", 20, &["hatbox: error: one", "  two three"]),
            ("  caused by: one two three", 20, &["  caused by: one two", "    three"]),
            ("Fix     one two three four", 20, &["Fix     one two", "        three four"]),
            ("use `hatbox add x` now", 17, &["use", "  `hatbox add x`", "  now"]),
            ("use `a b c d e f g h i j` now", 14, &["use `a b c d e", "  f g h i j`", "  now"]),
            ("漢字漢字 漢字漢字", 10, &["漢字漢字", "  漢字漢字"]),
            ("a bbbbbbbbbbbbbbbbbbbbbbbb c", 10, &["a", "  bbbbbbbbbbbbbbbbbbbbbbbb", "  c"]),
            (
                "pass    absent  no store at /home/jan/store: see",
                20,
                &["pass    absent  no", "          store at", "    /home/jan/store:", "          see"],
            ),
            ("one ` two three", 10, &["one ` two", "  three"]),
        ] {
            assert_eq!(wrap_line(line, width, &[]), lines, "{line}");
        }
        let coloured = "\u{1b}[1mone\u{1b}[0m two";
        assert_eq!(wrap_line(coloured, 7, &["\u{1b}[1m", "\u{1b}[0m"]), [coloured]);
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_none_is_too_far_out(line in "[a-z漢`]{1,9}( {1,3}[a-z漢`]{1,9}){0,20}", width in 24..90usize) {
            let lines = wrap_line(&line, width, &[]);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&lines.join(" ")), words(&line));
            for line in &lines {
                prop_assert!(line.width() <= width || words(line).len() == 1, "{line:?}");
            }
        }
    }
}
