//! From a profile's name to its credential plan: the config, the index, and what was asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hatbox_core::cache::{SessionKey, resolve_session_key};
use hatbox_core::config::profile::{Origin, Sourced, StaticKeys};
use hatbox_core::plan::{
    Agents, Ambient, Base, Lookup, NoteLevel, Plan, PlanError, PlanOptions, Purpose, Sessions, StoredKeys,
    find_agent, resolve_plan,
};
use hatbox_types::name::ProfileName;
use hatbox_types::secret::{AccessKey, SecretString};

use crate::args::{GlobalArgs, SessionArgs};
use crate::credentials::request::{SessionRequest, resolve_session};
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::ConfigFiles;
use crate::files::instance::is_ec2_instance;
use crate::keys::KeyStore;
use crate::store::index::Index;
use crate::world::World;
use crate::world::environment::Environment;
use crate::world::settings::Settings;

/// The variable that disables instance metadata.
pub(super) const METADATA_DISABLED: &str = "AWS_EC2_METADATA_DISABLED";

/// A plan with everything that is needed to carry it out. The only later change is the identity of a base that is
/// unknown until it answers.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) world: World,
    pub(crate) settings: Arc<Settings>,
    pub(crate) files: Arc<ConfigFiles>,
    pub(crate) request: SessionRequest,
    pub(crate) plan: Plan,
}

impl Planned {
    /// How long a program may wait for the user: as long as three prompts.
    pub(super) fn patience(&self) -> Duration {
        self.settings.prompt_timeout() * 3
    }
}

/// What plans are made from: the config, the request, the stored keys and the purpose.
#[derive(Debug)]
pub(crate) struct Planning<'a> {
    world: &'a World,
    files: &'a ConfigFiles,
    request: &'a SessionRequest,
    stored: StoredKeys,
    options: PlanOptions,
}

impl<'a> Planning<'a> {
    /// `index` is `None` if the store is locked and must stay so.
    pub(crate) fn new(
        world: &'a World,
        files: &'a ConfigFiles,
        request: &'a SessionRequest,
        index: Option<&Index>,
        purpose: Purpose,
    ) -> Self {
        let options = PlanOptions { purpose, ..plan_options(world, request) };
        Self { world, files, request, stored: stored_keys(index), options }
    }

    /// Resolves the credential plan of `profile` and prints warnings about its settings.
    pub(crate) fn resolve(&self, profile: &ProfileName) -> Result<Plan, Failure> {
        let (warnings, resolved) = self.resolve_with_warnings(profile);
        for warning in &warnings {
            self.world.output.warn(warning);
        }
        resolved
    }

    /// Resolves the credential plan of `profile` and returns warnings about its settings with it.
    pub(super) fn resolve_with_warnings(
        &self,
        profile: &ProfileName,
    ) -> (Vec<String>, Result<Plan, Failure>) {
        let mut lookup = Lookup::new(&self.files.config, &self.request.overrides);
        let resolved = self.resolve_guarded(&mut lookup, profile);
        let warnings = lookup.warnings.iter().map(|warning| self.files.render_warning(warning)).collect();
        let checked =
            resolved.and_then(|plan| check_resolving(&self.world.environment, &plan).map(|()| plan));
        (warnings, checked)
    }

    /// Resolves the credential plan of `profile` without printing or returning warnings.
    pub(crate) fn resolve_quietly(&self, profile: &ProfileName) -> Result<Plan, Failure> {
        let mut lookup = Lookup::new(&self.files.config, &self.request.overrides);
        self.resolve_by(&mut lookup, profile, &self.options)
    }

    /// Resolves the plan for whoever runs hatbox: a guard may restrict coding agents.
    fn resolve_guarded(&self, lookup: &mut Lookup<'_>, profile: &ProfileName) -> Result<Plan, Failure> {
        let find_agent = || find_agent(|name| self.world.environment.text(name));
        if self.world.settings()?.read_only_for_agents {
            let options =
                PlanOptions { agent: find_agent(), agents: Agents::ReadOnly, ..self.options.clone() };
            return self.resolve_by(lookup, profile, &options);
        }
        let plan = self.resolve_by(lookup, profile, &self.options)?;
        // Only look for an agent if the answer matters.
        let said = plan.guard.as_ref().and_then(|guard| guard.read_only_for_agents.as_ref());
        let agent = said.filter(|said| said.value).and_then(|_| find_agent());
        if agent.is_none() {
            return Ok(plan);
        }
        lookup.warnings.clear();
        self.resolve_by(lookup, profile, &PlanOptions { agent, ..self.options.clone() })
    }

