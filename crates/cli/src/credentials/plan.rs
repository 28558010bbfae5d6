//! From a profile's name to its credential plan: the config, the index, and what was asked for.

use std::collections::BTreeMap;

use hatbox_core::cache::{SessionKey, resolve_session_key};
use hatbox_core::config::ConfigError;
use hatbox_core::config::resolve::resolve_profile;
#[cfg(feature = "trust")]
use hatbox_core::plan::Step;
use hatbox_core::plan::{
    Ambient, AmbientKey, Base, Lookup, NoteLevel, Plan, PlanError, PlanOptions, Sessions, StoredKeys,
    resolve_plan,
};
use hatbox_types::name::{AccessKeyId, ProfileName};

use crate::credentials::request::SessionRequest;
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::ConfigFiles;
use crate::store::index::Index;
use crate::world::World;
use crate::world::environment::Environment;

/// Resolves the credential plan of `profile`, and says on stderr what its settings leave to be desired.
/// `index` is `None` when the store is locked and nobody is asked.
pub(crate) fn resolve(
    world: &World,
    files: &ConfigFiles,
    request: &SessionRequest,
    index: Option<&Index>,
    profile: &ProfileName,
) -> Result<Plan, Failure> {
    let plan =
        resolve_and_tell(world, files, request, index, profile, &|warning| world.output.warn(warning))?;
    check_resolving(&world.environment, &plan)?;
    Ok(plan)
}

/// The same without a word.
pub(crate) fn resolve_quietly(
    world: &World,
    files: &ConfigFiles,
    request: &SessionRequest,
    index: Option<&Index>,
    profile: &ProfileName,
) -> Result<Plan, Failure> {
    resolve_and_tell(world, files, request, index, profile, &|_| ())
}

/// The plan for calls to IAM, which takes no credentials of GetSessionToken that were obtained without MFA: where
/// it would end with such, the access key itself signs.
#[cfg(feature = "trust")]
pub(crate) fn resolve_for_iam(
    world: &World,
    files: &ConfigFiles,
    request: &SessionRequest,
    index: Option<&Index>,
    profile: &ProfileName,
) -> Result<Plan, Failure> {
    let usual = resolve_quietly(world, files, request, index, profile)?;
    let ends_without_mfa =
        matches!(usual.steps.last(), Some(Step::GetSessionToken(step)) if step.mfa.is_none());
    let use_sessions = request.use_sessions && !ends_without_mfa;
    resolve(world, files, &SessionRequest { use_sessions, ..request.clone() }, index, profile)
}

/// The plan with no MFA code sent: to see that a role is refused then.
#[cfg(feature = "trust")]
pub(crate) fn resolve_without_mfa(
    world: &World,
    files: &ConfigFiles,
    request: &SessionRequest,
    index: Option<&Index>,
    profile: &ProfileName,
) -> Result<Plan, Failure> {
    let mut plan = resolve_quietly(world, files, request, index, profile)?;
    for step in &mut plan.steps {
        match step {
            Step::GetSessionToken(step) => step.mfa = None,
            Step::AssumeRole(step) => step.mfa = None,
        }
    }
    Ok(plan)
}

/// The file names' keys of all sessions that are made with the key stored for `profile`, by today's config.
pub(crate) fn resolve_session_keys(
    world: &World,
    files: &ConfigFiles,
    request: &SessionRequest,
    index: &Index,
    profile: &ProfileName,
) -> Vec<SessionKey> {
    let mut names = files.config.profile_names();
    names.push(profile.clone());
    names
        .iter()
        // A profile that cannot be resolved has no sessions to be found by it.
        .filter_map(|name| resolve_quietly(world, files, request, Some(index), name).ok())
        .filter(|plan| matches!(&plan.base, Base::StoredKey { profile: base, .. } if base == profile))
        .flat_map(|plan| {
            plan.stages().filter_map(|stage| resolve_session_key(&plan, stage)).collect::<Vec<_>>()
        })
        .collect()
}

/// The stored keys of the index; `None`: the store is locked.
pub(crate) fn stored_keys(index: Option<&Index>) -> StoredKeys {
    match index {
        Some(index) => StoredKeys::Known(
            index.keys.iter().map(|key| (key.profile.clone(), key.id.clone())).collect::<BTreeMap<_, _>>(),
        ),
        None => StoredKeys::Locked,
    }
}

/// What plans depend on beside the config and the stored keys.
pub(crate) fn plan_options(world: &World, request: &SessionRequest) -> PlanOptions {
    PlanOptions {
        sessions: if request.use_sessions { Sessions::Use } else { Sessions::Skip },
        ambient: resolve_ambient(&world.environment, request),
        own_name: own_name(),
    }
}

