//! How each statement applied to a request, and the sentence that reports it.

use std::fmt;

use super::answer::{Answer, Fact, Layer, sort_by_name};
use super::document::{Effect, Statement};
use super::statement::Miss;

/// The maximum number of findings in an answer.
const MAX_SHOWN: usize = 8;

/// The policy that a statement is part of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) name: &'static str,
    /// The level of the organization, from 1.
    pub(super) level: Option<usize>,
    /// The number of the policy among several, from 1.
    pub(super) index: Option<usize>,
}

impl Origin {
    /// Creates the origin of a layer's only policy.
    pub(super) fn only(name: &'static str) -> Self {
        Self { name, level: None, index: None }
    }

    /// Creates the origin of the first policy of a layer that may have several.
    pub(super) fn policy(name: &'static str) -> Self {
        Self { index: Some(1), ..Self::only(name) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(level) = self.level {
            write!(f, "level {level}, ")?;
        }
        f.write_str(self.name)?;
        self.index.map_or(Ok(()), |index| write!(f, " {index}"))
    }
}

/// How one statement applied.
pub(super) struct Finding<'p> {
    pub(super) layer: Layer,
    pub(super) origin: Origin,
    /// The number of the statement in its policy, from 1.
    pub(super) number: usize,
    pub(super) statement: &'p Statement,
    pub(super) truth: Answer,
    pub(super) miss: Option<Miss<'p>>,
}

impl Finding<'_> {
    fn render(&self) -> String {
        let sid = self
            .statement
            .sid
            .as_ref()
            .filter(|sid| !sid.is_empty())
            .map(|sid| format!(" (Sid `{sid}`)"))
            .unwrap_or_default();
        let does = match self.statement.effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        };
        let what = match (&self.truth, &self.miss) {
            (Answer::Yes, _) => self.render_applied(),
            (Answer::Unknown(facts), _) => {
                let quoted = |fact: &Fact| match fact {
                    Fact::Key(_) | Fact::Layer(_) => format!("`{fact}`"),
                    Fact::SessionName(_) | Fact::CanonicalId | Fact::Reading(_) | Fact::Gap(_) => {
                        fact.to_string()
                    }
                };
                let mut facts = facts.clone();
                sort_by_name(&mut facts);
                let facts: Vec<_> = facts.iter().map(quoted).collect();
                format!("may {does}, depending on {}", facts.join(", "))
            }
            (Answer::No, None | Some(Miss::Principal)) => format!("does not {does}: names someone else"),
            (Answer::No, Some(Miss::Action)) => format!("does not {does}: is about other actions"),
            (Answer::No, Some(Miss::Resource)) => format!("does not {does}: is about other resources"),
            (Answer::No, Some(Miss::Condition { condition, has_key })) => {
                let why = if *has_key { "the request has another value" } else { "the key is absent" };
                format!("does not {does}: {} on `{}` fails, {why}", condition.operator_name, condition.key)
            }
        };
        format!("{}, statement {}{sid}: {what}", self.origin, self.number)
    }

    fn render_applied(&self) -> String {
        if self.statement.effect == Effect::Allow {
            return "allows it".to_owned();
        }
        let conditions: Vec<_> = self
            .statement
            .conditions
            .iter()
            .map(|condition| format!("{} on `{}`", condition.operator_name, condition.key))
            .collect();
        if conditions.is_empty() {
            "denies it".to_owned()
        } else {
            format!("denies it: {} holds", conditions.join(" and "))
        }
    }
}

/// Renders the findings that `is_picked` selects: statements that applied first, then those that came closest.
pub(super) fn render_findings<'f, 'p: 'f>(
    findings: impl IntoIterator<Item = &'f Finding<'p>>,
    is_picked: impl Fn(&Finding) -> bool,
) -> Vec<String> {
    let mut picked: Vec<_> = findings.into_iter().filter(|finding| is_picked(finding)).collect();
    picked.sort_by_key(|finding| match (&finding.truth, &finding.miss) {
        (Answer::Yes, _) => 0,
        (Answer::Unknown(_), _) => 1,
        (_, Some(Miss::Condition { .. })) => 2,
        (_, Some(Miss::Resource)) => 3,
        (_, Some(Miss::Action)) => 4,
        (_, Some(Miss::Principal) | None) => 5,
    });
    let more = picked.len().saturating_sub(MAX_SHOWN);
    let mut texts: Vec<_> = picked.into_iter().take(MAX_SHOWN).map(Finding::render).collect();
    if more > 0 {
        texts.push(format!("and {more} more statements"));
    }
    texts
}
