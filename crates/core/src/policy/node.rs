//! A JSON value with its place in the text, and how it is read as one type or another.

use std::sync::Arc;

/// A place in a text: line and column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) place: Place,
    pub(crate) problem: String,
}

/// A value and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// A JSON value. Numbers stay as written; members keep their order, and no name comes twice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// One `name: value` of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) place: Place,
    pub(crate) name: Arc<str>,
    pub(crate) node: Node,
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl Node {
    /// An error at this value.
    pub(crate) fn error(&self, problem: impl Into<String>) -> JsonError {
        JsonError { place: self.place, problem: problem.into() }
    }

    /// Its members, when it is an object; `what` names it in the error.
    pub(crate) fn members(&self, what: &str) -> Result<&[Member], JsonError> {
        match &self.value {
            Value::Object(members) => Ok(members),
            other => Err(self.error(format!("{what} is an object, not {}", other.kind()))),
        }
    }

    /// The member `name`, when it is an object that has it.
    pub(crate) fn find_member(&self, name: &str) -> Option<&Member> {
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

    /// The text of a value of the condition key `key`: `true` and `3600` stand for `"true"` and `"3600"`.
    pub(crate) fn scalar(&self, key: &str) -> Result<String, JsonError> {
        match &self.value {
            Value::String(text) | Value::Number(text) => Ok(text.clone()),
            Value::Bool(is_true) => Ok(is_true.to_string()),
            other => {
                let kind = other.kind();
                Err(self.error(format!("a value of `{key}` is a string, a number or a boolean, not {kind}")))
            }
        }
    }

    /// As JSON again, indented by two spaces.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        self.render_into(&mut text, 0);
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

/// As a JSON string.
fn push_quoted(text: &mut String, string: &str) {
    let is_plain = string.bytes().all(|byte| !matches!(byte, b'"' | b'\\' | 0..b' '));
    if is_plain {
        text.push('"');
        text.push_str(string);
        text.push('"');
    } else {
        text.push_str(&serde_json::Value::from(string).to_string());
    }
}
