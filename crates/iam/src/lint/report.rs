//! What there is to say of one trust policy.

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

/// A policy that was asked about.
#[derive(Debug, Clone)]
pub struct Linted {
    /// How it is called: the file as the user named it, `stdin`, or a role and its source.
    pub name: String,
    /// The file that places are places in, where it is one.
    pub file: Option<String>,
    /// What came out.
    pub outcome: Outcome,
}

/// What came of a policy.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was judged.
    Judged(Box<Report>),
    /// It could not be read.
    Unreadable(PolicyError),
    /// Terraform knows it only when it applies its plan.
    UntilApply,
}

/// What there is to say of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whom it trusts, in words.
    pub who: Vec<String>,
    /// Whether no one can assume the role, whoever is trusted.
    pub is_closed: bool,
    /// Which kinds of callers get in.
    pub admits: Admits,
    /// What is wrong, in the order of the text.
    pub findings: Vec<Finding>,
}

/// How many findings of each level there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Infos.
    pub infos: usize,
}

/// Judges the trust policy `text` of the role `subject`.
///
/// # Errors
/// When it is no policy; with the place.
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
    // Where something is an error, that says why.
    if is_closed && !findings.iter().any(|finding| finding.level == Level::Error) {
        findings.push(no_one());
    }
    // A value of MFA that no one has is said once.
    let shut: Vec<_> =
        findings.iter().filter(|of| of.rule == Rule::MfaUnsatisfiable).map(|of| of.place).collect();
    findings.retain(|of| of.rule != Rule::NeverMatches || !shut.contains(&of.place));
    findings.sort_by_key(|finding| (finding.place, finding.rule));
    let who = describe_trusted(&policy);
    Ok(Report { who, is_closed, admits: judge_admits(&policy, trial), findings })
}

/// Whom the policy trusts, each once.
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
    /// Counts the findings of all that were judged.
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

    /// How many are at least as bad as `level`.
    pub fn at_least(self, level: Level) -> usize {
        match level {
            Level::Error => self.errors,
            Level::Warning => self.errors + self.warnings,
            Level::Info => self.errors + self.warnings + self.infos,
        }
    }
}
