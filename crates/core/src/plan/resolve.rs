//! Resolves a profile into its credential plan.

use crate::config::profile::{Origin, Sourced};
use hatbox_types::name::ProfileName;

use super::Plan;
use super::base::{Base, Signer};
use super::calls::resolve_steps;
use super::chain::{Chain, Link, resolve_chain};
use super::error::PlanError;
use super::guard::{find_guard, resolve_agent_limit, resolve_read_only_role};
use super::input::{Lookup, PlanOptions, Purpose, StoredKeys};
use super::length::limits;
use super::narrow::{apply_flags, apply_policies};
use super::note::{MfaUnused, Note};
use super::step::{Call, Step};

/// Resolves the credential plan of `target`.
///
/// # Errors
/// If the profile or a source profile is missing or invalid, if the source profiles form a loop or a chain that is too
/// long, if the chain ends without credentials, or if AWS does not accept a duration.
pub fn resolve_plan(
    target: &ProfileName,
    lookup: &mut Lookup<'_>,
    stored: &StoredKeys,
    options: &PlanOptions,
) -> Result<Plan, PlanError> {
    let mut chain = resolve_chain(target, lookup, stored, options)?;
    let guard = find_guard(&chain);
    let limit = resolve_agent_limit(guard.as_deref(), options);
    let restricted = limit.as_ref().map(|limit| limit.restrict(target, options)).transpose()?;
    let options = restricted.as_ref().unwrap_or(options);
    let read_only_role = resolve_read_only_role(&chain, guard.as_deref(), options);
    apply_flags(&mut chain, target, read_only_role, options)?;
    let mut notes = std::mem::take(&mut chain.notes);
    notes.extend(limit.as_ref().map(|limit| limit.note(target)));
    note_role(&chain, &mut notes);
    note_base(&chain, &mut notes);
    let mut steps = match options.purpose {
        Purpose::BaseOnly => Vec::new(),
        Purpose::Use | Purpose::Iam | Purpose::OwnKeys | Purpose::WithoutMfa => {
            resolve_steps(&chain, options, &mut notes)
        }
    };
    if options.purpose != Purpose::BaseOnly {
        let applied = apply_policies(&mut chain, &mut steps, target, options);
        applied.map_err(|error| match &limit {
            Some(limit) => limit.explain(error),
            None => error,
        })?;
    }
    note_federation(&chain, &steps, &mut notes);
    check_lengths(&chain.base, &steps)?;
    let account_id = match &chain.base {
        Base::StoredKey { .. } | Base::FileKeys { .. } | Base::CredentialProcess { .. } => {
            chain.links.last().and_then(|link| link.profile.account_id.clone())
        }
        _ => None,
    };
    let link = chain.links.swap_remove(0);
    let is_length_ours =
        chain.base.signer() == Signer::LongLivedKey || matches!(chain.base, Base::WebIdentity { .. });
    if options.purpose != Purpose::BaseOnly
        && let (true, false, Some(asked)) =
            (steps.is_empty(), is_length_ours, &link.profile.durations.assume_role)
    {
        notes.push(Note::LengthNotOurs { profile: target.clone(), origin: asked.origin.clone() });
    }
    Ok(Plan {
        profile: target.clone(),
        agent: options.agent.filter(|_| chain.base.is_command()),
        base: chain.base,
        steps,
        region: link.profile.region,
        endpoint: link.profile.endpoint,
        account_id,
        guard,
        notes,
    })
}

/// Adds a note if the environment provides the role, instead of the profile.
fn note_role(chain: &Chain, notes: &mut Vec<Note>) {
    let Some(Link { name, profile }) = chain.links.first() else { return };
    if let Some(Sourced { origin: Origin::Env(variable), .. }) = &profile.role_arn {
        let replaced = profile.replaced_role_arn.clone();
        notes.push(Note::RoleOfEnvironment { profile: name.clone(), variable, replaced });
    }
}

fn note_base(chain: &Chain, notes: &mut Vec<Note>) {
    let Some(holder) = chain.links.last() else { return };
    match &chain.base {
        Base::FileKeys { profile, keys } if !keys.value.is_temporary() => {
            notes.push(Note::PlaintextKeys { profile: profile.clone(), origin: keys.origin.clone() });
        }
        Base::WebIdentity { profile, .. } => {
            let settings = &holder.profile;
            let unsent = [
                ("external_id", settings.external_id.as_ref().map(|s| &s.origin)),
                ("session_tags", settings.session_tags.as_ref().map(|s| &s.origin)),
                ("transitive_session_tags", settings.transitive_session_tags.as_ref().map(|s| &s.origin)),
                ("source_identity", settings.source_identity.as_ref().map(|s| &s.origin)),
            ];
            notes.extend(unsent.into_iter().filter_map(|(what, origin)| {
                Some(Note::NotSent { profile: profile.clone(), what, origin: origin?.clone() })
            }));
        }
        _ => {}
    }
}

/// Adds a note for an MFA device that would be used if the session was not restricted.
fn note_federation(chain: &Chain, steps: &[Step], notes: &mut Vec<Note>) {
    let [Step::GetFederationToken(_)] = steps else { return };
    let named = chain.links.iter().find_map(|link| Some((link, link.profile.mfa_serial.as_ref()?)));
    if let Some((link, serial)) = named {
        notes.retain(|note| !matches!(note, Note::MfaUnused { .. }));
        let why = MfaUnused::Federation;
        notes.push(Note::MfaUnused { profile: link.name.clone(), serial: serial.clone(), why });
    }
}

/// Rejects durations that AWS rejects, before an MFA code is asked for.
fn check_lengths(base: &Base, steps: &[Step]) -> Result<(), PlanError> {
    let in_base = match base {
        Base::WebIdentity { profile, duration, .. } => {
            Some((profile, Call::AssumeRoleWithWebIdentity, duration))
        }
        _ => None,
    };
    let in_steps = steps.iter().map(|step| (step.profile(), step.call(), step.duration()));
    for (profile, call, wanted) in in_base.into_iter().chain(in_steps) {
        let (min, max) = limits(call);
        if wanted.value < min || wanted.value > max {
            let (profile, wanted) = (profile.clone(), wanted.clone());
            return Err(PlanError::Length { profile, call, wanted, min, max });
        }
    }
    Ok(())
}
