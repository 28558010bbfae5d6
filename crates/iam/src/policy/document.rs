//! A policy as written: `Version`, statements, each part with its place in the text.

use super::condition::Condition;
use super::json;
use super::node::Place;
use super::principal::Principal;
use super::variable::{Template, Version};

/// A parsed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The language it is written in.
    pub version: Version,
    /// `Id`.
    pub id: Option<String>,
    /// `Statement`, also when there is but one.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where it starts.
    pub place: Place,
    /// `Sid`.
    pub sid: Option<String>,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`.
    pub principals: Option<Element<Principal>>,
    /// `Action` or `NotAction`.
    pub actions: Element<Template>,
    /// `Resource` or `NotResource`.
    pub resources: Option<Element<Template>>,
    /// `Condition`: all must hold.
    pub conditions: Vec<Condition>,
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Forbids, whatever else grants.
    Deny,
}

/// The entries of an element that can be turned round: `Action` or `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element<T> {
    /// Where its name is.
    pub place: Place,
    /// `Not...`: meant are all but these.
    pub is_negated: bool,
    /// The entries.
    pub entries: Vec<T>,
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct PolicyError {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// What is wrong, in words.
    pub problem: String,
}

/// The text of a file that should hold a policy.
///
/// # Errors
/// When it is not UTF-8; with the place.
pub fn decode_json(bytes: &[u8]) -> Result<&str, PolicyError> {
    Ok(json::decode(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_text_is_reported_with_its_place() {
        assert_eq!(decode_json(b"{}"), Ok("{}"));
        assert_eq!(decode_json(b"{\n\xff").map_err(|error| (error.line, error.column)), Err((2, 1)));
    }
}
