//! Signs the user in like `aws login`: opens the page, takes the answer, and exchanges it for a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use hatbox_core::config::profile::Endpoint;
use hatbox_core::login::authorize::{
    Device, LoginIdentity, parse_identity, parse_pasted, render_authorize_url, render_confirmation_url,
};
use hatbox_core::login::cache_file::LoginSession;
use hatbox_core::login::dpop::DpopKey;
use hatbox_core::sso::authorize::{Redirect, RedirectError, render_verifier};
use hatbox_types::duration::render_duration;
use hatbox_types::name::{ProfileName, Region};
use hatbox_types::secret::SecretString;
use hatbox_types::text::printable;
use zeroize::Zeroizing;

use super::denial::{hint_at_clock, render_clock};
use super::service::{check_sandbox, resolve_sign_in_settings};
use crate::aws::signin::{LoginError, LoginGrant, LoginRefusal, LoginService, LoginTokens, random_id};
use crate::errors::{Failure, FailureKind};
use crate::prompt::{Echo, PromptError, Question};
use crate::sign_in::browser::{find_obstacle, open_browser};
use crate::sign_in::listener::{BindError, Listener, WaitError};
use crate::sign_in::waiting::{Waited, wait_for_person};
use crate::world::World;

/// The profile to sign in for, and the service to sign in at.
pub(crate) struct LoginPlace<'a> {
    /// The profile that gets the session.
    pub(crate) profile: &'a ProfileName,
    pub(crate) region: &'a Region,
    pub(crate) endpoint: &'a Endpoint,
}

/// How the user signs in.
pub(crate) struct LoginOptions {
    pub(crate) device: Device,
    /// `--redirect-port`.
    pub(crate) redirect_port: Option<u16>,
    /// `--no-browser`.
    pub(crate) is_browser_left_alone: bool,
    /// How long the user may take in the browser.
    pub(crate) patience: Duration,
}

/// The result of a sign-in.
pub(crate) struct LoggedIn {
    pub(crate) identity: LoginIdentity,
    pub(crate) session: LoginSession,
    pub(crate) id_token: Option<SecretString>,
}

/// Asks the user to sign in. Returns `None` if `is_over` reports that another process has taken over the question.
pub(crate) fn sign_in(
    world: &World,
    place: &LoginPlace<'_>,
    options: &LoginOptions,
    is_over: &dyn Fn() -> bool,
) -> Result<Option<LoggedIn>, Failure> {
    let LoginPlace { profile, region, endpoint } = *place;
    let (url, settings) = resolve_sign_in_settings(endpoint, region, &world.environment)?;
    world.announce_endpoint("sign-in", settings.endpoint.as_ref());
    let service = LoginService::new(&url, &settings)?;
    let base = url.as_str().trim_end_matches('/');
    let asking = Asking { world, options, base, secrets: Secrets::generate()?, is_over };
    let answered = match options.device {
        Device::Same => asking.by_redirect()?,
        Device::Other => asking.by_pasting()?,
    };
    let Some(Answered { code, redirect }) = answered else { return Ok(None) };
    let Secrets { verifier, key, .. } = asking.secrets;
    let grant = LoginGrant::Code { code: &code, redirect: &redirect, verifier: &verifier };
    let client = options.device.client_id();
    let LoginTokens { credentials, refresh_token, id_token } = service
        .create_token(client, grant, &key, || world.clock.now())
        .map_err(|error| failure_of(&error, profile))?;
    check_sandbox(&world.environment, &credentials.access_key_id, profile)?;
    let identity = id_token.as_ref().and_then(|token| parse_identity(token.expose())).ok_or_else(|| {
        Failure::new(FailureKind::Failed, "the response of the sign-in service does not say who signed in")
    })?;
    let session = LoginSession {
        credentials,
        account: Some(identity.account.clone()),
        client_id: client.to_owned(),
        refresh_token,
        key,
        region: Some(region.clone()),
    };
    Ok(Some(LoggedIn { identity, session, id_token }))
}

/// The values that only this process knows.
struct Secrets {
    state: String,
    verifier: Zeroizing<String>,
    key: DpopKey,
}

impl Secrets {
    fn generate() -> Result<Self, Failure> {
        let failed = || Failure::of_error(FailureKind::Failed, &LoginError::Random);
        let mut random = Zeroizing::new([0; 48]);
        getrandom::getrandom(random.as_mut_slice()).map_err(|_| failed())?;
        let verifier = Zeroizing::new(render_verifier(&random));
        let mut seed = Zeroizing::new([0; 32]);
        let key = loop {
            getrandom::getrandom(seed.as_mut_slice()).map_err(|_| failed())?;
            if let Some(key) = DpopKey::of_random(&seed) {
                break key;
            }
        };
        Ok(Self { state: random_id().map_err(|_| failed())?, verifier, key })
    }
}

/// Asks the user to sign in.
struct Asking<'a> {
    world: &'a World,
    options: &'a LoginOptions,
    /// The URL of the sign-in service.
    base: &'a str,
    secrets: Secrets,
    /// Whether another process has taken over the question.
    is_over: &'a dyn Fn() -> bool,
}

/// The authorization code, and the redirect URI that it was sent to.
struct Answered {
    code: Zeroizing<String>,
    redirect: String,
}