fn resolve_and_tell(
    world: &World,
    files: &ConfigFiles,
    request: &SessionRequest,
    index: Option<&Index>,
    profile: &ProfileName,
    tell: &dyn Fn(&str),
) -> Result<Plan, Failure> {
    let stored = stored_keys(index);
    let options = plan_options(world, request);
    let mut find = |name: &ProfileName, which| {
        let resolved = resolve_profile(&files.config, name, &request.overrides, which)?;
        for warning in &resolved.warnings {
            tell(&files.render_warning(warning));
        }
        Ok(resolved)
    };
    let nearest = |name: &ProfileName| nearest_name(files, index, name);
    let mut lookup = Lookup { profile: &mut find, nearest: &nearest };
    resolve_plan(profile, &mut lookup, &stored, &options).map_err(|error| {
        let is_missing = matches!(error, PlanError::CredentialsMissing { .. });
        let failure = failure_of(files, &error);
        if is_missing && world.dirs.vault_files().is_dir() {
            failure.hint("or take over the keys that aws-vault keeps: `hatbox import aws-vault`")
        } else {
            failure
        }
    })
}

/// Says on stderr where the outcome differs from what was asked for.
pub(crate) fn say_notes(world: &World, files: &ConfigFiles, plan: &Plan) {
    for note in plan.notes.iter().filter(|note| note.level() == NoteLevel::Warning) {
        let place = note.origin().and_then(hatbox_core::config::origin::Origin::place);
        match place {
            Some(place) => {
                world.output.warn(&format!("{}: {}", files.shown_place(place), note.render_text()));
            }
            None => world.output.warn(&note.render_text()),
        }
    }
}

/// A helper that asks hatbox for what the helper was started for would never end.
fn check_resolving(environment: &Environment, plan: &Plan) -> Result<(), Failure> {
    let resolving = environment.text(env_names::RESOLVING).unwrap_or_default();
    let is_resolved = |name: &ProfileName| resolving.lines().any(|line| line == name.as_str());
    let own = plan.steps.iter().map(hatbox_core::plan::Step::profile).chain([&plan.profile]);
    let Some(met) = own.into_iter().find(|name| is_resolved(name)) else { return Ok(()) };
    let path: Vec<_> = resolving.lines().chain([plan.profile.as_str()]).collect();
    Err(Failure::new(
        FailureKind::Usage,
        format!("profile `{met}` is asked for by a command of its own: {}", path.join(" -> ")),
    )
    .hint(format!("the commands in `{met}` and its source profiles must not run hatbox for `{met}`")))
}

fn nearest_name(files: &ConfigFiles, index: Option<&Index>, name: &ProfileName) -> Option<ProfileName> {
    files.config.nearest_profile(name.as_str()).or_else(|| {
        let stored = index?.keys.iter().map(|key| key.profile.as_str());
        hatbox_types::text::suggest::nearest_name(name.as_str(), stored)
            .and_then(|nearest| ProfileName::parse(nearest).ok())
    })
}

fn resolve_ambient(environment: &Environment, request: &SessionRequest) -> Ambient {
    let key = environment
        .text("AWS_ACCESS_KEY_ID")
        .filter(|_| environment.text("AWS_SECRET_ACCESS_KEY").is_some())
        // A malformed one matters only to a profile that asks for it, and then counts as none.
        .and_then(|id| AccessKeyId::parse(&id).ok())
        .map(|id| AmbientKey { id, is_temporary: environment.text("AWS_SESSION_TOKEN").is_some() });
    Ambient {
        key,
        web_identity: request.overrides.ambient_web_identity.clone(),
        container_uri: environment
            .text("AWS_CONTAINER_CREDENTIALS_FULL_URI")
            .or_else(|| environment.text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")),
        metadata_endpoint: environment.text("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
    }
}

fn own_name() -> Option<String> {
    std::env::args_os().next().and_then(|path| {
        std::path::Path::new(&path).file_name().map(|name| name.to_string_lossy().into_owned())
    })
}

fn failure_of(files: &ConfigFiles, error: &PlanError<ConfigError>) -> Failure {
    if let PlanError::Lookup(error) = error {
        return files.failure_of(error);
    }
    let mut failure = Failure::of_error(FailureKind::Usage, error);
    failure.is_profile_unknown = matches!(error, PlanError::UnknownProfile { named_by: None, .. });
    if let Some(place) = error.origin().and_then(hatbox_core::config::origin::Origin::place) {
        failure = failure.at(files.shown_place(place));
    }
    error.hints().into_iter().fold(failure, Failure::hint)
}
