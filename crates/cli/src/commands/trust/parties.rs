//! Finds users and roles as the user names them: by ARN, by name, or by a profile of the config.

use std::cell::OnceCell;

use hatbox_core::config::profile::Profile;
use hatbox_core::config::{Overrides, Which, resolve_profile};
use hatbox_iam::accounts::Accounts;
use hatbox_iam::assume::context::Assumptions;
use hatbox_iam::assume::entity::{Entity, EntityKind, FindError, find_caller, find_role};
use hatbox_types::name::ProfileName;

use crate::args::TrustGivenArgs;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::world::World;

/// The maximum number of profiles in a chain.
const MAX_CHAIN: usize = 32;

/// Finds users and roles. Loads the config only if no source knows the name.
pub(super) struct Parties<'a> {
    world: &'a World,
    accounts: &'a Accounts,
    files: OnceCell<ConfigFiles>,
}

/// The requested role; for a profile, with the parameters that it sends.
pub(super) struct Target {
    pub(super) role: Entity,
    /// The roles that the profile assumes before this one.
    pub(super) via: Vec<Entity>,
    pub(super) context: Vec<(String, String)>,
}

/// Returns what the question leaves open: the profile's settings, overridden by the flags.
pub(super) fn given_of(
    world: &World,
    args: &TrustGivenArgs,
    of_profile: Vec<(String, String)>,
) -> Assumptions {
    let mut context: Vec<(String, Vec<String>)> = Vec::new();
    for (key, value) in &args.context {
        match context.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, values)) => values.push(value.clone()),
            None => context.push((key.clone(), vec![value.clone()])),
        }
    }
    for (key, value) in of_profile {
        if !context.iter().any(|(known, _)| known.eq_ignore_ascii_case(&key)) {
            context.push((key, vec![value]));
        }
    }
    Assumptions { context, now: world.clock.now() }
}

impl<'a> Parties<'a> {
    pub(super) fn new(world: &'a World, accounts: &'a Accounts) -> Self {
        Self { world, accounts, files: OnceCell::new() }
    }

    pub(super) fn find_caller(&self, text: &str) -> Result<Entity, Failure> {
        let error = match find_caller(self.accounts, text) {
            Ok(party) => return Ok(party),
            Err(error) => error,
        };
        let Some(chain) = self.find_profile(text)? else { return Err(not_found(&error)) };
        let user = chain.iter().rev().find_map(|profile| self.user_of(profile));
        let role = || chain.iter().rev().find_map(role_of);
        user.or_else(role).ok_or_else(|| {
            Failure::new(
                FailureKind::Usage,
                format!("cannot find out which IAM user profile `{text}` belongs to: it has no `mfa_serial`"),
            )
            .hint("name the user by ARN")
        })
    }

    pub(super) fn find_role(&self, text: &str) -> Result<Target, Failure> {
        let error = match find_role(self.accounts, text) {
            Ok(role) => return Ok(Target { role, via: Vec::new(), context: Vec::new() }),
            Err(error) => error,
        };
        let Some(chain) = self.find_profile(text)? else { return Err(not_found(&error)) };
        let mut roles: Vec<_> = chain.iter().rev().filter_map(role_of).collect();
        let role = roles
            .pop()
            .ok_or_else(|| Failure::new(FailureKind::Usage, format!("profile `{text}` has no `role_arn`")))?;
        let sends = chain.first().map(context_of).unwrap_or_default();
        Ok(Target { role, via: roles, context: sends })
    }

    /// Returns the profile `text`, its source profile, and so on; `None` if the config has no such profile.
    fn find_profile(&self, text: &str) -> Result<Option<Vec<Profile>>, Failure> {
        let Ok(mut name) = ProfileName::parse(text) else { return Ok(None) };
        let files = if let Some(files) = self.files.get() {
            files
        } else {
            let loaded = load_config(self.world)?;
            self.files.get_or_init(|| loaded)
        };
        let mut chain = Vec::new();
        while chain.len() < MAX_CHAIN {
            let profile = resolve_profile(&files.config, &name, &Overrides::default(), Which::Source)
                .map_err(|error| files.failure_of(&error))?;
            if profile.defined_at.is_none() {
                break;
            }
            let source = profile.source_profile.as_ref().map(|said| said.value.clone());
            chain.push(profile);
            match source {
                Some(source) => name = source,
                None => break,
            }
        }
        Ok(Some(chain).filter(|chain| !chain.is_empty()))
    }

    /// Returns the user of a profile's MFA device: by the sources' devices, or else by the device's name, which is the
    /// user's name by default.
    fn user_of(&self, profile: &Profile) -> Option<Entity> {
        let serial = profile.mfa_serial.as_ref()?.value.as_str();
        let has = |serials: &Vec<String>| serials.iter().any(|known| known == serial);
        let by_device = self
            .accounts
            .users()
            .find(|(_, user)| user.mfa_devices.known().is_some_and(has))
            .map(|(_, user)| user.arn.clone());
        let by_name = || Some(serial.replacen(":mfa/", ":user/", 1)).filter(|arn| arn != serial);
        Entity::of_arn(&by_device.or_else(by_name)?).filter(|party| party.kind == EntityKind::User)
    }
}

fn role_of(profile: &Profile) -> Option<Entity> {
    Entity::of_arn(profile.role_arn.as_ref()?.value.as_str())
}

/// Returns what a profile sends with AssumeRole.
fn context_of(profile: &Profile) -> Vec<(String, String)> {
    let mut context = Vec::new();
    let mut add = |key: &str, value: Option<&String>| {
        context.extend(value.map(|value| (key.to_owned(), value.clone())));
    };
    add("sts:ExternalId", profile.external_id.as_ref().map(|said| &said.value));
    add("sts:RoleSessionName", profile.role_session_name.as_ref().map(|said| &said.value));
    add("sts:SourceIdentity", profile.source_identity.as_ref().map(|said| &said.value));
    for (key, value) in profile.session_tags.iter().flat_map(|said| &said.value) {
        add(&format!("aws:RequestTag/{key}"), Some(value));
    }
    context
}

fn not_found(error: &FindError) -> Failure {
    let failure = Failure::new(FailureKind::Usage, format!("{error}, and no profile of that name"));
    match error {
        FindError::NotFound { near, .. } if !near.is_empty() => {
            let near: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
            failure.hint(format!("there is {}", near.join(", ")))
        }
        FindError::NotFound { .. } => failure,
        FindError::Several { .. } => {
            Failure::new(FailureKind::Usage, error.to_string()).hint("name it by its ARN")
        }
    }
}
