//! Finds the sign-ins a command is about: that of a session, that of a profile, or all of the config.

use hatbox_core::config::profile::{Endpoint, Profile, Sso};
use hatbox_core::config::resolve::{Which, resolve_profile};
use hatbox_core::config::{ConfigError, Overrides, resolve_sso_session};
use hatbox_core::plan::{Base, CHAIN_LIMIT, Plan};
use hatbox_core::sso::sign_in::resolve_sign_in_key;
use hatbox_types::name::ProfileName;
use serde_json::{Value, json};

use super::remembered::{is_named, load_remembered};
use super::sign_in::{SignIn, name_of};
use super::state::SignInState;
use crate::credentials::request::resolve_profile_name;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::ConfigFiles;
use crate::keys::KeyStore;
use crate::store::sessions::Sessions;
use crate::world::World;

#[derive(Debug, Clone)]
pub(crate) struct SignInTarget {
    pub(crate) sso: Sso,
    endpoint: Endpoint,
}

impl SignInTarget {
    /// Returns the sign-in that a plan starts from.
    pub(crate) fn of_plan(plan: &Plan) -> Option<Self> {
        match &plan.base {
            Base::Sso { sso, .. } => Some(Self { sso: sso.value.clone(), endpoint: plan.endpoint.clone() }),
            _ => None,
        }
    }

    /// Loads the earlier sign-ins, all or those with this name, even if the config no longer contains them.
    pub(crate) fn load_remembered(
        world: &World,
        sessions: &Sessions,
        name: Option<&str>,
    ) -> Result<Vec<Self>, Failure> {
        let files = sessions.sign_ins(&world.dirs.sign_ins());
        let all = load_remembered(&files)?.into_iter();
        let meant = all.filter(|sso| name.is_none_or(|name| is_named(sso, name)));
        Ok(meant.map(|sso| Self { sso, endpoint: Endpoint::default() }).collect())
    }

    /// The name shown to the user.
    pub(crate) fn name(&self) -> &str {
        name_of(&self.sso)
    }

    /// Opens the sign-in, whose files are sealed beside these sessions.
    pub(crate) fn sign_in(&self, world: &World, sessions: &Sessions) -> Result<SignIn, Failure> {
        let files = sessions.sign_ins(&world.dirs.sign_ins());
        Ok(SignIn::new(world, world.settings()?, &self.sso, &self.endpoint, files))
    }
}

/// The config, and the settings made outside of it.
pub(crate) struct SignInTargets<'a> {
    pub(crate) files: &'a ConfigFiles,
    pub(crate) overrides: &'a Overrides,
}

