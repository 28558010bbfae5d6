//! The input of a plan: the profiles, the stored keys, the environment, and the purpose of the plan.

use std::collections::{BTreeMap, HashMap};

use super::agent::Agent;
use super::last_role::LastRole;
use crate::config::overrides::{AmbientWebIdentity, Overrides};
use crate::config::profile::{Profile, Sourced, StaticKeys};
use crate::config::{Config, ConfigError, Warning, Which, resolve_profile};
use hatbox_types::name::{AccessKeyId, ProfileName};
use hatbox_types::secret::AccessKeyError;
use hatbox_types::text::suggest::nearest_name;

/// The maximum number of profiles in a chain.
pub const CHAIN_LIMIT: usize = 100;

/// The purpose of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// To hand credentials over.
    #[default]
    Use,
    /// To call IAM, which rejects sessions of GetSessionToken without MFA. If the plan would end with one, the access
    /// key itself signs.
    Iam,
    /// To call IAM about the user's own access keys: assumes no role, and treats MFA as [`Purpose::Iam`] does.
    OwnKeys,
    /// To test that a role cannot be assumed without MFA: no call uses a code.
    WithoutMfa,
    /// To get only the credentials that the profile's chain starts from.
    BaseOnly,
}

/// Whether GetSessionToken may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sessions {
    /// If the table says so ([`super::session`]).
    #[default]
    Use,
    /// Never: `--no-session`.
    Skip,
}

/// What a plan depends on besides the profiles and the stored keys.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// The purpose.
    pub purpose: Purpose,
    /// Whether `--no-session` was given.
    pub sessions: Sessions,
    /// The flags for the last role.
    pub last_role: LastRole,
    /// The coding agent that runs hatbox, if hatbox looked for one and found it.
    pub agent: Option<Agent>,
    /// What agents get from profiles without a guard: the setting `read_only_for_agents`.
    pub agents: Agents,
    /// The credentials in the environment.
    pub ambient: Ambient,
    /// The file name under which hatbox runs, to recognize itself in a `credential_process`.
    pub own_name: Option<String>,
}

/// What a coding agent gets from a profile without a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Agents {
    /// The same as other users.
    #[default]
    Unrestricted,
    /// A read-only session.
    ReadOnly,
}

/// The credentials and settings in the environment that profiles may use.
#[derive(Debug, Clone, Default)]
pub struct Ambient {
    /// `AWS_ACCESS_KEY_ID` and related variables, for `credential_source = Environment`, and for `default` without an
    /// identity. An error is reported only if a profile uses them.
    pub keys: Option<Result<StaticKeys, AccessKeyError>>,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`, for a target without an identity.
    pub web_identity: Option<AmbientWebIdentity>,
    /// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, as a full URL at ECS's address, or
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`. Also for a target without an identity.
    pub container_uri: Option<Sourced<String>>,
    /// `AWS_EC2_METADATA_SERVICE_ENDPOINT`.
    pub metadata_endpoint: Option<String>,
    /// `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`, unparsed.
    pub metadata_mode: Option<String>,
    /// Whether the machine is an EC2 instance, whose role is used for a target without an identity.
    pub is_instance: bool,
}

/// The profiles with a stored access key, and its id.
#[derive(Debug, Clone)]
pub enum StoredKeys {
    /// The content of the index.
    Known(BTreeMap<ProfileName, AccessKeyId>),
    /// The store is locked, and the plan is only displayed.
    Locked,
}

impl StoredKeys {
    pub(super) fn find(&self, name: &ProfileName) -> Option<&AccessKeyId> {
        match self {
            Self::Known(keys) => keys.get(name),
            Self::Locked => None,
        }
    }

    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Self::Locked)
    }

    fn nearest(&self, name: &ProfileName) -> Option<ProfileName> {
        let Self::Known(keys) = self else { return None };
        let nearest = nearest_name(name.as_str(), keys.keys().map(ProfileName::as_str))?;
        ProfileName::parse(nearest).ok()
    }
}

/// The profiles, each resolved when the chain reaches it.
#[derive(Debug)]
pub struct Lookup<'a> {
    config: &'a Config,
    profiles: Profiles<'a>,
    /// Warnings about the resolved profiles, also if there is no plan in the end.
    pub warnings: Vec<Warning>,
}

#[derive(Debug)]
enum Profiles<'a> {
    InFiles(&'a Overrides),
    Resolved(&'a HashMap<ProfileName, Result<Profile, ConfigError>>),
}

impl Ambient {
    /// Whether there is an identity for `default` without a section.
    pub(super) fn has_identity(&self) -> bool {
        self.keys.is_some() || self.web_identity.is_some() || self.container_uri.is_some() || self.is_instance
    }
}

impl<'a> Lookup<'a> {
    /// Creates a lookup of the profiles in the files, overridden by flags and environment.
    pub fn new(config: &'a Config, overrides: &'a Overrides) -> Self {
        Self { config, profiles: Profiles::InFiles(overrides), warnings: Vec::new() }
    }

    /// Creates a lookup of profiles that are resolved already, for callers that make a plan for each of them. Other
    /// names count as missing.
    pub fn of_resolved(
        config: &'a Config,
        resolved: &'a HashMap<ProfileName, Result<Profile, ConfigError>>,
    ) -> Self {
        Self { config, profiles: Profiles::Resolved(resolved), warnings: Vec::new() }
    }

    /// Returns the settings of a profile with all layers applied. For a name without a section, this is a profile whose
    /// `defined_at` is `None`, with the values from flags, environment and `[default]` that apply to any profile.
    pub(super) fn find(&mut self, name: &ProfileName, which: Which) -> Result<Profile, ConfigError> {
        match self.profiles {
            Profiles::InFiles(overrides) => {
                let mut profile = resolve_profile(self.config, name, overrides, which)?;
                self.warnings.append(&mut profile.warnings);
                Ok(profile)
            }
            Profiles::Resolved(resolved) => {
                resolved.get(name).cloned().unwrap_or_else(|| Ok(Profile::default()))
            }
        }
    }

    /// Returns the existing name that is most similar to an unknown one.
    pub(super) fn nearest(&self, name: &ProfileName, stored: &StoredKeys) -> Option<ProfileName> {
        self.config.nearest_profile(name.as_str()).or_else(|| stored.nearest(name))
    }
}
