//! Which sign-in is meant: that of a session, of a profile, or all of the config.

use hatbox_core::config::profile::{Endpoint, Profile, Sso};
use hatbox_core::config::resolve::{Which, resolve_profile};
use hatbox_core::config::{Config, ConfigError, Overrides, resolve_sso_session};
use hatbox_core::plan::CHAIN_LIMIT;
use hatbox_core::sso::sign_in::resolve_sign_in_key;
use hatbox_types::name::ProfileName;

use crate::args::{GlobalArgs, SessionArgs};
use crate::credentials::request::{resolve_profile_name, resolve_session};
use crate::credentials::sso::{SignIn, name_of};
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::store::sign_ins::SignIns;
use crate::world::World;

/// A sign-in that the config describes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) sso: Sso,
    pub(super) endpoint: Endpoint,
}

impl Target {
    pub(super) fn sign_in(&self, world: &World, files: SignIns) -> Result<SignIn, Failure> {
        Ok(SignIn::new(world, world.settings()?, &self.sso, &self.endpoint, files))
    }
}

/// The config, and what was said beside it.
pub(super) struct Targets {
    pub(super) files: ConfigFiles,
    overrides: Overrides,
}

impl Targets {
    pub(super) fn load(world: &World, global: &GlobalArgs) -> Result<Self, Failure> {
        let overrides = resolve_session(global, &SessionArgs::default(), &world.environment)?.overrides;
        Ok(Self { files: load_config(world)?, overrides })
    }

    /// The sign-in of `name`, else of `AWS_PROFILE`, else the only one of the config.
    pub(super) fn find(&self, world: &World, name: Option<&str>) -> Result<Target, Failure> {
        if name.is_some() || world.environment.text("AWS_PROFILE").is_some() {
            return self.find_named(world, name);
        }
        let mut all = self.all();
        match (all.pop(), all.as_slice()) {
            (Some(only), []) => Ok(only),
            (None, _) => Err(Failure::new(FailureKind::Usage, "the config has no `[sso-session]`")
                .hint("`aws configure sso` makes one, or write it yourself: docs/sso.md shows the lines")),
            (Some(last), others) => {
                let names: Vec<_> =
                    others.iter().chain([&last]).map(|other| format!("`{}`", name_of(&other.sso))).collect();
                Err(Failure::new(FailureKind::Usage, "several SSO sessions are in the config: name one")
                    .hint(format!("there are {}", names.join(", "))))
            }
        }
    }

    fn find_named(&self, world: &World, name: Option<&str>) -> Result<Target, Failure> {
        let config = &self.files.config;
        if let Some(session) = name.filter(|name| config.sso_session_names().iter().any(|one| one == name)) {
            return self.of_session(session).map_err(|error| self.files.failure_of(&error));
        }
        // The error of a missing sign-in gives the start URL where there is no session.
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
                failure(format!("no SSO session and no profile is named `{profile}`"))
                    .hint("hatbox sso status")
            } else {
                failure(format!("profile `{profile}` does not use SSO"))
            }
        })
    }

    fn of_session(&self, name: &str) -> Result<Target, ConfigError> {
        let sso = resolve_sso_session(&self.files.config, name, &self.overrides)?;
        // No section has this name: what is left is what the environment says to all.
        let nothing = ProfileName::parse("sso-session without a profile").map_or_else(
            |_| Ok(Profile::default()),
            |none| resolve_profile(&self.files.config, &none, &self.overrides, Which::Source),
        )?;
        Ok(Target { sso, endpoint: nothing.endpoint })
    }

    /// The sign-in that a profile uses, itself or by its source profiles.
    pub(super) fn of_profile(&self, name: &ProfileName) -> Result<Option<Target>, ConfigError> {
        let resolve =
            |name: &ProfileName, which| resolve_profile(&self.files.config, name, &self.overrides, which);
        let first = resolve(name, Which::Target)?;
        let endpoint = first.endpoint.clone();
        let mut profile = first;
        for _ in 0..CHAIN_LIMIT {
            match (profile.sso, profile.source_profile) {
                (_, Some(source)) => profile = resolve(&source.value, Which::Source)?,
                (Some(sso), None) => return Ok(Some(Target { sso: sso.value, endpoint })),
                (None, None) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Every sign-in of the config, each once. Sections that cannot be resolved are left out.
    pub(super) fn all(&self) -> Vec<Target> {
        let config: &Config = &self.files.config;
        let sessions = config.sso_session_names().into_iter().filter_map(|name| self.of_session(&name).ok());
        let names = config.profile_names();
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
}
