//! Edits the text of a file: adds or removes a section, sets or removes a key, and changes no other byte.
//!
//! Keeps the byte order mark, line ends, comments, nested lines, order and spacing. Adds a new section after a blank
//! line with `key=value` lines. Formats a new key in an existing section like its neighbour.

use super::entry::{Body, Entry, is_ignorable};
use super::header::{SectionKind, is_blank, parse_header, unquote};
use super::origin::{FileKind, Place};
use super::problem::ProblemKind;
use super::syntax::{Document, Section, TooLarge};
use hatbox_types::name::{NameError, ProfileName};

/// One change to a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets `key` to the value: replaces the line that counts now, or adds a line.
    Set {
        /// The key: `[A-Za-z0-9_-]`, written like this if it is new.
        key: String,
        /// The value: one line, not empty, without blanks at its ends or anything that would be parsed as a comment.
        value: String,
    },
    /// Removes all lines of `key`, including nested ones.
    Remove {
        /// The key; case is ignored.
        key: String,
    },
}

/// Why a text was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The section's name cannot be written in a way that parses back to it.
    #[error("invalid section name `{name}`: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why.
        reason: NameError,
    },
    /// The file cannot have sections of this kind.
    #[error("the {file} has no sections of that sort")]
    WrongFile {
        /// The file.
        file: FileKind,
    },
    /// A key with an invalid character.
    #[error("`{0}` cannot be the name of a setting")]
    Key(String),
    /// A value that would parse differently, or as more than one value.
    #[error(
        "the value for `{0}` cannot be written: it is empty, or has a line end, a control character, a blank at an end or a comment sign"
    )]
    Value(String),
    /// The key has nested lines, which would become part of the value.
    #[error("`{key}` has nested settings below it")]
    Nested {
        /// The key.
        key: String,
        /// Its line.
        place: Place,
    },
    /// The section has an invalid line, which may affect the meaning of the lines after it.
    #[error("the section has a line that cannot be understood: {problem}")]
    BadLine {
        /// Why.
        problem: ProblemKind,
        /// The line.
        place: Place,
    },
    /// The text is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Applies `changes` in order to the section with this kind and name, which is added if it is missing (unless all
/// changes remove keys).
///
/// After [`Change::Set`], the file has exactly that value, even if several lines or sections share the name. Applying
/// the same changes twice has no further effect.
///
/// # Errors
/// If a name, key or value cannot be written, or the section has an invalid line. The text is then unchanged.
pub fn edit_section(
    text: &[u8],
    file: FileKind,
    kind: SectionKind,
    name: &str,
    changes: &[Change],
) -> Result<Vec<u8>, EditError> {
    let header = render_header(file, kind, name)?;
    changes.iter().try_for_each(check_change)?;
    let mut text = text.to_vec();
    let is_there = Document::parse(file, text.clone())?.sections_named(kind, name).next().is_some();
    if !is_there {
        if !changes.is_empty() && changes.iter().all(|change| matches!(change, Change::Remove { .. })) {
            return Ok(text);
        }
        append_section(&mut text, &header);
    }
    for change in changes {
        let document = Document::parse(file, text)?;
        let edit = match change {
            Change::Set { key, value } => set(&document, kind, name, key, value)?,
            Change::Remove { key } => remove(&document, kind, name, key)?,
        };
        text = apply(document.text(), &edit);
    }
    Ok(text)
}

/// Removes all sections with this kind and name, including a `[default]` that another section overrides.
///
/// Removes a section with its settings, the comments between them, and the blank lines below, or one blank line above
/// at the end of the file. Keeps comments below its last setting, which may belong to the next section.
///
/// # Errors
/// If the text is too large.
pub fn remove_section(
    text: &[u8],
    file: FileKind,
    kind: SectionKind,
    name: &str,
) -> Result<Vec<u8>, TooLarge> {
    let document = Document::parse(file, text.to_vec())?;
    let mut edit = Edit::new();
    for section in document.sections_of(kind, name.as_bytes()) {
        let end = end_of_section(document.text(), section.body_range());
        match edit.last_mut() {
            // Adjacent sections are removed as one, without looking for a blank line between them.
            Some((last, _)) if last.end == section.start() => last.end = end,
            _ => edit.push((section.start()..end, Vec::new())),
        }
    }
    if let Some((last, _)) = edit.last_mut().filter(|(last, _)| last.end == text.len()) {
        last.start = without_blank_line(text.get(..last.start).unwrap_or_default()).len();
    }
    Ok(apply(text, &edit))
}

