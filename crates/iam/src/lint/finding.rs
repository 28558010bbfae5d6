//! One finding: what is wrong, where, and how to fix it; and the role that it is about.

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
    /// The rule.
    pub rule: Rule,
    /// How bad it is.
    pub level: Level,
    /// Where it is.
    pub place: Place,
    /// The statement, from 1; `None`: the whole policy.
    pub statement: Option<usize>,
    /// The statement's `Sid`.
    pub sid: Option<String>,
    /// The element in the statement: `Condition.BoolIfExists`. Empty: all of it.
    pub element: String,
    /// What is wrong: a sentence.
    pub message: String,
    /// What to do: a phrase in lower case, with a period.
    pub fix: String,
}

/// What is known of the role that a policy is of.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The role's ARN.
    pub arn: Option<&'a str>,
    /// The accounts that the sources hold; `None`: no sources were given.
    pub accounts: Option<&'a BTreeSet<String>>,
}

/// A statement with its number, to make findings in.
#[derive(Clone, Copy)]
pub(super) struct Spot<'p> {
    pub(super) number: usize,
    pub(super) statement: &'p Statement,
}

impl<'p> Spot<'p> {
    /// All statements of a policy.
    pub(super) fn all(statements: &'p [Statement]) -> impl Iterator<Item = Self> {
        statements.iter().zip(1..).map(|(statement, number)| Spot { number, statement })
    }

    /// A finding on the statement as a whole.
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
            sid: self.statement.sid.clone(),
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