    fn resolve_by(
        &self,
        lookup: &mut Lookup<'_>,
        profile: &ProfileName,
        options: &PlanOptions,
    ) -> Result<Plan, Failure> {
        let mut resolved = resolve_plan(profile, lookup, &self.stored, options);
        if matches!(resolved, Err(PlanError::CredentialsMissing { .. } | PlanError::UnknownProfile { .. }))
            && !is_instance_metadata_disabled(&self.world.environment)
            && is_ec2_instance()
        {
            let mut options = options.clone();
            options.ambient.is_instance = true;
            resolved = resolve_plan(profile, lookup, &self.stored, &options);
        }
        // Only look for an agent if the answer matters.
        if let Ok(plan) = &mut resolved
            && plan.base.is_command()
        {
            plan.agent = find_agent(|name| self.world.environment.text(name));
        }
        resolved.map_err(|error| {
            let is_missing = matches!(error, PlanError::CredentialsMissing { .. });
            let failure = failure_of(self.files, &error);
            if is_missing && self.world.dirs.vault_files().is_dir() {
                failure.hint("or import the keys that aws-vault stores: `hatbox import aws-vault`")
            } else {
                failure
            }
        })
    }

    /// Returns the keys of all cached sessions that start from the key stored for `profile`, according to the config of
    /// today.
    pub(crate) fn resolve_session_keys(&self, profile: &ProfileName) -> Vec<SessionKey> {
        self.resolve_sessions_of(profile).1
    }

    /// Does the same, and also returns the profiles that the sessions belong to.
    pub(crate) fn resolve_sessions_of(&self, profile: &ProfileName) -> (Vec<ProfileName>, Vec<SessionKey>) {
        let mut names = self.files.config.profile_names();
        names.push(profile.clone());
        names
            .iter()
            // The session keys of a profile that cannot be resolved are unknown.
            .filter_map(|name| self.resolve_quietly(name).ok())
            .filter(|plan| matches!(&plan.base, Base::StoredKey { profile: base, .. } if base == profile))
            .flat_map(|plan| {
                let found = plan.stages().filter_map(|stage| {
                    Some((plan.stage_profile(stage)?.clone(), resolve_session_key(&plan, stage)?))
                });
                found.collect::<Vec<_>>()
            })
            .unzip()
    }
}

/// Returns the role of a profile, also if its source profile supplies it: an ARN, or the account and permission set of
/// Identity Center. Never asks for a passphrase.
pub(crate) fn resolve_role(
    world: &World,
    files: &ConfigFiles,
    profile: &ProfileName,
) -> Result<Option<String>, Failure> {
    let global = GlobalArgs::default();
    let request = resolve_session(&global, &SessionArgs::default(), &world.environment)?;
    let index = KeyStore::open(world, &global)?.index_if_known()?;
    let plan =
        Planning::new(world, files, &request, index.as_ref(), Purpose::Use).resolve_quietly(profile)?;
    Ok(match (&plan.base, plan.steps.is_empty()) {
        (Base::Sso { account_id, role_name, .. }, true) => {
            Some(format!("{} {}", account_id.value, role_name.value))
        }
        _ => plan.role().map(str::to_owned),
    })
}

/// Returns the stored keys in the index. `None` means that the store is locked.
pub(crate) fn stored_keys(index: Option<&Index>) -> StoredKeys {
    match index {
        Some(index) => StoredKeys::Known(
            index.keys.iter().map(|key| (key.profile.clone(), key.id.clone())).collect::<BTreeMap<_, _>>(),
        ),
        None => StoredKeys::Locked,
    }
}

/// Collects what plans depend on besides the config and the stored keys.
pub(crate) fn plan_options(world: &World, request: &SessionRequest) -> PlanOptions {
    PlanOptions {
        sessions: if request.use_sessions { Sessions::Use } else { Sessions::Skip },
        last_role: request.last_role.clone(),
        ambient: resolve_ambient(&world.environment, request),
        own_name: world.own_name.clone(),
        ..PlanOptions::default()
    }
}