impl Asking<'_> {
    fn page(&self, device: Device, redirect: &str) -> String {
        render_authorize_url(self.base, device, redirect, &self.secrets.state, &self.secrets.verifier)
    }

    /// Lets this machine's browser return by a redirect. Returns `None` if another process has taken over the question.
    fn by_redirect(&self) -> Result<Option<Answered>, Failure> {
        // Listen before the page is opened: a browser that is already signed in returns at once.
        let listener = Listener::bind(self.options.redirect_port).map_err(|error| bind_failure(&error))?;
        let redirect = listener.redirect_uri();
        let page = self.page(Device::Same, &redirect);
        self.show_page(&page)?;
        let (sender, answers) = mpsc::channel();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (state, patience, stopped) =
            (self.secrets.state.clone(), self.options.patience, is_stopped.clone());
        std::thread::spawn(move || {
            let came = listener.wait(&state, patience, &|| stopped.load(Ordering::Relaxed));
            // The receiver may have given up.
            sender.send(came).ok();
        });
        let waited = wait_for_person(self.world, &answers, patience, self.is_over);
        is_stopped.store(true, Ordering::Relaxed);
        let timed_out = || {
            let text = format!("the browser did not come back within {}", render_duration(patience));
            Failure::new(FailureKind::NeedsPerson, text)
                .hint("if the browser is on another machine: hatbox login --session --remote")
        };
        match waited {
            Waited::Answer(Ok(answer)) => Ok(Some(Answered { code: code_of(answer)?, redirect })),
            Waited::Answer(Err(WaitError::Timeout)) | Waited::TimedOut => Err(timed_out().shared()),
            Waited::TakenOver | Waited::Answer(Err(WaitError::Stopped)) => Ok(None),
            Waited::Cancelled => Err(cancelled()),
        }
    }

    fn show_page(&self, page: &str) -> Result<(), Failure> {
        if self.options.is_browser_left_alone {
            return Ok(self.world.output.data(&format!("{page}\n"))?);
        }
        let is_open = open_browser(self.world, page);
        self.show(if is_open {
            "Sign in in the browser. If no page opened, open this one:"
        } else {
            "Sign in by opening this page in a browser on this machine:"
        });
        self.show(page);
        if !is_open && find_obstacle(self.world).is_some() {
            self.show("If the browser is on another machine: hatbox login --session --remote");
        }
        Ok(())
    }

    /// Shows a line on the terminal device, or on stderr without one.
    fn show(&self, line: &str) {
        if self.world.has_terminal() {
            self.world.prompter().show(line);
        } else {
            self.world.output.raw_line(line);
        }
    }

    /// Lets the user copy a text from the browser of another machine and paste it here.
    fn by_pasting(&self) -> Result<Option<Answered>, Failure> {
        let redirect = render_confirmation_url(self.base);
        let page = self.page(Device::Other, &redirect);
        if self.options.is_browser_left_alone {
            self.world.output.data(&format!("{page}\n"))?;
        } else {
            self.show(
                "Open this page in a browser on any machine, sign in, and paste the code that it shows:",
            );
            self.show(&page);
        }
        let timeout = self.options.patience;
        let question = Question { text: "Code: ", echo: Echo::Hidden, timeout, is_over: self.is_over };
        loop {
            let pasted = match self.world.prompter().ask_line(&question) {
                Ok(pasted) => pasted,
                Err(PromptError::Cancelled) => return Err(cancelled()),
                Err(PromptError::AnsweredElsewhere) => return Ok(None),
                Err(error) => {
                    return Err(Failure::new(
                        FailureKind::NeedsPerson,
                        "the code of the sign-in page is needed",
                    )
                    .caused_by(&error)
                    .hint("run it on a terminal"));
                }
            };
            match parse_pasted(pasted.expose(), &self.secrets.state) {
                Ok(answer) => return Ok(Some(Answered { code: code_of(answer)?, redirect })),
                Err(RedirectError::State) => {
                    self.world
                        .prompter()
                        .reject("This code belongs to another sign-in: paste the code of this page.");
                }
                Err(RedirectError::Form | RedirectError::Path) => {
                    self.world.prompter().reject("Invalid code: paste the whole code of the sign-in page.");
                }
            }
        }
    }
}

fn code_of(answer: Redirect) -> Result<Zeroizing<String>, Failure> {
    match answer {
        Redirect::Code(code) => Ok(Zeroizing::new(code)),
        Redirect::Denied(error, description) => {
            let mut failure = Failure::new(FailureKind::Cancelled, "the sign-in was denied in the browser");
            let said = description.map_or(error.clone(), |description| format!("{error}: {description}"));
            failure.causes.push(printable(&said).into_owned());
            Err(failure.shared())
        }
    }
}

fn cancelled() -> Failure {
    Failure::new(FailureKind::Cancelled, "the sign-in was cancelled").shared()
}

fn bind_failure(error: &BindError) -> Failure {
    let failure = Failure::of_error(FailureKind::Failed, error);
    let other = "use a browser on another machine: hatbox login --session --remote";
    match error {
        BindError::InUse { .. } => failure.hint("name another port with --redirect-port").hint(other),
        BindError::Io(_) => failure.hint(other),
    }
}

fn failure_of(error: &LoginError, profile: &ProfileName) -> Failure {
    let failure = Failure::new(FailureKind::Failed, format!("could not sign in for profile `{profile}`"));
    let failure = failure.caused_by(error);
    if let Some(clock) = error.clock_ahead().and_then(render_clock) {
        return failure.hint(hint_at_clock(&clock));
    }
    match error.refusal() {
        Some(LoginRefusal::CodeExpired) => failure.hint("start again, and sign in within a few minutes"),
        Some(LoginRefusal::NotAllowed) => failure.hint(
            "signing in needs `signin:AuthorizeOAuth2Access` and `signin:CreateOAuth2Token`; the managed policy \
             SignInLocalDevelopmentAccess allows both",
        ),
        _ => failure.hints(error.network_hint()),
    }
}
