//! Escapes text from outside for display: names in policies and states, AWS's answers, output of helpers.
//!
//! Uses JSON's escapes, which are right both in plain text and in JSON strings.

use std::borrow::Cow;

/// Whether `c` could move a terminal's cursor, change colours or the text direction, start a new line, or be invisible:
/// control characters, Unicode's bidirectional controls (UAX #9), line and paragraph separators, noncharacters, and all
/// characters that are invisible by themselves (`Default_Ignorable_Code_Point` of Unicode), such as zero-width spaces,
/// fillers and tags. Except U+FE0E and U+FE0F, which choose between text and emoji: many programs print them.
pub const fn is_unprintable(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{fe00}'..='\u{fe0d}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Escapes a word or phrase for one line: unprintable characters become `
///
/// `, `\u001b` and so on.
///
/// Also escapes its line ends and tabs, as a role's name must not start a new line of output.
pub fn printable(text: &str) -> Cow<'_, str> {
    if is_plain(text, |_| false) || !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unprintable(c) { push_escape(&mut shown, c) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// Returns [`printable`] of the first `most` characters of a text.
pub fn printable_start(text: &str, most: usize) -> String {
    let end = text.char_indices().nth(most).map(|(index, _)| index);
    let start = end.and_then(|end| text.get(..end)).unwrap_or(text);
    let more = if end.is_some() { "..." } else { "" };
    format!("{}{more}", printable(start))
}

/// Escapes complete lines as the last step before they are written, in case other code forgot it. Keeps line ends, tabs
/// and the sequences `own`.
///
/// CI systems run commands in the output of a job: GitHub in lines that begin with `::command`, also after blanks, and
/// with `##[command]` anywhere in a line, like Azure's `##vso[` and `TeamCity`'s `##teamcity[`. hatbox never prints
/// such commands, so they are escaped too.
pub fn printable_lines<'t>(text: &'t str, own: &[&str]) -> Cow<'t, str> {
    let is_bad = |c: char| is_unprintable(c) && c != '\n' && c != '\t';
    let has_commands = text.contains("##") || text.contains("::");
    if !has_commands && (is_plain(text, |byte| byte == b'\n') || !text.contains(is_bad)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut is_at_start = true;
    while let Some(c) = rest.chars().next() {
        if let Some(sequence) = own.iter().find(|sequence| rest.starts_with(**sequence)) {
            shown.push_str(sequence);
            rest = rest.get(sequence.len()..).unwrap_or_default();
            continue;
        }
        if is_bad(c) || (is_at_start && begins_line_command(rest)) || begins_command(rest) {
            push_escape(&mut shown, c);
        } else {
            shown.push(c);
        }
        is_at_start = c == '\n' || (is_at_start && c.is_whitespace());
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    Cow::Owned(shown)
}

/// Finds `::error`, `::add-mask`: GitHub's commands at the start of a line. An address such as `::1` is not one.
fn begins_line_command(rest: &str) -> bool {
    rest.strip_prefix("::").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Finds `##[error]`, `##vso[task.setvariable]`, `##teamcity[`.
fn begins_command(rest: &str) -> bool {
    let name = rest.strip_prefix("##").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
    name.is_some_and(|rest| rest.starts_with('['))
}

fn push_escape(shown: &mut String, c: char) {
    match c {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
}

/// Most text is plain, and need not be checked character by character.
fn is_plain(text: &str, is_own: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') || is_own(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_mislead_a_reader_is_shown_as_an_escape() {
        for (text, shown) in [
            ("plain", "plain"),
            ("Zoë 漢字 😀", "Zoë 漢字 😀"),
            ("a\nb\tc\rd", r"a\nb\tc\rd"),
            ("\u{1b}[31mred\u{7}", r"\u001b[31mred\u0007"),
            ("\u{9b}2J\u{7f}\u{85}", r"\u009b2J\u007f\u0085"),
            ("a\u{202e}b\u{2066}c\u{61c}", r"a\u202eb\u2066c\u061c"),
            ("a\u{2028}b\u{2029}", r"a\u2028b\u2029"),
            ("pro\u{200b}d\u{feff}\u{ad}", r"pro\u200bd\ufeff\u00ad"),
            ("a\u{e0041}", r"a\udb40\udc41"),
            ("pro\u{34f}d\u{3164}\u{115f}\u{ffa0}", r"pro\u034fd\u3164\u115f\uffa0"),
            ("a\u{fe00}b\u{e0100}c\u{1d173}", r"a\ufe00b\udb40\udd00c\ud834\udd73"),
            ("\u{26a0}\u{fe0f} careful", "\u{26a0}\u{fe0f} careful"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn a_long_text_is_cut_before_it_is_escaped() {
        assert_eq!(printable_start("ab\n", 3), "ab\\n");
        assert_eq!(printable_start("ab\ncd", 3), "ab\\n...");
        assert_eq!(printable_start("", 3), "");
    }

    #[test]
    fn lines_keep_their_ends_and_their_own_colours_but_hold_no_commands() {
        let own = ["\u{1b}[1m", "\u{1b}[0m"];
        for (text, shown) in [
            ("a\n\tb\n", "a\n\tb\n"),
            ("\u{1b}[1ma\u{1b}[0m\n", "\u{1b}[1ma\u{1b}[0m\n"),
            ("\u{1b}[8ma\r\n", "\\u001b[8ma\\r\n"),
            ("a ::error::b", "a ::error::b"),
            ("a\n  ::error::b", "a\n  \\u003a:error::b"),
            ("\u{1b}[1m::error::b", "\u{1b}[1m\\u003a:error::b"),
            ("::1 or fe80::1", "::1 or fe80::1"),
            ("a ##[error]b", "a \\u0023#[error]b"),
            ("###vso[x]", "#\\u0023#vso[x]"),
            ("## title", "## title"),
        ] {
            assert_eq!(printable_lines(text, &own), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_unprintable_is_left(text in any::<String>()) {
            prop_assert!(!printable(&text).contains(is_unprintable));
            let shown = printable_lines(&text, &[]);
            prop_assert!(!shown.contains(|c| is_unprintable(c) && c != '\n' && c != '\t'));
            prop_assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
        }

        #[test]
        fn json_stays_the_same_value(text in any::<String>(), hashes in "[#\\[:e]{0,5}") {
            let value = serde_json::json!({ (text.clone()): [text, hashes] });
            let json = format!("{value:#}\n");
            let shown = printable_lines(&json, &[]);
            prop_assert!(!shown.contains("##["));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
