//! Applies the flags for the last role to a chain and its calls.

use crate::config::profile::{Origin, Profile, Sourced};
use hatbox_types::name::{ProfileName, RoleArn};
use hatbox_types::partition::Partition;

use super::base::{Base, Signer};
use super::chain::{Chain, Link};
use super::error::PlanError;
use super::input::{PlanOptions, Purpose};
use super::length::{FEDERATION_DEFAULT, asked_or};
use super::step::{GetFederationToken, Step};

/// Adds the role of `--role-arn` or `read_only_role` on top of the chain, and applies the other flags to the last role.
pub(super) fn apply_flags(
    chain: &mut Chain,
    target: &ProfileName,
    read_only_role: Option<Sourced<RoleArn>>,
    options: &PlanOptions,
) -> Result<(), PlanError> {
    let flags = &options.last_role;
    if options.purpose == Purpose::BaseOnly {
        return Ok(());
    }
    if let Some(role) = flags.role.clone().or(read_only_role) {
        // The new role uses the same MFA device as the chain.
        let mfa_serial = chain.links.iter().find_map(|link| link.profile.mfa_serial.clone());
        let below = chain.links.first().map(|link| &link.profile);
        let profile = Profile {
            name: Some(target.clone()),
            region: below.and_then(|profile| profile.region.clone()),
            durations: below.map(|profile| profile.durations.clone()).unwrap_or_default(),
            endpoint: below.map(|profile| profile.endpoint.clone()).unwrap_or_default(),
            role_arn: Some(role),
            mfa_serial,
            ..Profile::default()
        };
        chain.links.insert(0, Link { name: target.clone(), profile });
    }
    let is_role_in_base = chain.links.len() == 1 && matches!(chain.base, Base::WebIdentity { .. });
    let Some(link) = chain.links.first_mut() else { return Ok(()) };
    if let Some(Origin::Flag(flag)) = flags.flag_of_role() {
        let profile = target.clone();
        if is_role_in_base {
            return Err(PlanError::FlagNotForToken { profile, flag });
        }
        if link.profile.role_arn.is_none() {
            return Err(PlanError::FlagNeedsRole { profile, flag });
        }
    }
    let profile = &mut link.profile;
    if flags.external_id.is_some() {
        profile.external_id.clone_from(&flags.external_id);
    }
    if flags.tags.is_some() {
        profile.session_tags.clone_from(&flags.tags);
    }
    if flags.transitive_tags.is_some() {
        profile.transitive_session_tags.clone_from(&flags.transitive_tags);
    }
    if flags.source_identity.is_some() {
        profile.source_identity.clone_from(&flags.source_identity);
    }
    Ok(())
}

/// Applies the session policies of the flags to the credentials that are handed over.
///
/// # Errors
/// If the credentials cannot be restricted.
pub(super) fn apply_policies(
    chain: &mut Chain,
    steps: &mut Vec<Step>,
    target: &ProfileName,
    options: &PlanOptions,
) -> Result<(), PlanError> {
    let flags = &options.last_role;
    if let Some(Step::AssumeRole(role)) = steps.last_mut() {
        let partition = role.role.value.partition().to_owned();
        role.policies = flags.policies_in(&partition);
        return Ok(());
    }
    if let Base::WebIdentity { role, policies, .. } = &mut chain.base
        && steps.is_empty()
    {
        *policies = flags.policies_in(role.value.partition()).map(Box::new);
        return Ok(());
    }
    let partition = chain.links.first().and_then(|link| link.profile.region.as_ref());
    let partition = partition.map_or(Partition::Aws, |region| region.value.partition());
    let Some(policies) = flags.policies_in(partition.as_str()) else { return Ok(()) };
    if options.purpose != Purpose::Use || chain.base.signer() != Signer::LongLivedKey {
        let from = chain.base.words();
        return Err(PlanError::CannotNarrow { profile: target.clone(), from });
    }
    let durations = chain.links.first().map(|link| link.profile.durations.clone()).unwrap_or_default();
    let duration = asked_or(durations.federation_token.as_ref(), FEDERATION_DEFAULT);
    let profile = chain.base.profile().clone();
    *steps = vec![Step::GetFederationToken(Box::new(GetFederationToken { profile, duration, policies }))];
    Ok(())
}