/// Returns a text without the blank line at its end, if there is one.
pub(crate) fn without_blank_line(text: &[u8]) -> &[u8] {
    let blank_line = [&b"\n\r\n"[..], b"\n\n"].into_iter().find(|end| text.ends_with(end));
    text.get(..text.len() - blank_line.map_or(0, |end| end.len() - 1)).unwrap_or_default()
}

/// Returns the end of the settings of a section's body, including the blank lines below them.
fn end_of_section(text: &[u8], body: std::ops::Range<usize>) -> usize {
    let (mut end, mut at, mut is_below_comment) = (body.start, body.start, false);
    for line in text.get(body).unwrap_or_default().split_inclusive(|&b| b == b'\n') {
        at += line.len();
        if !line.iter().all(|&b| is_blank(b) || matches!(b, b'\r' | b'\n')) {
            is_below_comment = is_ignorable(line);
        }
        if !is_below_comment {
            end = at;
        }
    }
    end
}

/// Ranges of bytes to replace, with their replacements, in the order of the text.
type Edit = Vec<(std::ops::Range<usize>, Vec<u8>)>;

fn apply(text: &[u8], edit: &Edit) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len() + 64);
    let mut kept = 0;
    for (range, new) in edit {
        result.extend_from_slice(text.get(kept..range.start).unwrap_or_default());
        result.extend_from_slice(new);
        kept = range.end;
    }
    result.extend_from_slice(text.get(kept..).unwrap_or_default());
    result
}

fn check_change(change: &Change) -> Result<(), EditError> {
    let (Change::Set { key, .. } | Change::Remove { key }) = change;
    let is_key_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if key.is_empty() || !key.bytes().all(is_key_byte) {
        return Err(EditError::Key(key.clone()));
    }
    let Change::Set { value, .. } = change else { return Ok(()) };
    // Security: a line end in a value would add further lines, such as `credential_process`.
    let is_line = !value.is_empty() && value.trim() == value && !value.chars().any(char::is_control);
    let has_comment = value.starts_with(['#', ';']) || value.contains(" #") || value.contains(" ;");
    if is_line && !has_comment { Ok(()) } else { Err(EditError::Value(key.clone())) }
}

/// Renders a header line, without its line end, that parses back to this kind and name.
fn render_header(file: FileKind, kind: SectionKind, name: &str) -> Result<String, EditError> {
    ProfileName::parse(name).map_err(|reason| EditError::Name { name: name.to_owned(), reason })?;
    let word = kind.word().ok_or(EditError::WrongFile { file })?;
    let needs_quotes = name.bytes().any(|b| is_blank(b) || matches!(b, b'"' | b'\'' | b'\\'));
    let header = match file {
        FileKind::Credentials => format!("[{name}]"),
        FileKind::Config if kind == SectionKind::Profile && name == "default" => "[default]".to_owned(),
        FileKind::Config if needs_quotes => {
            format!("[{word} \"{}\"]", name.replace('\\', r"\\").replace('"', "\\\""))
        }
        FileKind::Config => format!("[{word} {name}]"),
    };
    let read = parse_header(header.as_bytes(), file);
    let written = header.as_bytes().get(read.name).unwrap_or_default();
    let is_same = if read.is_quoted {
        unquote(written).is_some_and(|read| *read == *name.as_bytes())
    } else {
        written == name.as_bytes()
    };
    if read.kind == kind && is_same { Ok(header) } else { Err(EditError::WrongFile { file }) }
}

/// Returns the line end that the text uses.
pub(crate) fn line_end(text: &[u8]) -> &'static [u8] {
    match text.iter().position(|&b| b == b'\n') {
        Some(at) if at > 0 && text.get(at - 1) == Some(&b'\r') => b"\r\n",
        _ => b"\n",
    }
}

