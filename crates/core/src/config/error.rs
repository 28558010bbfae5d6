//! Errors of the resolution of profiles.

use super::endpoint::EndpointError;
use super::foreign::render_foreign;
use super::origin::{Origin, Place};
use super::problem::ProblemKind;
use super::value::ValueError;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::AccessKeyError;

/// Why a profile cannot be resolved. The file and line are data: [`ConfigError::place`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Neither file has the profile. Created by [`super::files::Config::unknown_profile`] for callers that know that no
    /// key is stored for this name either.
    #[error("no profile named `{name}`")]
    UnknownProfile {
        /// The name.
        name: ProfileName,
        /// The most similar existing name.
        nearest: Option<ProfileName>,
        /// Where the name was given: a line with `source_profile`, a flag, and so on.
        origin: Option<Origin>,
    },
    /// `include_profile` names a profile that is in neither file.
    #[error("profile `{profile}` includes `{include}`, which does not exist")]
    MissingInclude {
        /// The profile that includes.
        profile: ProfileName,
        /// What it includes.
        include: ProfileName,
        /// The most similar existing name.
        nearest: Option<ProfileName>,
        /// The line of `include_profile`.
        origin: Origin,
    },
    /// Profiles include each other.
    #[error("profile `{}` and the profiles that it includes form a loop: {}",
        path.first().map_or("", ProfileName::as_str), render_path(path))]
    IncludeLoop {
        /// The profiles of the loop, ending with one that occurs twice. Every profile includes `[default]`.
        path: Vec<ProfileName>,
        /// The `include_profile` that closes the loop.
        origin: Origin,
    },
    /// A chain of includes is too long.
    #[error("profile `{profile}` includes more than {limit} profiles, one by another")]
    IncludeDepth {
        /// The profile that was requested.
        profile: ProfileName,
        /// The limit.
        limit: usize,
    },
    /// `sso_session` or `services` names a section that is missing.
    #[error("`{key}` names the section `[{word} {name}]`, which does not exist")]
    MissingSection {
        /// The key.
        key: &'static str,
        /// The word before the name in the header.
        word: &'static str,
        /// The name.
        name: String,
        /// The most similar name of such a section.
        nearest: Option<String>,
        /// The line of the key.
        origin: Origin,
    },
    /// A required section has an invalid line.
    #[error("`{section}` has a line that cannot be understood: {problem}")]
    BadLine {
        /// The section as shown to the user: `profile dev`.
        section: String,
        /// Why.
        problem: ProblemKind,
        /// The line.
        place: Place,
    },
    /// A value that AWS would reject or that has no meaning.
    #[error("invalid `{key}` `{value}`: {reason}")]
    Value {
        /// The key, variable or flag.
        key: &'static str,
        /// The value, truncated if it is long.
        value: String,
        /// Why.
        reason: Box<ValueError>,
        /// Where it is.
        origin: Origin,
    },
    /// A key for the identity is empty. The AWS CLI rejects this too, as the remaining settings often mean another
    /// identity, perhaps one with more permissions.
    #[error("`{key}` is set to an empty value")]
    EmptyIdentity {
        /// The key.
        key: &'static str,
        /// Its line.
        origin: Origin,
    },
    /// A key of hatbox's own below another key, where it would have no effect.
    #[error("`{key}` is indented, and so belongs to `{above}`")]
    NestedOwnKey {
        /// The key.
        key: String,
        /// The key without indentation above it.
        above: String,
        /// Its line.
        origin: Origin,
    },
    /// An unknown key that begins with `hatbox`: a guard with a mistyped name would not guard anything.
    #[error("unknown key `{key}`")]
    UnknownOwnKey {
        /// The key.
        key: String,
        /// The most similar known key.
        nearest: Option<&'static str>,
        /// Its line.
        origin: Origin,
    },
    /// Only one half of a key pair is set, which the SDKs reject too.
    #[error("`{has}` is set but `{lacks}` is not")]
    HalfKey {
        /// The key that is there.
        has: &'static str,
        /// The key that is missing.
        lacks: &'static str,
        /// The line of the one that is there.
        origin: Origin,
    },
    /// The keys in the file are malformed.
    #[error("the access key in the file cannot be used: {reason}")]
    StaticKeys {
        /// Why, without showing the key.
        reason: AccessKeyError,
        /// The line of `aws_access_key_id`.
        origin: Origin,
    },
    /// Two keys that exclude each other.
    #[error("`{one}` and `{other}` cannot be used together")]
    Conflict {
        /// One.
        one: &'static str,
        /// The other.
        other: &'static str,
        /// The line of the other.
        origin: Origin,
    },
    /// SSO settings without a place to sign in.
    #[error("the SSO settings lack `{lacks}`")]
    IncompleteSso {
        /// The key that is missing.
        lacks: &'static str,
        /// A key that is set.
        origin: Origin,
    },
}

