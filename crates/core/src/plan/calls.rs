//! Resolves the calls from the base to the target: their durations, caps and the one MFA code.

use std::collections::HashSet;
use std::time::Duration;

use crate::config::profile::Sourced;
use hatbox_types::name::MfaSerial;

use super::base::{Base, Signer};
use super::chain::{Chain, Link};
use super::input::{PlanOptions, Purpose};
use super::length::{CHAINED_ROLE_MAX, CHAINED_SESSION_DEFAULT, ROLE_DEFAULT, SESSION_DEFAULT, asked_or};
use super::note::{MfaUnused, Note};
use super::session::{Devices, Facts, Opening, resolve_opening};
use super::step::{AssumeRole, Cap, CapReason, GetSessionToken, Mfa, Step};

/// Resolves the calls from the base to the target.
pub(super) fn resolve_steps(chain: &Chain, options: &PlanOptions, notes: &mut Vec<Note>) -> Vec<Step> {
    // Iterates from the base to the target; each link comes with the part of the chain below it.
    let holder_index = chain.links.len().saturating_sub(1);
    let is_role_in_base = matches!(chain.base, Base::WebIdentity { .. });
    // Users change their own keys as themselves, so the roles of the profile do not matter.
    let has_roles = options.purpose != Purpose::OwnKeys;
    let role_indexes: Vec<usize> = chain
        .links
        .iter()
        .enumerate()
        .rev()
        .filter(|(index, link)| {
            has_roles && link.profile.role_arn.is_some() && !(is_role_in_base && *index == holder_index)
        })
        .map(|(index, _)| index)
        .collect();
    let first = role_indexes.first().copied();

    let user_mfa = chain.links.iter().enumerate().skip(first.unwrap_or(0)).find_map(|(index, link)| {
        let is_between = first.is_none_or(|first| index > first || first == holder_index);
        if is_between { mfa_of(chain, index, link) } else { None }
    });
    let first_link = first.and_then(|index| chain.links.get(index));
    let role_mfa = first.zip(first_link).and_then(|(index, link)| mfa_of(chain, index, link));
    let devices = match (&user_mfa, &role_mfa) {
        (None, _) => Devices::NoneOfUser,
        (Some(user), Some(role)) if user.serial.value == role.serial.value => Devices::Same,
        (Some(_), _) => Devices::Different,
    };
    let role_length = |link: &Link| asked_or(link.profile.durations.assume_role.as_ref(), ROLE_DEFAULT);

    let opening = resolve_opening(Facts {
        base: chain.base.signer(),
        sessions: options.sessions,
        purpose: options.purpose,
        roles: role_indexes.len(),
        is_first_role_own: first == Some(holder_index),
        devices,
        is_first_role_long: first_link.is_some_and(|link| role_length(link).value > CHAINED_ROLE_MAX),
    });

    let presented = |mfa: Option<Mfa>| mfa.filter(|_| options.purpose != Purpose::WithoutMfa);
    let mut steps = Vec::new();
    let mut first_mfa = None;
    match opening {
        Opening::HandOver | Opening::RolesWithoutMfa => {}
        Opening::RolesWithMfa => first_mfa = presented(role_mfa),
        Opening::SessionOnly | Opening::SessionThenRoles => {
            steps.extend(session_step(chain, opening, presented(user_mfa.clone())));
        }
    }
    for index in role_indexes {
        let Some(link) = chain.links.get(index) else { continue };
        let is_chained = !steps.is_empty() || chain.base.signer() != Signer::LongLivedKey;
        if let Some(step) = role_step(link, role_length(link), is_chained, first_mfa.take()) {
            steps.push(step);
        }
    }
    // Warn only about a cap on the credentials that are handed over; `explain` shows the others with their calls.
    if let Some(Step::AssumeRole(role)) = steps.last()
        && let Some(cap) = &role.cap
    {
        notes.push(Note::Capped { profile: role.profile.clone(), cap: cap.clone() });
    }
    if options.purpose != Purpose::WithoutMfa {
        note_unused_mfa(chain, &steps, user_mfa.as_ref(), first, notes);
    }
    steps
}

/// Returns the MFA device of a profile, with the command for its codes, which a source profile may name.
fn mfa_of(chain: &Chain, index: usize, link: &Link) -> Option<Mfa> {
    let serial = link.profile.mfa_serial.clone()?;
    let process = chain.links.iter().skip(index).find_map(|link| link.profile.mfa_process.clone());
    Some(Mfa { serial, process })
}

fn session_step(chain: &Chain, opening: Opening, mfa: Option<Mfa>) -> Option<Step> {
    let holder = chain.links.last()?;
    let durations = &holder.profile.durations;
    let duration = match opening {
        Opening::SessionThenRoles => {
            asked_or(durations.chained_session_token.as_ref(), CHAINED_SESSION_DEFAULT)
        }
        _ => asked_or(durations.session_token.as_ref(), SESSION_DEFAULT),
    };
    Some(Step::GetSessionToken(GetSessionToken { profile: holder.name.clone(), duration, mfa }))
}

fn role_step(link: &Link, wanted: Sourced<Duration>, is_chained: bool, mfa: Option<Mfa>) -> Option<Step> {
    let settings = &link.profile;
    let (duration, cap) = if is_chained && wanted.value > CHAINED_ROLE_MAX {
        let cap = Cap { wanted: wanted.clone(), allowed: CHAINED_ROLE_MAX, reason: CapReason::Chaining };
        (Sourced { value: CHAINED_ROLE_MAX, origin: wanted.origin }, Some(cap))
    } else {
        (wanted, None)
    };
    Some(Step::AssumeRole(Box::new(AssumeRole {
        profile: link.name.clone(),
        role: settings.role_arn.clone()?,
        session_name: settings.role_session_name.clone(),
        duration,
        cap,
        mfa,
        external_id: settings.external_id.clone(),
        tags: settings.session_tags.clone(),
        transitive_tags: settings.transitive_session_tags.clone(),
        source_identity: settings.source_identity.clone(),
        policies: None,
    })))
}

/// Adds a note for each device in the chain that no call of the plan uses.
fn note_unused_mfa(
    chain: &Chain,
    steps: &[Step],
    user_mfa: Option<&Mfa>,
    first: Option<usize>,
    notes: &mut Vec<Note>,
) {
    let Some(first) = first else { return };
    let presented: HashSet<&MfaSerial> =
        steps.iter().filter_map(Step::mfa).map(|mfa| &mfa.serial.value).collect();
    let mut noted: HashSet<&MfaSerial> = HashSet::new();
    let is_user_device = |serial: &MfaSerial| user_mfa.is_some_and(|mfa| mfa.serial.value == *serial);
    for (index, link) in chain.links.iter().enumerate().rev() {
        let Some(serial) = &link.profile.mfa_serial else { continue };
        let is_role = link.profile.role_arn.is_some();
        if presented.contains(&serial.value) || !(is_role || is_user_device(&serial.value)) {
            continue;
        }
        let why = if chain.base.signer() == Signer::Role {
            MfaUnused::BaseIsRole
        } else if index < first {
            MfaUnused::AfterRole
        } else if presented.is_empty() {
            MfaUnused::RoleNamesNone
        } else {
            MfaUnused::RoleNamesOther
        };
        if noted.insert(&serial.value) {
            notes.push(Note::MfaUnused { profile: link.name.clone(), serial: serial.clone(), why });
        }
    }
}
