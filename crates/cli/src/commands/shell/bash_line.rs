//! Parses a line that bash passes to a completion as bash does, so that candidates are quoted to match what is typed.
//!
//! | typed | replaced by bash | candidate |
//! |---|---|---|
//! | `hatbox exec my` | `my` | `my\ prod` |
//! | `hatbox exec 'my` | everything after the quote | `my prod`; bash closes the quote |
//! | `hatbox exec "my` | everything after the quote | the same, with `\` before `$`, `` ` ``, `"` and `\` |
//! | `--format=js` | everything after the last character of COMP_WORDBREAKS | `json` |

/// The words up to the cursor, and how the last one ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BashLine {
    /// Never empty. The last word is the one at the cursor, which may be empty.
    pub(super) words: Vec<BashWord>,
    pub(super) end: End,
}

/// A word without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BashWord {
    pub(super) text: String,
    /// The byte offset of its start in the line.
    start: usize,
}

/// How the word at the cursor ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    quote: Quote,
    /// The number of bytes of the word that bash keeps; it replaces the rest.
    kept: usize,
}

/// The open quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

impl BashLine {
    /// Parses a line up to the cursor. Returns `None` if it is unknown how bash would insert a candidate: after a
    /// closed quote in the same word, within `$'...'`, after `$` or after a backslash.
    pub(super) fn parse(line: &str, breaks: &str) -> Option<Self> {
        let mut words = Vec::new();
        let mut word: Option<BashWord> = None;
        let mut end = End { quote: Quote::None, kept: 0 };
        let (mut is_clear, mut characters) = (true, line.char_indices().peekable());
        while let Some((at, character)) = characters.next() {
            if end.quote == Quote::None && matches!(character, ' ' | '\t' | '\n') {
                words.extend(word.take());
                (end.kept, is_clear) = (0, true);
                continue;
            }
            let current = word.get_or_insert_with(|| BashWord { text: String::new(), start: at });
            match (end.quote, character) {
                (Quote::None, '\'' | '"') => {
                    end.quote = if character == '"' { Quote::Double } else { Quote::Single };
                    end.kept = current.text.len();
                }
                (Quote::Single, '\'') | (Quote::Double, '"') => {
                    end.quote = Quote::None;
                    is_clear = false;
                }
                (Quote::None, '\\') => match characters.next() {
                    Some((_, '\n')) => {}
                    Some((_, escaped)) => current.text.push(escaped),
                    None => is_clear = false,
                },
                (Quote::Double, '\\') => match characters.next_if(|(_, c)| "$`\"\\\n".contains(*c)) {
                    Some((_, '\n')) => {}
                    Some((_, escaped)) => current.text.push(escaped),
                    None => current.text.push('\\'),
                },
                // An expansion, whose result only bash knows.
                (Quote::None | Quote::Double, '$' | '`') => {
                    current.text.push(character);
                    is_clear = false;
                }
                _ => {
                    current.text.push(character);
                    if end.quote == Quote::None && breaks.contains(character) {
                        end.kept = current.text.len();
                    }
                }
            }
        }
        words.push(word.unwrap_or(BashWord { text: String::new(), start: line.len() }));
        // An assignment before a command is not one of its words.
        let is_assignment =
            |word: &BashWord| word.text.split_once('=').is_some_and(|(name, _)| is_variable(name));
        let first = words.iter().position(|word| !is_assignment(word)).unwrap_or_default();
        is_clear.then(|| Self { words: words.split_off(first), end })
    }