impl SignInTargets<'_> {
    /// Finds the sign-in called `name`, that of `AWS_PROFILE`, or the only one in the config.
    pub(crate) fn find(&self, world: &World, name: Option<&str>) -> Result<SignInTarget, Failure> {
        if name.is_some() || world.environment.text("AWS_PROFILE").is_some() {
            return self.find_named(world, name);
        }
        let mut all = self.all();
        match (all.pop(), all.as_slice()) {
            (Some(only), []) => Ok(only),
            (None, _) => Err(Failure::new(FailureKind::Usage, "the config has no `[sso-session]`")
                .hint("create one with `aws configure sso`, or add `[sso-session NAME]` with `sso_start_url` and `sso_region`")),
            (Some(last), others) => {
                let names: Vec<_> =
                    others.iter().chain([&last]).map(|other| format!("`{}`", other.name())).collect();
                Err(Failure::new(FailureKind::Usage, "more than one `[sso-session]` in the config")
                    .hint(format!("name one of them: {}", names.join(", "))))
            }
        }
    }

    fn find_named(&self, world: &World, name: Option<&str>) -> Result<SignInTarget, Failure> {
        let config = &self.files.config;
        if let Some(session) = name.filter(|name| config.sso_session_names().iter().any(|one| one == name)) {
            return self.of_session(session).map_err(|error| self.files.failure_of(&error));
        }
        // Without a session, the hint for a missing sign-in passes the start URL.
        if let Some(url) = name.filter(|name| name.contains("://")) {
            let found = self.all().into_iter().find(|target| target.sso.start_url.value == url);
            return found.ok_or_else(|| {
                Failure::new(FailureKind::Usage, format!("no profile has the start URL `{url}`"))
            });
        }
        let profile = resolve_profile_name(name, &world.environment)?;
        let found = self.of_profile(&profile).map_err(|error| self.files.failure_of(&error))?;
        found.ok_or_else(|| {
            let failure = |text| Failure::new(FailureKind::Usage, text);
            if config.defined_at(&profile).is_none() {
                failure(format!("no SSO session or profile named `{profile}`")).hint("hatbox sso status")
            } else {
                failure(format!("profile `{profile}` does not use SSO"))
            }
        })
    }

    fn of_session(&self, name: &str) -> Result<SignInTarget, ConfigError> {
        let sso = resolve_sso_session(&self.files.config, name, self.overrides)?;
        // No profile can have this name, so the endpoints come from the environment alone.
        let nothing = ProfileName::parse("sso-session without a profile").map_or_else(
            |_| Ok(Profile::default()),
            |none| resolve_profile(&self.files.config, &none, self.overrides, Which::Source),
        )?;
        Ok(SignInTarget { sso, endpoint: nothing.endpoint })
    }

    /// Returns the sign-in that a profile uses, itself or through its source profiles.
    pub(crate) fn of_profile(&self, name: &ProfileName) -> Result<Option<SignInTarget>, ConfigError> {
        let resolve =
            |name: &ProfileName, which| resolve_profile(&self.files.config, name, self.overrides, which);
        let first = resolve(name, Which::Target)?;
        let endpoint = first.endpoint.clone();
        let mut profile = first;
        for _ in 0..CHAIN_LIMIT {
            match (profile.sso, profile.source_profile) {
                (_, Some(source)) => profile = resolve(&source.value, Which::Source)?,
                (Some(sso), None) => return Ok(Some(SignInTarget { sso: sso.value, endpoint })),
                (None, None) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Lists each sign-in of the config once. Skips sections that cannot be resolved.
    pub(crate) fn all(&self) -> Vec<SignInTarget> {
        let config = &self.files.config;
        let sessions = config.sso_session_names().into_iter().filter_map(|name| self.of_session(&name).ok());
        let names = config.profiles_with_sso();
        let profiles = names.iter().filter_map(|name| self.of_profile(name).ok().flatten());
        let mut seen = Vec::new();
        let mut all = Vec::new();
        for target in sessions.chain(profiles) {
            let key = resolve_sign_in_key(&target.sso);
            if !seen.contains(&key) {
                seen.push(key);
                all.push(target);
            }
        }
        all
    }

    /// Loads the state of every sign-in in the config, without asking the user.
    pub(crate) fn load_states(
        &self,
        world: &World,
        store: &mut KeyStore,
    ) -> Result<Vec<(SignInTarget, SignInState)>, Failure> {
        load_states(world, store, self.all())
    }
}

/// Loads the state of the given sign-ins, without asking the user.
pub(crate) fn load_states(
    world: &World,
    store: &mut KeyStore,
    targets: Vec<SignInTarget>,
) -> Result<Vec<(SignInTarget, SignInState)>, Failure> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let is_empty = store.is_empty();
    let sessions = store.sessions_if_known()?;
    let now = world.clock.now();
    let state = |target: &SignInTarget| match &sessions {
        Some(sessions) => Ok(SignInState::of_saved(target.sign_in(world, sessions)?.load_token()?, now)),
        None if is_empty => Ok(SignInState::SignedOut),
        None => Ok(SignInState::Unknown),
    };
    targets.into_iter().map(|target| state(&target).map(|state| (target, state))).collect()
}

/// Renders a sign-in as JSON, without its token.
pub(crate) fn render_sign_in_json(target: &SignInTarget, state: &SignInState) -> Value {
    let saved = match state {
        SignInState::SignedIn(saved) | SignInState::Renewable(saved) => Some(saved),
        SignInState::SignedOut | SignInState::Unknown => None,
    };
    json!({
        "session": target.sso.session,
        "name": target.name(),
        "start_url": target.sso.start_url.value,
        "region": target.sso.region.as_str(),
        "state": state.as_str(),
        "expires_at": saved.map(|saved| saved.token.expires_at.to_string()),
        "obtained_at": saved.map(|saved| saved.obtained_at.to_string()),
        "is_renewable": saved.map(|saved| saved.token.refresh.is_some()),
    })
}
