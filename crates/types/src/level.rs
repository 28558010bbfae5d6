//! The severity of findings, for `doctor` and for the rules for trust policies.

/// The severity of a finding, in increasing order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing, without consequences.
    Info,
    /// Possibly a mistake, or less secure than it should be.
    Warning,
    /// A security hole, or something that cannot work.
    Error,
}

impl Level {
    /// Returns its word in texts and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
