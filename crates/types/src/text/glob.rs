//! Patterns with `*` for any text and `?` for any single character.

/// Whether the whole `text` matches `pattern`. Case-sensitive.
///
/// Backtracks only to the last `*`, so the number of steps is at most the product of both lengths.
pub fn matches_glob(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut last_star = None;
    loop {
        let (mut next_pattern, mut next_text) = (pattern.clone(), text.clone());
        let fits = match (next_pattern.next(), next_text.next()) {
            (Some('*'), _) => {
                last_star = Some((next_pattern.clone(), text.clone()));
                pattern = next_pattern;
                continue;
            }
            (None, None) => return true,
            (Some('?'), Some(_)) => true,
            (Some(wanted), Some(found)) => wanted == found,
            (None, Some(_)) | (Some(_), None) => false,
        };
        if fits {
            (pattern, text) = (next_pattern, next_text);
            continue;
        }
        let Some((after_star, rest)) = &mut last_star else { return false };
        if rest.next().is_none() {
            return false;
        }
        (pattern, text) = (after_star.clone(), rest.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("a*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*b*d", "abcbd", true),
            ("a?c", "a\u{e9}c", true),
            ("a?c", "ac", false),
            ("A", "a", false),
            ("**a", "ba", true),
            ("prod-*", "prod-db", true),
            ("*?", "", false),
        ] {
            assert_eq!(matches_glob(pattern, text), expected, "{pattern:?} {text:?}");
        }
        let (pattern, text) = ("*a".repeat(200), "a".repeat(10_000) + "b");
        assert!(!matches_glob(&pattern, &text));
    }
}
