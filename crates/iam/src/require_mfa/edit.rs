//! Edits JSON text and keeps all other bytes: the order, unknown members and the layout.

use std::ops::Range;

use super::scan::{Kind, Node, scan};

/// The JSON text to edit.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) text: String,
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    pub(super) fn root(&self) -> Option<Node> {
        scan(&self.text)
    }

    /// Calls `work` with the object at `path`, from the root.
    fn at<T>(&self, path: &[&str], work: impl FnOnce(&Node) -> Option<T>) -> Option<T> {
        let root = self.root()?;
        let mut node = &root;
        for name in path {
            node = &node.member(name)?.value;
        }
        work(node)
    }

    pub(super) fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    pub(super) fn replace(&mut self, span: Range<usize>, by: &str) {
        if self.text.get(span.clone()).is_some() {
            self.text.replace_range(span, by);
        }
    }

    /// Returns the names of the members at `path`.
    pub(super) fn names(&self, path: &[&str]) -> Vec<String> {
        let names = |node: &Node| Some(node.members().iter().map(|member| member.name.clone()).collect());
        self.at(path, names).unwrap_or_default()
    }

    /// Removes the member `name` from the object at `path`.
    pub(super) fn remove(&mut self, path: &[&str], name: &str) {
        let span = self.at(path, |node| {
            let members = node.members();
            let index = members.iter().position(|member| member.name == name)?;
            let spans: Vec<_> =
                members.iter().map(|member| member.key.start..member.value.span.end).collect();
            without(&spans, index, &node.span)
        });
        if let Some(span) = span {
            self.replace(span, "");
        }
    }

    /// Removes items of the list, or the single item, at `path`, unless `is_kept` accepts their JSON text.
    /// Returns whether any item is left.
    pub(super) fn keep_items(&mut self, path: &[&str], is_kept: impl Fn(&str) -> bool) -> bool {
        loop {
            let found = self.at(path, |node| {
                let Kind::Array(items) = &node.kind else { return None };
                let spans: Vec<_> = items.iter().map(|item| item.span.clone()).collect();
                let index = spans.iter().position(|span| !is_kept(self.slice(span.clone())))?;
                without(&spans, index, &node.span)
            });
            let Some(span) = found else { break };
            self.replace(span, "");
        }
        self.at(path, |node| match &node.kind {
            Kind::Array(items) => Some(!items.is_empty()),
            _ => Some(is_kept(self.slice(node.span.clone()))),
        })
        .unwrap_or_default()
    }

    pub(super) fn rename(&mut self, path: &[&str], name: &str, to: &str) {
        let key = self.at(path, |node| node.member(name).map(|member| member.key.clone()));
        if let Some(key) = key {
            self.replace(key, &quote(to));
        }
    }

    pub(super) fn set(&mut self, path: &[&str], name: &str, value: &str) {
        let span = self.at(path, |node| node.member(name).map(|member| member.value.span.clone()));
        if let Some(span) = span {
            self.replace(span, value);
        }
    }

    /// Whether the text has a space after colons.
    pub(super) fn is_spaced(&self) -> bool {
        let colon = |node: &Node| {
            let first = node.members().first()?;
            Some(self.slice(first.key.end..first.value.span.start).len() > 1)
        };
        self.at(&[], colon).unwrap_or(true)
    }

    /// Adds a member at the end of the object at `path`, in the layout of its other members.
    pub(super) fn add(&mut self, path: &[&str], name: &str, value: &str) {
        let is_spaced = self.is_spaced();
        let edit = self.at(path, |node| {
            let colon = if is_spaced { ": " } else { ":" };
            let member = format!("{}{colon}{value}", quote(name));
            let members = node.members();
            let Some(last) = members.last() else {
                let whole = if is_spaced { format!("{{ {member} }}") } else { format!("{{{member}}}") };
                return Some((node.span.clone(), whole));
            };
            let second_last = members.len().checked_sub(2).and_then(|index| members.get(index));
            let before = if let Some(before) = second_last {
                self.slice(before.value.span.end..last.key.start).to_owned()
            } else {
                let lead = self.slice(node.span.start + 1..last.key.start);
                let inline = if is_spaced { " " } else { "" };
                format!(",{}", if lead.contains('\n') { lead } else { inline })
            };
            let end = last.value.span.end;
            Some((end..end, format!("{before}{member}")))
        });
        if let Some((span, by)) = edit {
            self.replace(span, &by);
        }
    }
}

/// Returns the range to remove for the part `index` of an object or list, including its comma.
fn without(spans: &[Range<usize>], index: usize, whole: &Range<usize>) -> Option<Range<usize>> {
    let this = spans.get(index)?;
    let before = index.checked_sub(1).and_then(|before| spans.get(before));
    Some(match (before, spans.get(index + 1)) {
        (Some(before), _) => before.end..this.end,
        (None, Some(next)) => this.start..next.start,
        (None, None) => whole.start + 1..whole.end - 1,
    })
}

pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
