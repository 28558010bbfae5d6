//! The steps of a plan: calls to STS with all their parameters.

use std::time::Duration;

use crate::config::profile::Sourced;
use hatbox_types::name::{MfaSerial, ProfileName, RoleArn};

/// One call to STS.
#[derive(Debug, Clone)]
pub enum Step {
    /// GetSessionToken, signed with a long-lived key.
    GetSessionToken(GetSessionToken),
    /// GetFederationToken, signed with a long-lived key.
    GetFederationToken(Box<GetFederationToken>),
    /// AssumeRole.
    AssumeRole(Box<AssumeRole>),
}

/// GetSessionToken, which needs one MFA code for many roles:
/// ```ini
/// [profile jan-work]
/// mfa_serial = arn:aws:iam::111122223333:mfa/jan
/// ```
#[derive(Debug, Clone)]
pub struct GetSessionToken {
    /// The profile whose key signs.
    pub profile: ProfileName,
    /// The requested duration, and where it was set; 900 s to 36 h.
    pub duration: Sourced<Duration>,
    /// The device that the code is asked for.
    pub mfa: Option<Mfa>,
}

/// GetFederationToken: a user's permissions restricted by session policies, from `--policy` for a profile without a
/// role. It takes no MFA code.
#[derive(Debug, Clone)]
pub struct GetFederationToken {
    /// The profile whose key signs.
    pub profile: ProfileName,
    /// The requested duration, and where it was set; 900 s to 36 h.
    pub duration: Sourced<Duration>,
    /// What the session may do at most. Without policies, it could do nothing.
    pub policies: SessionPolicies,
}

/// Policies that restrict a session to a part of what its role or user may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionPolicies {
    /// The JSON text of a policy, at most 2048 characters.
    pub document: Option<Sourced<String>>,
    /// ARNs of managed policies, at most 10.
    pub arns: Vec<Sourced<String>>,
}

/// AssumeRole:
/// ```ini
/// [profile dev-infra-admin]
/// role_arn = arn:aws:iam::444455556666:role/dev-infra-admin
/// source_profile = jan-work
/// ```
#[derive(Debug, Clone)]
pub struct AssumeRole {
    /// The profile that names the role.
    pub profile: ProfileName,
    /// The role, and where it was set.
    pub role: Sourced<RoleArn>,
    /// The name of the session if the user set one; otherwise it is generated when the call is made.
    pub session_name: Option<Sourced<String>>,
    /// The duration to request: 900 s to 12 h, at most 1 h when chained.
    pub duration: Sourced<Duration>,
    /// The cap that shortened the duration.
    pub cap: Option<Cap>,
    /// The device, if this call itself uses an MFA code.
    pub mfa: Option<Mfa>,
    /// `external_id`.
    pub external_id: Option<Sourced<String>>,
    /// `session_tags`.
    pub tags: Option<Sourced<Vec<(String, String)>>>,
    /// `transitive_session_tags`.
    pub transitive_tags: Option<Sourced<Vec<String>>>,
    /// `source_identity`.
    pub source_identity: Option<Sourced<String>>,
    /// The session policies.
    pub policies: Option<SessionPolicies>,
}

/// The MFA device of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mfa {
    /// The serial number or ARN, and where it was set.
    pub serial: Sourced<MfaSerial>,
    /// The command that prints the code, if the profile or one of its sources names one.
    pub process: Option<Sourced<String>>,
}

/// Why a step requests less than was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// The duration that was wanted, and where it was set.
    pub wanted: Sourced<Duration>,
    /// The duration to request instead.
    pub allowed: Duration,
    /// The rule that caps it.
    pub reason: CapReason,
}

/// The rule behind a [`Cap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapReason {
    /// STS limits a role assumed with temporary credentials to 1 h (role chaining). The credentials of GetSessionToken
    /// count as temporary.
    Chaining,
}

/// A call that returns temporary credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// STS GetSessionToken.
    GetSessionToken,
    /// STS GetFederationToken.
    GetFederationToken,
    /// STS AssumeRole.
    AssumeRole,
    /// STS AssumeRoleWithWebIdentity.
    AssumeRoleWithWebIdentity,
    /// IAM Identity Center GetRoleCredentials.
    GetRoleCredentials,
    /// The command of `credential_process`.
    CredentialProcess,
    /// The instance metadata service.
    InstanceMetadata,
    /// The container credential endpoint.
    ContainerCredentials,
    /// The session of `aws login`.
    LoginSession,
}

impl Call {
    /// All calls.
    pub const ALL: [Self; 9] = [
        Self::GetSessionToken,
        Self::GetFederationToken,
        Self::AssumeRole,
        Self::AssumeRoleWithWebIdentity,
        Self::GetRoleCredentials,
        Self::CredentialProcess,
        Self::InstanceMetadata,
        Self::ContainerCredentials,
        Self::LoginSession,
    ];

    /// Returns the label in lists and cached sessions, which is aws-vault's if aws-vault has the call.
    pub fn label(self) -> &'static str {
        match self {
            Self::GetSessionToken => "sts.GetSessionToken",
            Self::GetFederationToken => "sts.GetFederationToken",
            Self::AssumeRole => "sts.AssumeRole",
            Self::AssumeRoleWithWebIdentity => "sts.AssumeRoleWithWebIdentity",
            Self::GetRoleCredentials => "sso.GetRoleCredentials",
            Self::CredentialProcess => "credential_process",
            Self::InstanceMetadata => "metadata.instance",
            Self::ContainerCredentials => "metadata.container",
            Self::LoginSession => "login_session",
        }
    }

    /// Returns the call with this label.
    pub fn parse_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.label() == label)
    }
}

impl Step {
    /// Returns the profile that the step belongs to.
    pub fn profile(&self) -> &ProfileName {
        match self {
            Self::GetSessionToken(step) => &step.profile,
            Self::GetFederationToken(step) => &step.profile,
            Self::AssumeRole(step) => &step.profile,
        }
    }

    /// Returns the requested duration.
    pub fn duration(&self) -> &Sourced<Duration> {
        match self {
            Self::GetSessionToken(step) => &step.duration,
            Self::GetFederationToken(step) => &step.duration,
            Self::AssumeRole(step) => &step.duration,
        }
    }

    /// Returns the device if this call itself uses an MFA code.
    pub fn mfa(&self) -> Option<&Mfa> {
        match self {
            Self::GetSessionToken(step) => step.mfa.as_ref(),
            Self::GetFederationToken(_) => None,
            Self::AssumeRole(step) => step.mfa.as_ref(),
        }
    }

    /// Returns the call of the step.
    pub fn call(&self) -> Call {
        match self {
            Self::GetSessionToken(_) => Call::GetSessionToken,
            Self::GetFederationToken(_) => Call::GetFederationToken,
            Self::AssumeRole(_) => Call::AssumeRole,
        }
    }
}