/// Returns the bytes that complete the last line of `before`.
fn missing_end(before: &[u8]) -> &'static [u8] {
    match before {
        [] | [.., b'\n'] => b"",
        // A trailing carriage return is half of a line end; followed by another one, it would be part of the line.
        [.., b'\r'] => b"\n",
        _ => line_end(before),
    }
}

fn append_section(text: &mut Vec<u8>, header: &str) {
    let end = line_end(text);
    append_blank_line(text, end);
    text.extend_from_slice(header.as_bytes());
    text.extend_from_slice(end);
}

/// Adds a blank line, unless the text is empty or ends with one.
pub(crate) fn append_blank_line(text: &mut Vec<u8>, end: &[u8]) {
    let content = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let missing = missing_end(content);
    let has_blank_line = matches!(content, b"" | b"\n" | b"\r\n")
        || content.ends_with(b"\n\n")
        || content.ends_with(b"\n\r\n");
    text.extend_from_slice(missing);
    if !has_blank_line {
        text.extend_from_slice(end);
    }
}

/// Reads the sections with this name. Fails if a line of them is invalid.
fn read_sections<'a>(
    document: &'a Document,
    kind: SectionKind,
    name: &str,
) -> Result<Vec<(Section<'a>, Body<'a>)>, EditError> {
    let mut sections = Vec::new();
    for section in document.sections_named(kind, name) {
        let body = section.scan();
        let header = section.header_problem().map(|problem| (problem, section.place().line));
        if let Some((problem, line)) = header.or(body.problems.first().copied()) {
            return Err(EditError::BadLine { problem, place: Place { file: document.file(), line } });
        }
        sections.push((section, body));
    }
    Ok(sections)
}

fn set(
    document: &Document,
    kind: SectionKind,
    name: &str,
    key: &str,
    value: &str,
) -> Result<Edit, EditError> {
    let sections = read_sections(document, kind, name)?;
    let entries = sections.iter().flat_map(|(_, body)| &body.entries);
    if let Some(entry) = entries.rev().find(|entry| entry.has_key(&key.to_ascii_lowercase())) {
        if !entry.nested.is_empty() {
            let place = Place { file: document.file(), line: entry.line };
            return Err(EditError::Nested { key: key.to_owned(), place });
        }
        if entry.value == value {
            return Ok(Edit::new());
        }
        let space = if entry.value.is_empty() && separator(document, entry) != "=" { " " } else { "" };
        return Ok(vec![(entry.value_span.clone(), format!("{space}{value}").into_bytes())]);
    }
    let neighbour = sections.iter().rev().find_map(|(_, body)| body.entries.last());
    let (at, line) = match (neighbour, sections.last()) {
        (Some(entry), _) => {
            let indent = indent(document, entry);
            (entry.span.end, format!("{indent}{key}{}{value}", separator(document, entry)))
        }
        (None, Some((section, _))) => (section.body_range().start, format!("{key}={value}")),
        (None, None) => return Ok(Edit::new()),
    };
    let missing = missing_end(document.text().get(..at).unwrap_or_default());
    let end = if missing.is_empty() { line_end(document.text()) } else { b"" };
    Ok(vec![(at..at, [missing, line.as_bytes(), end].concat())])
}

fn remove(document: &Document, kind: SectionKind, name: &str, key: &str) -> Result<Edit, EditError> {
    let sections = read_sections(document, kind, name)?;
    let entries = sections.iter().flat_map(|(_, body)| &body.entries);
    let key = key.to_ascii_lowercase();
    Ok(entries.filter(|entry| entry.has_key(&key)).map(|entry| (entry.span.clone(), Vec::new())).collect())
}

fn indent<'a>(document: &'a Document, entry: &Entry<'_>) -> &'a str {
    let line = document.text().get(entry.span.clone()).unwrap_or_default();
    let blanks = line.iter().take_while(|&&b| is_blank(b)).count();
    line.get(..blanks).and_then(|blanks| std::str::from_utf8(blanks).ok()).unwrap_or_default()
}

/// Returns the text between key and value, with at most one blank on each side.
fn separator(document: &Document, entry: &Entry<'_>) -> &'static str {
    let after_key = entry.span.start + indent(document, entry).len() + entry.key.len();
    match document.text().get(after_key) {
        Some(b'=') => "=",
        _ => " = ",
    }
}
