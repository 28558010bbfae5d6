//! The settings of a profile after all layers were applied, each value with its origin.

use std::time::Duration;

use super::guard::Guard;
use super::problem::Warning;
use super::value::ValueError;
use hatbox_types::name::{AccountId, MfaSerial, ProfileName, Region, RoleArn};
use hatbox_types::secret::{AccessKey, SecretString};
use jiff::Timestamp;

pub use super::origin::{FileKind, Origin, Place, Sourced};

/// The settings of a profile, with all layers applied and each value checked.
///
/// Identities are not inherited from `[default]` or from dotted names; only `include_profile` adds the lines of another
/// section.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The name. (`None` only in `Profile::default()`, which tests use.)
    pub name: Option<ProfileName>,
    /// The start of its section; `None` if neither file has one, so only a stored key makes it a profile.
    pub defined_at: Option<Place>,
    /// `region`.
    pub region: Option<Sourced<Region>>,
    /// `output`, which is only shown.
    pub output: Option<Sourced<String>>,

    /// `role_arn`.
    pub role_arn: Option<Sourced<RoleArn>>,
    /// The `role_arn` in the files that `AWS_ROLE_ARN` replaces, as written.
    pub replaced_role_arn: Option<Sourced<String>>,
    /// `source_profile`. For a profile that names itself, this is `None` and [`Profile::is_own_source`] is set.
    pub source_profile: Option<Sourced<ProfileName>>,
    /// Whether `source_profile` names the profile itself.
    pub is_own_source: bool,
    /// `credential_source`.
    pub credential_source: Option<Sourced<CredentialSource>>,
    /// `role_session_name`: 2..=64 of `[\w+=,.@-]`.
    pub role_session_name: Option<Sourced<String>>,
    /// `external_id`: 2..=1224 of `[\w+=,.@:\/-]`.
    pub external_id: Option<Sourced<String>>,
    /// `session_tags`, in the given order; at most 50.
    pub session_tags: Option<Sourced<Vec<(String, String)>>>,
    /// `transitive_session_tags`, in the given order.
    pub transitive_session_tags: Option<Sourced<Vec<String>>>,
    /// `source_identity`: 2..=64 of `[\w+=,.@-]`.
    pub source_identity: Option<Sourced<String>>,

    /// `mfa_serial`.
    pub mfa_serial: Option<Sourced<MfaSerial>>,
    /// `mfa_process`: a shell command that prints the code.
    pub mfa_process: Option<Sourced<String>>,

    /// The requested durations.
    pub durations: Durations,

    /// `aws_account_id`: the account of the profile's own credentials.
    pub account_id: Option<Sourced<AccountId>>,
    /// `aws_access_key_id` and `aws_secret_access_key` in one of the files.
    pub static_keys: Option<Sourced<StaticKeys>>,
    /// `credential_process`: a shell command that prints credentials as JSON.
    pub credential_process: Option<Sourced<String>>,
    /// `web_identity_token_file` or `web_identity_token_process`.
    pub web_identity: Option<Sourced<WebIdentity>>,
    /// The `sso_*` keys, with those of the `[sso-session]`.
    pub sso: Option<Sourced<Sso>>,
    /// `login_session`: the ARN that `aws login` wrote.
    pub login_session: Option<Sourced<String>>,

    /// The endpoints of STS, IAM and sign-in, and how to reach them.
    pub endpoint: Endpoint,
    /// `ec2_metadata_service_endpoint`: the URL of instance metadata. Resolved only for profiles that use it, like the
    /// next.
    pub metadata_endpoint: Option<Sourced<String>>,
    /// `ec2_metadata_service_endpoint_mode`: which of AWS's two addresses to use.
    pub metadata_mode: Option<Sourced<MetadataMode>>,
    /// The guards on the use of its credentials; `None` if no key that begins with `hatbox_` is set.
    pub guard: Option<Box<Guard>>,
    /// Keys that neither hatbox nor AWS's own tools read, with their lines.
    pub unknown: Vec<(String, Place)>,
    /// Facts that the user should know although they are not errors.
    pub warnings: Vec<Warning>,
}

/// The requested durations, each `None` if it is not set. Whole seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    /// For AssumeRole: `-d`, `AWS_VAULT_DURATION`, `AWS_ASSUME_ROLE_TTL`, `duration_seconds`.
    pub assume_role: Option<Sourced<Duration>>,
    /// For GetSessionToken if its session is handed over: `-d`, `AWS_VAULT_DURATION`, `AWS_SESSION_TOKEN_TTL`.
    pub session_token: Option<Sourced<Duration>>,
    /// For GetSessionToken if roles are assumed with it: `-d`, `AWS_VAULT_DURATION`, `AWS_CHAINED_SESSION_TOKEN_TTL`.
    pub chained_session_token: Option<Sourced<Duration>>,
    /// For GetFederationToken: `-d`, `AWS_VAULT_DURATION`, `AWS_FEDERATION_TOKEN_TTL`.
    pub federation_token: Option<Sourced<Duration>>,
}

