//! The report on one trust policy.

use std::collections::BTreeSet;

use hatbox_types::level::Level;

use super::actions::find_actions;
use super::conditions::find_conditions;
use super::deputy::find_deputies;
use super::federation::find_federation;
use super::finding::{Finding, Spot, Subject};
use super::mfa::find_mfa;
use super::principals::{find_principals, find_resource};
use super::rule::Rule;
use super::shape::{find_shape, find_too_long, is_closed, no_one};
use super::values::find_values;
use super::whole::Whole;
use crate::admits::{Admits, Trial, judge_admits};
use crate::policy::document::{Effect, Policy, PolicyError};
use crate::policy::principal::PrincipalKind;
use crate::report::words::describe_principal;

/// A policy and the result of checking it.
#[derive(Debug, Clone)]
pub struct Linted {
    /// The name in reports: the file as given by the user, `stdin`, or a role and its source.
    pub name: String,
    /// The file that positions refer to, if there is one.
    pub file: Option<String>,
    /// The result.
    pub outcome: Outcome,
}

/// The result of checking a policy.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The policy was checked.
    Judged(Box<Report>),
    /// The policy could not be read.
    Unreadable(PolicyError),
    /// Terraform will know the policy only after apply.
    UntilApply,
}

/// The report on a policy.
#[derive(Debug, Clone)]
pub struct Report {
    /// The trusted principals, as text.
    pub who: Vec<String>,
    /// Whether the role cannot be assumed at all.
    pub is_closed: bool,
    /// With which kinds of credentials the role can be assumed.
    pub admits: Admits,
    /// The findings, in the order of the text.
    pub findings: Vec<Finding>,
}

/// The number of findings of each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Infos.
    pub infos: usize,
}

/// Checks the trust policy `text` of the role `subject`.
///
/// # Errors
/// If the text is not a valid policy; the error has the position.
pub fn lint_policy(text: &str, subject: Subject, trial: &Trial) -> Result<Report, PolicyError> {
    let policy = Policy::parse(text)?;
    let mut findings: Vec<_> = find_too_long(text, policy.statements.len()).into_iter().collect();
    findings.extend(find_mfa(&policy, subject, trial));
    let whole = Whole::of(&policy);
    for spot in Spot::all(&policy.statements) {
        findings.extend(find_principals(spot, &whole, subject.arn));
        findings.extend(find_deputies(spot, subject));
        findings.extend(find_actions(spot, &whole));
        findings.extend(find_federation(spot, &whole));
        findings.extend(find_resource(spot));
        findings.extend(find_conditions(spot, &whole));
        for condition in &spot.statement.conditions {
            findings.extend(find_values(spot, condition, policy.version, trial.assumptions.now));
        }
    }
    findings.extend(find_shape(&policy));
    let is_closed = is_closed(&policy, trial);
    // An error explains it already.
    if is_closed && !findings.iter().any(|finding| finding.level == Level::Error) {
        findings.push(no_one());
    }
    // Report an MFA condition that is never true only once.
    let shut: Vec<_> =
        findings.iter().filter(|of| of.rule == Rule::MfaUnsatisfiable).map(|of| of.place).collect();
    findings.retain(|of| of.rule != Rule::NeverMatches || !shut.contains(&of.place));
    findings.sort_by_key(|finding| (finding.place, finding.rule));
    let who = describe_trusted(&policy);
    Ok(Report { who, is_closed, admits: judge_admits(&policy, trial), findings })
}

/// Describes the trusted principals, without duplicates.
fn describe_trusted(policy: &Policy) -> Vec<String> {
    let mut who: Vec<String> = Vec::new();
    let mut known = BTreeSet::new();
    for statement in policy.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        let Some(element) = &statement.principals else { continue };
        for principal in &element.entries {
            let mut text = describe_principal(principal);
            if matches!(principal.kind, PrincipalKind::Account { .. }) {
                text.push_str(", if its own policies allow sts:AssumeRole");
            }
            if element.is_negated {
                text.insert_str(0, "everyone except ");
            }
            if known.insert(text.clone()) {
                who.push(text);
            }
        }
    }
    who
}

impl Counts {
    /// Counts the findings of all checked policies.
    pub fn of(linted: &[Linted]) -> Self {
        let mut counts = Self::default();
        for one in linted {
            let Outcome::Judged(report) = &one.outcome else { continue };
            for finding in &report.findings {
                match finding.level {
                    Level::Error => counts.errors += 1,
                    Level::Warning => counts.warnings += 1,
                    Level::Info => counts.infos += 1,
                }
            }
        }
        counts
    }

    /// Returns the number of findings of `level` or worse.
    pub fn at_least(self, level: Level) -> usize {
        match level {
            Level::Error => self.errors,
            Level::Warning => self.errors + self.warnings,
            Level::Info => self.errors + self.warnings + self.infos,
        }
    }
}
