//! What a profile says once all layers are applied: each value with the place that it came from.

use std::time::Duration;

use super::guard::Guard;
use super::problem::Warning;
use super::value::ValueError;
use hatbox_types::name::{AccountId, MfaSerial, ProfileName, Region, RoleArn};
use hatbox_types::secret::{AccessKey, SecretString};
use jiff::Timestamp;

pub use super::origin::{FileKind, Origin, Place, Sourced};

/// A profile's settings, all layers applied, each value checked.
///
/// No identity is inherited from `[default]` or by a dotted name; `include_profile` is the one way
/// to take another section's lines over.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The name. (`None` only in `Profile::default()`, which tests use.)
    pub name: Option<ProfileName>,
    /// Where its section starts; `None` when neither file has one: then only stored keys make it a profile.
    pub defined_at: Option<Place>,
    /// `region`.
    pub region: Option<Sourced<Region>>,
    /// `output`. Only shown, never used.
    pub output: Option<Sourced<String>>,

    /// `role_arn`.
    pub role_arn: Option<Sourced<RoleArn>>,
    /// The `role_arn` of the files in whose place `AWS_ROLE_ARN` came, as it is written.
    pub replaced_role_arn: Option<Sourced<String>>,
    /// `source_profile`. A profile that names itself has `None` here and [`Profile::is_own_source`].
    pub source_profile: Option<Sourced<ProfileName>>,
    /// Whether `source_profile` names the profile itself.
    pub is_own_source: bool,
    /// `credential_source`.
    pub credential_source: Option<Sourced<CredentialSource>>,
    /// `role_session_name`: 2..=64 of `[\w+=,.@-]`.
    pub role_session_name: Option<Sourced<String>>,
    /// `external_id`: 2..=1224 of `[\w+=,.@:\/-]`.
    pub external_id: Option<Sourced<String>>,
    /// `session_tags`, in the order written; at most 50.
    pub session_tags: Option<Sourced<Vec<(String, String)>>>,
    /// `transitive_session_tags`, in the order written.
    pub transitive_session_tags: Option<Sourced<Vec<String>>>,
    /// `source_identity`: 2..=64 of `[\w+=,.@-]`.
    pub source_identity: Option<Sourced<String>>,

    /// `mfa_serial`.
    pub mfa_serial: Option<Sourced<MfaSerial>>,
    /// `mfa_process`: a shell command that prints the code.
    pub mfa_process: Option<Sourced<String>>,

    /// Lengths asked for.
    pub durations: Durations,

    /// `aws_account_id`: the account of what the profile itself gives.
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

    /// Where STS and IAM are, and how to reach them.
    pub endpoint: Endpoint,
    /// `ec2_metadata_service_endpoint`: where instance metadata is. It and the next: of a profile that asks for it.
    pub metadata_endpoint: Option<Sourced<String>>,
    /// `ec2_metadata_service_endpoint_mode`: by which of its two usual addresses it is asked.
    pub metadata_mode: Option<Sourced<MetadataMode>>,
    /// What guards the use of its credentials; `None` where no key that begins with `hatbox_` is set.
    pub guard: Option<Box<Guard>>,
    /// Keys that neither hatbox nor AWS's own tools know: name and line.
    pub unknown: Vec<(String, Place)>,
    /// What a person should know although it is no error.
    pub warnings: Vec<Warning>,
}

/// The lengths that were asked for, each `None` when no one said. Whole seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    /// Of AssumeRole: `-d`, `AWS_VAULT_DURATION`, `AWS_ASSUME_ROLE_TTL`, `duration_seconds`.
    pub assume_role: Option<Sourced<Duration>>,
    /// Of GetSessionToken when its session is the product: `-d`, `AWS_VAULT_DURATION`, `AWS_SESSION_TOKEN_TTL`.
    pub session_token: Option<Sourced<Duration>>,
    /// Of GetSessionToken when roles are assumed from it: `-d`, `AWS_VAULT_DURATION`, `AWS_CHAINED_SESSION_TOKEN_TTL`.
    pub chained_session_token: Option<Sourced<Duration>>,
    /// Of GetFederationToken: `-d`, `AWS_VAULT_DURATION`, `AWS_FEDERATION_TOKEN_TTL`.
    pub federation_token: Option<Sourced<Duration>>,
}

