//! The base that uses a session of `aws login`. The session's file is the cache, shared with the AWS CLI and the SDKs.
//!
//! Credentials in the file are used while they last. To renew them, one process refreshes the session while the others
//! wait, then read what it saved. The SDKs take no lock: if the service reports that the refresh token was already
//! replaced, another program may have refreshed the session, so the file is read again before that counts as a failure.

use std::time::Duration;

use hatbox_core::config::overrides::Overrides;
use hatbox_core::config::profile::Sourced;
use hatbox_core::config::{Which, resolve_profile};
use hatbox_core::login::cache_file::LoginSession;
use hatbox_types::duration::render_duration;
use hatbox_types::name::{ProfileName, Region};
use hatbox_types::text::shell::quote_word;
use jiff::Timestamp;

use super::BaseCredentials;
use crate::aws::client::Signer;
use crate::aws::signin::{LoginError, LoginGrant, LoginRefusal, LoginService};
use crate::credentials::call_lock::{CallLock, Locked};
use crate::credentials::plan::Planned;
use crate::credentials::service::{check_sandbox, resolve_sign_in_settings};
use crate::errors::{Failure, FailureKind};
use crate::files::login_cache::{LoginCache, LoginFile};

/// Returns the credentials of the session, refreshed if they are about to expire.
pub(super) fn fetch(
    planned: &Planned,
    profile: &ProfileName,
    session: &Sourced<String>,
) -> Result<BaseCredentials, Failure> {
    let cache = LoginCache::of_session(&planned.world, &session.value);
    let work = Work { planned, profile, cache };
    let file = work.load()?;
    if !planned.request.fresh && work.is_good(&file.session) {
        return Ok(given(file.session));
    }
    let words = format!("the login session of `{profile}`");
    let identity = work.cache.identity().as_os_str().as_encoded_bytes();
    let lock = CallLock::wait(planned, None, Locked { kind: "login", identity, words: &words }, None)?;
    let result = work.refresh_unless_done(&file);
    if let Err(failure) = &result {
        lock.leave_failure(failure);
    }
    result
}

struct Work<'a> {
    planned: &'a Planned,
    profile: &'a ProfileName,
    cache: LoginCache,
}