/// Prints where the result will differ from the request.
pub(crate) fn warn_of_notes(world: &World, files: &ConfigFiles, plan: &Plan) {
    render_notes(files, plan).for_each(|text| world.output.warn(&text));
}

/// Describes where the result will differ from the request.
pub(super) fn render_notes<'a>(files: &'a ConfigFiles, plan: &'a Plan) -> impl Iterator<Item = String> + 'a {
    let notes = plan.notes.iter().filter(|note| note.level() == NoteLevel::Warning);
    notes.map(|note| match note.origin().and_then(hatbox_core::config::origin::Origin::place) {
        Some(place) => format!("{}: {}", files.shown_place(place), note.render_text()),
        None => note.render_text(),
    })
}

/// Rejects a helper that asks hatbox for the credentials that the helper was started to provide, which would never end.
fn check_resolving(environment: &Environment, plan: &Plan) -> Result<(), Failure> {
    let resolving = environment.text(env_names::RESOLVING).unwrap_or_default();
    let is_resolved = |name: &ProfileName| resolving.lines().any(|line| line == name.as_str());
    // Includes the profile of the base, unless its key needs no call.
    let base = plan.base.call().map(|_| plan.base.profile());
    let own = plan.steps.iter().map(hatbox_core::plan::Step::profile).chain([&plan.profile]).chain(base);
    let Some(met) = own.into_iter().find(|name| is_resolved(name)) else { return Ok(()) };
    let path: Vec<_> = resolving.lines().chain([plan.profile.as_str()]).collect();
    Err(Failure::new(
        FailureKind::Usage,
        format!("profile `{met}` is requested by a command that it runs itself: {}", path.join(" -> ")),
    )
    .hint(format!("the commands in `{met}` and its source profiles must not run hatbox for `{met}`")))
}

fn resolve_ambient(environment: &Environment, request: &SessionRequest) -> Ambient {
    let keys = environment.text("AWS_ACCESS_KEY_ID").zip(environment.text("AWS_SECRET_ACCESS_KEY"));
    let keys = keys.map(|(id, secret)| {
        let key = AccessKey::parse(&id, SecretString::new(secret).expose())?;
        let session_token = environment.text("AWS_SESSION_TOKEN").map(SecretString::new);
        // The variable may be left over from other credentials, beside keys without a token.
        let expiration = session_token.as_ref().and_then(|_| environment.text("AWS_CREDENTIAL_EXPIRATION"));
        Ok(StaticKeys { key, session_token, expires_at: expiration.and_then(|text| text.parse().ok()) })
    });
    Ambient {
        keys,
        web_identity: request.overrides.ambient_web_identity.clone(),
        container_uri: resolve_container_uri(environment),
        metadata_endpoint: environment.text("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
        metadata_mode: environment.text("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),
        // Determined only if there is no other base.
        is_instance: false,
    }
}

/// Whether `AWS_EC2_METADATA_DISABLED` is true, read as the SDKs read it.
pub(super) fn is_instance_metadata_disabled(environment: &Environment) -> bool {
    environment.text(METADATA_DISABLED).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// Returns the URL for container credentials, in the SDKs' order of precedence.
fn resolve_container_uri(environment: &Environment) -> Option<Sourced<String>> {
    const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let (value, name) = match environment.text(RELATIVE) {
        // The link-local address of the endpoint in every ECS task.
        Some(path) => (format!("http://169.254.170.2{path}"), RELATIVE),
        None => (environment.text(FULL)?, FULL),
    };
    Some(Sourced { value, origin: Origin::Env(name) })
}

fn failure_of(files: &ConfigFiles, error: &PlanError) -> Failure {
    if let PlanError::Config(error) = error {
        return files.failure_of(error);
    }
    let kind = match error {
        PlanError::CannotNarrow { .. }
        | PlanError::CannotNarrowForAgent { .. }
        | PlanError::FlagWidens { .. } => FailureKind::Refused,
        _ => FailureKind::Usage,
    };
    let mut failure = Failure::of_error(kind, error);
    failure.has_no_identity = matches!(error, PlanError::CredentialsMissing { .. });
    failure.is_profile_unknown = matches!(error, PlanError::UnknownProfile { named_by: None, .. });
    if let Some(place) = error.origin().and_then(hatbox_core::config::origin::Origin::place) {
        failure = failure.at(files.shown_place(place));
    }
    error.hints().into_iter().fold(failure, Failure::hint)
}
