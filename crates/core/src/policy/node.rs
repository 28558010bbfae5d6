//! A JSON value with its place in the text, and how it is read as one type or another.

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
pub(super) struct JsonError {
    pub(super) place: Place,
    pub(super) problem: String,
}

/// A value and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A JSON value. Numbers stay as written; members keep their order, and no name comes twice.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// One `name: value` of an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) node: Node,
}

impl Value {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
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
    pub(super) fn error(&self, problem: impl Into<String>) -> JsonError {
        JsonError { place: self.place, problem: problem.into() }
    }

    /// Its members, when it is an object; `what` names it in the error.
    pub(super) fn members(&self, what: &str) -> Result<&[Member], JsonError> {
        match &self.value {
            Value::Object(members) => Ok(members),
            other => Err(self.error(format!("{what} is an object, not {}", other.kind()))),
        }
    }

    /// The member `name`, when it is an object that has it.
    pub(super) fn find_member(&self, name: &str) -> Option<&Member> {
        match &self.value {
            Value::Object(members) => members.iter().find(|member| member.name == name),
            _ => None,
        }
    }

    /// The value of the member `name`, when it is an object that has it.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        self.find_member(name).map(|member| &member.node)
    }

    /// Its text, when it is a string; `what` names it in the error.
    pub(super) fn text(&self, what: &str) -> Result<&str, JsonError> {
        match &self.value {
            Value::String(text) => Ok(text),
            other => Err(self.error(format!("{what} is a string, not {}", other.kind()))),
        }
    }

    /// The items of a list, or itself: AWS writes a list of one without the brackets.
    pub(super) fn one_or_many(&self) -> &[Self] {
        match &self.value {
            Value::Array(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The text of a value of the condition key `key`: `true` and `3600` stand for `"true"` and `"3600"`.
    pub(super) fn scalar(&self, key: &str) -> Result<String, JsonError> {
        match &self.value {
            Value::String(text) | Value::Number(text) => Ok(text.clone()),
            Value::Bool(is_true) => Ok(is_true.to_string()),
            other => {
                let kind = other.kind();
                Err(self.error(format!("a value of `{key}` is a string, a number or a boolean, not {kind}")))
            }
        }
    }
}
