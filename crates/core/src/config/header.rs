//! Parses the header line of a section: what it is about, and whether it is valid.
//!
//! | header | config file | credentials file |
//! |---|---|---|
//! | `[default]` | the default profile | the same |
//! | `[profile x]`, `[profile<TAB>x]`, `[ profile  x ]` | profile `x` | ignored, as the SDKs do |
//! | `[profile "x y"]`, `[profile 'x y']` | profile `x y` | ignored |
//! | `[profile x y]` | ignored: it is two words | ignored |
//! | `[sso-session x]`, `[services x]` | such a section | ignored |
//! | `[x]` | ignored | profile `x` |
//! | `[x y]` | ignored | profile `x y`, as the AWS CLI writes it |
//! | `[DEFAULT]` | ignored: not a profile | ignored |
//! | `[profile x`, `[profile x] y` | profile `x`, which cannot be used | (with `[x`) the same |

use std::borrow::Cow;
use std::ops::Range;

use super::origin::FileKind;
use super::problem::ProblemKind;

/// What a section is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    /// A profile.
    Profile,
    /// `[sso-session x]`.
    SsoSession,
    /// `[services x]`.
    Services,
    /// Anything else, whose lines are not used.
    Other,
}

impl SectionKind {
    /// Returns the word before the name in a header of the config file.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Profile => Some("profile"),
            Self::SsoSession => Some("sso-session"),
            Self::Services => Some("services"),
            Self::Other => None,
        }
    }
}

/// A parsed header line. Offsets count from the line's first byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: SectionKind,
    /// The name as written, including quotes; for [`SectionKind::Other`], everything between the brackets.
    pub(super) name: Range<usize>,
    /// Whether the name is quoted as in a shell, so that [`unquote`] returns the real one.
    pub(super) is_quoted: bool,
    /// Whether it is `[default]` in the config file, which `[profile default]` overrides.
    pub(super) is_bare_default: bool,
    pub(super) problem: Option<ProblemKind>,
}

/// Parses `line`, which starts with `[` and has no line end.
pub(super) fn parse_header(line: &[u8], file: FileKind) -> Header {
    parse_plain_header(line, file).unwrap_or_else(|| parse_any_header(line, file))
}

/// A fast path for `[profile NAME]` without special characters, as almost all headers of large files are.
fn parse_plain_header(line: &[u8], file: FileKind) -> Option<Header> {
    const HEAD: &[u8] = b"[profile ";
    let name = line.strip_prefix(HEAD)?.strip_suffix(b"]")?;
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b']' | b'"' | b'\'' | b'\\');
    let is_plain = file == FileKind::Config && !name.is_empty() && name.iter().all(|&b| is_plain(b));
    is_plain.then(|| Header {
        kind: SectionKind::Profile,
        name: HEAD.len()..HEAD.len() + name.len(),
        is_quoted: false,
        is_bare_default: false,
        problem: None,
    })
}

fn parse_any_header(line: &[u8], file: FileKind) -> Header {
    let (inner, problem) = match line.iter().position(|&b| b == b']') {
        Some(close) => (1..close, check_tail(line.get(close + 1..).unwrap_or_default())),
        None => (1..comment_start(line).unwrap_or(line.len()), Some(ProblemKind::UnclosedHeader)),
    };
    let inner = trim_range(line, inner);
    let text = line.get(inner.clone()).unwrap_or_default();
    let problem = if std::str::from_utf8(line).is_err() {
        Some(ProblemKind::NotUtf8)
    } else if line.iter().any(|&b| b.is_ascii_control() && b != b'\t') {
        Some(ProblemKind::ControlCharacter)
    } else if text.is_empty() {
        Some(ProblemKind::EmptyHeader)
    } else {
        problem
    };
    let is_name_text = std::str::from_utf8(text).is_ok();
    let other = |problem| Header {
        kind: SectionKind::Other,
        name: inner.clone(),
        is_quoted: false,
        is_bare_default: false,
        problem,
    };

    let word_len = text.iter().position(|&b| is_blank(b)).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(word_len).unwrap_or_default();
    let kind = match word {
        b"profile" => SectionKind::Profile,
        b"sso-session" => SectionKind::SsoSession,
        b"services" => SectionKind::Services,
        _ => SectionKind::Other,
    };
    if rest.is_empty() || (kind == SectionKind::Other && file == FileKind::Credentials) {
        let is_profile = match file {
            FileKind::Config => text == b"default",
            FileKind::Credentials => !text.is_empty() && text != b"DEFAULT",
        };
        return Header {
            kind: if is_profile && is_name_text { SectionKind::Profile } else { SectionKind::Other },
            is_bare_default: file == FileKind::Config && is_profile,
            ..other(problem)
        };
    }
    if kind == SectionKind::Other || file == FileKind::Credentials || !is_name_text {
        return other(problem);
    }
    let name = trim_range(line, inner.start + word_len..inner.end);
    let written = line.get(name.clone()).unwrap_or_default();
    let is_quoted = written.iter().any(|&b| matches!(b, b'"' | b'\'' | b'\\'));
    let is_one_word =
        if is_quoted { unquote(written).is_some() } else { !written.iter().any(|&b| is_blank(b)) };
    if is_one_word {
        Header { kind, name, is_quoted, is_bare_default: false, problem }
    } else {
        other(problem)
    }
}