/// `credential_source`: where the input of a role comes from when it is no profile.
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
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        match text.to_ascii_lowercase().as_str() {
            "ipv4" => Ok(Self::Ipv4),
            "ipv6" => Ok(Self::Ipv6),
            _ => Err(ValueError::Choice("`IPv4`, `IPv6`")),
        }
    }

    /// The address.
    pub fn url(self) -> &'static str {
        match self {
            Self::Ipv4 => "http://169.254.169.254",
            Self::Ipv6 => "http://[fd00:ec2::254]",
        }
    }
}

/// Keys in plain text, in a file or in the environment.
#[derive(Debug, Clone)]
pub struct StaticKeys {
    /// The pair.
    pub key: AccessKey,
    /// `aws_session_token`, `AWS_SESSION_TOKEN`: then the pair is temporary.
    pub session_token: Option<SecretString>,
    /// When they expire, where the program that wrote them said so.
    pub expires_at: Option<Timestamp>,
}

impl StaticKeys {
    /// Whether a session token belongs to them.
    pub fn is_temporary(&self) -> bool {
        self.session_token.is_some()
    }
}

/// Where the token of AssumeRoleWithWebIdentity comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebIdentity {
    /// `web_identity_token_file`.
    File(String),
    /// `web_identity_token_process`: a shell command that prints the token.
    Process(String),
}

/// What a profile says about IAM Identity Center.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sso {
    /// The name of the `[sso-session]`, when one is used.
    pub session: Option<String>,
    /// `sso_start_url`; that of the session wins.
    pub start_url: Sourced<String>,
    /// `sso_region`; that of the session wins.
    pub region: Region,
    /// `sso_account_id`; absent in a profile that only signs in. Not 12 digits is a warning.
    pub account_id: Option<Sourced<String>>,
    /// `sso_role_name`: the permission set.
    pub role_name: Option<Sourced<String>>,
    /// `sso_registration_scopes` of the session, split at commas.
    pub registration_scopes: Vec<String>,
    /// `sso_use_device_code`: sign in by a device code also where the browser's redirect would work.
    pub use_device_code: bool,
    /// Other URLs than AWS's.
    pub urls: Box<SsoUrls>,
}

/// URLs of Identity Center, as they were written; `None` where AWS's own is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SsoUrls {
    /// Of the service that signs in, by the SDKs' order: `AWS_ENDPOINT_URL_SSO_OIDC`, `AWS_ENDPOINT_URL`, the profile's
    /// `[services]` section, its `endpoint_url`.
    pub oidc: Option<String>,
    /// Of the portal that gives credentials, likewise: `AWS_ENDPOINT_URL_SSO` and so on.
    pub portal: Option<String>,
}

/// Where STS and IAM are, and how to reach them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The URL for STS, by the SDKs' order: `AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL`, the profile's
    /// `[services]` section, the profile's `endpoint_url`; `None` when AWS's own is meant, also when
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` says so.
    pub sts_url: Option<Sourced<String>>,
    /// The URL for IAM, likewise (`AWS_ENDPOINT_URL_IAM` and so on), as it was written.
    pub iam_url: Option<Sourced<String>>,
    /// The URL for the sign-in service, likewise (`AWS_ENDPOINT_URL_SIGNIN` and so on), as it was written.
    pub signin_url: Option<Sourced<String>>,
    /// What the child gets as `AWS_ENDPOINT_URL`: the service-independent one.
    pub url: Option<Sourced<String>>,
    /// `use_fips_endpoint`.
    pub use_fips: Option<Sourced<bool>>,
    /// `use_dualstack_endpoint`.
    pub use_dualstack: Option<Sourced<bool>>,
    /// `ca_bundle`: a PEM file.
    pub ca_bundle: Option<Sourced<String>>,
    /// `sts_regional_endpoints`: whether STS is asked in the region or at its global address.
    pub sts_regional: Option<Sourced<StsRegional>>,
}

/// `sts_regional_endpoints`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StsRegional {
    /// `sts.REGION.amazonaws.com`, the SDKs' default today.
    Regional,
    /// `sts.amazonaws.com` for the oldest regions.
    Legacy,
}
