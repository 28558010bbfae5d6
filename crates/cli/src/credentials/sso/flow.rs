//! A sign-in by a person: which way it goes, and what comes of it.

use hatbox_core::sso::sign_in::resolve_scopes;
use hatbox_core::sso::start_url::StartUrl;
use hatbox_core::sso::token_file::{Client, Refresh, SsoToken};
use hatbox_types::name::Region;
use jiff::SignedDuration;

use super::retry::with_retries;
use super::saved::{SavedToken, parse_client, render_client};
use super::sign_in::{Asking, Flow, SignIn};
use crate::aws::sso::{Registration, SsoOidc, Tokens};
use crate::errors::{Failure, FailureKind};
use crate::sign_in::browser::{NoRedirect, find_obstacle, open_browser};
use crate::sign_in::waiting::Waited;
use crate::store::sign_ins::SignInFile;

/// A registration is used up to this time before its end, as the AWS CLI does.
const CLIENT_LEFT: SignedDuration = SignedDuration::from_mins(15);
const CLIENT_NAME: &str = "hatbox";

/// Where a person signs in.
pub(super) struct Place<'a> {
    pub(super) oidc: &'a SsoOidc,
    pub(super) start_url: &'a StartUrl,
    pub(super) region: &'a Region,
}

/// What came of a sign-in.
pub(super) enum SignedIn {
    Token(SsoToken),
    /// Another process asks now.
    TakenOver,
}

/// What a way of signing in gave: a token and its client.
pub(super) type Granted = Waited<Result<(Tokens, Client), Failure>>;

impl SignIn {
    /// Asks a person to sign in. The sign-in's lock is held.
    pub(super) fn sign_in(&self, is_over: &dyn Fn() -> bool) -> Result<SignedIn, Failure> {
        let (start_url, region) = self.resolve_portal()?;
        let oidc = self.oidc(&region)?;
        let place = Place { oidc: &oidc, start_url: &start_url, region: &region };
        let granted = match self.choose_flow() {
            Flow::Redirect => self.sign_in_by_redirect(&place, is_over)?,
            Flow::DeviceCode => self.sign_in_by_device(&place, is_over)?,
        };
        let (tokens, client) = match granted {
            Waited::Answer(granted) => granted?,
            Waited::TakenOver => return Ok(SignedIn::TakenOver),
            Waited::Cancelled => {
                let text = format!("the sign-in to `{}` was cancelled", self.name());
                return Err(Failure::new(FailureKind::Cancelled, text).shared());
            }
            Waited::TimedOut => return Err(self.timed_out().shared()),
        };
        // Whoever took the question over gets a token of its own.
        if is_over() {
            return Ok(SignedIn::TakenOver);
        }
        let token = token_of(tokens, client, &start_url, region);
        self.save(&SavedToken { token: token.clone(), obtained_at: self.world.clock.now() });
        if self.asking == Asking::OnTerminal {
            self.world.output.note(&format!("signed in to `{}`", self.name()));
        }
        Ok(SignedIn::Token(token))
    }

    fn timed_out(&self) -> Failure {
        let seconds = self.patience().as_secs();
        let text = format!("no one signed in to `{}` within {seconds} s", self.name());
        Failure::new(FailureKind::NeedsPerson, text).hint(self.login_command())
    }

    /// The way that was asked for, else the redirect where it can come back to this process. Why it cannot is said.
    fn choose_flow(&self) -> Flow {
        let obstacle = match self.options.flow {
            Some(flow) => return flow,
            None if self.options.redirect_port.is_some() => return Flow::Redirect,
            None if self.sso.use_device_code => NoRedirect::Asked,
            None => match find_obstacle(&self.world) {
                Some(obstacle) => obstacle,
                // As the AWS CLI does.
                None if self.sso.session.is_none() => NoRedirect::NoSession,
                None => return Flow::Redirect,
            },
        };
        self.world.output.note(&format!("signing in with a device code: {}", obstacle.reason()));
        Flow::DeviceCode
    }

    /// The registered client of a flow, registered now where there is none.
    pub(super) fn client(
        &self,
        place: &Place<'_>,
        file: SignInFile,
        how: Registration<'_>,
    ) -> Result<Client, Failure> {
        let now = self.world.clock.now();
        let saved = self.files.load(file, &self.key)?.and_then(|text| parse_client(&text));
        if let Some(client) = saved.filter(|client| client.expires_at.duration_since(now) > CLIENT_LEFT) {
            return Ok(client);
        }
        let scopes = resolve_scopes(&self.sso);
        let result = with_retries(&self.world, || place.oidc.register(CLIENT_NAME, &scopes, how));
        let client = result.map_err(|error| self.failure_of(&error, "sign in to"))?;
        // Without the file the next sign-in registers again.
        if let Err(error) = self.files.save(file, &self.key, render_client(&client).as_bytes()) {
            self.world.output.debug(|| format!("the registration is not saved: {error}"));
        }
        Ok(client)
    }

    /// Opens a page in the browser, where one can be opened and was not to be left alone. Returns whether it was started.
    pub(super) fn open_browser(&self, page: &str) -> bool {
        !self.options.is_browser_left_alone && open_browser(&self.world, page)
    }

    /// Shows lines to the person: on the terminal device, else on stderr.
    pub(super) fn show(&self, lines: &[String]) {
        for line in lines {
            if self.world.has_terminal() {
                self.world.prompter().show(line);
            } else {
                self.world.output.raw_line(line);
            }
        }
    }

    /// Forgets a registration that Identity Center does not know any more.
    pub(super) fn forget_client(&self, file: SignInFile) -> Result<(), Failure> {
        self.files.delete(file, &self.key)?;
        Ok(())
    }
}

fn token_of(tokens: Tokens, client: Client, start_url: &StartUrl, region: Region) -> SsoToken {
    let Tokens { access_token, expires_at, refresh_token } = tokens;
    SsoToken {
        start_url: start_url.as_str().to_owned(),
        region,
        access_token,
        expires_at,
        refresh: refresh_token.map(|token| Refresh { token, client }),
    }
}
