//! Three-valued answers about a request (Kleene's logic): yes, no, or unknown because of the facts that are named.

use std::fmt;

/// A layer of policies, ordered by which one is reported as the cause when several deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Service control policies of the caller's account.
    Scp,
    /// Resource control policies of the resource's account.
    Rcp,
    /// The role's trust policy, or the resource-based policy of any other resource.
    Trust,
    /// The caller's identity-based policies.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// The session policies.
    Session,
}

impl Layer {
    /// All layers, in the order in which they are reported.
    pub const ALL: [Self; 6] =
        [Self::Scp, Self::Rcp, Self::Trust, Self::Identity, Self::Boundary, Self::Session];

    /// Returns the name used in output: `scp`, `rcp`, `trust`, `identity`, `boundary` or `session`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scp => "scp",
            Self::Rcp => "rcp",
            Self::Trust => "trust",
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
        }
    }
}

/// Why a request is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenyKind {
    /// A `Deny` statement matched.
    Explicit,
    /// No `Allow` statement matched.
    Implicit,
}

/// The decision on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    Allow,
    /// Denied.
    Deny {
        /// Whether a statement denies the request, or no policy allows it.
        kind: DenyKind,
        /// The first layer that denies it.
        layer: Layer,
    },
    /// The known facts do not decide it.
    Unknown {
        /// The facts that the decision depends on, sorted by name.
        depends_on: Vec<Fact>,
    },
}

/// The answer to a yes-or-no question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, whatever the unknown facts are.
    Yes,
    /// No, whatever the unknown facts are.
    No,
    /// It depends on these facts, without duplicates.
    Unknown(Vec<Fact>),
}

/// An unknown fact that an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The values of a condition key, spelled as in the policy: `aws:SourceIp`.
    Key(String),
    /// Whether the caller's session has this name.
    SessionName(String),
    /// Whether the caller's account has the canonical id that a policy names.
    CanonicalId,
    /// How AWS evaluates a condition in a case that its documentation leaves open.
    Reading(String),
    /// The content of a layer's policies.
    Layer(Layer),
    /// A part of a layer that is missing from the sources.
    Gap(Gap),
}

/// A part of a layer that is missing from the sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gap {
    /// The layer.
    pub layer: Layer,
    /// What is missing, as a phrase that fits "unless ... denies it": `a policy outside Terraform`.
    pub what: String,
}

impl Answer {
    /// Returns an unknown answer that depends on a single fact.
    pub(crate) fn unknown(fact: Fact) -> Self {
        Self::Unknown(vec![fact])
    }

    /// Returns the name used in output: `yes`, `no` or `unknown`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Whether the answer is certainly yes.
    pub fn is_yes(&self) -> bool {
        *self == Self::Yes
    }

    /// Whether the answer is certainly no.
    pub fn is_no(&self) -> bool {
        *self == Self::No
    }

    /// Returns the facts that the answer depends on; empty if it is certain.
    pub fn facts(&self) -> &[Fact] {
        match self {
            Self::Unknown(facts) => facts,
            Self::Yes | Self::No => &[],
        }
    }

    /// Returns a number to sort by: *no*, then *unknown*, then *yes*.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::No => 0,
            Self::Unknown(_) => 1,
            Self::Yes => 2,
        }
    }

    /// Returns the answer with its facts sorted by name.
    pub(crate) fn sorted(mut self) -> Self {
        if let Self::Unknown(facts) = &mut self {
            sort_by_name(facts);
        }
        self
    }

    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, other) => other,
            (this, Self::Yes) => this,
            (Self::Unknown(mut facts), Self::Unknown(more)) => {
                add_facts(&mut facts, more);
                Self::Unknown(facts)
            }
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }

    /// Whether all answers are yes. Stops at the first *no*.
    pub(crate) fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for answer in answers {
            all = all.and(answer);
            if all.is_no() {
                break;
            }
        }
        all
    }

    /// Whether at least one answer is yes. Stops at the first *yes*.
    pub(crate) fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        Self::all(answers.into_iter().map(Self::not)).not()
    }
}

impl From<bool> for Answer {
    fn from(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

impl From<Decision> for Answer {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Yes,
            Decision::Deny { .. } => Self::No,
            Decision::Unknown { depends_on } => Self::Unknown(depends_on),
        }
    }
}

