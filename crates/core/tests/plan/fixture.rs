//! Profiles and plans for tests.

use std::collections::HashMap;
use std::time::Duration;

use hatbox_core::config::Config;
use hatbox_core::config::overrides::{Flags, Overrides};
use hatbox_core::config::profile::{FileKind, Origin, Place, Profile, Sourced};
use hatbox_core::plan::{Lookup, Plan, PlanError, PlanOptions, StoredKeys, resolve_plan};
use hatbox_types::name::{AccessKeyId, ProfileName};

pub(crate) const MFA: &str = "arn:aws:iam::111122223333:mfa/jan";
pub(crate) const ADMIN: &str = "arn:aws:iam::444455556666:role/dev-infra-admin";
pub(crate) const AUDITOR: &str = "arn:aws:iam::444455556666:role/security-auditor";

/// A value from a line of the config.
pub(crate) fn at<T>(line: u32, value: T) -> Sourced<T> {
    Sourced { value, origin: in_config(line) }
}

pub(crate) fn in_config(line: u32) -> Origin {
    Origin::File { place: Place { file: FileKind::Config, line }, section: "profile".to_owned() }
}

pub(crate) fn name(text: &str) -> ProfileName {
    text.parse().unwrap()
}

/// A profile without settings.
pub(crate) fn bare(profile: &str) -> Profile {
    Profile {
        name: Some(name(profile)),
        defined_at: Some(Place { file: FileKind::Config, line: 1 }),
        ..Profile::default()
    }
}

/// The profile of a user with an MFA device.
pub(crate) fn user(profile: &str) -> Profile {
    Profile { mfa_serial: Some(at(2, MFA.parse().unwrap())), ..bare(profile) }
}

/// The profile of a role with a source profile and the MFA device of [`user`].
pub(crate) fn role(profile: &str, source: &str, arn: &str) -> Profile {
    Profile {
        role_arn: Some(at(5, arn.parse().unwrap())),
        source_profile: Some(at(6, name(source))),
        mfa_serial: Some(at(7, MFA.parse().unwrap())),
        ..bare(profile)
    }
}

/// A duration from the command line.
pub(crate) fn flag(length: Duration) -> Sourced<Duration> {
    Sourced { value: length, origin: Origin::Flag("--duration") }
}

/// Sets the duration of every call, as `-d` does.
pub(crate) fn with_length(mut profile: Profile, length: Duration) -> Profile {
    profile.durations.assume_role = Some(flag(length));
    profile.durations.session_token = Some(flag(length));
    profile.durations.chained_session_token = Some(flag(length));
    profile
}

/// Stored access keys for these profiles.
pub(crate) fn stored(profiles: &[&str]) -> StoredKeys {
    let key = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
    StoredKeys::Known(profiles.iter().map(|profile| (name(profile), key.clone())).collect())
}

/// Resolves the first of the profiles.
pub(crate) fn resolve(
    profiles: &[Profile],
    stored: &StoredKeys,
    options: &PlanOptions,
) -> Result<Plan, PlanError> {
    let config = Config::parse("", "").unwrap();
    let named = |profile: &Profile| (profile.name.clone().unwrap(), Ok(profile.clone()));
    let resolved: HashMap<_, _> = profiles.iter().map(named).collect();
    let mut lookup = Lookup::of_resolved(&config, &resolved);
    resolve_plan(profiles[0].name.as_ref().unwrap(), &mut lookup, stored, options)
}

/// Resolves a profile of a config, with these environment variables.
pub(crate) fn resolve_text(
    text: &str,
    profile: &str,
    variables: &[(&str, &str)],
    stored: &StoredKeys,
) -> Result<Plan, PlanError> {
    let config = Config::parse(text, "").unwrap();
    let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    let overrides = Overrides::from_env(Flags::default(), find);
    resolve_plan(&name(profile), &mut Lookup::new(&config, &overrides), stored, &PlanOptions::default())
}

/// The plan of the first of the profiles; `jan-work` has a stored key.
pub(crate) fn plan(profiles: &[Profile]) -> Plan {
    resolve(profiles, &stored(&["jan-work"]), &PlanOptions::default()).unwrap()
}
