//! A JSON value with its position in the text, and its conversions to typed values.

use std::borrow::Cow;
use std::cell::OnceCell;

use hatbox_types::text::printable;

/// A position in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
}

impl Place {
    /// The start of a text.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Moves past `c`. Saturates at the largest number.
    pub(crate) fn pass(&mut self, c: char) {
        if c == '\n' {
            *self = Self { line: self.line.saturating_add(1), column: 1 };
        } else {
            self.column = self.column.saturating_add(1);
        }
    }

    /// Moves past `text`, which contains no newline.
    pub(crate) fn pass_in_line(&mut self, text: &str) {
        let count = text.chars().count();
        self.column = self.column.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }
}

/// What is wrong with a JSON text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) place: Place,
    pub(crate) problem: String,
}

/// A value and the position where it starts. Borrows from the text where possible.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node<'t> {
    pub(crate) place: Place,
    pub(crate) value: Value<'t>,
}

/// A JSON value. Numbers stay as written; members keep their order, and their names are unique.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'t> {
    Null,
    Bool(bool),
    Number(&'t str),
    /// Borrowed from the text if it has no escapes.
    String(Cow<'t, str>),
    /// A string that must be escaped to be shown.
    Unprintable(Box<Unprintable<'t>>),
    Array(Vec<Node<'t>>),
    Object(Vec<Member<'t>>),
}

/// A string with characters that must not reach a terminal. As text it is always the escaped form, so names and values
/// are compared and reported in the same form, and no message can forget to escape them. `raw` is for policies that are
/// embedded as strings.
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

/// One `name: value` of an object. The name is safe to print.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member<'t> {
    pub(crate) place: Place,
    pub(crate) name: Cow<'t, str>,
    pub(crate) node: Node<'t>,
}

impl Value<'_> {
    /// Returns the name of the value's type, for messages.
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
    /// Returns an error at the position of this value.
    pub(crate) fn error(&self, problem: impl Into<String>) -> JsonError {
        JsonError { place: self.place, problem: problem.into() }
    }

    /// Returns the members of an object, or an error that calls the value `what`.
    pub(crate) fn members(&self, what: &str) -> Result<&[Member<'t>], JsonError> {
        match &self.value {
            Value::Object(members) => Ok(members),
            other => Err(self.error(format!("{what} is an object, not {}", other.kind()))),
        }
    }

    /// Finds the member `name`; `None` if the value is not an object.
    pub(crate) fn find_member(&self, name: &str) -> Option<&Member<'t>> {
        match &self.value {
            Value::Object(members) => members.iter().find(|member| *member.name == *name),
            _ => None,
        }
    }

    /// Finds the value of the member `name`; `None` if this value is not an object.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        self.find_member(name).map(|member| &member.node)
    }

    /// Returns the text of a string, or an error that calls the value `what`.
    pub(crate) fn text(&self, what: &str) -> Result<&str, JsonError> {
        match &self.value {
            Value::String(text) => Ok(text),
            Value::Unprintable(text) => Ok(text.shown()),
            other => Err(self.error(format!("{what} is a string, not {}", other.kind()))),
        }
    }

    /// Returns the items of an array, or the value itself: AWS also writes a list of one item without brackets.
    pub(crate) fn one_or_many(&self) -> &[Self] {
        match &self.value {
            Value::Array(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// Returns a value of the condition key `key` as text: `true` and `3600` mean `"true"` and `"3600"`.
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

    /// Renders the value as JSON, indented by two spaces.
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

/// Appends a JSON string. Borrowed text needs no escaping, as it had no escapes.
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
