//! Pages for people: styled lines, of at most 80 columns where their words allow that.
//!
//! Nothing is coloured here: a [`Line`] is made of spans with a [`Style`] each, and its meaning survives without. Whoever
//! writes it turns styles into colours, where there are any.

use std::fmt;

use super::printable;
use super::wrap::{display_width, wrap};

/// Columns of a line.
pub const WIDTH: usize = 80;

/// How a span is to stand out, where colour is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Not at all.
    Plain,
    /// A heading, the name of a thing, or what is called.
    Strong,
    /// Labels, and where a value came from.
    Quiet,
    /// Yes, or all is there: nothing will be asked.
    Good,
    /// Not known, or the outcome differs from what was asked for.
    Warning,
    /// No, or something is wrong.
    Bad,
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
    /// A line of one span.
    pub fn of(text: &str, style: Style) -> Self {
        Self::default().with(text, style)
    }

    /// The line with a span more.
    #[must_use]
    pub fn with(mut self, text: &str, style: Style) -> Self {
        self.push(text, style);
        self
    }

    /// Adds a span, made printable.
    pub fn push(&mut self, text: &str, style: Style) {
        if !text.is_empty() {
            self.0.push(Span { text: printable(text).into_owned(), style });
        }
    }

    /// The columns that it takes.
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

/// Lines below each other. `Display` gives the text alone, each line with its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page(pub Vec<Line>);

impl Page {
    /// Adds an empty line.
    pub fn blank(&mut self) {
        self.0.push(Line::default());
    }

    /// Adds a line of spans, as they are.
    pub fn line(&mut self, spans: &[(&str, Style)]) {
        self.0.push(spans.iter().fold(Line::default(), |line, (text, style)| line.with(text, *style)));
    }

    /// Adds a line that does not stand out.
    pub fn plain(&mut self, text: &str) {
        self.line(&[(text, Style::Plain)]);
    }

    /// Adds a text behind `lead`, broken at blanks where it does not fit; the lines that follow are indented by `indent`.
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

    /// Adds a text that begins at the left, and so do the lines that follow.
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
