//! Rows of three columns, the first two as wide as they need to be.

/// Renders rows, indented by two; empty for none.
pub(super) fn render_columns(rows: &[[String; 3]]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    let mut text = String::new();
    for [a, b, c] in rows {
        text.push_str(format!("  {a:<first$}  {b:<second$}  {c}").trim_end());
        text.push('\n');
    }
    text
}
