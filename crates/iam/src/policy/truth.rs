//! Yes, no, or not known for want of named facts: Kleene's logic.

use std::collections::BTreeSet;

/// The truth of a statement about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    /// It depends on these condition keys and layers.
    Unknown(BTreeSet<String>),
}

impl Truth {
    /// Not known for want of one fact.
    pub(super) fn unknown(fact: impl Into<String>) -> Self {
        Self::Unknown(BTreeSet::from([fact.into()]))
    }

    pub(super) fn is_yes(&self) -> bool {
        *self == Self::Yes
    }

    pub(super) fn is_no(&self) -> bool {
        *self == Self::No
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, other) => other,
            (this, Self::Yes) => this,
            (Self::Unknown(mut facts), Self::Unknown(more)) => {
                facts.extend(more);
                Self::Unknown(facts)
            }
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }

    /// Whether all are true; asks no further after the first *no*.
    pub(super) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for truth in truths {
            all = all.and(truth);
            if all.is_no() {
                break;
            }
        }
        all
    }

    /// Whether one is true; asks no further after the first *yes*.
    pub(super) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        Self::all(truths.into_iter().map(Self::not)).not()
    }
}

impl From<bool> for Truth {
    fn from(is_true: bool) -> Self {
        if is_true { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_is_decided_by_what_would_decide_either_way() {
        let unknown = || Truth::unknown("k");
        assert_eq!(unknown().and(Truth::No), Truth::No);
        assert_eq!(Truth::No.and(unknown()), Truth::No);
        assert_eq!(unknown().and(Truth::Yes), unknown());
        assert_eq!(unknown().or(Truth::Yes), Truth::Yes);
        assert_eq!(Truth::No.or(unknown()), unknown());
        assert_eq!(unknown().not(), unknown());
    }

    #[test]
    fn two_unknowns_name_the_facts_of_both() {
        let both = Truth::unknown("a").and(Truth::unknown("b"));
        assert_eq!(both, Truth::Unknown(BTreeSet::from(["a".into(), "b".into()])));
        assert_eq!(Truth::unknown("a").or(Truth::unknown("b")), both);
    }

    #[test]
    fn nothing_at_all_is_all_true_and_none_true() {
        assert_eq!(Truth::all([]), Truth::Yes);
        assert_eq!(Truth::any([]), Truth::No);
    }
}
