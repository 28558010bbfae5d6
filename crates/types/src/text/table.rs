//! Tables: cells in columns of the required width.

use super::page::{Line, Page, Span, Style};
use super::printable;
use super::wrap::display_width;

/// The number of blanks between columns.
const GAP: usize = 2;

/// Returns `text` with blanks up to a width.
pub fn pad(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(display_width(text));
    let mut padded = String::with_capacity(text.len() + blanks);
    padded.push_str(text);
    padded.extend(std::iter::repeat_n(' ', blanks));
    padded
}

/// The rows of a table. Rows may have different numbers of cells, and the last cell is not padded.
#[derive(Debug, Clone, Default)]
pub struct Table {
    indent: usize,
    least: Option<usize>,
    rows: Vec<Line>,
}

impl Table {
    /// Creates a table whose rows are indented by `indent` blanks.
    pub fn indented(indent: usize) -> Self {
        Self { indent, ..Self::default() }
    }

    /// Creates a table whose columns have a minimum width, including the gap, up to the end of each row, like Go's
    /// `tabwriter`.
    pub fn padded(least: usize) -> Self {
        Self { least: Some(least), ..Self::default() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[(&str, Style)]) {
        // A line omits empty spans, but a cell may be empty.
        let cell = |(text, style): &(&str, Style)| Span { text: printable(text).into_owned(), style: *style };
        self.rows.push(Line(cells.iter().map(cell).collect()));
    }

    /// Returns the table as lines, without trailing blanks unless it is padded.
    pub fn into_page(self) -> Page {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.0.len()), self.least.unwrap_or_default());
            for (width, cell) in widths.iter_mut().zip(&row.0) {
                *width = (*width).max(display_width(&cell.text) + GAP);
            }
        }
        let render = |mut row: Line| {
            if self.least.is_none() {
                row.0.truncate(
                    row.0.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1),
                );
            }
            let padded = if self.least.is_none() { row.0.len().saturating_sub(1) } else { row.0.len() };
            for (cell, width) in row.0.iter_mut().zip(&widths).take(padded) {
                cell.text = pad(&cell.text, *width);
            }
            let mut line = Line::default();
            if !row.0.is_empty() {
                line.pad_to(self.indent);
            }
            line.0.append(&mut row.0);
            line
        };
        Page(self.rows.into_iter().map(render).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(mut table: Table, rows: &[&[&str]]) -> String {
        for row in rows {
            table.row(&row.iter().map(|cell| (*cell, Style::Plain)).collect::<Vec<_>>());
        }
        table.into_page().to_string()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_on_a_terminal() {
        assert_eq!(
            rows(
                Table::indented(2),
                &[&["a", "b", "c"], &["漢字", "", "d"], &["e\u{301}x", "long", ""], &[]]
            ),
            "  a     b     c\n  漢字        d\n  e\u{301}x    long\n\n"
        );
        assert_eq!(rows(Table::default(), &[]), "");
        assert_eq!((pad("漢", 4), pad("long", 2)), ("漢  ".to_owned(), "long".to_owned()));
    }

    #[test]
    fn a_padded_table_has_blanks_up_to_its_end() {
        assert_eq!(rows(Table::padded(5), &[&["a", "long"], &["bb", "c"]]), "a    long  \nbb   c     \n");
    }

    #[test]
    fn what_a_cell_holds_cannot_shift_the_others() {
        assert_eq!(rows(Table::default(), &[&["a\n\u{202e}", "b"]]), "a\\n\\u202e  b\n");
    }
}
