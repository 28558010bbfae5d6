//! Lays out labelled rows and the items below them.

use hatbox_types::text::page::{Line, Page, Style, WIDTH};
use hatbox_types::text::wrap::display_width;

const LABEL_AT: usize = 5;
const VALUE_AT: usize = 17;

/// Adds a label and its value. Its origin follows on the same line if it fits, otherwise on the next.
pub(super) fn push_row(page: &mut Page, label: &str, value: &str, style: Style, origin: Option<&str>) {
    let mut lead = Line::default();
    lead.pad_to(LABEL_AT);
    lead.push(label, Style::Quiet);
    lead.pad_to(VALUE_AT);
    page.hang(lead, value, style, VALUE_AT);
    let Some(origin) = origin else { return };
    match page.0.last_mut() {
        Some(line) if line.width() + 2 + display_width(origin) <= WIDTH => {
            line.push("  ", Style::Plain);
            line.push(origin, Style::Quiet);
        }
        _ => push_origin(page, origin, VALUE_AT),
    }
}

/// Adds a text after a mark, with its further lines indented.
pub(super) fn push_item(page: &mut Page, mark: &str, text: &str, style: Style, origin: Option<&str>) {
    let indent = 2 + display_width(mark) + 1;
    let mut lead = Line::of("  ", Style::Plain).with(mark, style);
    lead.pad_to(indent);
    page.hang(lead, text, Style::Plain, indent);
    if let Some(origin) = origin {
        push_origin(page, origin, indent);
    }
}

fn push_origin(page: &mut Page, origin: &str, indent: usize) {
    let mut line = Line::default();
    line.pad_to(indent);
    line.push(origin, Style::Quiet);
    page.0.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_goes_below_when_the_line_is_full() {
        let mut page = Page::default();
        let origin = Some("~/.aws/config:9");
        push_row(&mut page, "role", "short", Style::Plain, origin);
        push_row(&mut page, "role", &"x".repeat(60), Style::Plain, origin);
        push_item(&mut page, "!", "text", Style::Plain, origin);
        assert_eq!(
            page.to_string().lines().collect::<Vec<_>>(),
            [
                "     role        short  ~/.aws/config:9",
                &format!("     role        {}", "x".repeat(60)),
                "                 ~/.aws/config:9",
                "  ! text",
                "    ~/.aws/config:9",
            ]
        );
    }
}
