//! One call to STS, with everything that it carries.

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

/// One MFA code for many roles:
/// ```ini
/// [profile jan-work]
/// mfa_serial = arn:aws:iam::111122223333:mfa/jan
/// ```
#[derive(Debug, Clone)]
pub struct GetSessionToken {
    /// The profile whose key signs.
    pub profile: ProfileName,
    /// The requested length, and where it was set. 900 s to 36 h.
    pub duration: Sourced<Duration>,
    /// The device that a code is asked of.
    pub mfa: Option<Mfa>,
}

/// A user's permissions, narrowed by session policies: `--policy` for a profile without a role. No MFA code can be given
/// for it.
#[derive(Debug, Clone)]
pub struct GetFederationToken {
    /// The profile whose key signs.
    pub profile: ProfileName,
    /// The requested length, and where it was set. 900 s to 36 h.
    pub duration: Sourced<Duration>,
    /// What the session may do at most. Without it the session could do nothing.
    pub policies: SessionPolicies,
}

/// What restricts a session to less than its role or user may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionPolicies {
    /// The text of a policy.
    pub document: Option<Sourced<String>>,
    /// ARNs of managed policies.
    pub arns: Vec<Sourced<String>>,
}

/// The hat:
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
    /// The name of the session, when the user fixed one; else one is made at call time.
    pub session_name: Option<Sourced<String>>,
    /// The length that will be asked for. 900 s to 12 h, 1 h when chained.
    pub duration: Sourced<Duration>,
    /// What shortened it.
    pub cap: Option<Cap>,
    /// The device, when this call itself carries a code.
    pub mfa: Option<Mfa>,
    /// `external_id`.
    pub external_id: Option<Sourced<String>>,
    /// `session_tags`.
    pub tags: Option<Sourced<Vec<(String, String)>>>,
    /// `transitive_session_tags`.
    pub transitive_tags: Option<Sourced<Vec<String>>>,
    /// `source_identity`.
    pub source_identity: Option<Sourced<String>>,
    /// What restricts the session.
    pub policies: Option<SessionPolicies>,
}

/// The second factor of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mfa {
    /// The device, and where it was set.
    pub serial: Sourced<MfaSerial>,
    /// The command that prints the code, when the profile or one of its sources names one.
    pub process: Option<Sourced<String>>,
}

/// Why a step asks for less than was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// The length that was wanted, and where it was set.
    pub wanted: Sourced<Duration>,
    /// The requested length.
    pub allowed: Duration,
    /// The rule.
    pub reason: CapReason,
}

/// The rule behind a [`Cap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapReason {
    /// STS gives a role assumed from temporary credentials one hour at most (role chaining). Credentials of
    /// GetSessionToken are temporary in this sense too.
    Chaining,
}

/// What is called to get temporary credentials.
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
    /// GetRoleCredentials of IAM Identity Center.
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
    /// Every call.
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

    /// The label of its sessions in lists and in saved sessions: aws-vault's, where it has the call.
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

    /// The call with this label.
    pub fn parse_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.label() == label)
    }
}

impl Step {
    /// The profile that the step belongs to.
    pub fn profile(&self) -> &ProfileName {
        match self {
            Self::GetSessionToken(step) => &step.profile,
            Self::GetFederationToken(step) => &step.profile,
            Self::AssumeRole(step) => &step.profile,
        }
    }

    /// The requested length.
    pub fn duration(&self) -> &Sourced<Duration> {
        match self {
            Self::GetSessionToken(step) => &step.duration,
            Self::GetFederationToken(step) => &step.duration,
            Self::AssumeRole(step) => &step.duration,
        }
    }

    /// The device that this very call presents a code of.
    pub fn mfa(&self) -> Option<&Mfa> {
        match self {
            Self::GetSessionToken(step) => step.mfa.as_ref(),
            Self::GetFederationToken(_) => None,
            Self::AssumeRole(step) => step.mfa.as_ref(),
        }
    }

    /// What is called.
    pub fn call(&self) -> Call {
        match self {
            Self::GetSessionToken(_) => Call::GetSessionToken,
            Self::GetFederationToken(_) => Call::GetFederationToken,
            Self::AssumeRole(_) => Call::AssumeRole,
        }
    }
}
