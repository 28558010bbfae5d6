//! Parses the lines of a section: keys, values, nested keys, and invalid lines.
//!
//! | line | meaning | as in |
//! |---|---|---|
//! | `key = value`, `key=value` | a setting; the first `=` separates | both |
//! | `key: value` | the same; the first `=` or `:` separates, and a value may contain both | botocore |
//! | `key = value # x` | the value ends before the blank; without a blank, all of it is the value | SDKs |
//! | `# x`, `; x`, even if indented | a comment | botocore |
//! | indented below a key without a value | a nested setting: `s3 =` and ` max_queue_size = 10` | both |
//! | indented below a key with a value | a continuation of the value, after a line end | both |
//! | indented, without a key above | a setting: some files indent whole sections | botocore |
//! | a single word | a [problem](ProblemKind) | both |
//!
//! Only `=` separates nested settings, as in botocore.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::foreign::render_foreign;
use super::header::{comment_start, find_byte, has_any, is_blank, trim_range};
use super::origin::{FileKind, Place};
use super::problem::{ProblemKind, Warning};

/// A setting. `Debug` prints only its key and line, as the value may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The key as written. Compare it with [`Entry::has_key`], which ignores case.
    pub key: &'a str,
    /// The value, without blanks around it and comments; continuation lines follow after line ends.
    pub value: Cow<'a, str>,
    /// The line of the key, from 1.
    pub line: u32,
    /// The settings nested below a key without a value.
    pub nested: Vec<Nested<'a>>,
    /// The character between key and value.
    pub(super) divider: Divider,
    /// All its lines, with their ends.
    pub(super) span: Range<usize>,
    /// The range of the value, including continuation lines. Without a value, it is empty and after the separator.
    pub(super) value_span: Range<usize>,
}

/// The character between a key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Divider {
    /// `=`.
    Equals,
    /// `:`, which only botocore supports.
    Colon,
}

/// A setting below another one.
#[derive(Clone, PartialEq, Eq)]
pub struct Nested<'a> {
    /// The key as written.
    pub key: &'a str,
    /// The value.
    pub value: &'a str,
    /// Its line, from 1.
    pub line: u32,
}

impl Entry<'_> {
    /// Whether this is its key. `key` is in lower case.
    pub fn has_key(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }

    /// Returns the warning about a line of `file` that uses `:`.
    pub(super) fn colon_warning(&self, file: FileKind) -> Option<Warning> {
        let place = Place { file, line: self.line };
        (self.divider == Divider::Colon).then(|| Warning::Colon { key: render_foreign(self.key), place })
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, line, .. } = self;
        f.debug_struct("Entry").field("key", key).field("line", line).finish_non_exhaustive()
    }
}

/// The parsed lines of a section.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Body<'a> {
    /// The settings in file order.
    pub entries: Vec<Entry<'a>>,
    /// The invalid lines, each with its number.
    pub problems: Vec<(ProblemKind, u32)>,
}

/// Parses the lines of `range`, the first of which is number `line`.
pub(super) fn scan_body(text: &[u8], range: Range<usize>, line: u32, in_section: bool) -> Body<'_> {
    let mut body = Body::default();
    let mut indent = None;
    let mut start = range.start;
    let mut number = line;
    let within = text.get(..range.end).unwrap_or_default();
    while let Some(rest) = within.get(start..).filter(|rest| !rest.is_empty()) {
        let length = find_byte(rest, b'\n');
        let end = start + length.map_or(rest.len(), |length| length + 1);
        let raw = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        let read = Line { bytes: raw, start, end, number };
        if !is_ignorable(read.bytes)
            && let Err(problem) = read.add_to(&mut body, &mut indent, in_section)
        {
            body.problems.push((problem, number));
        }
        start = end;
        number += 1;
    }
    body
}

/// Whether a line, without its end, is blank or a comment.
pub(super) fn is_ignorable(line: &[u8]) -> bool {
    matches!(line.iter().find(|&&b| !is_blank(b)), None | Some(b'#' | b';'))
}

struct Line<'a> {
    bytes: &'a [u8],
    start: usize,
    end: usize,
    number: u32,
}

