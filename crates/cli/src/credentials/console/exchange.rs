//! Exchanges temporary credentials for a sign-in token of the console.

use std::time::Duration;

use hatbox_core::config::profile::Endpoint;
use hatbox_core::console::link::render_sign_in_link;
use hatbox_core::console::place::ConsolePlace;
use hatbox_types::duration::render_duration;
use hatbox_types::name::ProfileName;
use jiff::Timestamp;

use super::{ConsoleLink, LinkUrl};
use crate::aws::federation::{Federation, FederationError, TemporaryKeys};
use crate::credentials::service::resolve_federation_settings;
use crate::errors::{Failure, FailureKind};
use crate::world::World;

pub(super) fn open_federation(
    world: &World,
    asked: &Endpoint,
    place: &ConsolePlace,
) -> Result<Federation, Failure> {
    let (endpoint, settings) = resolve_federation_settings(asked, place, &world.environment)?;
    world.announce_endpoint("sign-in", settings.endpoint.as_ref());
    Federation::new(&endpoint, &settings).map_err(|error| Failure::of_error(FailureKind::Failed, &error))
}

/// Credentials to exchange for a link.
pub(super) struct Exchange<'a> {
    pub(super) profile: &'a ProfileName,
    pub(super) keys: TemporaryKeys<'a>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) duration: Option<Duration>,
}

impl Exchange<'_> {
    pub(super) fn obtain_link(
        &self,
        world: &World,
        federation: &Federation,
        destination: &str,
    ) -> Result<ConsoleLink, Failure> {
        let mut duration = self.duration;
        world.output.debug(|| format!("calling getSigninToken for `{}`", self.profile));
        let mut result = federation.fetch_sign_in_token(&self.keys, duration);
        if let (Err(FederationError::Refused), Some(asked)) = (&result, duration) {
            // The base may supply credentials of an assumed role, which the plan cannot know: AWS accepts no length for
            // those.
            duration = None;
            result = federation.fetch_sign_in_token(&self.keys, None);
            if result.is_ok() {
                world.output.warn(&format!(
                    "AWS did not accept a console session of {}: it lasts as long as the credentials",
                    render_duration(asked)
                ));
            }
        }
        let token = result.map_err(|error| self.failure_of(&error))?;
        let left = self.expires_at.map(|at| {
            let seconds = at.as_second().saturating_sub(world.clock.now().as_second());
            Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
        });
        Ok(ConsoleLink {
            profile: self.profile.clone(),
            url: LinkUrl::SignIn(render_sign_in_link(federation.base(), &token, destination)),
            sign_in_base: federation.base().to_owned(),
            lasts: duration.or(left),
        })
    }

    fn failure_of(&self, error: &FederationError) -> Failure {
        let what = format!("could not sign in to the console for `{}`", self.profile);
        let failure = Failure::new(FailureKind::Failed, what).caused_by(error);
        match error {
            FederationError::Refused => failure
                .hint("AWS accepts credentials of a role and of GetFederationToken here, not those of GetSessionToken")
                .hint("if the credentials are new, check the region: --region"),
            _ => failure,
        }
    }
}
