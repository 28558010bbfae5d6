//! Where a value was set: by a flag, a variable, or a line of one of the two files.

use std::fmt;

/// Which of the two files a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// `~/.aws/config`, or what `AWS_CONFIG_FILE` names.
    Config,
    /// `~/.aws/credentials`, or what `AWS_SHARED_CREDENTIALS_FILE` names.
    Credentials,
}

/// A line of one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file. Only the caller knows its path.
    pub file: FileKind,
    /// The line, from 1.
    pub line: u32,
}

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A command line flag, with its dashes: `--region`.
    Flag(&'static str),
    /// An environment variable, by name.
    Env(&'static str),
    /// A line of a file. `section` is the profile, sso-session or services section that it is in.
    File {
        /// The line.
        place: Place,
        /// The section's name as shown to the user: `profile dev`, `sso-session corp`.
        section: String,
    },
    /// Nowhere: it is hatbox's default.
    Default,
}

impl Origin {
    /// Returns the line, if the value was set in a file.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::File { place, .. } => Some(*place),
            Self::Flag(_) | Self::Env(_) | Self::Default => None,
        }
    }
}

/// A value, and where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// Replaces the value and keeps the origin.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: change(self.value), origin: self.origin }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config => "config file",
            Self::Credentials => "credentials file",
        })
    }
}
