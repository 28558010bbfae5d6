//! What was sent, as plain data: enough to diagnose an error later, and nothing secret.
//!
//! It is written to disk. No secret, no MFA code and no external ID is in it, of access key ids the last four
//! characters only, and of session tags their names.

use serde::{Deserialize, Serialize};

use super::aws_error::{AwsError, parse_aws_error};
use crate::assume::credentials::Credentials;

/// A call for which AWS returned an error: that error, and what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCall {
    /// AWS's code: `AccessDenied`.
    pub code: String,
    /// AWS's text, as it may be shown.
    pub message: String,
    /// What was sent.
    pub attempt: Attempt,
}

impl FailedCall {
    /// What the error means.
    pub fn aws_error(&self) -> AwsError {
        parse_aws_error(&self.code, &self.message)
    }
}

/// What was sent, and the circumstances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When, in seconds since 1970, by this machine's clock.
    pub at: i64,
    /// The profile that was asked for.
    pub profile: String,
    /// The profile that the failed call belongs to.
    pub step_profile: String,
    /// The number of the call, from 1, and of how many.
    pub step: (usize, usize),
    /// The role; `None` for GetSessionToken.
    pub role: Option<String>,
    /// The variable of the environment that gave the role.
    #[serde(default)]
    pub role_of_environment: Option<RoleVariable>,
    /// The variables of the environment that gave other parts of the call: `AWS_MFA_SERIAL`.
    #[serde(default)]
    pub variables: Vec<String>,
    /// The flags that gave the tags and the source identity: `--session-tag`.
    #[serde(default)]
    pub flags: Vec<String>,
    /// What signed the call.
    pub signer: SignedBy,
    /// The identity that the chain starts from.
    pub base: StartedFrom,
    /// The device that the call presented a code of.
    pub serial: Option<String>,
    /// Whether it carried a code, and whose.
    pub code: CodeSent,
    /// The length asked for, in seconds, and where it was said: `--duration`, `~/.aws/config:14`.
    pub seconds: u64,
    /// Where that was said; `None` for a default.
    pub seconds_from: Option<String>,
    /// The session's name.
    pub session_name: Option<String>,
    /// Whether a person fixed it.
    pub is_session_name_fixed: bool,
    /// Whether an external ID was sent.
    pub has_external_id: bool,
    /// The names of the session tags that were sent.
    pub tags: Vec<String>,
    /// The names of those that the source's session carries on.
    pub inherited_tags: Vec<String>,
    /// The source identity that was sent.
    pub source_identity: Option<String>,
    /// The one that the source's session carries on.
    pub inherited_source_identity: Option<String>,
    /// The region of STS.
    pub region: String,
    /// Where STS is, when it is not AWS's own.
    pub endpoint: Option<String>,
    /// How far this machine's clock was ahead of AWS's, in seconds, by the answer.
    pub clock_ahead: Option<i64>,
    /// What the config and the environment have besides.
    pub around: Around,
}

/// A variable of the environment that gave the role, whatever the profile says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleVariable {
    /// `AWS_ROLE_ARN`.
    pub name: String,
    /// The profile's own role, where it has one.
    pub replaced: Option<String>,
}

/// What signed a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedBy {
    /// A long-lived access key.
    AccessKey,
    /// A GetSessionToken session.
    SessionToken {
        /// The device whose code it was obtained with.
        serial: Option<String>,
        /// How long ago, in seconds, where that is known.
        age: Option<i64>,
    },
    /// A session of a role.
    Role {
        /// The role's ARN, where it is known.
        arn: Option<String>,
    },
    /// Temporary credentials of unknown kind.
    Temporary,
}

impl SignedBy {
    /// The kind of these credentials, and how old they are, in seconds, where that is known.
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

/// The identity that a chain starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedFrom {
    /// The profile that has it.
    pub profile: String,
    /// What it is.
    pub kind: StartKind,
    /// The last characters of the access key id: `****MPLE`.
    pub key: Option<String>,
}

/// What a chain starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartKind {
    /// A key in hatbox's store.
    Stored,
    /// Keys in a file.
    File,
    /// Keys of the environment.
    Environment,
    /// Anything else.
    Other,
}

/// Whether a call carried an MFA code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeSent {
    /// None.
    No,
    /// One of `--mfa-token`.
    Flag,
    /// One that a program printed.
    Process,
    /// One that hatbox made from a stored TOTP seed.
    Seed,
    /// One that a person typed.
    Person,
}

/// What the config and the environment have besides the failed call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// The config file as it is shown to the person.
    pub config: String,
    /// Profiles of the chain, from the one asked for to the base.
    pub chain: Vec<String>,
    /// The MFA devices of profiles that start from the same identity: profile and serial number.
    pub devices: Vec<(String, String)>,
    /// The roles of other profiles: profile and ARN.
    pub roles: Vec<(String, String)>,
    /// Variables of the environment that name an identity: name, and of a key id its last characters.
    pub variables: Vec<(String, Option<String>)>,
}

impl Attempt {
    /// `[profile NAME]`, as it is written in the config.
    pub fn section(profile: &str) -> String {
        if profile == "default" { "default".to_owned() } else { format!("profile {profile}") }
    }
}