impl<'a> Line<'a> {
    /// Adds the line to `body`. `indent` is the indentation of the last key, if there is one.
    fn add_to(
        &self,
        body: &mut Body<'a>,
        indent: &mut Option<usize>,
        in_section: bool,
    ) -> Result<(), ProblemKind> {
        let depth = self.bytes.iter().take_while(|&&b| is_blank(b)).count();
        let text = std::str::from_utf8(self.bytes).map_err(|_| ProblemKind::NotUtf8)?;
        if !in_section {
            return Err(ProblemKind::OutsideSection);
        }
        if has_any(self.bytes, |b| b.is_ascii_control() && b != b'\t') {
            return Err(ProblemKind::ControlCharacter);
        }
        if let Some(entry) = body.entries.last_mut()
            && indent.is_some_and(|key| depth > key)
        {
            return self.continue_entry(entry, text);
        }
        let comment = comment_start(self.bytes);
        let (divider, at) = self.find_divider(comment).ok_or(match depth {
            0 => ProblemKind::NoEquals,
            _ => ProblemKind::ContinuesNothing,
        })?;
        let (key, value) = self.divide(at, comment)?;
        body.entries.push(Entry {
            key: part(text, key),
            value: Cow::Borrowed(part(text, value.clone())),
            line: self.number,
            nested: Vec::new(),
            divider,
            span: self.start..self.end,
            value_span: self.start + value.start..self.start + value.end,
        });
        *indent = Some(depth);
        Ok(())
    }

    fn continue_entry(&self, entry: &mut Entry<'a>, text: &'a str) -> Result<(), ProblemKind> {
        // An invalid line still belongs to its key, so edits move them together.
        entry.span.end = self.end;
        if entry.value.is_empty() {
            let comment = comment_start(self.bytes);
            let equals = self.setting(comment).iter().position(|&b| b == b'=');
            let equals = equals.ok_or(ProblemKind::NestedNoEquals)?;
            let (key, value) = self.divide(equals, comment).map_err(|_| ProblemKind::NestedNoKey)?;
            entry.nested.push(Nested { key: part(text, key), value: part(text, value), line: self.number });
        } else {
            let more = trim_range(self.bytes, 0..self.bytes.len());
            entry.value_span.end = self.start + more.end;
            let value = entry.value.to_mut();
            value.push('\n');
            value.push_str(part(text, more));
        }
        Ok(())
    }

    /// Returns the line without its comment.
    fn setting(&self, comment: Option<usize>) -> &'a [u8] {
        self.bytes.get(..comment.unwrap_or(self.bytes.len())).unwrap_or_default()
    }

    /// Finds the first separator, as Python's configparser does.
    fn find_divider(&self, comment: Option<usize>) -> Option<(Divider, usize)> {
        self.setting(comment).iter().enumerate().find_map(|(at, byte)| match byte {
            b'=' => Some((Divider::Equals, at)),
            b':' => Some((Divider::Colon, at)),
            _ => None,
        })
    }

    /// Returns the key before the byte `at`, and the value up to `comment`.
    fn divide(&self, at: usize, comment: Option<usize>) -> Result<(Range<usize>, Range<usize>), ProblemKind> {
        let key = trim_range(self.bytes, 0..at);
        if key.is_empty() {
            return Err(ProblemKind::NoKey);
        }
        let value = trim_range(self.bytes, at + 1..comment.unwrap_or(self.bytes.len()));
        // An empty value is located right after the separator.
        Ok((key, if value.is_empty() { at + 1..at + 1 } else { value }))
    }
}

