//! The identity that a plan starts from.

use std::time::Duration;

use crate::config::profile::{Origin, Sourced, Sso, StaticKeys, WebIdentity};
use hatbox_types::name::{AccessKeyId, ProfileName, RoleArn};
use hatbox_types::secret::SecretString;

use super::command::runs_hatbox;
use super::step::{Call, SessionPolicies};

/// The identity that a plan starts from. The comment of each variant shows the lines that make it.
#[derive(Debug, Clone)]
pub enum Base {
    /// A long-lived key in hatbox's store, put there by `hatbox add jan-work`:
    /// ```ini
    /// [profile jan-work]
    /// mfa_serial = arn:aws:iam::111122223333:mfa/jan
    /// ```
    /// The section may be missing.
    StoredKey {
        /// The profile under whose name it is stored.
        profile: ProfileName,
        /// Its id as the index knows it; `None` when the store is locked, and the plan is only to be shown.
        id: Option<AccessKeyId>,
    },
    /// Keys in plain text in one of the files:
    /// ```ini
    /// [jan-work]
    /// aws_access_key_id = AKIA...
    /// aws_secret_access_key = ...
    /// ```
    FileKeys {
        /// The profile that has them.
        profile: ProfileName,
        /// The keys, and where they stand.
        keys: Sourced<StaticKeys>,
    },
    /// The keys of the environment, asked for by name:
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
        /// The profile that has them.
        profile: ProfileName,
        /// The settings.
        sso: Sourced<Sso>,
        /// `sso_account_id`.
        account_id: Sourced<String>,
        /// `sso_role_name`.
        role_name: Sourced<String>,
    },
    /// AssumeRoleWithWebIdentity; the role is part of the base, as nothing signs the call:
    /// ```ini
    /// [profile ci]
    /// role_arn = arn:aws:iam::444455556666:role/deploy
    /// web_identity_token_file = /var/run/secrets/token
    /// ```
    /// or `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`, where the profile names no identity.
    WebIdentity {
        /// The profile that has them.
        profile: ProfileName,
        /// The token's source.
        token: Sourced<WebIdentity>,
        /// The token of a file, once it was read: sessions are cached for it alone. A command is its own identity, as
        /// with `credential_process`.
        text: Option<SecretString>,
        /// The role that the token is traded for.
        role: Sourced<RoleArn>,
        /// `role_session_name`.
        session_name: Option<Sourced<String>>,
        /// The length asked for, 900 s to 12 h.
        duration: Sourced<Duration>,
        /// What restricts the session, where flags ask for it.
        policies: Option<Box<SessionPolicies>>,
    },
    /// A command that prints credentials:
    /// ```ini
    /// [profile legacy]
    /// credential_process = /opt/corp/credentials --account 444455556666
    /// ```
    CredentialProcess {
        /// The profile that has it.
        profile: ProfileName,
        /// The shell command.
        command: Sourced<String>,
    },
    /// The service that a machine or a container gets its role from:
    /// ```ini
    /// [profile batch]
    /// role_arn = arn:aws:iam::444455556666:role/batch
    /// credential_source = Ec2InstanceMetadata
    /// ```
    Metadata {
        /// The profile that asks for it.
        profile: ProfileName,
        /// Which of the two.
        service: MetadataService,
        /// Its address; `None` where the environment names none of a container.
        endpoint: Option<String>,
        /// The id of the access key that it gave, once it was asked: one address serves many pods and instances.
        access_key_id: Option<AccessKeyId>,
        /// Where the address was set.
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
        /// The profile that has it.
        profile: ProfileName,
        /// The ARN.
        session: Sourced<String>,
    },
}

/// The two services that give credentials to what runs inside AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataService {
    /// `credential_source = Ec2InstanceMetadata`.
    Instance,
    /// `credential_source = EcsContainer`.
    Container,
}

/// What the credentials of a base can do as the signer of the first call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// An access key of a user. It may call GetSessionToken, and a role from it is not chained.
    LongLivedKey,
    /// Temporary, or not known before it runs, so a role from it lasts one hour at most; but it can be a
    /// user's, who alone can present an MFA device.
    MaybeUser,
    /// The session of a role. It cannot present a device, and a role from it lasts one hour at most.
    Role,
}

impl Base {
    /// The line or variable that makes it the source; `None` for a stored key.
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

    /// What it is, in words.
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

    /// The profile that names it.
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

    /// The id of its access key, where it is a key whose id is known.
    pub fn access_key_id(&self) -> Option<&AccessKeyId> {
        match self {
            Self::StoredKey { id, .. } => id.as_ref(),
            Self::FileKeys { keys, .. } | Self::Environment { keys, .. } => Some(&keys.value.key.id),
            _ => None,
        }
    }

    /// What its credentials can do.
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

    /// Whether what it gives is saved. Not a key that is simply there; and not what a metadata service gives: the service
    /// is on the machine, answers at once, and it alone knows which role the machine has now. A login session is saved in
    /// its own file, which other programs read, refresh and delete. hatbox itself, run by a command, has a cache of its
    /// own, and guards that are to be checked each time.
    pub fn is_saved(&self) -> bool {
        match self {
            Self::Metadata { .. } | Self::LoginSession { .. } => false,
            Self::CredentialProcess { command, .. } => !runs_hatbox(&command.value, None),
            _ => self.call().is_some(),
        }
    }

    /// Whether a command of the profile gives its credentials, or the token for them.
    pub fn is_command(&self) -> bool {
        match self {
            Self::CredentialProcess { .. } => true,
            Self::WebIdentity { token, .. } => matches!(token.value, WebIdentity::Process(_)),
            _ => false,
        }
    }

    /// What is called to get its credentials; `None` for a key that is simply there.
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
