//! Obtains an access token: the saved one, a refreshed one, or that of a new sign-in, by one process at a time.

use std::time::Duration;

use hatbox_core::config::profile::Sso;
use hatbox_core::sso::token_file::{Refresh, SsoToken};
use jiff::Timestamp;

use super::flow::SignedIn;
use super::retry::with_retries;
use super::saved::SavedToken;
use super::sign_in::{Asking, SignIn, login_command, name_of};
use crate::ask::waiting::{Wanted, leave_failure, seal_of, wait_for_lock};
use crate::aws::sso::{Grant, SsoError, SsoRefusal, Tokens};
use crate::errors::{Failure, FailureKind};
use crate::store::sealed::CacheKey;
use crate::sys::lock::Lock;
use crate::world::clock::shortened;

/// A token that expires within this time is refreshed, as in the SDKs.
const REFRESH_AHEAD: Duration = Duration::from_mins(5);
/// A token without a refresh token is used until this long before it expires.
const LAST_USE: Duration = Duration::from_secs(30);

/// Which token is needed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TokenNeed<'a> {
    /// Any valid one.
    Valid,
    /// Any but this one, which the portal rejected before it expired.
    Refreshed(&'a SsoToken),
    /// That of a new sign-in: because the portal rejected this one, which had just been refreshed, or because the user
    /// asks for it (`None`).
    SignedIn(Option<&'a SsoToken>),
}

/// Why a refresh returned no token.
enum NotRefreshed {
    /// The refresh token was spent or revoked, or the client is unknown.
    Gone,
    /// Anything else; it may work later.
    Failed(Failure),
}

impl SignIn {
    /// Returns a valid access token of the session, for a caller that holds no other lock.
    ///
    /// # Errors
    /// If the token can neither be refreshed nor obtained from the user.
    pub(crate) fn access_token(&self, need: TokenNeed<'_>) -> Result<SsoToken, Failure> {
        match self.access_token_under(need, None)? {
            Some(token) => Ok(token),
            // Without another lock, there is nothing to take over.
            None => Err(Failure::new(FailureKind::Failed, "the sign-in was taken over").hint("run it again")),
        }
    }

    /// Returns a token to a caller that holds `outer`, the lock of what needs it; `None` if that lock was taken over.
    pub(crate) fn access_token_under(
        &self,
        need: TokenNeed<'_>,
        outer: Option<&Lock>,
    ) -> Result<Option<SsoToken>, Failure> {
        if let Some(saved) = self.load_token()?
            && self.is_good(&saved, need, None)
        {
            return Ok(Some(saved.token));
        }
        let seal = seal_of("sign-in", self.key.as_bytes());
        loop {
            let lock = self.wait_for_lock(seal.as_ref(), outer.and_then(Lock::taken_from))?;
            if let Some(outer) = outer {
                outer.note(self.world.prompter().device(), &self.words());
            }
            match self.obtain(need, &lock, outer) {
                Ok(SignedIn::Token(token)) => return Ok(Some(token)),
                Ok(SignedIn::TakenOver) if outer.is_some_and(|outer| !outer.is_current()) => return Ok(None),
                Ok(SignedIn::TakenOver) => self.world.output.note("answered on another terminal"),
                Err(failure) => {
                    leave_failure(&lock, &failure, seal.as_ref());
                    return Err(failure);
                }
            }
        }
    }

    /// Waits for the lock of the sign-in. Returns a failure that another process left there, if `seal` opens it.
    pub(super) fn wait_for_lock(
        &self,
        seal: Option<&CacheKey>,
        taken_from: Option<u32>,
    ) -> Result<Lock, Failure> {
        let wanted = Wanted {
            path: &self.files.lock_path(&self.world.dirs.locks(), &self.key),
            patience: self.patience() + Duration::from_mins(1),
            held_for: &self.words(),
            seal,
            taken_from,
        };
        wait_for_lock(&self.world, &wanted)
    }

    fn words(&self) -> String {
        format!("the sign-in to `{}`", self.name())
    }

    /// How long the user may take, which is less than other processes wait for the lock of a session.
    pub(super) fn patience(&self) -> Duration {
        shortened(&self.world.environment, self.settings.prompt_timeout() * 3)
    }

    /// Obtains a token under the lock.
    fn obtain(&self, need: TokenNeed<'_>, lock: &Lock, outer: Option<&Lock>) -> Result<SignedIn, Failure> {
        // Another process may have obtained it first.
        let saved = self.load_token()?;
        if let Some(saved) = &saved
            && self.is_good(saved, need, Some(lock))
        {
            return Ok(SignedIn::Token(saved.token.clone()));
        }
        if let (Some(saved), TokenNeed::Valid | TokenNeed::Refreshed(_)) = (saved, need)
            && let Some(token) = self.refresh_saved(saved, need)?
        {
            return Ok(SignedIn::Token(token));
        }
        if self.asking == Asking::OnTerminal && !self.world.has_terminal() {
            return Err(needs_person(&self.sso));
        }
        let is_over = || !lock.is_current() || outer.is_some_and(|outer| !outer.is_current());
        self.sign_in(&is_over)
    }

    /// Refreshes the token if possible. Returns `None` if the user has to sign in.
    pub(super) fn refresh_saved(
        &self,
        saved: SavedToken,
        need: TokenNeed<'_>,
    ) -> Result<Option<SsoToken>, Failure> {
        let SavedToken { token, obtained_at } = saved;
        let now = self.world.clock.now();
        let is_usable = matches!(need, TokenNeed::Valid) && left(&token, now) > LAST_USE;
        let Some(refresh) = token.refresh.as_ref().filter(|refresh| refresh.client.expires_at > now) else {
            return Ok(is_usable.then_some(token));
        };
        match self.refresh(&token, refresh) {
            Ok(token) => Ok(Some(token)),
            Err(NotRefreshed::Gone) => {
                // Another program may have spent the refresh token and saved the new one.
                if let Some(other) = self.load_token()?
                    && other.token.access_token.expose() != token.access_token.expose()
                    && self.is_good(&other, need, None)
                {
                    return Ok(Some(other.token));
                }
                // Do not try a dead refresh token again.
                let token = SsoToken { refresh: None, ..token };
                self.save(&SavedToken { token: token.clone(), obtained_at });
                Ok(is_usable.then_some(token))
            }
            Err(NotRefreshed::Failed(failure)) if is_usable => {
                self.world.output.debug(|| format!("the token is not refreshed: {}", failure.error));
                Ok(Some(token))
            }
            Err(NotRefreshed::Failed(failure)) => Err(failure),
        }
    }

    fn refresh(&self, old: &SsoToken, refresh: &Refresh) -> Result<SsoToken, NotRefreshed> {
        self.world.output.debug(|| format!("refreshing the token of `{}`", self.name()));
        let oidc = self.oidc(&old.region).map_err(NotRefreshed::Failed)?;
        let grant = Grant::Refresh { token: &refresh.token };
        let result =
            with_retries(&self.world, || oidc.create_token(&refresh.client, grant, self.world.clock.now()));
        match result {
            Ok(tokens) => {
                let Tokens { access_token, expires_at, refresh_token } = tokens;
                let refresh = Refresh {
                    // Without a new refresh token in the answer, the old one remains valid.
                    token: refresh_token.unwrap_or_else(|| refresh.token.clone()),
                    client: refresh.client.clone(),
                };
                let token = SsoToken { access_token, expires_at, refresh: Some(refresh), ..old.clone() };
                self.save(&SavedToken { token: token.clone(), obtained_at: self.world.clock.now() });
                Ok(token)
            }
            Err(error) => Err(match error.refusal() {
                Some(SsoRefusal::SignInAgain | SsoRefusal::ClientUnknown | SsoRefusal::Denied) => {
                    self.world.output.debug(|| format!("the refresh token is no longer valid: {error}"));
                    NotRefreshed::Gone
                }
                _ => NotRefreshed::Failed(self.failure_of(&error, "refresh the token of")),
            }),
        }
    }

    /// Whether a saved token meets the need. `lock` is the lock of the sign-in, if it is held.
    fn is_good(&self, saved: &SavedToken, need: TokenNeed<'_>, lock: Option<&Lock>) -> bool {
        let SavedToken { token, obtained_at } = saved;
        let left = left(token, self.world.clock.now());
        let is_another = |refused: &SsoToken| token.access_token.expose() != refused.access_token.expose();
        let is_wanted = match need {
            TokenNeed::Valid => true,
            TokenNeed::Refreshed(refused) | TokenNeed::SignedIn(Some(refused)) => is_another(refused),
            // A token that another process obtained during the wait is new enough.
            TokenNeed::SignedIn(None) => {
                lock.is_some_and(|lock| lock.was_waited_for() && obtained_at >= &self.world.started)
            }
        };
        is_wanted && left > if token.refresh.is_some() { REFRESH_AHEAD } else { LAST_USE }
    }

    /// Turns an error into a failure. `doing` is the phrase before the name, such as `sign in to`.
    pub(super) fn failure_of(&self, error: &SsoError, doing: &str) -> Failure {
        let failure = Failure::new(FailureKind::Failed, format!("could not {doing} `{}`", self.name()))
            .caused_by(error);
        match error.refusal() {
            Some(SsoRefusal::WrongRegion) => failure.hint(format!(
                "check `sso_region` (`{}`) and `sso_start_url`: Identity Center does not know the start URL in this region",
                self.sso.region
            )),
            Some(SsoRefusal::Throttled | SsoRefusal::Fault) => {
                failure.hint("Identity Center is busy: try again in a minute")
            }
            _ => failure.hints(error.network_hint()),
        }
    }
}

/// The failure of a command that cannot ask the user to sign in.
pub(crate) fn needs_person(sso: &Sso) -> Failure {
    let name = name_of(sso);
    let text = format!("not signed in to SSO session `{name}`");
    Failure::new(FailureKind::NeedsPerson, text).hint(login_command(name))
}

fn left(token: &SsoToken, now: Timestamp) -> Duration {
    Duration::try_from(token.expires_at.duration_since(now)).unwrap_or_default()
}
