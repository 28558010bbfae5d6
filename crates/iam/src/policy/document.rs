//! A policy as written: version and statements, each element with its position in the text.

use super::condition::Condition;
use super::json;
use super::node::Place;
use super::principal::Principal;
use super::variable::{Template, Version};

/// A parsed policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The version of the policy language.
    pub version: Version,
    /// The `Id` element.
    pub id: Option<String>,
    /// The statements, also if `Statement` is a single object.
    pub statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The position of its first character.
    pub place: Place,
    /// The `Sid` element.
    pub sid: Option<String>,
    /// The `Effect` element.
    pub effect: Effect,
    /// The `Principal` or `NotPrincipal` element.
    pub principals: Option<Element<Principal>>,
    /// The `Action` or `NotAction` element.
    pub actions: Element<Template>,
    /// The `Resource` or `NotResource` element.
    pub resources: Option<Element<Template>>,
    /// The `Condition` element; all conditions must hold.
    pub conditions: Vec<Condition>,
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allows the request unless another statement denies it.
    Allow,
    /// Denies the request even if another statement allows it.
    Deny,
}

/// An element that has a negated form, such as `Action` and `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element<T> {
    /// The position of the element's name.
    pub place: Place,
    /// Whether the element is a `Not...` form, which matches everything except its entries.
    pub is_negated: bool,
    /// The entries.
    pub entries: Vec<T>,
}

/// Why a text is not a valid policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct PolicyError {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// What is wrong, as text for the user.
    pub problem: String,
}

/// Decodes the bytes of a policy file, which must be UTF-8.
///
/// # Errors
/// If the bytes are not UTF-8; the error has the position.
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