/// Returns a part of a line, whose bounds are at ASCII characters.
fn part(line: &str, range: Range<usize>) -> &str {
    line.get(range).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Body<'_> {
        scan_body(text.as_bytes(), 0..text.len(), 1, true)
    }

    fn pairs(text: &str) -> Vec<(String, String)> {
        let body = scan(text);
        assert_eq!(body.problems, [], "{text}");
        body.entries.iter().map(|e| (e.key.to_owned(), e.value.to_string())).collect()
    }

    #[test]
    fn a_value_ends_at_a_comment_after_a_blank_and_only_there() {
        for (line, value) in [
            ("k = https://x.awsapps.com/start#/", "https://x.awsapps.com/start#/"),
            ("k = x#y ; z", "x#y"),
            ("k = x\t# y", "x"),
            ("k = a=b", "a=b"),
            ("k=#x", "#x"),
            ("k = #x", ""),
            ("k =", ""),
            ("  k \t=  v \t", "v"),
            ("k = %(x)s", "%(x)s"),
            ("k = \"v\"", "\"v\""),
            ("k = v\\", "v\\"),
        ] {
            assert_eq!(pairs(line), [("k".to_owned(), value.to_owned())], "{line}");
        }
    }

    /// The results of Python's configparser, which botocore 1.43 uses.
    #[test]
    fn the_first_equals_sign_or_colon_divides() {
        for (line, key, value, divider) in [
            ("a: b", "a", "b", Divider::Colon),
            ("a : b", "a", "b", Divider::Colon),
            ("a:b", "a", "b", Divider::Colon),
            ("a:\tb", "a", "b", Divider::Colon),
            ("a b: c", "a b", "c", Divider::Colon),
            ("a = b:c", "a", "b:c", Divider::Equals),
            ("a: b=c", "a", "b=c", Divider::Colon),
            ("a:b = c", "a", "b = c", Divider::Colon),
            ("a := b", "a", "= b", Divider::Colon),
            ("a =: b", "a", ": b", Divider::Equals),
            ("a:: b", "a", ": b", Divider::Colon),
            ("arn:aws:iam = x", "arn", "aws:iam = x", Divider::Colon),
            ("http://x = y", "http", "//x = y", Divider::Colon),
            ("a:", "a", "", Divider::Colon),
            ("  a:#x", "a", "#x", Divider::Colon),
        ] {
            let body = scan(line);
            assert_eq!(body.problems, [], "{line}");
            let [entry] = &body.entries[..] else { panic!("{line}: {body:?}") };
            assert_eq!((entry.key, entry.value.as_ref(), entry.divider), (key, value, divider), "{line}");
        }
        let body = scan("a: b\n  c: d\ns3:\n  e = f:g\n  h:i = j\n");
        let read: Vec<_> = body.entries.iter().map(|e| (e.key, e.value.as_ref(), e.nested.len())).collect();
        assert_eq!((read, body.problems), (vec![("a", "b\nc: d", 0), ("s3", "", 2)], vec![]));
        let nested: Vec<_> = body.entries[1].nested.iter().map(|n| (n.key, n.value)).collect();
        assert_eq!(nested, [("e", "f:g"), ("h:i", "j")]);
    }

    #[test]
    fn deeper_lines_belong_to_the_key_above() {
        let body = scan("s3 =\n  a = 1 # x\n\n  # note\n  b = 2\nregion = x\n  more # kept\n");
        assert_eq!(body.problems, []);
        let [s3, region] = &body.entries[..] else { panic!("{body:?}") };
        let nested: Vec<_> = s3.nested.iter().map(|n| (n.key, n.value, n.line)).collect();
        assert_eq!(nested, [("a", "1", 2), ("b", "2", 5)]);
        assert_eq!((region.value.as_ref(), region.line), ("x\nmore # kept", 6));
    }

    #[test]
    fn a_section_may_be_indented_as_a_whole() {
        let body = scan("  role_arn = r\n  s3 =\n    a = 1\n  region = x\nmfa_serial = m\n");
        let keys: Vec<_> = body.entries.iter().map(|e| (e.key, e.nested.len())).collect();
        assert_eq!(keys, [("role_arn", 0), ("s3", 1), ("region", 0), ("mfa_serial", 0)]);
        assert_eq!(body.problems, []);
    }

    #[test]
    fn what_is_not_a_setting_is_named_with_its_line_and_spoils_no_other() {
        use ProblemKind::{ContinuesNothing, ControlCharacter, NestedNoEquals, NestedNoKey, NoEquals, NoKey};
        for (text, problem, line) in [
            ("a = 1\nword\nb = 2", NoEquals, 2),
            ("a = 1\nkey # : value\nb = 2", NoEquals, 2),
            ("a = 1\n= v\nb = 2", NoKey, 2),
            ("a = 1\n: v\nb = 2", NoKey, 2),
            (" -more\na = 1\nb = 2", ContinuesNothing, 1),
            ("a =\n word\nb = 2", NestedNoEquals, 2),
            ("a =\n = v\nb = 2", NestedNoKey, 2),
            ("a:\n c: v\nb = 2", NestedNoEquals, 2),
            ("a = 1\nc = \0\nb = 2", ControlCharacter, 2),
            ("a = 1\nc = x\ry = z\nb = 2", ControlCharacter, 2),
        ] {
            let body = scan(text);
            let keys: Vec<_> = body.entries.iter().map(|e| e.key).collect();
            assert_eq!((keys, body.problems), (vec!["a", "b"], vec![(problem, line)]), "{text:?}");
        }
        let body = scan_body(b"a = 1\nc = \xff\n", 0..12, 1, true);
        assert_eq!((body.entries.len(), body.problems), (1, vec![(ProblemKind::NotUtf8, 2)]));
    }
}
