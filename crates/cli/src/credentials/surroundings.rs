//! Collects what else is in the config and environment when a call is denied: MFA devices, other roles, variables.

use std::collections::{BTreeMap, BTreeSet};

use hatbox_core::config::origin::FileKind;
use hatbox_core::config::profile::Profile;
use hatbox_core::config::resolve::{Which, resolve_profile};
use hatbox_core::plan::explain::Paths;
use hatbox_core::plan::{Base, Plan, Step};
use hatbox_iam::denial::attempt::Around;
use hatbox_types::name::{AccessKeyId, ProfileName};

use crate::credentials::request::SessionRequest;
use crate::files::aws_config::ConfigFiles;
use crate::world::environment::Environment;

/// Limits the profiles that are examined, to keep the diagnosis fast.
const MAX_PROFILES: usize = 2000;

/// Variables that give other AWS tools an identity.
const IDENTITY_VARIABLES: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
];

/// The paths of the two AWS files, as shown to the user.
pub(super) fn paths_of(files: &ConfigFiles) -> Paths {
    Paths {
        config: files.shown(FileKind::Config).to_owned(),
        credentials: files.shown(FileKind::Credentials).to_owned(),
    }
}

/// Collects the facts around the calls of `plan`.
pub(super) fn resolve_surroundings(
    environment: &Environment,
    files: &ConfigFiles,
    request: &SessionRequest,
    plan: &Plan,
) -> Around {
    let mut chain = vec![plan.profile.clone()];
    let below = plan.steps.iter().rev().map(Step::profile).chain([plan.base.profile()]);
    for name in below {
        if !chain.contains(name) {
            chain.push(name.clone());
        }
    }
    let mut around = Around {
        config: files.shown(FileKind::Config).to_owned(),
        chain: chain.iter().map(ProfileName::to_string).collect(),
        variables: identity_variables(environment),
        ..Around::default()
    };
    let mut profiles = Vec::new();
    let names = files.config.profile_names();
    for name in names.iter().take(MAX_PROFILES) {
        // A profile that cannot be resolved says nothing about this one.
        let Ok(profile) = resolve_profile(&files.config, name, &request.overrides, Which::Source) else {
            continue;
        };
        profiles.push((name, profile));
    }
    let kin = profiles_of_same_user(&chain, &plan.base, &profiles);
    for (name, profile) in profiles {
        let is_kin = chain.contains(name) || kin.contains(name);
        if let Some(serial) = profile.mfa_serial.filter(|_| is_kin) {
            around.devices.push((name.to_string(), serial.value.to_string()));
        }
        if let Some(role) = profile.role_arn.filter(|_| !chain.contains(name)) {
            around.roles.push((name.to_string(), role.value.to_string()));
        }
    }
    around
}

/// Finds the profiles that lead to the same user as those of `chain`, through any number of `source_profile` settings
/// or the same access key in the files.
fn profiles_of_same_user(
    chain: &[ProfileName],
    base: &Base,
    profiles: &[(&ProfileName, Profile)],
) -> BTreeSet<ProfileName> {
    let mut kin: BTreeSet<_> = chain.iter().cloned().collect();
    let mut users: BTreeMap<&ProfileName, Vec<&ProfileName>> = BTreeMap::new();
    for (name, profile) in profiles {
        if let Some(source) = &profile.source_profile {
            users.entry(&source.value).or_default().push(name);
        }
        let key = profile.static_keys.as_ref().map(|keys| &keys.value.key.id);
        if key.is_some() && key == base.access_key_id() {
            kin.insert((*name).clone());
        }
    }
    let mut rest: Vec<_> = kin.iter().cloned().collect();
    while let Some(source) = rest.pop() {
        for user in users.get(&source).into_iter().flatten() {
            if kin.insert((*user).clone()) {
                rest.push((*user).clone());
            }
        }
    }
    kin
}

/// Returns the names of the variables, and the last characters of a key id.
fn identity_variables(environment: &Environment) -> Vec<(String, Option<String>)> {
    IDENTITY_VARIABLES
        .iter()
        .filter_map(|name| {
            let value = environment.text(name)?;
            let id = (*name == "AWS_ACCESS_KEY_ID").then(|| AccessKeyId::parse(&value).ok()).flatten();
            Some(((*name).to_owned(), id.map(|id| id.masked())))
        })
        .collect()
}
