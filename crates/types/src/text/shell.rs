//! Quotes words for a POSIX shell.
//!
//! A word without characters that are special in `sh`, bash or zsh stays bare. Any other word is put in single quotes,
//! where only `'` has to be escaped. Control characters are kept; code that shows the word escapes them.

use std::borrow::Cow;

/// Quotes `word` for a command to paste: a shell reads it as exactly this one word.
pub fn quote_word(word: &str) -> Cow<'_, str> {
    if is_plain(word) {
        return Cow::Borrowed(word);
    }
    let mut quoted = String::with_capacity(word.len() + 2);
    push_quoted(&mut quoted, word);
    Cow::Owned(quoted)
}

/// Quotes a file name like [`quote_word`], with `./` before a name that a program would parse as an option. Keeps `-`
/// alone, which means stdin.
pub fn quote_path(path: &str) -> Cow<'_, str> {
    if !path.starts_with('-') || path == "-" {
        return quote_word(path);
    }
    Cow::Owned(quote_word(&format!("./{path}")).into_owned())
}

/// Appends `word` in the form of [`quote_word`], at most `4 * word.len() + 2` bytes. Makes no other copy, so the word
/// may be a secret.
pub fn push_word(text: &mut String, word: &str) {
    if is_plain(word) { text.push_str(word) } else { push_quoted(text, word) }
}

/// Returns the words of `line`, if it consists only of bare and single-quoted words in the form of [`quote_word`]: a
/// shell would do nothing but split it, so a program can be started without one. Returns `None` for any other line.
pub fn plain_words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    for c in line.chars() {
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' | '\t' if !is_quoted => words.extend(word.take()),
            c if is_quoted || is_bare(c) => word.get_or_insert_default().push(c),
            _ => return None,
        }
    }
    words.extend(word);
    (!is_quoted && !words.is_empty()).then_some(words)
}

/// zsh replaces `=command` at the start of a word with the path of the command.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && !word.starts_with('=') && word.chars().all(is_bare)
}

/// Whether a character has no meaning in a shell, anywhere in a word. (`=` has one, in some places of the first word.)
fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c)
}

fn push_quoted(text: &mut String, word: &str) {
    text.push('\'');
    for c in word.chars() {
        if c == '\'' { text.push_str(r"'\''") } else { text.push(c) }
    }
    text.push('\'');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_more_into_it() {
        for (word, quoted, why) in [
            ("prod-admin", "prod-admin", "a usual name"),
            ("plain-_.,:/+=@%9", "plain-_.,:/+=@%9", "marks that mean nothing"),
            ("", "''", "no word at all"),
            ("my profile", "'my profile'", "a blank ends a word"),
            ("it's", r"'it'\''s'", "a quote ends a quote"),
            ("~root", "'~root'", "somebody's home"),
            ("=ls", "'=ls'", "zsh's path of a command"),
            ("a$(id)`id`${x}", "'a$(id)`id`${x}'", "substitutions"),
            (
                "a;b&c|d<e>f*g?h[i]#j!k\"l\\n(m){n,o}^p",
                "'a;b&c|d<e>f*g?h[i]#j!k\"l\\n(m){n,o}^p'",
                "operators, patterns",
            ),
            ("a\nb\t\r\u{1b}c", "'a\nb\t\r\u{1b}c'", "control characters"),
            ("schlüssel", "'schlüssel'", "a letter or not, as the locale says"),
            ("\u{a0}\u{202e}", "'\u{a0}\u{202e}'", "blanks and turns of Unicode's"),
            ("-rf", "-rf", "an option is for the program to tell"),
        ] {
            assert_eq!(quote_word(word), quoted, "{word:?}: {why}");
        }
    }

    #[test]
    fn a_file_is_never_an_option() {
        for (path, quoted) in [
            ("-rf", "./-rf"),
            ("-my file", "'./-my file'"),
            ("--apply=x", "./--apply=x"),
            ("-", "-"),
            ("a-b", "a-b"),
            ("/x/it's", r"'/x/it'\''s'"),
        ] {
            assert_eq!(quote_path(path), quoted);
        }
    }

    #[test]
    fn a_line_is_plain_words_where_a_shell_would_read_no_more_into_it() {
        for (line, words) in [
            ("cat /run/secret", &["cat", "/run/secret"][..]),
            ("  rbw\tget  --field=totp aws ", &["rbw", "get", "--field=totp", "aws"]),
            ("cat '/a b/$HOME' ''", &["cat", "/a b/$HOME", ""]),
            ("a'b'c", &["abc"]),
        ] {
            assert_eq!(plain_words(line).unwrap(), words, "{line:?}");
        }
        for line in [
            "",
            "  ",
            "a 'b",
            r"a \b",
            "a \"b\"",
            "a $b",
            "a `b`",
            "a; b",
            "a & b",
            "a|b",
            "a <b",
            "a >b",
            "~/a",
            "a *",
            "a ?",
            "a [b]",
            "a {b,c}",
            "(a)",
            "! a",
            "a #b",
            "a\nb",
            "a\rb",
            "a ^b",
            "a \u{a0}b",
            "a ü",
            "a\0b",
        ] {
            assert_eq!(plain_words(line), None, "{line:?}");
        }
    }

    /// Splits a line of bare and single-quoted words as in section 2.2 of POSIX's shell language.
    fn read_words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
        let mut letters = line.chars();
        while let Some(c) = letters.next() {
            match c {
                '\'' => {
                    is_quoted = !is_quoted;
                    word.get_or_insert_default();
                }
                ' ' if !is_quoted => words.extend(word.take()),
                '\\' if !is_quoted => word.get_or_insert_default().push(letters.next().unwrap()),
                c => {
                    assert!(
                        is_quoted || c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c),
                        "{c:?} in {line:?}"
                    );
                    word.get_or_insert_default().push(c);
                }
            }
        }
        assert!(!is_quoted, "{line:?}");
        words.extend(word);
        words
    }

    proptest! {
        #[test]
        fn a_line_of_quoted_words_is_read_as_the_words(words in prop::collection::vec(".{0,12}|['\\\\ a=~$-]{0,6}", 0..6)) {
            let mut line = String::new();
            for word in &words {
                if !line.is_empty() {
                    line.push(' ');
                }
                let before = line.len();
                push_word(&mut line, word);
                prop_assert_eq!(&line[before..], &*quote_word(word));
                prop_assert!(line.len() - before <= 4 * word.len() + 2);
            }
            if let Some(plain) = plain_words(&line) {
                prop_assert_eq!(&plain, &words);
            }
            prop_assert_eq!(read_words(&line), words);
        }
    }
}
