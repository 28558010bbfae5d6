//! The base that uses a session of `aws login`. The session's file is the cache, shared with the AWS CLI and the SDKs.
//!
//! Credentials in the file are used while they last. To renew them, one process refreshes the session, or asks the user to
//! sign in if it has ended, while the others wait, then read what it saved. The SDKs take no lock: if the service reports
//! that the refresh token was already replaced, another program may have refreshed the session, so the file is read again
//! before that counts as a failure.

use std::time::Duration;

use hatbox_core::config::overrides::Overrides;
use hatbox_core::config::profile::Sourced;
use hatbox_core::config::{Which, resolve_profile};
use hatbox_core::login::authorize::Device;
use hatbox_core::login::cache_file::LoginSession;
use hatbox_types::duration::render_duration;
use hatbox_types::name::{ProfileName, Region};
use hatbox_types::text::shell::quote_word;
use jiff::Timestamp;

use super::BaseCredentials;
use crate::aws::client::Signer;
use crate::aws::signin::{LoginError, LoginGrant, LoginRefusal, LoginService};
use crate::credentials::call_lock::{CallLock, Locked};
use crate::credentials::login_sign_in::{self, LoggedIn, LoginOptions, LoginPlace};
use crate::credentials::plan::Planned;
use crate::credentials::service::{check_sandbox, resolve_sign_in_settings};
use crate::errors::{Failure, FailureKind};
use crate::files::login_cache::{LoginCache, LoginFile};
use crate::sign_in::browser::find_obstacle;
use crate::world::clock::shortened;

/// Returns the credentials of the session, refreshed if they are about to expire. If the session has ended, asks the user
/// on the terminal to sign in.
pub(super) fn fetch(
    planned: &Planned,
    profile: &ProfileName,
    session: &Sourced<String>,
) -> Result<BaseCredentials, Failure> {
    let cache = LoginCache::of_session(&planned.world, &session.value);
    let work = Work { planned, profile, arn: session.value.trim(), cache };
    let seen = work.cache.load()?;
    if let Some(file) = seen.as_ref().filter(|file| !planned.request.fresh && work.is_good(&file.session)) {
        return Ok(given(file.session.clone()));
    }
    let words = format!("the login session of `{profile}`");
    let identity = work.cache.identity().as_os_str().as_encoded_bytes();
    loop {
        let lock = CallLock::wait(planned, None, Locked { kind: "login", identity, words: &words }, None)?;
        match work.obtain(seen.as_ref(), &lock) {
            Ok(Some(credentials)) => return Ok(credentials),
            Ok(None) => planned.world.output.note("answered on another terminal"),
            Err(failure) => {
                lock.leave_failure(&failure);
                return Err(failure);
            }
        }
    }
}

struct Work<'a> {
    planned: &'a Planned,
    profile: &'a ProfileName,
    /// The ARN of the user or role that signs in; also the name of the session.
    arn: &'a str,
    cache: LoginCache,
}

impl Work<'_> {
    /// Refreshes the session or asks the user to sign in, while `lock` is held. `seen` is the file as it was before.
    /// Returns `None` if another process has taken over the question.
    fn obtain(&self, seen: Option<&LoginFile>, lock: &CallLock) -> Result<Option<BaseCredentials>, Failure> {
        let old = self.cache.load()?;
        let ended = match &old {
            None => self
                .sign_in_again(&format!("profile `{}` is not signed in", self.profile))
                .at(self.cache.shown().to_owned()),
            Some(file) => match self.refresh_unless_done(seen, file.clone()) {
                Ok(credentials) => return Ok(Some(credentials)),
                Err(NotRefreshed::Failed(failure)) => return Err(failure),
                Err(NotRefreshed::Ended(failure)) => failure,
            },
        };
        if !self.planned.world.has_terminal() {
            return Err(ended);
        }
        self.sign_in(old.as_ref(), lock)
    }

    fn sign_in(&self, old: Option<&LoginFile>, lock: &CallLock) -> Result<Option<BaseCredentials>, Failure> {
        let Planned { world, plan, .. } = self.planned;
        let region = self.region(old.and_then(|file| file.session.region.as_ref()))?;
        let options = LoginOptions {
            // The redirect of a browser on another machine does not reach this one.
            device: if find_obstacle(world).is_some() { Device::Other } else { Device::Same },
            redirect_port: None,
            is_browser_left_alone: false,
            patience: shortened(&world.environment, self.planned.patience()),
        };
        let place = LoginPlace { profile: self.profile, region: &region, endpoint: &plan.endpoint };
        let is_over = || !lock.lock().is_current();
        let Some(signed_in) = login_sign_in::sign_in(world, &place, &options, &is_over)? else {
            return Ok(None);
        };
        let LoggedIn { identity, session, id_token } = signed_in;
        if identity.arn != self.arn {
            let text = format!(
                "profile `{}` is for the session of {}, and you signed in as {}",
                self.profile, self.arn, identity.arn
            );
            return Err(Failure::new(FailureKind::Refused, text)
                .hint(format!("to use that identity in this profile: {}", self.sign_in_command())));
        }
        self.cache.save(&session, old, id_token.as_ref())?;
        world.output.note(&format!("signed in as {} for profile `{}`", identity.arn, self.profile));
        Ok(Some(given(session)))
    }

    /// Refreshes the session, unless another process did so while this one waited for the lock. `seen` is the file as
    /// it was before.
    fn refresh_unless_done(
        &self,
        seen: Option<&LoginFile>,
        mut file: LoginFile,
    ) -> Result<BaseCredentials, NotRefreshed> {
        let mut is_changed = seen.is_none_or(|seen| is_other(&seen.session, &file.session));
        loop {
            if (is_changed || !self.planned.request.fresh) && self.is_good(&file.session) {
                return Ok(given(file.session));
            }
            let error = match self.refresh(&file) {
                Ok(credentials) => return Ok(credentials),
                Err(RefreshError::Failed(failure)) => return Err(failure.into()),
                Err(RefreshError::Unanswered(error)) => error,
            };
            // Another program may have spent the refresh token since the file was read; the file then holds a newer
            // one.
            if error.refusal().is_some()
                && let Some(again) = self.cache.load()?
                && is_other(&file.session, &again.session)
            {
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
        let region = self.region(session.region.as_ref())?;
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
    fn region(&self, of_session: Option<&Region>) -> Result<Region, Failure> {
        if let Some(region) = of_session {
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
    ) -> Result<BaseCredentials, NotRefreshed> {
        use LoginRefusal as R;
        let profile = self.profile;
        let ended = |what: &str| NotRefreshed::Ended(self.sign_in_again(what).caused_by(error));
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
                    .shared()
                    .into());
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
        let failure = match (error.refusal(), &session.region) {
            // A session exists in one region only, and the answer does not say whether this is the wrong one.
            (Some(R::Invalid), None) => failure.hint(format!(
                "`{}` does not say in which region you signed in; sign in again: {}",
                self.cache.shown(),
                self.sign_in_command()
            )),
            (Some(R::Invalid), Some(_)) => failure.hint(self.sign_in_command()),
            _ => failure.hints(error.network_hint()).shared(),
        };
        Err(failure.into())
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

/// Why a refresh gave no credentials.
enum NotRefreshed {
    /// The session has ended: the user must sign in.
    Ended(Failure),
    /// Signing in would not help, or may not be necessary.
    Failed(Failure),
}

impl From<Failure> for NotRefreshed {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
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
