//! What a plan is made from besides the profile's name: profiles, stored keys, and what the environment has.

use std::collections::BTreeMap;

use super::session::Sessions;
use crate::config::Which;
use crate::config::overrides::AmbientWebIdentity;
use crate::config::profile::Profile;
use hatbox_types::name::{AccessKeyId, ProfileName};

/// How many profiles a chain may have. Nobody writes ten by hand.
pub const CHAIN_LIMIT: usize = 100;

/// How resolution gets at the profiles.
pub struct Lookup<'a, E> {
    /// The settings of a profile, all layers applied. A name without a section gives a profile whose
    /// `defined_at` is `None`, with what flags, environment and `[default]` say to any profile.
    pub profile: &'a mut dyn FnMut(&ProfileName, Which) -> Result<Profile, E>,
    /// The name that is probably meant by one that does not exist.
    pub nearest: &'a dyn Fn(&ProfileName) -> Option<ProfileName>,
}

/// Which profiles have a stored access key, and its id.
#[derive(Debug, Clone)]
pub enum StoredKeys {
    /// As the index says.
    Known(BTreeMap<ProfileName, AccessKeyId>),
    /// The store is locked, and the plan is only to be shown.
    Locked,
}

/// What else a plan depends on.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// `--no-session` or not.
    pub sessions: Sessions,
    /// What the environment has that a profile may ask for.
    pub ambient: Ambient,
    /// The base name under which this program runs, to know itself in a `credential_process`.
    pub own_name: Option<String>,
}

/// What the environment has that a profile may ask for.
#[derive(Debug, Clone, Default)]
pub struct Ambient {
    /// `AWS_ACCESS_KEY_ID`, for `credential_source = Environment`.
    pub key: Option<AmbientKey>,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`, for a target that names no identity.
    pub web_identity: Option<AmbientWebIdentity>,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI` or `_RELATIVE_URI`.
    pub container_uri: Option<String>,
    /// `AWS_EC2_METADATA_SERVICE_ENDPOINT`.
    pub metadata_endpoint: Option<String>,
}

/// The access key of the environment.
#[derive(Debug, Clone)]
pub struct AmbientKey {
    /// `AWS_ACCESS_KEY_ID`.
    pub id: AccessKeyId,
    /// Whether `AWS_SESSION_TOKEN` is set too.
    pub is_temporary: bool,
}
