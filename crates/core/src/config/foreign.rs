//! Prepares text from outside for messages: one line, limited length, no control characters.

use hatbox_types::text::printable_start;

/// How many characters of it are shown.
const SHOWN: usize = 100;

/// Escapes the control characters of `text`, and truncates it after 100 characters.
///
/// A file or a variable may contain escape sequences that would change what the terminal shows.
pub(crate) fn render_foreign(text: &str) -> String {
    printable_start(text, SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_text_but_no_control_characters_and_no_novel() {
        assert_eq!(render_foreign("it's \"\u{e9}\""), "it's \"\u{e9}\"");
        assert_eq!(render_foreign("a\u{1b}[2J\nb\u{9b}"), "a\\u001b[2J\\nb\\u009b");
        assert_eq!(render_foreign(&"x".repeat(100)), "x".repeat(100));
        assert_eq!(render_foreign(&"x".repeat(101)), "x".repeat(100) + "...");
    }
}
