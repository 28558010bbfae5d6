//! The identity that a plan starts from.

use std::time::Duration;

use crate::config::profile::{Origin, Sourced, Sso, StaticKeys, WebIdentity};
use hatbox_types::name::{AccessKeyId, ProfileName, RoleArn};
use hatbox_types::secret::SecretString;

use super::command::runs_hatbox;
use super::step::{Call, SessionPolicies};

/// The identity that a plan starts from. Each variant shows the config that leads to it.
#[derive(Debug, Clone)]
pub enum Base {
    /// A long-lived key in hatbox's store, added by `hatbox add jan-work`:
    /// ```ini
    /// [profile jan-work]
    /// mfa_serial = arn:aws:iam::111122223333:mfa/jan
    /// ```
    /// The section may be missing.
    StoredKey {
        /// The profile that the key is stored for.
        profile: ProfileName,
        /// The access key id in the index; `None` if the store is locked and the plan is only displayed.
        id: Option<AccessKeyId>,
    },
    /// Plain-text keys in one of the AWS files:
    /// ```ini
    /// [jan-work]
    /// aws_access_key_id = AKIA...
    /// aws_secret_access_key = ...
    /// ```
    FileKeys {
        /// The profile with the keys.
        profile: ProfileName,
        /// The keys, and where they are.
        keys: Sourced<StaticKeys>,
    },
    /// The keys in the environment, if a profile asks for them:
    /// ```ini
    /// [profile ci]
    /// role_arn = arn:aws:iam::444455556666:role/deploy
    /// credential_source = Environment
    /// ```
    Environment {
        /// The profile that asks for them.
        profile: ProfileName,
        /// The keys, and where the profile asks for them.
        keys: Sourced<StaticKeys>,
    },
    /// A permission set of IAM Identity Center:
    /// ```ini
    /// [profile dev]
    /// sso_session = corp
    /// sso_account_id = 444455556666
    /// sso_role_name = Developer
    /// ```
    Sso {
        /// The profile with the settings.
        profile: ProfileName,
        /// The settings.
        sso: Sourced<Sso>,
        /// `sso_account_id`.
        account_id: Sourced<String>,
        /// `sso_role_name`.
        role_name: Sourced<String>,
    },
    /// AssumeRoleWithWebIdentity. Its role is part of the base, as the call is not signed:
    /// ```ini
    /// [profile ci]
    /// role_arn = arn:aws:iam::444455556666:role/deploy
    /// web_identity_token_file = /var/run/secrets/token
    /// ```
    /// or `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`, if the profile names no identity.
    WebIdentity {
        /// The profile with the settings.
        profile: ProfileName,
        /// The token's source.
        token: Sourced<WebIdentity>,
        /// The token from the file, once it was read: the cached session belongs to this token. With a command, the
        /// command is the identity, as for `credential_process`.
        text: Option<SecretString>,
        /// The role that the token is exchanged for.
        role: Sourced<RoleArn>,
        /// `role_session_name`.
        session_name: Option<Sourced<String>>,
        /// The requested duration, 900 s to 12 h.
        duration: Sourced<Duration>,
        /// The session policies, if flags set any.
        policies: Option<Box<SessionPolicies>>,
    },
    /// A command that prints credentials:
    /// ```ini
    /// [profile legacy]
    /// credential_process = /opt/corp/credentials --account 444455556666
    /// ```
    CredentialProcess {
        /// The profile with the command.
        profile: ProfileName,
        /// The shell command.
        command: Sourced<String>,
    },
    /// The metadata service of a machine or container:
    /// ```ini
    /// [profile batch]
    /// role_arn = arn:aws:iam::444455556666:role/batch
    /// credential_source = Ec2InstanceMetadata
    /// ```
    Metadata {
        /// The profile that asks for it.
        profile: ProfileName,
        /// The kind of service.
        service: MetadataService,
        /// The URL of the service; `None` for a container whose environment names none.
        endpoint: Option<String>,
        /// The id of the access key that the service returned, once it was called: many pods and instances share one
        /// URL.
        access_key_id: Option<AccessKeyId>,
        /// Where the URL was set.
        endpoint_origin: Origin,
        /// Where the profile asks for it.
        origin: Origin,
    },
    /// A session of `aws login`:
    /// ```ini
    /// [profile me]
    /// login_session = arn:aws:iam::111122223333:user/jan
    /// ```
    LoginSession {
        /// The profile with the session.
        profile: ProfileName,
        /// The ARN that identifies the session.
        session: Sourced<String>,
    },
}

/// The services that provide credentials inside AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataService {
    /// `credential_source = Ec2InstanceMetadata`.
    Instance,
    /// `credential_source = EcsContainer`.
    Container,
}