    /// Returns the index of a word among bash's own words of `line`, which are also split at COMP_WORDBREAKS.
    pub(super) fn index_in(&self, line: &str, comp_words: &[&str], word: usize) -> Option<usize> {
        let wanted = self.words.get(word)?.start;
        let mut at = 0;
        for (index, comp_word) in comp_words.iter().enumerate() {
            let rest = line.get(at..)?;
            // The last word may continue after the cursor.
            let start = match rest.find(comp_word).filter(|_| !comp_word.is_empty()) {
                Some(skipped) => at + skipped,
                None => line.len() - rest.trim_start().len(),
            };
            if start == wanted {
                return Some(index);
            }
            at = start + comp_word.len();
        }
        None
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Quotes a candidate for the end of a line. Returns `None` if the open quote cannot contain it.
///
/// Security: the inserted text is one word with exactly this content, whatever it contains; bash expands nothing in it.
pub(super) fn quote_for_bash(word: &str, end: End) -> Option<String> {
    let rest = word.get(end.kept..)?;
    let mut quoted = String::with_capacity(rest.len() + 8);
    for c in rest.chars() {
        match end.quote {
            Quote::None => {
                if !(c.is_alphanumeric() || "-_./:=@%+,".contains(c)) {
                    quoted.push('\\');
                }
                quoted.push(c);
            }
            Quote::Single if c == '\'' => quoted.push_str(r"'\''"),
            Quote::Single => quoted.push(c),
            // Within double quotes, bash expands `!`, and a backslash that prevents that would stay in the word.
            Quote::Double if c == '!' => return None,
            Quote::Double => {
                if "$`\"\\".contains(c) {
                    quoted.push('\\');
                }
                quoted.push(c);
            }
        }
    }
    Some(quoted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    fn texts(line: &str) -> Option<Vec<String>> {
        Some(BashLine::parse(line, BREAKS)?.words.into_iter().map(|word| word.text).collect())
    }

    #[test]
    fn a_line_is_divided_as_bash_divides_it() {
        for (line, words) in [
            ("hatbox exec ", &["hatbox", "exec", ""][..]),
            ("hatbox exec my\\ pr", &["hatbox", "exec", "my pr"]),
            ("hatbox exec 'my pr", &["hatbox", "exec", "my pr"]),
            ("hatbox exec \"a\\$b\\c", &["hatbox", "exec", "a$b\\c"]),
            ("hatbox 'exec' x", &["hatbox", "exec", "x"]),
            ("A=1 B='x y' hatbox x", &["hatbox", "x"]),
            ("hatbox --format=j", &["hatbox", "--format=j"]),
        ] {
            let found = BashLine::parse(line, BREAKS).map(|line| line.words);
            let found: Option<Vec<_>> = found.map(|words| words.into_iter().map(|word| word.text).collect());
            // A quote that was closed in an earlier word does not matter.
            assert_eq!(
                found.as_deref(),
                Some(&words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>()[..]),
                "{line}"
            );
        }
        for line in ["hatbox exec 'a'b", "hatbox exec $x", "hatbox exec \"`x", "hatbox exec a\\"] {
            assert_eq!(texts(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_inserted_goes_on_from_what_bash_leaves() {
        for (line, word, inserted) in [
            ("hatbox exec m", "my prod", Some("my\\ prod")),
            ("hatbox exec 'm", "my prod", Some("my prod")),
            ("hatbox exec 'i", "it's", Some(r"it'\''s")),
            ("hatbox exec \"a", "a$(id)", Some("a\\$(id)")),
            ("hatbox exec \"a", "a!b", None),
            ("hatbox exec team:p", "team:prod", Some("prod")),
            ("hatbox export --format=j", "--format=json", Some("json")),
            ("hatbox exec $(", "x", None),
        ] {
            let found = BashLine::parse(line, BREAKS).and_then(|line| quote_for_bash(word, line.end));
            assert_eq!(found.as_deref(), inserted, "{line}");
        }
    }

    #[test]
    fn a_word_is_found_among_those_of_bash() {
        let line = "hatbox exec team:prod -- make -j";
        let comp_words = ["hatbox", "exec", "team", ":", "prod", "--", "make", "-j"];
        let parsed = BashLine::parse(line, BREAKS).unwrap();
        assert_eq!(parsed.index_in(line, &comp_words, 4), Some(6));
        let line = "hatbox exec dev ";
        let parsed = BashLine::parse(line, BREAKS).unwrap();
        assert_eq!(parsed.index_in(line, &["hatbox", "exec", "dev", ""], 3), Some(3));
    }

    proptest! {
        #[test]
        fn what_is_inserted_is_read_back_as_the_candidate(word in "[^\\pC!]{1,20}", quote in "['\"]?") {
            let before = format!("hatbox exec {quote}");
            let end = BashLine::parse(&before, BREAKS).unwrap().end;
            let inserted = quote_for_bash(&word, end).unwrap();
            let line = format!("{before}{inserted}{quote} x");
            prop_assert_eq!(texts(&line).unwrap(), ["hatbox", "exec", &word, "x"]);
        }
    }
}