fn check_tail(tail: &[u8]) -> Option<ProblemKind> {
    match tail.trim_ascii().first() {
        None | Some(b'#' | b';') => None,
        Some(_) => Some(ProblemKind::TextAfterHeader),
    }
}

/// Returns the single word that `written` represents with a shell's quoting, which botocore uses; `None` if it is not
/// exactly one word, or a quote is not closed.
pub(super) fn unquote(written: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !written.iter().any(|&b| matches!(b, b'"' | b'\'' | b'\\')) {
        return Some(Cow::Borrowed(written));
    }
    let mut word = Vec::with_capacity(written.len());
    let mut quote = None;
    let mut bytes = written.iter().copied().peekable();
    while let Some(b) = bytes.next() {
        match (quote, b) {
            (Some(open), _) if b == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(b),
            (None, b'\\') => word.push(bytes.next()?),
            (Some(b'"'), b'\\') if bytes.peek().is_some_and(|&next| matches!(next, b'"' | b'\\')) => {
                word.extend(bytes.next());
            }
            (None, _) if is_blank(b) => return None,
            _ => word.push(b),
        }
    }
    (quote.is_none() && !word.is_empty()).then_some(Cow::Owned(word))
}

/// Whether this byte separates words in these files: only space and tab do.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Returns `range` of `line` without blanks at its ends.
pub(super) fn trim_range(line: &[u8], range: Range<usize>) -> Range<usize> {
    let text = line.get(range.clone()).unwrap_or_default();
    let head = text.iter().take_while(|&&b| is_blank(b)).count();
    let tail = text.iter().skip(head).rev().take_while(|&&b| is_blank(b)).count();
    range.start + head..range.start + text.len() - tail
}

/// Whether any byte matches. Checks all of them, as most lines have no match and a loop without early exit is faster.
pub(super) fn has_any(line: &[u8], is_such: impl Fn(u8) -> bool) -> bool {
    line.iter().fold(false, |found, &b| found | is_such(b))
}

/// Returns the start of a comment in `line`: a `#` or `;` after a blank.
pub(super) fn comment_start(line: &[u8]) -> Option<usize> {
    if !has_any(line, |b| matches!(b, b'#' | b';')) {
        return None;
    }
    line.windows(2)
        .position(|pair| matches!(pair, [before, b'#' | b';'] if is_blank(*before)))
        .map(|before| before + 1)
}

