//! Splits the output of a command into lines that are safe to print.

use hatbox_types::text::printable_lines;

/// In bytes. A longer line is shown in several pieces.
const LONGEST: usize = 16 << 10;
const RESET: &str = "\u{1b}[0m";

/// Splits bytes into lines as they arrive. Drops what a carriage return would overwrite on a terminal, so the line of a
/// progress bar is its last state.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    /// Whether the next character overwrites the line, unless it ends it.
    is_at_start: bool,
}

impl Lines {
    /// Takes more bytes and passes each complete line to `give`, without its line end.
    pub(super) fn push(&mut self, bytes: &[u8], mut give: impl FnMut(&[u8])) {
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match part.split_last() {
                Some((end @ (b'\n' | b'\r'), text)) => (text, Some(*end)),
                _ => (part, None),
            };
            if !text.is_empty() && std::mem::take(&mut self.is_at_start) {
                self.begun.clear();
            }
            self.add(text, &mut give);
            match end {
                Some(b'\n') => {
                    give(&self.begun);
                    self.begun.clear();
                    self.is_at_start = false;
                }
                Some(_) => self.is_at_start = true,
                None => {}
            }
        }
    }

    fn add(&mut self, mut text: &[u8], give: &mut impl FnMut(&[u8])) {
        while self.begun.len() + text.len() > LONGEST {
            let (now, later) = text.split_at(LONGEST.saturating_sub(self.begun.len()).min(text.len()));
            self.begun.extend_from_slice(now);
            let end = end_of_characters(&self.begun);
            let rest = self.begun.split_off(end);
            give(&self.begun);
            self.begun = rest;
            text = later;
        }
        self.begun.extend_from_slice(text);
    }

    /// Passes the rest to `give`, a line without a line end.
    pub(super) fn finish(&mut self, give: impl FnOnce(&[u8])) {
        if !self.begun.is_empty() {
            give(&std::mem::take(&mut self.begun));
        }
    }
}

/// Returns the end of the last complete UTF-8 character. Does not hold back invalid bytes.
fn end_of_characters(bytes: &[u8]) -> usize {
    let is_start = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
    let last =
        bytes.iter().rev().take(4).position(is_start).map_or(bytes.len(), |back| bytes.len() - 1 - back);
    let tail = bytes.get(last..).unwrap_or_default();
    match std::str::from_utf8(tail) {
        Err(error) if error.error_len().is_none() && last > 0 => last,
        _ => bytes.len(),
    }
}

/// Renders a line for the terminal: keeps tabs and colours, which end with the line, and escapes all other control
/// characters.
pub(super) fn render_line_of_command(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let mut shown = String::with_capacity(line.len() + 8);
    let mut rest = &*line;
    let mut has_colours = false;
    while !rest.is_empty() {
        let (plain, sequence, after) = split_at_colour(rest);
        shown.push_str(&printable_lines(plain, &[]));
        shown.push_str(sequence);
        has_colours |= !sequence.is_empty();
        rest = after;
    }
    if has_colours && !shown.ends_with(RESET) {
        shown.push_str(RESET);
    }
    shown
}

/// Splits at the first sequence that sets colours (SGR of ECMA-48): the text before it, the sequence, the text after
/// it.
fn split_at_colour(text: &str) -> (&str, &str, &str) {
    for (at, _) in text.match_indices("\u{1b}[") {
        let parameters = text.get(at + 2..).unwrap_or_default();
        let length =
            parameters.len() - parameters.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').len();
        let end = at + 2 + length;
        if text.get(end..).is_some_and(|rest| rest.starts_with('m')) {
            let parts = (text.get(..at), text.get(at..=end), text.get(end + 1..));
            if let (Some(before), Some(sequence), Some(after)) = parts {
                return (before, sequence, after);
            }
        }
    }
    (text, "", "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |line| found.push(String::from_utf8_lossy(line).into_owned()));
        }
        lines.finish(|line| found.push(String::from_utf8_lossy(line).into_owned()));
        found
    }

    #[test]
    fn lines_are_cut_wherever_the_chunks_are() {
        assert_eq!(lines(&[b"one\ntw", b"o\n", b"\nfour"]), ["one", "two", "", "four"]);
        assert_eq!(lines(&[b"dos\r\n", b"split\r", b"\nend"]), ["dos", "split", "end"]);
        assert_eq!(lines(&[b"10%\r20%\r", b"30%\n"]), ["30%"], "what was overwritten is left out");
        assert_eq!(lines(&[b"kept\r"]), ["kept"]);
        assert_eq!(lines(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_line_without_end_is_given_in_pieces_of_whole_characters() {
        let long = "\u{e9}".repeat(LONGEST);
        let pieces = lines(&[b"a", long.as_bytes()]);
        assert_eq!(pieces.concat(), format!("a{long}"));
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() <= LONGEST));
        let bytes = vec![0xff; 3 * LONGEST];
        assert_eq!(lines(&[&bytes]).len(), 3, "bytes that are no text too");
    }

    #[test]
    fn a_line_moves_no_cursor_and_its_colours_end_with_it() {
        for (line, shown) in [
            ("a\tb", "a\tb"),
            ("\u{1b}[31mred", "\u{1b}[31mred\u{1b}[0m"),
            ("\u{1b}[1;32mok\u{1b}[0m", "\u{1b}[1;32mok\u{1b}[0m"),
            ("\u{1b}[2Jx\u{1b}]0;t\u{7}", r"\u001b[2Jx\u001b]0;t\u0007"),
            ("\u{1b}[31", r"\u001b[31"),
            ("::error::x ##[group]", r"\u003a:error::x \u0023#[group]"),
            ("a\u{202e}b", r"a\u202eb"),
        ] {
            assert_eq!(render_line_of_command(line.as_bytes()), shown, "{line:?}");
        }
        assert_eq!(render_line_of_command(b"a\xffb"), "a\u{fffd}b");
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_however_they_are_cut(text in "[a-z\u{e9}\n]{0,200}", cuts in proptest::collection::vec(0..200usize, 0..8)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            let expected: Vec<_> = text.lines().map(str::to_owned).collect();
            prop_assert_eq!(lines(&chunks), expected);
        }
    }
}
