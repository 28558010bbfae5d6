//! What a call sent, as plain data without secrets: enough to diagnose an error later.
//!
//! This data is written to disk. It contains no secret, MFA code or external ID, only the last four characters of
//! access key ids, and only the names of session tags.

use serde::{Deserialize, Serialize};

use super::aws_error::{AwsError, parse_aws_error};
use crate::assume::credentials::Credentials;

/// A call for which AWS returned an error: the error, and what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCall {
    /// AWS's error code: `AccessDenied`.
    pub code: String,
    /// AWS's message, safe to display.
    pub message: String,
    /// What was sent.
    pub attempt: Attempt,
}

impl FailedCall {
    /// Parses the error.
    pub fn aws_error(&self) -> AwsError {
        parse_aws_error(&self.code, &self.message)
    }
}

/// What was sent, and the circumstances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When the call was made, in seconds since 1970, by this machine's clock.
    pub at: i64,
    /// The profile that was requested.
    pub profile: String,
    /// The profile that the failed call belongs to.
    pub step_profile: String,
    /// The number of the call, from 1, and the number of all calls.
    pub step: (usize, usize),
    /// The role; `None` for GetSessionToken.
    pub role: Option<String>,
    /// The environment variable that set the role.
    #[serde(default)]
    pub role_of_environment: Option<RoleVariable>,
    /// The environment variables that set other parts of the call: `AWS_MFA_SERIAL`.
    #[serde(default)]
    pub variables: Vec<String>,
    /// The flags that set the tags and the source identity: `--session-tag`.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The credentials that signed the call.
    pub signer: SignedBy,
    /// The identity that the chain starts with.
    pub base: StartedFrom,
    /// The MFA device whose code was sent.
    pub serial: Option<String>,
    /// Whether an MFA code was sent, and where it came from.
    pub code: CodeSent,
    /// The requested session duration, in seconds.
    pub seconds: u64,
    /// Where the duration was set: `--duration`, `~/.aws/config:14`; `None` for a default.
    pub seconds_from: Option<String>,
    /// The session name.
    pub session_name: Option<String>,
    /// Whether the user set the session name.
    pub is_session_name_fixed: bool,
    /// Whether an external ID was sent.
    pub has_external_id: bool,
    /// The names of the session tags that were sent.
    pub tags: Vec<String>,
    /// The names of session tags inherited from the source's session.
    pub inherited_tags: Vec<String>,
    /// The source identity that was sent.
    pub source_identity: Option<String>,
    /// The source identity inherited from the source's session.
    pub inherited_source_identity: Option<String>,
    /// The region of the STS endpoint.
    pub region: String,
    /// The STS endpoint, unless it is AWS's default.
    pub endpoint: Option<String>,
    /// How many seconds this machine's clock was ahead of AWS's, from the response.
    pub clock_ahead: Option<i64>,
    /// What else the config and the environment contain.
    pub around: Around,
}

/// An environment variable that set the role, overriding the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleVariable {
    /// The variable's name: `AWS_ROLE_ARN`.
    pub name: String,
    /// The role in the profile, if it has one.
    pub replaced: Option<String>,
}

/// The credentials that signed a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedBy {
    /// A long-lived access key.
    AccessKey,
    /// A session from GetSessionToken.
    SessionToken {
        /// The MFA device that the session was created with.
        serial: Option<String>,
        /// The age of the session in seconds, if known.
        age: Option<i64>,
    },
    /// A role session.
    Role {
        /// The role's ARN, if known.
        arn: Option<String>,
    },
    /// Temporary credentials of unknown kind.
    Temporary,
}

impl SignedBy {
    /// Returns the kind of the credentials and, if known, their age in seconds.
    pub(super) fn credentials(&self) -> (Credentials, Option<i64>) {
        match self {
            Self::AccessKey => (Credentials::AccessKeys, None),
            Self::SessionToken { serial: None, age } => (Credentials::SessionToken, *age),
            Self::SessionToken { serial: Some(_), age } => (Credentials::SessionTokenWithMfa, *age),
            Self::Role { .. } => (Credentials::RoleSession, None),
            Self::Temporary => (Credentials::Temporary, None),
        }
    }
}

/// The identity that a chain starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedFrom {
    /// The profile that the identity belongs to.
    pub profile: String,
    /// The kind of identity.
    pub kind: StartKind,
    /// The last characters of the access key id: `****MPLE`.
    pub key: Option<String>,
}

/// The kind of identity that a chain starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartKind {
    /// An access key in hatbox's store.
    Stored,
    /// An access key in a file.
    File,
    /// Credentials in the environment.
    Environment,
    /// Anything else.
    Other,
}

/// Whether a call sent an MFA code, and where the code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeSent {
    /// No code was sent.
    No,
    /// The code was given with `--mfa-token`.
    Flag,
    /// The code was printed by a program.
    Process,
    /// The code was generated from a stored TOTP seed.
    Seed,
    /// The code was entered by a person.
    Person,
}

/// What the config and the environment contain besides the failed call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// The path of the config file, as displayed.
    pub config: String,
    /// The profiles of the chain, from the requested one to the base.
    pub chain: Vec<String>,
    /// The MFA devices of profiles with the same base identity: profile and serial number.
    pub devices: Vec<(String, String)>,
    /// The roles of other profiles: profile and ARN.
    pub roles: Vec<(String, String)>,
    /// Environment variables that set an identity: the name and, for an access key id, its last characters.
    pub variables: Vec<(String, Option<String>)>,
}

impl Attempt {
    /// Returns the name of a profile's config section: `profile NAME`, or `default`.
    pub fn section(profile: &str) -> String {
        if profile == "default" { "default".to_owned() } else { format!("profile {profile}") }
    }
}