impl ConfigError {
    /// Returns a stable identifier for `--json`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::UnknownProfile { .. } => "missing-profile",
            Self::MissingInclude { .. } => "missing-include",
            Self::IncludeLoop { .. } => "include-loop",
            Self::IncludeDepth { .. } => "include-depth",
            Self::MissingSection { .. } => "missing-section",
            Self::BadLine { .. } => "bad-line",
            Self::Value { .. } => "bad-value",
            Self::EmptyIdentity { .. } => "empty-value",
            Self::NestedOwnKey { .. } => "nested-key",
            Self::UnknownOwnKey { .. } => "unknown-key",
            Self::HalfKey { .. } => "half-key",
            Self::StaticKeys { .. } => "bad-key",
            Self::Conflict { .. } => "conflict",
            Self::IncompleteSso { .. } => "incomplete-sso",
        }
    }

    /// Returns where it is: a line, a variable or a flag; `None` if unknown.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::BadLine { .. } | Self::IncludeDepth { .. } => None,
            Self::UnknownProfile { origin, .. } => origin.as_ref(),
            Self::MissingInclude { origin, .. }
            | Self::IncludeLoop { origin, .. }
            | Self::MissingSection { origin, .. }
            | Self::Value { origin, .. }
            | Self::EmptyIdentity { origin, .. }
            | Self::NestedOwnKey { origin, .. }
            | Self::UnknownOwnKey { origin, .. }
            | Self::HalfKey { origin, .. }
            | Self::StaticKeys { origin, .. }
            | Self::Conflict { origin, .. }
            | Self::IncompleteSso { origin, .. } => Some(origin),
        }
    }

    /// Returns the line that it is about; `None` for a flag or variable.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::BadLine { place, .. } => Some(*place),
            _ => self.origin().and_then(Origin::place),
        }
    }

    /// Returns the most similar existing name.
    pub fn nearest(&self) -> Option<&str> {
        match self {
            Self::UnknownProfile { nearest, .. } | Self::MissingInclude { nearest, .. } => {
                nearest.as_ref().map(ProfileName::as_str)
            }
            Self::MissingSection { nearest, .. } => nearest.as_deref(),
            Self::UnknownOwnKey { nearest, .. } => *nearest,
            _ => None,
        }
    }

    /// Returns a hint for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::EmptyIdentity { key, .. } => {
                Some(format!("give `{key}` a value, or remove the line if it is not meant"))
            }
            Self::NestedOwnKey { key, .. } => Some(format!("remove the blanks before `{key}`")),
            _ => self.nearest().map(|nearest| format!("did you mean `{nearest}`?")),
        }
    }

    pub(super) fn value(key: &'static str, value: &str, reason: ValueError, origin: Origin) -> Self {
        let key = match origin {
            Origin::Flag(name) | Origin::Env(name) => name,
            Origin::File { .. } | Origin::Default => key,
        };
        // Security: do not show a password in a URL.
        let shown = match reason {
            ValueError::Endpoint(EndpointError::UserInfo) => {
                let host = value.rsplit('@').next().unwrap_or_default();
                format!("...@{host}")
            }
            _ => value.to_owned(),
        };
        Self::Value { key, value: render_foreign(&shown), reason: Box::new(reason), origin }
    }
}

fn render_path(path: &[ProfileName]) -> String {
    path.iter().map(ProfileName::as_str).collect::<Vec<_>>().join(" -> ")
}
