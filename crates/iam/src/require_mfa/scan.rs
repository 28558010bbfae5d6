//! Scans JSON for the byte range of each part, so that edits can keep all other bytes.

use std::ops::Range;

/// A value with its range.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Scalar,
}

/// One `name: value` of an object.
#[derive(Debug)]
pub(super) struct Member {
    /// The range of the name, with its quotes.
    pub(super) key: Range<usize>,
    pub(super) name: String,
    pub(super) value: Node,
}

impl Node {
    pub(super) fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Object(members) => members,
            Kind::Array(_) | Kind::Scalar => &[],
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.name == name)
    }
}

/// Scans a text that the policy parser has accepted: valid JSON with limited depth.
pub(super) fn scan(text: &str) -> Option<Node> {
    let start = text.len() - text.trim_start_matches(is_blank).len();
    Scanner { text, at: start }.value()
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{feff}')
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    fn skip(&mut self, wanted: char) -> bool {
        let is_there = self.rest().starts_with(wanted);
        self.at += if is_there { wanted.len_utf8() } else { 0 };
        is_there
    }

    fn value(&mut self) -> Option<Node> {
        let start = self.at;
        let kind = match self.rest().chars().next()? {
            '{' => self.object()?,
            '[' => self.array()?,
            '"' => {
                self.string()?;
                Kind::Scalar
            }
            _ => {
                let rest = self.rest();
                let end = rest.find(|c| is_blank(c) || matches!(c, ',' | '}' | ']')).unwrap_or(rest.len());
                self.at += end;
                Kind::Scalar
            }
        };
        Some(Node { span: start..self.at, kind })
    }

    fn object(&mut self) -> Option<Kind> {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.skip_blanks();
            if self.skip('}') {
                return Some(Kind::Object(members));
            }
            if !members.is_empty() {
                self.skip(',').then_some(())?;
                self.skip_blanks();
            }
            let key = self.string()?;
            let name = serde_json::from_str(self.text.get(key.clone())?).ok()?;
            self.skip_blanks();
            self.skip(':').then_some(())?;
            self.skip_blanks();
            members.push(Member { key, name, value: self.value()? });
        }
    }

    fn array(&mut self) -> Option<Kind> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            if self.skip(']') {
                return Some(Kind::Array(items));
            }
            if !items.is_empty() {
                self.skip(',').then_some(())?;
                self.skip_blanks();
            }
            items.push(self.value()?);
        }
    }

    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.skip('"').then_some(())?;
        loop {
            let rest = self.rest();
            let end = rest.find(['"', '\\'])?;
            let is_end = rest.get(end..)?.starts_with('"');
            // In valid JSON, the character after a backslash is always a single byte.
            self.at += end + if is_end { 1 } else { 2 };
            if is_end {
                return Some(start..self.at);
            }
        }
    }
}
