//! Why a profile cannot be resolved.

use super::endpoint::EndpointError;
use super::foreign::render_foreign;
use super::origin::{Origin, Place};
use super::problem::ProblemKind;
use super::value::ValueError;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::AccessKeyError;

/// Why a profile cannot be resolved. File and line are data: [`ConfigError::place`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A profile that neither file has. Made by [`super::files::Config::unknown_profile`], for callers that
    /// know that the store has no key of that name either.
    #[error("there is no profile `{name}`")]
    UnknownProfile {
        /// The name.
        name: ProfileName,
        /// The nearest one that there is.
        nearest: Option<ProfileName>,
        /// Who named it: the line of `source_profile`, a flag, ...
        origin: Option<Origin>,
    },
    /// `include_profile` names a profile that neither file has.
    #[error("profile `{profile}` includes `{include}`, and there is no such profile")]
    MissingInclude {
        /// The profile that includes.
        profile: ProfileName,
        /// What it includes.
        include: ProfileName,
        /// The nearest name that there is.
        nearest: Option<ProfileName>,
        /// The line of `include_profile`.
        origin: Origin,
    },
    /// Profiles include each other.
    #[error("profile `{}` and the profiles that it includes form a loop: {}",
        path.first().map_or("", ProfileName::as_str), render_path(path))]
    IncludeLoop {
        /// The way round; the last is one that was met before. `[default]` is included by all.
        path: Vec<ProfileName>,
        /// The `include_profile` that closes the loop.
        origin: Origin,
    },
    /// Profiles include profiles, without an end in sight.
    #[error("profile `{profile}` includes more than {limit} profiles, one by another")]
    IncludeDepth {
        /// The profile that was asked for.
        profile: ProfileName,
        /// How many are followed.
        limit: usize,
    },
    /// `sso_session` or `services` names a section that the config file has not.
    #[error("`{key}` names the section `[{word} {name}]`, and there is no such section")]
    MissingSection {
        /// The key.
        key: &'static str,
        /// The word before the name in the header.
        word: &'static str,
        /// The name.
        name: String,
        /// The nearest name of a section of that sort.
        nearest: Option<String>,
        /// The line of the key.
        origin: Origin,
    },
    /// A line of a section that is needed.
    #[error("`{section}` has a line that cannot be understood: {problem}")]
    BadLine {
        /// The section as a person would say it: `profile dev`.
        section: String,
        /// Why.
        problem: ProblemKind,
        /// The line.
        place: Place,
    },
    /// A value that AWS would refuse or that means nothing.
    #[error("invalid `{key}` `{value}`: {reason}")]
    Value {
        /// The key, variable or flag.
        key: &'static str,
        /// The value, shortened when it is long.
        value: String,
        /// Why.
        reason: Box<ValueError>,
        /// Where it is.
        origin: Origin,
    },
    /// A key that says whose credentials are meant, and says nothing. The AWS CLI refuses it too: what is left would
    /// often be another identity, a wider one for instance.
    #[error("`{key}` is set to an empty value")]
    EmptyIdentity {
        /// The key.
        key: &'static str,
        /// Its line.
        origin: Origin,
    },
    /// A key that begins with `hatbox_`, and that hatbox does not know. A guard with a slip in its name would guard
    /// nothing.
    #[error("unknown key `{key}`")]
    UnknownOwnKey {
        /// The key.
        key: String,
        /// The one that was probably meant.
        nearest: Option<&'static str>,
        /// Its line.
        origin: Origin,
    },
    /// Half of a key pair. The SDKs refuse it too.
    #[error("`{has}` is set but `{lacks}` is not")]
    HalfKey {
        /// The key that is there.
        has: &'static str,
        /// The one that is not.
        lacks: &'static str,
        /// The line of the one that is there.
        origin: Origin,
    },
    /// Keys in a file that are none.
    #[error("the access key in the file cannot be used: {reason}")]
    StaticKeys {
        /// Why, without the key.
        reason: AccessKeyError,
        /// The line of `aws_access_key_id`.
        origin: Origin,
    },
    /// Two keys of which a profile may have one.
    #[error("`{one}` and `{other}` cannot be used together")]
    Conflict {
        /// One.
        one: &'static str,
        /// The other.
        other: &'static str,
        /// The line of the other.
        origin: Origin,
    },
    /// SSO settings that do not say where to sign in.
    #[error("the SSO settings lack `{lacks}`")]
    IncompleteSso {
        /// The key that is missing.
        lacks: &'static str,
        /// One that is there.
        origin: Origin,
    },
}

impl ConfigError {
    /// A stable word for it, for `--json`.
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
            Self::UnknownOwnKey { .. } => "unknown-key",
            Self::HalfKey { .. } => "half-key",
            Self::StaticKeys { .. } => "bad-key",
            Self::Conflict { .. } => "conflict",
            Self::IncompleteSso { .. } => "incomplete-sso",
        }
    }

    /// Where it is: a line, a variable or a flag; `None` when that is not known.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::BadLine { .. } | Self::IncludeDepth { .. } => None,
            Self::UnknownProfile { origin, .. } => origin.as_ref(),
            Self::MissingInclude { origin, .. }
            | Self::IncludeLoop { origin, .. }
            | Self::MissingSection { origin, .. }
            | Self::Value { origin, .. }
            | Self::EmptyIdentity { origin, .. }
            | Self::UnknownOwnKey { origin, .. }
            | Self::HalfKey { origin, .. }
            | Self::StaticKeys { origin, .. }
            | Self::Conflict { origin, .. }
            | Self::IncompleteSso { origin, .. } => Some(origin),
        }
    }

    /// The line that it is about; `None` when it is about a flag or a variable.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::BadLine { place, .. } => Some(*place),
            _ => self.origin().and_then(Origin::place),
        }
    }

    /// The name that was probably meant.
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

    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::EmptyIdentity { key, .. } => {
                Some(format!("give `{key}` a value, or remove the line if it is not meant"))
            }
            _ => self.nearest().map(|nearest| format!("did you mean `{nearest}`?")),
        }
    }

    pub(super) fn value(key: &'static str, value: &str, reason: ValueError, origin: Origin) -> Self {
        let key = match origin {
            Origin::Flag(name) | Origin::Env(name) => name,
            Origin::File { .. } | Origin::Default => key,
        };
        // Security: a password in a URL is not shown.
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
