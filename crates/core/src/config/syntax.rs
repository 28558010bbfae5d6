//! The text of a file with an index of its section headers; other lines are parsed on demand.
//!
//! Indexing takes one pass that looks for `[` at the start of lines, so a run that needs three of ten thousand profiles
//! parses three sections. The text is kept unchanged: invalid UTF-8 or an invalid line only affects its own section.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use super::entry::{Body, scan_body};
use super::header::{Header, SectionKind, find_byte, parse_header, unquote};
use super::origin::{FileKind, Place};
use super::problem::ProblemKind;

/// The maximum size of a file in bytes: 64 MiB, about 400,000 profiles.
pub const MAX_BYTES: usize = 64 << 20;

/// The assumed minimum size of a section in bytes, to reserve enough headers.
const USUAL_SECTION: usize = 100;

/// The file is larger than [`MAX_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {file} has {bytes} bytes, and may have {MAX_BYTES}")]
pub struct TooLarge {
    /// The file.
    pub file: FileKind,
    /// Its size in bytes.
    pub bytes: usize,
}

/// One of the two files: its text, and where its sections start.
///
/// The text may contain secrets, so `Debug` prints only its size. The text of a credentials file is wiped on drop; that
/// of a config file, which may be large, is left to the program's allocator, which wipes freed memory.
pub struct Document {
    file: FileKind,
    text: Vec<u8>,
    heads: Vec<Head>,
    has_worded_default: bool,
    /// The headers by name, if [`Document::index_names`] was called.
    by_name: Option<HashMap<Vec<u8>, Vec<usize>>>,
}

/// A header in the index.
struct Head {
    start: u32,
    body: u32,
    name: Range<u32>,
    line: u32,
    kind: SectionKind,
    is_quoted: bool,
    is_bare_default: bool,
    problem: Option<ProblemKind>,
}

impl Document {
    /// Takes the bytes of a file and finds its sections.
    ///
    /// # Errors
    /// If it is larger than [`MAX_BYTES`]. Its content never is an error here.
    pub fn parse(file: FileKind, text: Vec<u8>) -> Result<Self, TooLarge> {
        if text.len() > MAX_BYTES {
            return Err(TooLarge { file, bytes: text.len() });
        }
        let mut document = Self { file, text, heads: Vec::new(), has_worded_default: false, by_name: None };
        document.heads = document.index();
        let has_worded_default = file == FileKind::Config
            && document
                .sections_of(SectionKind::Profile, b"default")
                .any(|section| !section.head.is_bare_default);
        document.has_worded_default = has_worded_default;
        Ok(document)
    }

    fn index(&self) -> Vec<Head> {
        let mut heads = Vec::with_capacity(self.text.len() / USUAL_SECTION);
        let mut line = 0;
        let mut start = self.first_byte();
        while start < self.text.len() {
            line += 1;
            let (header, end) = self.line_at(start);
            if header.first() == Some(&b'[') {
                let Header { kind, name, is_quoted, is_bare_default, problem } =
                    parse_header(header, self.file);
                heads.push(Head {
                    start: offset(start),
                    body: offset(end),
                    name: offset(start + name.start)..offset(start + name.end),
                    line,
                    kind,
                    is_quoted,
                    is_bare_default,
                    problem,
                });
            }
            start = end;
        }
        heads
    }

    /// Returns the start of the text after a byte order mark.
    fn first_byte(&self) -> usize {
        if self.text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
    }

    /// Returns the line at `start` without its line end, and the start of the next line.
    fn line_at(&self, start: usize) -> (&[u8], usize) {
        let rest = self.text.get(start..).unwrap_or_default();
        let (line, end) = match find_byte(rest, b'\n') {
            Some(length) => (rest.get(..length).unwrap_or_default(), start + length + 1),
            None => (rest, self.text.len()),
        };
        (line.strip_suffix(b"\r").unwrap_or(line), end)
    }