/// `credential_source`: the source of a role's credentials that is not a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialSource {
    /// The `AWS_*` variables of the environment.
    Environment,
    /// The instance metadata service.
    Ec2InstanceMetadata,
    /// The container credential endpoint.
    EcsContainer,
}

/// `ec2_metadata_service_endpoint_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataMode {
    /// `http://169.254.169.254`.
    Ipv4,
    /// `http://[fd00:ec2::254]`.
    Ipv6,
}

impl MetadataMode {
    /// Parses `IPv4` or `IPv6`, in any case.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        match text.to_ascii_lowercase().as_str() {
            "ipv4" => Ok(Self::Ipv4),
            "ipv6" => Ok(Self::Ipv6),
            _ => Err(ValueError::Choice("`IPv4`, `IPv6`")),
        }
    }

    /// Returns the URL.
    pub fn url(self) -> &'static str {
        match self {
            Self::Ipv4 => "http://169.254.169.254",
            Self::Ipv6 => "http://[fd00:ec2::254]",
        }
    }
}

/// Plain-text keys, in a file or in the environment.
#[derive(Debug, Clone)]
pub struct StaticKeys {
    /// The access key.
    pub key: AccessKey,
    /// `aws_session_token` or `AWS_SESSION_TOKEN`, which makes the key temporary.
    pub session_token: Option<SecretString>,
    /// When they expire, if the program that wrote them recorded that.
    pub expires_at: Option<Timestamp>,
}

impl StaticKeys {
    /// Whether they have a session token.
    pub fn is_temporary(&self) -> bool {
        self.session_token.is_some()
    }
}

/// The source of the token for AssumeRoleWithWebIdentity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebIdentity {
    /// `web_identity_token_file`.
    File(String),
    /// `web_identity_token_process`: a shell command that prints the token.
    Process(String),
}

/// The IAM Identity Center settings of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sso {
    /// The name of the `[sso-session]`, if the profile uses one.
    pub session: Option<String>,
    /// `sso_start_url`; that of the session takes precedence.
    pub start_url: Sourced<String>,
    /// `sso_region`; that of the session takes precedence.
    pub region: Region,
    /// `sso_account_id`, which is absent in a profile that only signs in. Anything but 12 digits is a warning.
    pub account_id: Option<Sourced<String>>,
    /// `sso_role_name`: the permission set.
    pub role_name: Option<Sourced<String>>,
    /// `sso_registration_scopes` of the session, split at commas.
    pub registration_scopes: Vec<String>,
    /// `sso_use_device_code`: use a device code even if the browser's redirect would work.
    pub use_device_code: bool,
    /// URLs that replace AWS's.
    pub urls: Box<SsoUrls>,
}

/// URLs of Identity Center's services, as written; `None` for AWS's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SsoUrls {
    /// The URL of the service that signs in, in the SDKs' order of precedence: `AWS_ENDPOINT_URL_SSO_OIDC`,
    /// `AWS_ENDPOINT_URL`, the profile's `[services]` section, its `endpoint_url`.
    pub oidc: Option<String>,
    /// The URL of the portal that returns credentials, in the same order: `AWS_ENDPOINT_URL_SSO` and so on.
    pub portal: Option<String>,
}

/// The endpoints of STS, IAM and sign-in, and how to reach them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The URL of STS, in the SDKs' order of precedence: `AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL`, the profile's
    /// `[services]` section, the profile's `endpoint_url`; `None` for AWS's own, also if
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is set.
    pub sts_url: Option<Sourced<String>>,
    /// The URL of IAM, in the same order (`AWS_ENDPOINT_URL_IAM` and so on), as written.
    pub iam_url: Option<Sourced<String>>,
    /// The URL of the sign-in service, in the same order (`AWS_ENDPOINT_URL_SIGNIN` and so on), as written.
    pub signin_url: Option<Sourced<String>>,
    /// The URL for all services, which the child gets as `AWS_ENDPOINT_URL`.
    pub url: Option<Sourced<String>>,
    /// `use_fips_endpoint`.
    pub use_fips: Option<Sourced<bool>>,
    /// `use_dualstack_endpoint`.
    pub use_dualstack: Option<Sourced<bool>>,
    /// `ca_bundle`: a PEM file.
    pub ca_bundle: Option<Sourced<String>>,
    /// `sts_regional_endpoints`: whether to use STS's endpoint in the region or its global one.
    pub sts_regional: Option<Sourced<StsRegional>>,
}

/// `sts_regional_endpoints`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StsRegional {
    /// `sts.REGION.amazonaws.com`, the SDKs' default today.
    Regional,
    /// `sts.amazonaws.com` in the oldest regions.
    Legacy,
}