/// What the credentials of a base can do when they sign the first call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// A user's access key. It can call GetSessionToken, and assuming a role with it is not role chaining.
    LongLivedKey,
    /// Temporary or unknown credentials: a role session from them lasts at most 1 h. They may belong to a user, and
    /// only users have MFA devices.
    MaybeUser,
    /// A role session. It has no MFA device, and a role session from it lasts at most 1 h.
    Role,
}

impl Base {
    /// Returns where the base is configured; `None` for a stored key.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::StoredKey { .. } => None,
            Self::FileKeys { keys: Sourced { origin, .. }, .. }
            | Self::Environment { keys: Sourced { origin, .. }, .. }
            | Self::Metadata { origin, .. }
            | Self::Sso { sso: Sourced { origin, .. }, .. }
            | Self::WebIdentity { token: Sourced { origin, .. }, .. }
            | Self::CredentialProcess { command: Sourced { origin, .. }, .. }
            | Self::LoginSession { session: Sourced { origin, .. }, .. } => Some(origin),
        }
    }

    /// Describes the kind of base.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::StoredKey { .. } | Self::FileKeys { .. } => "an access key",
            Self::Environment { .. } => "the environment",
            Self::Sso { .. } => "SSO (Identity Center)",
            Self::WebIdentity { .. } => "a web identity token",
            Self::CredentialProcess { .. } => "`credential_process`",
            Self::Metadata { .. } => "a metadata service",
            Self::LoginSession { .. } => "`login_session`",
        }
    }

    /// Returns the profile that names the base.
    pub fn profile(&self) -> &ProfileName {
        match self {
            Self::StoredKey { profile, .. }
            | Self::FileKeys { profile, .. }
            | Self::Environment { profile, .. }
            | Self::Sso { profile, .. }
            | Self::WebIdentity { profile, .. }
            | Self::CredentialProcess { profile, .. }
            | Self::Metadata { profile, .. }
            | Self::LoginSession { profile, .. } => profile,
        }
    }

    /// Returns the access key id, if the base is a key and its id is known.
    pub fn access_key_id(&self) -> Option<&AccessKeyId> {
        match self {
            Self::StoredKey { id, .. } => id.as_ref(),
            Self::FileKeys { keys, .. } | Self::Environment { keys, .. } => Some(&keys.value.key.id),
            _ => None,
        }
    }

    /// Returns what the credentials can do.
    pub fn signer(&self) -> Signer {
        match self {
            Self::StoredKey { .. } => Signer::LongLivedKey,
            Self::FileKeys { keys, .. } | Self::Environment { keys, .. } if !keys.value.is_temporary() => {
                Signer::LongLivedKey
            }
            Self::FileKeys { .. }
            | Self::Environment { .. }
            | Self::CredentialProcess { .. }
            | Self::LoginSession { .. } => Signer::MaybeUser,
            Self::Sso { .. } | Self::WebIdentity { .. } | Self::Metadata { .. } => Signer::Role,
        }
    }

    /// Whether the credentials are cached. Keys that need no call are not. Neither is the output of a metadata service,
    /// which answers quickly and alone knows the current role. A login session is in its own file, shared with other
    /// programs. hatbox, run by a command, has its own cache, and guards that must be checked each time.
    pub fn is_saved(&self) -> bool {
        match self {
            Self::Metadata { .. } | Self::LoginSession { .. } => false,
            Self::CredentialProcess { command, .. } => !runs_hatbox(&command.value, None),
            _ => self.call().is_some(),
        }
    }

    /// Whether a command of the profile prints the credentials or the token for them.
    pub fn is_command(&self) -> bool {
        match self {
            Self::CredentialProcess { .. } => true,
            Self::WebIdentity { token, .. } => matches!(token.value, WebIdentity::Process(_)),
            _ => false,
        }
    }

    /// Returns the call that obtains the credentials; `None` for a key that needs no call.
    pub fn call(&self) -> Option<Call> {
        match self {
            Self::StoredKey { .. } | Self::FileKeys { .. } | Self::Environment { .. } => None,
            Self::Sso { .. } => Some(Call::GetRoleCredentials),
            Self::WebIdentity { .. } => Some(Call::AssumeRoleWithWebIdentity),
            Self::CredentialProcess { .. } => Some(Call::CredentialProcess),
            Self::Metadata { service: MetadataService::Instance, .. } => Some(Call::InstanceMetadata),
            Self::Metadata { service: MetadataService::Container, .. } => Some(Call::ContainerCredentials),
            Self::LoginSession { .. } => Some(Call::LoginSession),
        }
    }
}