/// Returns the position of the first `byte` in `text`, searching eight bytes at a time.
pub(super) fn find_byte(text: &[u8], byte: u8) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, rest) = text.as_chunks::<8>();
    for (word, at) in words.iter().zip((0..).step_by(8)) {
        // Equal bytes become zero. Of several zero bytes, the first one's high bit is always set
        // (https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord).
        let differs = u64::from_le_bytes(*word) ^ (ONES * u64::from(byte));
        let zeros = differs.wrapping_sub(ONES) & !differs & HIGH;
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&b| b == byte).map(|i| words.len() * 8 + i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, file: FileKind) -> (SectionKind, String, Option<ProblemKind>) {
        let header = parse_header(line.as_bytes(), file);
        let written = &line.as_bytes()[header.name.clone()];
        let name = if header.is_quoted { unquote(written).unwrap() } else { Cow::Borrowed(written) };
        (header.kind, String::from_utf8_lossy(&name).into_owned(), header.problem)
    }

    #[test]
    fn a_header_of_the_config_file_is_read_as_botocore_reads_it() {
        use SectionKind::{Other, Profile, Services, SsoSession};
        for (line, kind, name, why) in [
            ("[default]", Profile, "default", "the one profile without the word"),
            ("[profile a]", Profile, "a", "the usual form"),
            ("[profile\ta]", Profile, "a", "a tab is a blank"),
            ("[profile  a]", Profile, "a", "and so are two"),
            ("[ \tprofile a\t ]", Profile, "a", "blanks at the ends say nothing"),
            ("[profile \"my prof\"]", Profile, "my prof", "quotes keep a blank"),
            ("[profile 'my prof']", Profile, "my prof", "the AWS CLI writes single ones"),
            (r#"[profile "a\"b"]"#, Profile, "a\"b", "an escaped quote is data"),
            (r"[profile my\ prof]", Profile, "my prof", "as the shell would"),
            ("[profile a]# note", Profile, "a", "a comment may touch the bracket"),
            ("[profile a#b]", Profile, "a#b", "inside the brackets it is data"),
            ("[sso-session corp]", SsoSession, "corp", "a session"),
            ("[services local]", Services, "local", "a services section"),
            ("[profile a b]", Other, "profile a b", "two words are no name"),
            ("[profile \"a\" b]", Other, "profile \"a\" b", "nor is a quoted one and another"),
            ("[profile \"a]", Other, "profile \"a", "an open quote has no end"),
            ("[profilea]", Other, "profilea", "the word must end"),
            ("[profile]", Other, "profile", "the name is missing"),
            ("[a]", Other, "a", "the word is missing"),
            ("[DEFAULT]", Other, "DEFAULT", "names are case-sensitive"),
        ] {
            assert_eq!(read(line, FileKind::Config), (kind, name.to_owned(), None), "{line}: {why}");
        }
    }

    #[test]
    fn a_header_of_the_credentials_file_is_the_bare_name() {
        use SectionKind::{Other, Profile};
        for (line, kind, name, why) in [
            ("[a]", Profile, "a", "no word"),
            ("[  a  ]", Profile, "a", "blanks at the ends say nothing"),
            ("[my prof]", Profile, "my prof", "the AWS CLI writes a blank without quotes"),
            ("[sso-sessionfoo]", Profile, "sso-sessionfoo", "only the whole word is reserved"),
            ("[profile a]", Other, "profile a", "the word belongs to the other file"),
            ("[sso-session a]", Other, "sso-session a", "so does this one"),
            ("[DEFAULT]", Other, "DEFAULT", "no profile here either"),
        ] {
            assert_eq!(read(line, FileKind::Credentials), (kind, name.to_owned(), None), "{line}: {why}");
        }
    }

    #[test]
    fn the_short_way_finds_what_the_long_one_does() {
        for line in ["[profile a]", "[profile a-b_c.d/e+f@g:h]", "[profile default]"] {
            let long = parse_any_header(line.as_bytes(), FileKind::Config);
            assert_eq!(parse_plain_header(line.as_bytes(), FileKind::Config), Some(long), "{line}");
        }
        for line in ["[profile ]", "[profile a b]", "[profile a]]", "[profile 'a']", "[profile a] # x", "[a]"]
        {
            assert_eq!(parse_plain_header(line.as_bytes(), FileKind::Config), None, "{line}");
        }
        assert_eq!(parse_plain_header(b"[profile a]", FileKind::Credentials), None);
    }

    #[test]
    fn a_broken_header_keeps_the_name_that_it_meant() {
        use ProblemKind::{ControlCharacter, EmptyHeader, TextAfterHeader, UnclosedHeader};
        for (line, name, problem) in [
            ("[profile a", "a", UnclosedHeader),
            ("[profile a # note", "a", UnclosedHeader),
            ("[profile a] b", "a", TextAfterHeader),
            ("[]", "", EmptyHeader),
            ("[profile a\u{7}]", "a\u{7}", ControlCharacter),
            ("[profile a]\rregion = x", "a", ControlCharacter),
        ] {
            let (_, got, found) = read(line, FileKind::Config);
            assert_eq!((got.as_str(), found), (name, Some(problem)), "{line:?}");
        }
        let parse = |line| {
            let header = parse_header(line, FileKind::Config);
            (header.kind, header.problem)
        };
        let not_utf8 = Some(ProblemKind::NotUtf8);
        assert_eq!(parse(b"[profile a] # \xff"), (SectionKind::Profile, not_utf8));
        assert_eq!(
            parse(b"[profile \xff]"),
            (SectionKind::Other, not_utf8),
            "no name that anybody can ask for"
        );
    }

    #[test]
    fn a_byte_is_found_wherever_it_is() {
        for length in 0..40 {
            for at in 0..length {
                let mut text = vec![b'\n' + 1; length];
                text[at] = b'\n';
                text[length - 1] = b'\n';
                assert_eq!(find_byte(&text, b'\n'), Some(at), "{at} of {length}");
            }
            assert_eq!(find_byte(&vec![0x8a; length], b'\n'), None, "{length}");
        }
    }
}
