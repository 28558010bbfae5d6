//! Lines of at most 80 columns, made of labelled rows.

use std::fmt;

use hatbox_types::text::printable;

/// Columns of a line.
pub(crate) const WIDTH: usize = 80;
const LABEL_AT: usize = 5;
const VALUE_AT: usize = 17;

/// How a span is to stand out, where colour is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Not at all.
    Plain,
    /// The name of a thing, or what is called.
    Strong,
    /// Labels, and where a value came from.
    Quiet,
    /// All is there: nothing will be asked.
    Good,
    /// The outcome differs from what was asked for.
    Warning,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its text, without control characters.
    pub text: String,
    /// How it stands out.
    pub style: Style,
}

/// A line, without its newline. `Display` gives the text alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line(pub Vec<Span>);

impl Line {
    fn push(&mut self, text: &str, style: Style) {
        self.0.push(Span { text: printable(text).into_owned(), style });
    }

    fn width(&self) -> usize {
        self.0.iter().map(|span| span.text.chars().count()).sum()
    }

    fn pad_to(&mut self, column: usize) {
        let missing = column.saturating_sub(self.width());
        if missing > 0 {
            self.push(&" ".repeat(missing), Style::Plain);
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|span| f.write_str(&span.text))
    }
}

/// Lines in the making.
#[derive(Default)]
pub(crate) struct Page(pub(crate) Vec<Line>);

impl Page {
    pub(crate) fn blank(&mut self) {
        self.0.push(Line::default());
    }

    /// A line of spans, as they are.
    pub(crate) fn line(&mut self, spans: &[(&str, Style)]) {
        let mut line = Line::default();
        for (text, style) in spans {
            line.push(text, *style);
        }
        self.0.push(line);
    }

    /// A label, its value, and where the value came from: on the same line where that fits, else below.
    pub(super) fn row(&mut self, label: &str, value: &str, style: Style, origin: Option<&str>) {
        let mut line = Line::default();
        line.pad_to(LABEL_AT);
        line.push(label, Style::Quiet);
        line.pad_to(VALUE_AT);
        let mut pieces = wrap(value, WIDTH - VALUE_AT).into_iter();
        line.push(&pieces.next().unwrap_or_default(), style);
        for piece in pieces {
            self.0.push(std::mem::take(&mut line));
            line.pad_to(VALUE_AT);
            line.push(&piece, style);
        }
        if let Some(origin) = origin {
            if line.width() + 2 + origin.chars().count() <= WIDTH {
                line.push("  ", Style::Plain);
            } else {
                self.0.push(std::mem::take(&mut line));
                line.pad_to(VALUE_AT);
            }
            line.push(origin, Style::Quiet);
        }
        self.0.push(line);
    }

    /// A text that starts with a mark and goes on indented below it.
    pub(super) fn item(&mut self, mark: &str, text: &str, style: Style, origin: Option<&str>) {
        let indent = 2 + mark.chars().count() + 1;
        for (index, piece) in wrap(text, WIDTH - indent).iter().enumerate() {
            let mut line = Line::default();
            line.pad_to(2);
            if index == 0 {
                line.push(mark, style);
            }
            line.pad_to(indent);
            line.push(piece, Style::Plain);
            self.0.push(line);
        }
        if let Some(origin) = origin {
            let mut line = Line::default();
            line.pad_to(indent);
            line.push(origin, Style::Quiet);
            self.0.push(line);
        }
    }
}

/// Breaks a text at blanks into pieces of at most `width` characters; a longer word stays whole, so that it
/// can be copied.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in text.split(' ') {
        let Some(last) = pieces.last_mut() else { break };
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            pieces.push(word.to_owned());
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(page: &Page) -> Vec<String> {
        page.0.iter().map(Line::to_string).collect()
    }

    #[test]
    fn an_origin_goes_below_when_the_line_is_full() {
        let mut page = Page::default();
        page.row("role", "short", Style::Plain, Some("~/.aws/config:9"));
        page.row("role", &"x".repeat(60), Style::Plain, Some("~/.aws/config:9"));
        assert_eq!(
            text(&page),
            [
                "     role        short  ~/.aws/config:9".to_owned(),
                format!("     role        {}", "x".repeat(60)),
                "                 ~/.aws/config:9".to_owned(),
            ]
        );
    }

    #[test]
    fn a_long_value_breaks_at_blanks_and_keeps_words_whole() {
        let long = "w".repeat(90);
        assert_eq!(wrap(&format!("one two {long} three"), 10), ["one two", &long, "three"]);
        let mut page = Page::default();
        page.item("-", &"word ".repeat(40), Style::Plain, None);
        assert!(text(&page).len() > 1 && text(&page).iter().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn a_value_cannot_speak_to_the_terminal() {
        let mut page = Page::default();
        page.row("external", "a\u{1b}[2Jb\u{202e}c", Style::Plain, None);
        assert_eq!(text(&page), ["     external    a\\u001b[2Jb\\u202ec"]);
    }
}
