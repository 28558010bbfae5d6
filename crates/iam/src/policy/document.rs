//! A policy as written: `Version`, statements, each part with its place in the text.

use super::condition::Condition;
use super::json::{self, parse_json};
use super::node::Place;
use super::parse::read_policy;
use super::principal::Principal;
use super::statement::covers_action;
use super::variable::{Template, Version};

const ASSUME_ROLE: &str = "sts:AssumeRole";

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
    /// Where its name stands.
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

impl Statement {
    /// Whether it is about `action`, whatever its other elements say.
    pub(crate) fn covers_action(&self, action: &str) -> bool {
        covers_action(&self.actions, action)
    }
}

impl Policy {
    /// Parses the JSON of a policy.
    ///
    /// # Errors
    /// When it is not JSON, or not a policy; with the place.
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        Ok(read_policy(&parse_json(json)?)?)
    }

    /// The resources on which this policy of a caller may allow `sts:AssumeRole`, its conditions left aside;
    /// `None` when they are not named one by one, but by wildcards or variables, or as all but some.
    pub fn assumable_roles(&self) -> Option<impl Iterator<Item = &str>> {
        let is_about = |statement: &&Statement| {
            statement.effect == Effect::Allow && covers_action(&statement.actions, ASSUME_ROLE)
        };
        let elements: Vec<_> =
            self.statements.iter().filter(is_about).filter_map(|s| s.resources.as_ref()).collect();
        // A short ARN counts as one with wildcards at its end.
        let is_one = |text: &str| !text.contains(['*', '?', '$']) && text.matches(':').count() >= 5;
        let is_plain = |element: &&Element<Template>| {
            !element.is_negated && element.entries.iter().all(|entry| is_one(&entry.text))
        };
        let is_told = elements.iter().all(is_plain);
        is_told.then(|| {
            elements.into_iter().flat_map(|element| &element.entries).map(|entry| entry.text.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(statement: &str) -> Option<Vec<String>> {
        let policy =
            Policy::parse(&format!(r#"{{"Version": "2012-10-17", "Statement": {{{statement}}}}}"#)).unwrap();
        policy.assumable_roles().map(|roles| roles.map(str::to_owned).collect())
    }

    #[test]
    fn a_file_that_is_no_text_is_told_with_its_place() {
        assert_eq!(decode_json(b"{}"), Ok("{}"));
        assert_eq!(decode_json(b"{\n\xff").map_err(|error| (error.line, error.column)), Err((2, 1)));
    }

    #[test]
    fn roles_are_told_only_where_each_is_named() {
        let ops = "arn:aws:iam::444455556666:role/Ops";
        let allow = |action: &str, resource: &str| {
            roles(&format!(r#""Effect": "Allow", "Action": "{action}", "Resource": {resource}"#))
        };
        assert_eq!(allow("sts:Assume*", &format!("[\"{ops}\"]")), Some(vec![ops.to_owned()]));
        assert_eq!(allow("s3:*", "\"*\""), Some(Vec::new()), "about something else");
        for wide in ["\"*\"", "\"arn:aws:iam::444455556666:role/${aws:username}\"", "\"arn:aws:iam\""] {
            assert_eq!(allow("sts:*", wide), None, "{wide}");
        }
        let but = format!(r#""Effect": "Allow", "Action": "sts:*", "NotResource": "{ops}""#);
        assert_eq!(roles(&but), None);
        let deny = r#""Effect": "Deny", "Action": "*", "Resource": "*""#;
        assert_eq!(roles(deny), Some(Vec::new()), "a Deny allows nothing");
    }
}
