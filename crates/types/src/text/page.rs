//! Pages for people: styled lines of at most 80 columns, except for long words.
//!
//! Nothing is coloured here: a [`Line`] consists of spans, each with a [`Style`], and is understandable without it. The
//! code that prints it turns styles into colours.

use std::fmt;

use super::printable;
use super::wrap::{display_width, wrap};

/// The width of a line in columns.
pub const WIDTH: usize = 80;

/// How to highlight a span, if colours are possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No highlighting.
    Plain,
    /// A heading, or the name of a thing or call.
    Strong,
    /// A label, or the origin of a value.
    Quiet,
    /// Success: yes, or everything is available.
    Good,
    /// Unknown, or the result differs from the request.
    Warning,
    /// Failure: no, or something is wrong.
    Bad,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The text, without control characters.
    pub text: String,
    /// The style.
    pub style: Style,
}

/// A line without its newline. `Display` prints only the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line(pub Vec<Span>);

impl Line {
    /// Creates a line with one span.
    pub fn of(text: &str, style: Style) -> Self {
        Self::default().with(text, style)
    }

    /// Returns the line with another span.
    #[must_use]
    pub fn with(mut self, text: &str, style: Style) -> Self {
        self.push(text, style);
        self
    }

    /// Adds a span, escaping unprintable characters.
    pub fn push(&mut self, text: &str, style: Style) {
        if !text.is_empty() {
            self.0.push(Span { text: printable(text).into_owned(), style });
        }
    }

    /// Returns the width in columns.
    pub fn width(&self) -> usize {
        self.0.iter().map(|span| display_width(&span.text)).sum()
    }

    /// Adds blanks up to a column.
    pub fn pad_to(&mut self, column: usize) {
        let missing = column.saturating_sub(self.width());
        self.push(&" ".repeat(missing), Style::Plain);
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|span| f.write_str(&span.text))
    }
}

/// A sequence of lines. `Display` prints only the text, with a line end after each line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page(pub Vec<Line>);

impl Page {
    /// Adds an empty line.
    pub fn blank(&mut self) {
        self.0.push(Line::default());
    }

    /// Adds a line of spans, unchanged.
    pub fn line(&mut self, spans: &[(&str, Style)]) {
        self.0.push(spans.iter().fold(Line::default(), |line, (text, style)| line.with(text, *style)));
    }

    /// Adds a line without highlighting.
    pub fn plain(&mut self, text: &str) {
        self.line(&[(text, Style::Plain)]);
    }

    /// Adds a text after `lead`, wrapped at blanks. Further lines are indented by `indent`.
    pub fn hang(&mut self, lead: Line, text: &str, style: Style, indent: usize) {
        let room = |from: usize| WIDTH.saturating_sub(from);
        let mut line = lead;
        for (index, piece) in wrap(&printable(text), room(line.width()), room(indent)).into_iter().enumerate()
        {
            if index > 0 {
                self.0.push(std::mem::take(&mut line));
                line.pad_to(indent);
            }
            line.push(&piece, style);
        }
        self.0.push(line);
    }

    /// Adds a wrapped text without indentation.
    pub fn paragraph(&mut self, text: &str) {
        self.hang(Line::default(), text, Style::Plain, 0);
    }

    /// Adds the lines of another page.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_hangs_behind_its_lead_and_keeps_words_whole() {
        let mut page = Page::default();
        page.hang(Line::of("- ", Style::Quiet), &"word ".repeat(40), Style::Plain, 2);
        page.hang(Line::of("漢字  ", Style::Quiet), &format!("one {} two", "x".repeat(90)), Style::Strong, 6);
        let text = page.to_string();
        assert!(
            text.lines().all(|line| display_width(line) <= WIDTH || line.trim() == "x".repeat(90)),
            "{text}"
        );
        assert!(
            text.lines().skip(1).all(|line| line.starts_with("  ") || line.starts_with("漢字  one")),
            "{text}"
        );
        assert!(text.ends_with("\n      two\n"), "{text}");
    }

    #[test]
    fn a_value_cannot_speak_to_the_terminal() {
        let mut page = Page::default();
        page.line(&[("external  ", Style::Quiet), ("a\u{1b}[2Jb\u{202e}c\n", Style::Plain)]);
        page.hang(Line::of("x ", Style::Plain), "a\u{1b}\nb", Style::Plain, 2);
        assert_eq!(page.to_string(), "external  a\\u001b[2Jb\\u202ec\\n\nx a\\u001b\\nb\n");
    }
}