    /// Which of the two files it is.
    pub fn file(&self) -> FileKind {
        self.file
    }

    /// The bytes as they were read.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns all sections in file order, including unused ones.
    pub fn sections(&self) -> impl DoubleEndedIterator<Item = Section<'_>> {
        self.heads.iter().enumerate().map(|(index, head)| Section { document: self, head, index })
    }

    /// Returns the sections with this kind and name in file order; several are parts of one.
    ///
    /// For the profile `default`, omits `[default]` if there is a `[profile default]`, like the SDKs.
    pub fn sections_named(&self, kind: SectionKind, name: &str) -> impl Iterator<Item = Section<'_>> {
        let skips_bare = self.has_worded_default;
        self.sections_of(kind, name.as_bytes())
            .filter(move |section| !(skips_bare && section.head.is_bare_default))
    }

    /// Returns the sections with this kind and name, including each `[default]`.
    pub(super) fn sections_of(&self, kind: SectionKind, name: &[u8]) -> impl Iterator<Item = Section<'_>> {
        let known = self.by_name.as_ref().map(|names| names.get(name).map_or(&[][..], Vec::as_slice));
        let of_index = known
            .into_iter()
            .flatten()
            .filter_map(|&index| Some(Section { document: self, head: self.heads.get(index)?, index }));
        let all = if known.is_some() { &[][..] } else { self.heads.as_slice() };
        // The length excludes most sections, without touching more memory.
        let of_all = all
            .iter()
            .enumerate()
            .filter(move |(_, head)| head.is_quoted || head.name.end - head.name.start == offset(name.len()));
        let of_all = of_all.map(|(index, head)| Section { document: self, head, index });
        of_index.chain(of_all).filter(move |section| section.head.kind == kind && section.is_named(name))
    }

    /// Makes [`Document::sections_named`] fast, for callers that look up every profile of a large file. Not worth it
    /// for a few.
    pub(super) fn index_names(&mut self) {
        let mut names: HashMap<Vec<u8>, Vec<usize>> = HashMap::with_capacity(self.heads.len());
        for section in self.sections() {
            names.entry(section.name_bytes().into_owned()).or_default().push(section.index);
        }
        self.by_name = Some(names);
    }

    /// Whether `[profile default]` is in it.
    pub(super) fn has_worded_default(&self) -> bool {
        self.has_worded_default
    }

    /// Parses what is above the first header: comments, and lines that belong to no section.
    pub(super) fn scan_preamble(&self) -> Body<'_> {
        let end = self.heads.first().map_or(self.text.len(), |head| head.start as usize);
        scan_body(&self.text, self.first_byte()..end, 1, false)
    }
}

/// One section of a [`Document`].
#[derive(Clone, Copy)]
pub struct Section<'a> {
    document: &'a Document,
    head: &'a Head,
    index: usize,
}

impl<'a> Section<'a> {
    /// What it is about.
    pub fn kind(&self) -> SectionKind {
        self.head.kind
    }

