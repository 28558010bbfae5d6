//! A JSON value with its place in the text, and how it is read as one type or another.

use std::borrow::Cow;
use std::cell::OnceCell;

use hatbox_types::text::printable;

/// A place in a text: line and column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
}

impl Place {
    /// Where a text starts.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Goes on behind `c`. A place beyond the limit is reported as the limit.
    pub(crate) fn pass(&mut self, c: char) {
        if c == '\n' {
            *self = Self { line: self.line.saturating_add(1), column: 1 };
        } else {
            self.column = self.column.saturating_add(1);
        }
    }

    /// Goes on behind `text`, which is all of one line.
    pub(crate) fn pass_in_line(&mut self, text: &str) {
        let count = text.chars().count();
        self.column = self.column.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) place: Place,
    pub(crate) problem: String,
}

/// A value and where it starts. What is in its text as it is, it borrows from there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node<'t> {
    pub(crate) place: Place,
    pub(crate) value: Value<'t>,
}

/// A JSON value. Numbers stay as written; members keep their order, and no name comes twice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'t> {
    Null,
    Bool(bool),
    Number(&'t str),
    /// Borrowed where it has no escapes.
    String(Cow<'t, str>),
    /// A string that is not shown as it is.
    Unprintable(Box<Unprintable<'t>>),
    Array(Vec<Node<'t>>),
    Object(Vec<Member<'t>>),
}

/// A string with characters that a terminal must not get. As a word it is what is shown of it: names and values out of
/// a file are compared and reported alike, and no writer can forget to escape them. A policy inside a string is `raw`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unprintable<'t> {
    pub(crate) raw: Cow<'t, str>,
    shown: OnceCell<String>,
}

impl<'t> Unprintable<'t> {
    pub(crate) fn new(raw: Cow<'t, str>) -> Self {
        Self { raw, shown: OnceCell::new() }
    }

    pub(crate) fn shown(&self) -> &str {
        self.shown.get_or_init(|| printable(&self.raw).into_owned())
    }
}

/// One `name: value` of an object. The name is printable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member<'t> {
    pub(crate) place: Place,
    pub(crate) name: Cow<'t, str>,
    pub(crate) node: Node<'t>,
}

impl Value<'_> {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) | Self::Unprintable(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl<'t> Node<'t> {
    /// An error at this value.
    pub(crate) fn error(&self, problem: impl Into<String>) -> JsonError {
        JsonError { place: self.place, problem: problem.into() }
    }

    /// Its members, when it is an object; `what` names it in the error.
    pub(crate) fn members(&self, what: &str) -> Result<&[Member<'t>], JsonError> {
        match &self.value {
            Value::Object(members) => Ok(members),
            other => Err(self.error(format!("{what} is an object, not {}", other.kind()))),
        }
    }

    /// The member `name`, when it is an object that has it.
    pub(crate) fn find_member(&self, name: &str) -> Option<&Member<'t>> {
        match &self.value {
            Value::Object(members) => members.iter().find(|member| *member.name == *name),
            _ => None,
        }
    }

    /// The value of the member `name`, when it is an object that has it.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        self.find_member(name).map(|member| &member.node)
    }

    /// Its text, when it is a string; `what` names it in the error.
    pub(crate) fn text(&self, what: &str) -> Result<&str, JsonError> {
        match &self.value {
            Value::String(text) => Ok(text),
            Value::Unprintable(text) => Ok(text.shown()),
            other => Err(self.error(format!("{what} is a string, not {}", other.kind()))),
        }
    }

    /// The items of a list, or itself: AWS writes a list of one without the brackets.
    pub(crate) fn one_or_many(&self) -> &[Self] {
        match &self.value {
            Value::Array(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The text of a value of the condition key `key`: `true` and `3600` represent `"true"` and `"3600"`.
    pub(crate) fn scalar(&self, key: &str) -> Result<String, JsonError> {
        match &self.value {
            Value::String(text) => Ok(text.clone().into_owned()),
            Value::Unprintable(text) => Ok(text.shown().to_owned()),
            Value::Number(text) => Ok((*text).to_owned()),
            Value::Bool(is_true) => Ok(is_true.to_string()),
            other => {
                let kind = other.kind();
                Err(self.error(format!("a value of `{key}` is a string, a number or a boolean, not {kind}")))
            }
        }
    }

    /// As JSON again, indented by two spaces.
    pub(crate) fn render(&self) -> String {
        let mut text = String::with_capacity(1 << 10);
        self.render_into(&mut text, 0);
        text.shrink_to_fit();
        text
    }

    fn render_into(&self, text: &mut String, depth: usize) {
        let break_line = |text: &mut String, depth: usize| {
            text.push('\n');
            text.extend(std::iter::repeat_n("  ", depth));
        };
        match &self.value {
            Value::Null => text.push_str("null"),
            Value::Bool(is_true) => text.push_str(if *is_true { "true" } else { "false" }),
            Value::Number(number) => text.push_str(number),
            Value::String(string) => push_quoted(text, string),
            Value::Unprintable(string) => push_quoted(text, &string.raw),
            Value::Array(items) if items.is_empty() => text.push_str("[]"),
            Value::Array(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    break_line(text, depth + 1);
                    item.render_into(text, depth + 1);
                }
                break_line(text, depth);
                text.push(']');
            }
            Value::Object(members) if members.is_empty() => text.push_str("{}"),
            Value::Object(members) => {
                text.push('{');
                for (index, member) in members.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    break_line(text, depth + 1);
                    push_quoted(text, &member.name);
                    text.push_str(": ");
                    member.node.render_into(text, depth + 1);
                }
                break_line(text, depth);
                text.push('}');
            }
        }
    }
}

/// As a JSON string. What is borrowed from a text is there without an escape.
#[expect(clippy::ptr_arg, reason = "whether it is borrowed is what is asked")]
fn push_quoted(text: &mut String, string: &Cow<'_, str>) {
    match string {
        Cow::Borrowed(plain) => {
            text.push('"');
            text.push_str(plain);
            text.push('"');
        }
        Cow::Owned(string) => text.push_str(&serde_json::Value::from(string.as_str()).to_string()),
    }
}
