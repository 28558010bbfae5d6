//! A fact that may not be known, and whether a list names all there is.

/// One fact of a user, a role or an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fact<T> {
    /// It is this.
    Known(T),
    /// Terraform learns it when it applies its plan.
    UntilApply,
    /// No source tells it.
    #[default]
    NotGiven,
}

impl<T> Fact<T> {
    /// The fact, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::UntilApply | Self::NotGiven => None,
        }
    }

    /// Takes over what a later source tells, if it tells anything.
    pub(super) fn correct(&mut self, later: Self) {
        if !matches!(later, Self::NotGiven) {
            *self = later;
        }
    }
}

/// Whether a list names all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// All.
    Whole,
    /// There may be more that no source tells: what Terraform does not manage, a list that was cut.
    #[default]
    Part,
}