impl Fact {
    pub(crate) fn key(name: impl Into<String>) -> Self {
        Self::Key(name.into())
    }

    /// Whether the fact is a missing policy rather than a property of the request.
    pub(crate) fn is_policy(&self) -> bool {
        matches!(self, Self::Layer(_) | Self::Gap(_))
    }

    /// Whether the fact is a missing policy of the organization.
    pub(crate) fn is_of_organization(&self) -> bool {
        matches!(self, Self::Gap(Gap { layer: Layer::Scp | Layer::Rcp, .. }))
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(name) => f.write_str(name),
            Self::SessionName(name) => write!(f, "the session name {name}"),
            Self::CanonicalId => f.write_str("the canonical id of the caller's account"),
            Self::Reading(what) => write!(f, "how AWS reads {what}"),
            Self::Layer(layer) => f.write_str(layer.name()),
            Self::Gap(gap) => f.write_str(&gap.what),
        }
    }
}

impl Gap {
    pub(crate) fn new(layer: Layer, what: impl Into<String>) -> Self {
        Self { layer, what: what.into() }
    }

    pub(crate) fn scp() -> Self {
        Self::new(Layer::Scp, "an SCP")
    }

    pub(crate) fn rcp() -> Self {
        Self::new(Layer::Rcp, "an RCP")
    }
}

/// Adds facts, skipping those already in the list.
pub(crate) fn add_facts(facts: &mut Vec<Fact>, more: impl IntoIterator<Item = Fact>) {
    for fact in more {
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    }
}

pub(super) fn sort_by_name(facts: &mut [Fact]) {
    if facts.len() > 1 {
        facts.sort_by_cached_key(ToString::to_string);
    }
}

/// Returns the names of the facts, in the same order; missing SCPs and RCPs share one name.
pub fn names_of(facts: &[Fact]) -> Vec<String> {
    let has = |layer| facts.iter().any(|fact| matches!(fact, Fact::Gap(gap) if gap.layer == layer));
    let has_both = has(Layer::Scp) && has(Layer::Rcp);
    let mut names: Vec<String> = Vec::new();
    for fact in facts {
        let name =
            if has_both && fact.is_of_organization() { "an SCP or RCP".to_owned() } else { fact.to_string() };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(key: &str) -> Answer {
        Answer::unknown(Fact::key(key))
    }

    #[test]
    fn an_unknown_is_decided_by_what_would_decide_either_way() {
        let unknown = || unknown("k");
        assert_eq!(unknown().and(Answer::No), Answer::No);
        assert_eq!(Answer::No.and(unknown()), Answer::No);
        assert_eq!(unknown().and(Answer::Yes), unknown());
        assert_eq!(unknown().or(Answer::Yes), Answer::Yes);
        assert_eq!(Answer::No.or(unknown()), unknown());
        assert_eq!(unknown().not(), unknown());
    }

    #[test]
    fn two_unknowns_name_the_facts_of_both_once() {
        let both = unknown("a").and(unknown("b"));
        assert_eq!(both, Answer::Unknown(vec![Fact::key("a"), Fact::key("b")]));
        assert_eq!(unknown("a").or(unknown("b")), both);
        assert_eq!(both.clone().and(unknown("b")), both);
        assert_eq!(unknown("b").and(unknown("a")).sorted(), both);
    }

    #[test]
    fn nothing_at_all_is_all_true_and_none_true() {
        assert_eq!(Answer::all([]), Answer::Yes);
        assert_eq!(Answer::any([]), Answer::No);
    }

    #[test]
    fn a_missing_scp_and_a_missing_rcp_are_named_together() {
        let (scp, rcp) = (Fact::Gap(Gap::scp()), Fact::Gap(Gap::rcp()));
        let own = Fact::Gap(Gap::new(Layer::Identity, "a policy outside Terraform"));
        assert_eq!(
            names_of(&[scp.clone(), own, rcp.clone()]),
            ["an SCP or RCP", "a policy outside Terraform"]
        );
        assert_eq!(names_of(&[rcp]), ["an RCP"]);
        assert_eq!(names_of(&[Fact::key("aws:SourceIp"), scp]), ["aws:SourceIp", "an SCP"]);
    }
}
