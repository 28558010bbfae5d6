//! One finding: what is wrong, where, and how to fix it; and the role that the policy belongs to.

use std::collections::BTreeSet;

use super::rule::Rule;
use crate::policy::Place;
use crate::policy::condition::Condition;
use crate::policy::document::Statement;
use crate::policy::principal::{Principal, PrincipalKind};
use hatbox_types::level::Level;

/// A finding in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that the policy breaks.
    pub rule: Rule,
    /// The severity.
    pub level: Level,
    /// The position in the text.
    pub place: Place,
    /// The number of the statement, from 1; `None` for the whole policy.
    pub statement: Option<usize>,
    /// The statement's `Sid`.
    pub sid: Option<String>,
    /// The path of the element in the statement: `Condition.BoolIfExists`. Empty for the whole statement.
    pub element: String,
    /// What is wrong, as a sentence.
    pub message: String,
    /// How to fix it: a phrase in lower case, with a period.
    pub fix: String,
}

/// The role that a policy belongs to, as far as known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The role's ARN.
    pub arn: Option<&'a str>,
    /// The accounts in the sources; `None` if no sources were given.
    pub accounts: Option<&'a BTreeSet<String>>,
}

/// A statement with its number, from which findings are created.
#[derive(Clone, Copy)]
pub(super) struct Spot<'p> {
    pub(super) number: usize,
    pub(super) statement: &'p Statement,
}

impl<'p> Spot<'p> {
    /// Returns all statements of a policy, numbered from 1.
    pub(super) fn all(statements: &'p [Statement]) -> impl Iterator<Item = Self> {
        statements.iter().zip(1..).map(|(statement, number)| Spot { number, statement })
    }

    /// Creates a finding about the whole statement.
    pub(super) fn whole(self, rule: Rule, message: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.at(rule, self.statement.place, String::new(), message, fix)
    }

    pub(super) fn at(
        self,
        rule: Rule,
        place: Place,
        element: String,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Finding {
        Finding {
            rule,
            level: rule.level(),
            place,
            statement: Some(self.number),
            // AWS treats an empty `Sid`, which Terraform writes, as absent.
            sid: self.statement.sid.clone().filter(|sid| !sid.is_empty()),
            element,
            message: message.into(),
            fix: fix.into(),
        }
    }

    pub(super) fn on_condition(
        self,
        rule: Rule,
        condition: &Condition,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Finding {
        let element = format!("Condition.{}", condition.operator_name);
        self.at(rule, condition.place, element, message, fix)
    }

    pub(super) fn on_principal(
        self,
        rule: Rule,
        principal: &Principal,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Finding {
        let element = match principal.kind {
            PrincipalKind::Everyone => "Principal",
            PrincipalKind::Service => "Principal.Service",
            PrincipalKind::Federated => "Principal.Federated",
            PrincipalKind::CanonicalUser => "Principal.CanonicalUser",
            PrincipalKind::Account { .. } | PrincipalKind::Arn | PrincipalKind::NoOne => "Principal.AWS",
        };
        self.at(rule, principal.place, element.to_owned(), message, fix)
    }
}
