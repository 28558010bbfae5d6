//! Warnings: invalid lines, and facts about lines that are worth knowing, although most profiles can be used.

use super::origin::{Origin, Place};

/// Why a line is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// `[profile x` without the bracket that ends it.
    #[error("the section header has no `]`")]
    UnclosedHeader,
    /// `[profile x] y`.
    #[error("there is text after the section header")]
    TextAfterHeader,
    /// `[]`.
    #[error("the section header has no name")]
    EmptyHeader,
    /// A setting above the first header.
    #[error("the line is above the first section header")]
    OutsideSection,
    /// A line without `=` or `:`.
    #[error("the line has no `=`")]
    NoEquals,
    /// `= value`.
    #[error("the line has no key before its `=`")]
    NoKey,
    /// An indented line without `=` under a key without a value.
    #[error("the indented line has no `=`")]
    NestedNoEquals,
    /// An indented `= value` under a key without a value.
    #[error("the indented line has no key before its `=`")]
    NestedNoKey,
    /// An indented line without `=` and without a key above it.
    #[error("the indented line continues nothing")]
    ContinuesNothing,
    /// A byte that is not UTF-8.
    #[error("the line is not UTF-8 text")]
    NotUtf8,
    /// A control character, including a carriage return within the line.
    #[error("the line has a control character")]
    ControlCharacter,
}

/// Why the lines of a section are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IgnoredSection {
    /// `[x]` in the config file.
    #[error("in the config file a profile is written `[profile NAME]`")]
    NoProfileWord,
    /// `[profile x y]`, or quotes that do not match.
    #[error("a name with blanks is written in quotes: `[profile \"MY NAME\"]`")]
    NotOneWord,
    /// `[profile x]` in the credentials file.
    #[error("in the credentials file a profile is written `[NAME]`, and other sections have no place")]
    WordInCredentials,
    /// `[default]` beside `[profile default]`.
    #[error("`[profile default]` takes its place")]
    ReplacedDefault,
    /// `[DEFAULT]`.
    #[error("names are case-sensitive, and the profile is called `default`")]
    UpperCaseDefault,
    /// A name with control characters or of more than 256.
    #[error("it cannot be the name of a profile")]
    NoName,
}

/// A fact that the user should know although it is not an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// An invalid line in a section that is not needed now.
    #[error("{problem}")]
    BadLine {
        /// Why.
        problem: ProblemKind,
        /// The line.
        place: Place,
    },
    /// `key: value`, which only botocore supports.
    #[error(
        "`{key}` is written with `:`, which the AWS CLI reads and AWS's other SDKs do not; write `{key} = ...`"
    )]
    Colon {
        /// The key.
        key: String,
        /// The line.
        place: Place,
    },
    /// A section that no profile uses.
    #[error("the section `[{section}]` is ignored: {reason}")]
    IgnoredSection {
        /// The text between its brackets.
        section: String,
        /// Why.
        reason: IgnoredSection,
        /// Its header.
        place: Place,
    },
    /// A value that another one overrides.
    #[error("`{key}` is ignored: {by} overrides it")]
    Loses {
        /// The key of the overridden value.
        key: &'static str,
        /// What overrides it, in words.
        by: String,
        /// Where the overridden value is set.
        origin: Origin,
    },
    /// `mfa_serial` is the ARN of a user instead of a device.
    #[error("`{key}` is the ARN of a user; that of an MFA device has `:mfa/`")]
    UserArnAsMfaSerial {
        /// The key or variable.
        key: &'static str,
        /// Where it is.
        origin: Origin,
    },
    /// `duration_seconds = 1h`, which only hatbox understands.
    #[error("`duration_seconds` is in a form that AWS's own tools do not accept; write `{seconds}`")]
    DurationForm {
        /// The duration in seconds, as AWS's tools need it.
        seconds: u64,
        /// Where it is.
        origin: Origin,
    },
    /// `sso_account_id` or `aws_account_id` is not a valid account id.
    #[error("`{key}` is not 12 digits")]
    AccountIdForm {
        /// The key.
        key: &'static str,
        /// Where it is.
        origin: Origin,
    },
}

impl Warning {
    /// Returns a stable identifier for `--json`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BadLine { .. } => "bad-line",
            Self::Colon { .. } => "colon-line",
            Self::IgnoredSection { .. } => "ignored-section",
            Self::Loses { .. } => "value-loses",
            Self::UserArnAsMfaSerial { .. } => "mfa-serial-is-user",
            Self::DurationForm { .. } => "duration-form",
            Self::AccountIdForm { .. } => "account-id-form",
        }
    }

    /// Returns where the value was set; `None` if the warning is about a line.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::BadLine { .. } | Self::Colon { .. } | Self::IgnoredSection { .. } => None,
            Self::Loses { origin, .. }
            | Self::UserArnAsMfaSerial { origin, .. }
            | Self::DurationForm { origin, .. }
            | Self::AccountIdForm { origin, .. } => Some(origin),
        }
    }

    /// Returns the line that it is about; `None` if it is about a variable.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::BadLine { place, .. } | Self::Colon { place, .. } | Self::IgnoredSection { place, .. } => {
                Some(*place)
            }
            _ => self.origin().and_then(Origin::place),
        }
    }
}
