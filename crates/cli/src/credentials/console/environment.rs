//! The link for temporary credentials in the environment.

use hatbox_core::config::overrides::{Flags, Overrides};
use hatbox_core::config::{Which, resolve_profile};
use hatbox_core::console::place::ConsolePlace;
use hatbox_core::console::target::ConsoleTarget;
use hatbox_types::name::{ProfileName, Region};
use hatbox_types::partition::Partition;
use hatbox_types::secret::{AccessKey, SecretString};
use jiff::Timestamp;

use super::ConsoleLink;
use super::exchange::{Exchange, open_federation};
use crate::args::SessionArgs;
use crate::aws::federation::TemporaryKeys;
use crate::credentials::audit::record_use_of_environment;
use crate::credentials::guard::{Exit, check_guard_of_environment};
use crate::credentials::obtain::ProfileRequest;
use crate::credentials::run::PlanRun;
use crate::credentials::service::check_sandbox;
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::load_config;
use crate::world::World;

/// Temporary credentials in the environment, as `hatbox exec` sets them for a shell.
pub(super) struct EnvironmentKeys {
    key: AccessKey,
    token: SecretString,
}

impl EnvironmentKeys {
    pub(super) fn find(world: &World) -> Result<Option<Self>, Failure> {
        let text = |name: &str| world.environment.text(name);
        let (Some(id), Some(secret), Some(token)) =
            (text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"), text("AWS_SESSION_TOKEN"))
        else {
            return Ok(None);
        };
        let secret = SecretString::new(secret);
        let key = AccessKey::parse(&id, secret.expose()).map_err(|error| {
            Failure::new(FailureKind::Usage, "the environment's `AWS_ACCESS_KEY_ID` cannot be used")
                .caused_by(&error)
        })?;
        Ok(Some(Self { key, token: SecretString::new(token) }))
    }

    pub(super) fn obtain_link(
        &self,
        request: ProfileRequest<'_>,
        target: &ConsoleTarget,
    ) -> Result<ConsoleLink, Failure> {
        let ProfileRequest { world, global, session, .. } = request;
        if let Some(flag) = first_that_needs_a_profile(session) {
            return Err(Failure::new(
                FailureKind::Refused,
                format!("`{flag}` needs a profile, and the credentials of the environment would be used"),
            )
            .hint("name a profile"));
        }
        // In a shell started by `hatbox exec`, the region and endpoint are those of its profile.
        let outer =
            world.environment.first(env_names::NESTED).and_then(|(_, name)| ProfileName::parse(&name).ok());
        let name = outer.clone().unwrap_or_else(ProfileName::default_profile);
        check_sandbox(&world.environment, &self.key.id, &name)?;
        let files = load_config(world)?;
        let expires_at =
            world.environment.text("AWS_CREDENTIAL_EXPIRATION").and_then(|at| at.parse::<Timestamp>().ok());
        let guarded = outer.as_ref().filter(|name| files.config.defined_at(name).is_some());
        let planned = guarded.map(|name| PlanRun::plan_offline(world, global, session, name)).transpose()?;
        check_guard_of_environment(world, planned.as_ref(), Exit::Console)?;
        let flags = Flags { region: session.region.clone(), duration: None };
        let overrides = Overrides::from_env(flags, |name| world.environment.text(name));
        let profile = resolve_profile(&files.config, &name, &overrides, Which::Source)
            .map_err(|error| files.failure_of(&error))?;
        let region = profile.region.as_ref().map(|region| &region.value);
        let place = ConsolePlace::new(region.map_or(Partition::Aws, Region::partition), region);
        let federation = open_federation(world, &profile.endpoint, &place)?;
        let given = (&self.key.id, expires_at);
        record_use_of_environment(world, session.reason.as_deref(), outer.as_ref(), given, Exit::Console)?;
        let exchange = Exchange {
            profile: &name,
            keys: TemporaryKeys {
                key_id: self.key.id.as_str(),
                secret: &self.key.secret,
                token: &self.token,
            },
            expires_at,
            duration: None,
        };
        exchange.obtain_link(world, &federation, &target.render_url(&place))
    }
}

/// Returns the first flag that affects how credentials are obtained.
fn first_that_needs_a_profile(session: &SessionArgs) -> Option<&'static str> {
    let given = [
        (session.duration.is_some(), "--duration"),
        (session.no_session, "--no-session"),
        (session.fresh, "--fresh"),
        (session.policy.is_some(), "--policy"),
        (!session.policy_arn.is_empty(), "--policy-arn"),
        (session.read_only, "--read-only"),
        (session.role_arn.is_some(), "--role-arn"),
        (session.external_id.is_some(), "--external-id"),
        (!session.session_tag.is_empty(), "--session-tag"),
        (!session.transitive_tag.is_empty(), "--transitive-tag"),
        (session.source_identity.is_some(), "--source-identity"),
        (session.mfa_token.is_some(), "--mfa-token"),
    ];
    given.into_iter().find_map(|(is_given, flag)| is_given.then_some(flag))
}
