//! Walks from a profile along its source profiles to the identity that everything starts from.

use std::collections::BTreeMap;

use crate::config::Which;
use crate::config::overrides::AmbientWebIdentity;
use crate::config::profile::{Profile, Sourced};
use hatbox_types::name::{AccessKeyId, ProfileName};

use super::base::Base;
use super::error::PlanError;
use super::identity::{Next, Question};
use super::note::Note;
use super::session::Sessions;

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

/// A profile of a chain.
pub(super) struct Link {
    pub(super) name: ProfileName,
    pub(super) profile: Profile,
}

/// The profiles from the target to the one that has the base identity, and that identity.
pub(super) struct Chain {
    /// The target first, the holder of the base last; never empty.
    pub(super) links: Vec<Link>,
    pub(super) base: Base,
    pub(super) notes: Vec<Note>,
}

/// Walks to the base identity.
pub(super) fn resolve_chain<E>(
    target: &ProfileName,
    lookup: &mut Lookup<'_, E>,
    stored: &StoredKeys,
    options: &PlanOptions,
) -> Result<Chain, PlanError<E>> {
    let mut links: Vec<Link> = Vec::new();
    let mut notes = Vec::new();
    let mut name = target.clone();
    let mut named_by: Option<Sourced<ProfileName>> = None;
    loop {
        if let (true, Some(by)) = (links.iter().any(|link| link.name == name), &named_by) {
            let path = links.iter().map(|link| link.name.clone()).chain([name]).collect();
            return Err(PlanError::SourceLoop { path, origin: by.origin.clone() });
        }
        if links.len() == CHAIN_LIMIT {
            return Err(PlanError::ChainTooLong { profile: target.clone() });
        }
        let which = if links.is_empty() { Which::Target } else { Which::Source };
        let profile = (lookup.profile)(&name, which).map_err(PlanError::Lookup)?;
        let key = match stored {
            StoredKeys::Known(keys) => keys.get(&name),
            StoredKeys::Locked => None,
        };
        let is_ambient_default = name.is_default() && options.ambient.web_identity.is_some();
        if profile.defined_at.is_none() && key.is_none() && !is_ambient_default {
            let nearest = (lookup.nearest)(&name);
            let is_store_locked = matches!(stored, StoredKeys::Locked);
            return Err(PlanError::UnknownProfile { profile: name, named_by, nearest, is_store_locked });
        }
        let question = Question { name: &name, profile: &profile, which, options };
        let next = match key {
            Some(id) => Next::Base(Box::new(question.choose_stored_key(id, &mut notes))),
            None => question.choose(matches!(stored, StoredKeys::Locked), &mut notes)?,
        };
        match next {
            Next::Base(base) => {
                links.push(Link { name, profile });
                return Ok(Chain { links, base: *base, notes });
            }
            Next::Source(source) => {
                named_by = Some(Sourced { value: name.clone(), origin: source.origin });
                links.push(Link { name, profile });
                name = source.value;
            }
        }
    }
}