impl Work<'_> {
    fn load(&self) -> Result<LoginFile, Failure> {
        self.cache.load()?.ok_or_else(|| {
            self.sign_in_again(&format!("profile `{}` is not signed in", self.profile))
                .at(self.cache.shown().to_owned())
        })
    }

    /// Refreshes the session, unless another process did so while this one waited for the lock. `seen` is the file as
    /// it was before.
    fn refresh_unless_done(&self, seen: &LoginFile) -> Result<BaseCredentials, Failure> {
        let mut file = self.load()?;
        let mut is_changed = is_other(&seen.session, &file.session);
        loop {
            if (is_changed || !self.planned.request.fresh) && self.is_good(&file.session) {
                return Ok(given(file.session));
            }
            let error = match self.refresh(&file) {
                Ok(credentials) => return Ok(credentials),
                Err(RefreshError::Failed(failure)) => return Err(failure),
                Err(RefreshError::Unanswered(error)) => error,
            };
            // Another program may have spent the refresh token since the file was read; the file then holds a newer
            // one.
            let again = self.load()?;
            if error.refusal().is_some() && is_other(&file.session, &again.session) {
                (file, is_changed) = (again, true);
                continue;
            }
            return self.without_refresh(&file.session, &error);
        }
    }

    fn refresh(&self, file: &LoginFile) -> Result<BaseCredentials, RefreshError> {
        let Planned { world, plan, .. } = self.planned;
        let session = &file.session;
        check_sandbox(&world.environment, &session.credentials.access_key_id, self.profile)?;
        let region = self.region(session)?;
        let (endpoint, settings) = resolve_sign_in_settings(&plan.endpoint, &region, &world.environment)?;
        world.announce_endpoint("sign-in", settings.endpoint.as_ref());
        world.output.debug(|| format!("refreshing the login session of `{}` in {region}", self.profile));
        let service = LoginService::new(&endpoint, &settings).map_err(Failure::from)?;
        let grant = LoginGrant::Refresh { token: &session.refresh_token };
        let tokens = service
            .create_token(&session.client_id, grant, &session.key, || world.clock.now())
            .map_err(RefreshError::Unanswered)?;
        let refreshed = LoginSession {
            credentials: tokens.credentials,
            refresh_token: tokens.refresh_token,
            ..session.clone()
        };
        // Save before anything else: the old refresh token no longer works.
        if let Err(failure) = self.cache.save(&refreshed, Some(file), tokens.id_token.as_ref()) {
            world.output.warn(&format!(
                "the refreshed login session could not be saved, and a new sign-in will be needed: {}",
                failure.error
            ));
        }
        check_sandbox(&world.environment, &refreshed.credentials.access_key_id, self.profile)?;
        Ok(given(refreshed))
    }

    /// Returns the region in which the session was created. Older files do not name one; like the SDKs, this then takes
    /// the region of the profile.
    fn region(&self, session: &LoginSession) -> Result<Region, Failure> {
        if let Some(region) = &session.region {
            return Ok(region.clone());
        }
        let Planned { plan, files, .. } = self.planned;
        let profile = resolve_profile(&files.config, self.profile, &Overrides::default(), Which::Source);
        let of_profile = profile.ok().and_then(|profile| profile.region);
        if let Some(region) = of_profile.as_ref().or(plan.region.as_ref()) {
            return Ok(region.value.clone());
        }
        Err(Failure::new(
            FailureKind::Usage,
            format!("no region for the login session of `{}`", self.profile),
        )
        .hint(format!("sign in again: {} --region us-east-1", self.sign_in_command())))
    }

    /// Returns the best result that is possible when the session could not be refreshed.
    fn without_refresh(
        &self,
        session: &LoginSession,
        error: &LoginError,
    ) -> Result<BaseCredentials, Failure> {
        use LoginRefusal as R;
        let profile = self.profile;
        let ended = |what: &str| self.sign_in_again(what).caused_by(error);
        match error.refusal() {
            Some(R::Ended) => return Err(ended(&format!("the login session of `{profile}` has ended"))),
            Some(R::CredentialsChanged) => {
                let what = format!("the login session of `{profile}` ended when the password was changed");
                return Err(ended(&what));
            }
            Some(R::NotAllowed) => {
                let what = format!("AWS does not allow refreshing the login session of `{profile}`");
                return Err(Failure::new(FailureKind::Failed, what)
                    .caused_by(error)
                    .hint("it needs `signin:CreateOAuth2Token`; the managed policy SignInLocalDevelopmentAccess allows it")
                    .shared());
            }
            _ => {}
        }
        let now = self.planned.world.clock.now();
        let left = left(session, now);
        if !left.is_zero() && !self.planned.request.fresh {
            self.planned.world.output.warn(&format!(
                "could not refresh the login session of `{profile}`: {error}; its credentials expire in {}",
                render_duration(Duration::from_secs(left.as_secs()))
            ));
            return Ok(given(session.clone()));
        }
        let what = format!("could not refresh the login session of `{profile}`");
        let failure = Failure::new(FailureKind::Failed, what).caused_by(error);
        Err(match (error.refusal(), &session.region) {
            // A session exists in one region only, and the answer does not say whether this is the wrong one.
            (Some(R::Invalid), None) => failure.hint(format!(
                "`{}` does not say in which region you signed in; sign in again: {}",
                self.cache.shown(),
                self.sign_in_command()
            )),
            (Some(R::Invalid), Some(_)) => failure.hint(self.sign_in_command()),
            _ => failure.hints(error.network_hint()).shared(),
        })
    }

    fn sign_in_again(&self, what: &str) -> Failure {
        Failure::new(FailureKind::NeedsPerson, what)
            .hint(format!("sign in: {}", self.sign_in_command()))
            .shared()
    }

    fn sign_in_command(&self) -> String {
        format!("hatbox login --session {}", quote_word(self.profile.as_str()))
    }

    fn is_good(&self, session: &LoginSession) -> bool {
        left(session, self.planned.world.clock.now()) >= self.planned.request.min_ttl
    }
}

/// Why a session was not refreshed.
enum RefreshError {
    /// No request was sent.
    Failed(Failure),
    /// The service refused the request or did not answer.
    Unanswered(LoginError),
}

impl From<Failure> for RefreshError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn given(session: LoginSession) -> BaseCredentials {
    BaseCredentials { signer: Signer::Session(session.credentials), account: session.account }
}

fn left(session: &LoginSession, now: Timestamp) -> Duration {
    Duration::try_from(session.credentials.expires_at.duration_since(now)).unwrap_or_default()
}

fn is_other(before: &LoginSession, after: &LoginSession) -> bool {
    before.refresh_token.expose() != after.refresh_token.expose()
        || before.credentials.access_key_id != after.credentials.access_key_id
}
