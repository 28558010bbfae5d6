//! Follows the source profiles of a profile to the base identity.

use crate::config::Which;
use crate::config::profile::{Profile, Sourced};
use hatbox_types::name::ProfileName;

use super::base::Base;
use super::error::PlanError;
use super::identity::{Next, Question};
use super::input::{CHAIN_LIMIT, Lookup, PlanOptions, StoredKeys};
use super::note::Note;

/// A profile in the chain.
pub(super) struct Link {
    pub(super) name: ProfileName,
    pub(super) profile: Profile,
}

/// The profiles from the target to the one with the base identity, and that identity.
pub(super) struct Chain {
    /// From the target to the profile with the base; never empty.
    pub(super) links: Vec<Link>,
    pub(super) base: Base,
    pub(super) notes: Vec<Note>,
}

/// Follows the source profiles to the base identity.
pub(super) fn resolve_chain(
    target: &ProfileName,
    lookup: &mut Lookup<'_>,
    stored: &StoredKeys,
    options: &PlanOptions,
) -> Result<Chain, PlanError> {
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
        let mut profile = lookup.find(&name, which)?;
        let key = stored.find(&name);
        let is_ambient_default = name.is_default() && options.ambient.has_identity();
        if profile.defined_at.is_none() && key.is_none() && !is_ambient_default {
            let nearest = lookup.nearest(&name, stored);
            let is_store_locked = stored.is_locked();
            return Err(PlanError::UnknownProfile { profile: name, named_by, nearest, is_store_locked });
        }
        let question = Question { name: &name, profile: &profile, which, options };
        let ends_chain = key.is_none() && question.ends_chain();
        let next = match key {
            Some(id) => Next::Base(Box::new(question.choose_stored_key(id, &mut notes))),
            None => question.choose(stored.is_locked(), &mut notes)?,
        };
        match next {
            Next::Base(base) => {
                // A role assumed with a token is part of the base, so it is not skipped.
                let is_role_skipped = ends_chain && !matches!(*base, Base::WebIdentity { .. });
                if let Some(role) = profile.role_arn.take_if(|_| is_role_skipped) {
                    notes.push(Note::RoleOfSourceSkipped { profile: name.clone(), origin: role.origin });
                }
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
