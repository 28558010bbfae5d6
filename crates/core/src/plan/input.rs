//! What a plan is resolved from: the profiles, the stored keys, what the environment has, and what the plan is for.

use std::collections::{BTreeMap, HashMap};

use super::agent::Agent;
use super::last_role::LastRole;
use crate::config::overrides::{AmbientWebIdentity, Overrides};
use crate::config::profile::{Profile, Sourced, StaticKeys};
use crate::config::{Config, ConfigError, Warning, Which, resolve_profile};
use hatbox_types::name::{AccessKeyId, ProfileName};
use hatbox_types::secret::AccessKeyError;
use hatbox_types::text::suggest::nearest_name;

/// How many profiles a chain may have. No one writes ten by hand.
pub const CHAIN_LIMIT: usize = 100;

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// Credentials that are handed over.
    #[default]
    Use,
    /// Calls to IAM, which takes no credentials of GetSessionToken that were obtained without MFA: where the plan would
    /// end with those, the access key itself signs.
    Iam,
    /// Calls to IAM about the user's own access keys: no role is assumed, and MFA is as for [`Purpose::Iam`].
    OwnKeys,
    /// To see that a role is refused without MFA: no call presents a code.
    WithoutMfa,
    /// The credentials that the profile's chain starts from, and no step from there.
    BaseOnly,
}

/// Whether GetSessionToken may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sessions {
    /// Where the table says so.
    #[default]
    Use,
    /// Never: `--no-session`.
    Skip,
}

/// What else a plan depends on, beside the profiles and the stored keys.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// What it is for.
    pub purpose: Purpose,
    /// `--no-session` or not.
    pub sessions: Sessions,
    /// What flags say about the last role.
    pub last_role: LastRole,
    /// The coding agent that runs this program, where anyone looked.
    pub agent: Option<Agent>,
    /// Whether agents get read-only sessions where the profile does not say: `read_only_for_agents` of the settings.
    pub agents: Agents,
    /// What the environment has that a profile may ask for.
    pub ambient: Ambient,
    /// The base name under which this program runs, to know itself in a `credential_process`.
    pub own_name: Option<String>,
}

/// What a coding agent gets from a profile that does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Agents {
    /// What anyone gets.
    #[default]
    Unrestricted,
    /// A read-only session.
    ReadOnly,
}

/// What the environment has that a profile may ask for.
#[derive(Debug, Clone, Default)]
pub struct Ambient {
    /// `AWS_ACCESS_KEY_ID` with what belongs to it, for `credential_source = Environment`; or what is wrong with it,
    /// which matters only to a profile that asks for it.
    pub keys: Option<Result<StaticKeys, AccessKeyError>>,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`, for a target that names no identity.
    pub web_identity: Option<AmbientWebIdentity>,
    /// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, behind the address that ECS has, or `_FULL_URI`. Also for a target that
    /// names no identity.
    pub container_uri: Option<Sourced<String>>,
    /// `AWS_EC2_METADATA_SERVICE_ENDPOINT`.
    pub metadata_endpoint: Option<String>,
    /// `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`, as it is written.
    pub metadata_mode: Option<String>,
    /// Whether the machine is an EC2 instance, whose role serves a target that names no identity.
    pub is_instance: bool,
}

/// Which profiles have a stored access key, and its id.
#[derive(Debug, Clone)]
pub enum StoredKeys {
    /// As the index says.
    Known(BTreeMap<ProfileName, AccessKeyId>),
    /// The store is locked, and the plan is only to be shown.
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

/// The profiles: each is resolved when the walk along the source profiles gets to it.
#[derive(Debug)]
pub struct Lookup<'a> {
    config: &'a Config,
    profiles: Profiles<'a>,
    /// What is wrong with the profiles that were visited, also where no plan results.
    pub warnings: Vec<Warning>,
}

#[derive(Debug)]
enum Profiles<'a> {
    InFiles(&'a Overrides),
    Resolved(&'a HashMap<ProfileName, Result<Profile, ConfigError>>),
}

impl Ambient {
    /// Whether it has an identity for a target that names none.
    pub(super) fn has_identity(&self) -> bool {
        self.web_identity.is_some() || self.container_uri.is_some() || self.is_instance
    }
}

impl<'a> Lookup<'a> {
    /// The profiles of the files, with what flags and environment say.
    pub fn new(config: &'a Config, overrides: &'a Overrides) -> Self {
        Self { config, profiles: Profiles::InFiles(overrides), warnings: Vec::new() }
    }

    /// Profiles that were resolved before, for those who make a plan of every one. A name that is not among them has
    /// no section.
    pub fn of_resolved(
        config: &'a Config,
        resolved: &'a HashMap<ProfileName, Result<Profile, ConfigError>>,
    ) -> Self {
        Self { config, profiles: Profiles::Resolved(resolved), warnings: Vec::new() }
    }

    /// The settings of a profile, all layers applied. A name without a section gives a profile whose `defined_at` is
    /// `None`, with what flags, environment and `[default]` say to any profile.
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

    /// The name that is probably meant by one that does not exist.
    pub(super) fn nearest(&self, name: &ProfileName, stored: &StoredKeys) -> Option<ProfileName> {
        self.config.nearest_profile(name.as_str()).or_else(|| stored.nearest(name))
    }
}