    /// Returns its name without quotes; for [`SectionKind::Other`], everything between the brackets.
    pub fn name(&self) -> Cow<'a, str> {
        match self.name_bytes() {
            Cow::Borrowed(name) => String::from_utf8_lossy(name),
            Cow::Owned(name) => Cow::Owned(String::from_utf8_lossy(&name).into_owned()),
        }
    }

    fn written(&self) -> &'a [u8] {
        let Range { start, end } = self.head.name;
        self.document.text.get(start as usize..end as usize).unwrap_or_default()
    }

    fn name_bytes(&self) -> Cow<'a, [u8]> {
        let written = self.written();
        if self.head.is_quoted {
            unquote(written).unwrap_or(Cow::Borrowed(written))
        } else {
            Cow::Borrowed(written)
        }
    }

    fn is_named(&self, name: &[u8]) -> bool {
        if self.head.is_quoted {
            *self.name_bytes() == *name
        } else {
            self.head.name.len() == name.len() && self.written() == name
        }
    }

    /// Returns the line of its header.
    pub fn place(&self) -> Place {
        Place { file: self.document.file, line: self.head.line }
    }

    /// Returns what is wrong with its header.
    pub fn header_problem(&self) -> Option<ProblemKind> {
        self.head.problem
    }

    /// Whether it is `[default]` in the config file, which `[profile default]` overrides.
    pub fn is_bare_default(&self) -> bool {
        self.head.is_bare_default
    }

    /// The start of its header line.
    pub(super) fn start(&self) -> usize {
        self.head.start as usize
    }

    /// The range after its header line, up to the next header.
    pub(super) fn body_range(&self) -> Range<usize> {
        let next = self.document.heads.get(self.index + 1);
        self.head.body as usize..next.map_or(self.document.text.len(), |head| head.start as usize)
    }

    /// The bytes after its header line, up to the next header.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.document.text.get(self.body_range()).unwrap_or_default()
    }

    /// Parses its lines.
    pub fn scan(&self) -> Body<'a> {
        scan_body(&self.document.text, self.body_range(), self.head.line + 1, true)
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        // Security: a credentials file contains secret access keys.
        if self.file == FileKind::Credentials {
            zeroize::zeroize_bytes(&mut self.text);
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("file", &self.file)
            .field("bytes", &self.text.len())
            .field("sections", &self.heads.len())
            .finish_non_exhaustive()
    }
}

/// Offsets fit: a text has at most [`MAX_BYTES`].
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Document {
        Document::parse(FileKind::Config, text.as_bytes().to_vec()).unwrap()
    }

    fn places(document: &Document) -> Vec<(String, u32)> {
        document.sections().map(|s| (s.name().into_owned(), s.place().line)).collect()
    }

    #[test]
    fn headers_are_found_with_their_lines_whatever_the_line_ends() {
        let text =
            "# top\n[default]\nregion = x\n\n[profile a]\n[profile b]\n  [no header]\nk = [1]\n[profile c]";
        let expected: Vec<_> =
            [("default", 2), ("a", 5), ("b", 6), ("c", 9)].map(|(n, l)| (n.to_owned(), l)).into();
        assert_eq!(places(&config(text)), expected);
        assert_eq!(places(&config(&text.replace('\n', "\r\n"))), expected);
    }

    #[test]
    fn a_byte_order_mark_does_not_hide_the_first_header() {
        assert_eq!(places(&config("\u{feff}[profile a]\n")), [("a".to_owned(), 1)]);
    }

    #[test]
    fn a_header_is_found_at_every_distance_from_the_last() {
        for padding in 0..100 {
            let text = format!("[profile a]\n{}[\n[profile b]\n", "x".repeat(padding));
            let expected: &[_] = if padding == 0 { &[1, 2, 3] } else { &[1, 3] };
            let lines: Vec<_> = config(&text).sections().map(|s| s.place().line).collect();
            assert_eq!(lines, expected, "{padding}");
        }
    }

    #[test]
    fn a_section_in_parts_is_found_whole_and_a_worded_default_replaces_the_bare_one() {
        let text = "[default]\n[profile a]\n[profile default]\n[profile a]\n[profile \"a\"]\n[default]\n";
        let mut document = config(text);
        for _ in 0..2 {
            let lines = |name| {
                document
                    .sections_named(SectionKind::Profile, name)
                    .map(|s| s.place().line)
                    .collect::<Vec<_>>()
            };
            assert_eq!(lines("a"), [2, 4, 5]);
            assert_eq!(lines("default"), [3]);
            assert!(lines("b").is_empty());
            // Once more, with the names indexed.
            document.index_names();
        }
    }

    #[test]
    fn debug_output_shows_no_text() {
        let document = config("[profile a]\naws_secret_access_key = canary\n");
        assert!(!format!("{document:?}").contains("canary"));
    }
}
