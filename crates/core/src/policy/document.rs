//! A policy as written: `Version`, statements, each part with its place in the text.

use super::condition::Condition;
use super::json::parse_json;
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
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong, in words.
    pub problem: String,
}

impl Policy {
    /// Parses the JSON of a policy.
    ///
    /// # Errors
    /// When it is not JSON, or not a policy; with the place.
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        Ok(read_policy(&parse_json(json)?)?)
    }

    /// Whether a statement could allow `sts:AssumeRole` on some role, its conditions left aside.
    pub fn may_allow_assume_role(&self) -> bool {
        let is_about = |statement: &Statement| covers_action(&statement.actions, ASSUME_ROLE);
        self.statements.iter().any(|statement| statement.effect == Effect::Allow && is_about(statement))
    }
}
