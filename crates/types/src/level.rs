//! How bad a finding is, of `doctor` and of the rules for trust policies alike.

/// How bad a finding is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing; nothing fails by it.
    Info,
    /// Perhaps not meant, or less safe than it should be.
    Warning,
    /// A hole, or something that cannot work as it is.
    Error,
}

impl Level {
    /// Its word, in texts and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
