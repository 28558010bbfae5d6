//! Lets the user sign in: picks the flow and saves the result.

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

/// A registration is not used in the last 15 minutes before it expires, like in the AWS CLI.
const CLIENT_LEFT: SignedDuration = SignedDuration::from_mins(15);
const CLIENT_NAME: &str = "hatbox";

/// Where the user signs in.
pub(super) struct Place<'a> {
    pub(super) oidc: &'a SsoOidc,
    pub(super) start_url: &'a StartUrl,
    pub(super) region: &'a Region,
}

/// The result of a sign-in.
pub(super) enum SignedIn {
    Token(SsoToken),
    /// Another process asks the user now.
    TakenOver,
}

/// What a flow returned: a token, and the client that got it.
pub(super) type Granted = Waited<Result<(Tokens, Client), Failure>>;

impl SignIn {
    /// Lets the user sign in. The caller holds the lock of the sign-in.
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
        // The process that took the question over gets its own token.
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

    /// Returns the requested flow, or the redirect if the browser can return to this machine. Prints why it cannot.
    fn choose_flow(&self) -> Flow {
        let obstacle = match self.options.flow {
            Some(flow) => return flow,
            None if self.options.redirect_port.is_some() => return Flow::Redirect,
            None if self.sso.use_device_code => NoRedirect::Asked,
            None => match find_obstacle(&self.world) {
                Some(obstacle) => obstacle,
                // Like in the AWS CLI.
                None if self.sso.session.is_none() => NoRedirect::NoSession,
                None => return Flow::Redirect,
            },
        };
        self.world.output.note(&format!("signing in with a device code: {}", obstacle.reason()));
        Flow::DeviceCode
    }

    /// Returns the registered client of a flow, and registers one if there is none.
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
        // If it cannot be saved, the next sign-in registers again.
        if let Err(error) = self.files.save(file, &self.key, render_client(&client).as_bytes()) {
            self.world.output.debug(|| format!("the registration is not saved: {error}"));
        }
        Ok(client)
    }

    /// Opens a page in the browser, unless there is none or the user does not want it. Returns whether it was started.
    pub(super) fn open_browser(&self, page: &str) -> bool {
        !self.options.is_browser_left_alone && open_browser(&self.world, page)
    }

    /// Shows the address of a page, after `how` to open it. With `--no-browser`, prints the address alone on stdout.
    pub(super) fn show_address(&self, how: &str, page: &str) -> Result<(), Failure> {
        if self.options.is_browser_left_alone {
            return Ok(self.world.output.data(&format!("{page}\n"))?);
        }
        self.show(&[format!("Sign in to `{}` {how}", self.name()), page.to_owned()]);
        Ok(())
    }

    /// Shows lines to the user, on the terminal device or else on stderr.
    pub(super) fn show(&self, lines: &[String]) {
        for line in lines {
            if self.world.has_terminal() {
                self.world.prompter().show(line);
            } else {
                self.world.output.raw_line(line);
            }
        }
    }

    /// Deletes a registration that Identity Center no longer knows.
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
