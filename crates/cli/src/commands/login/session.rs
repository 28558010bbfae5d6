//! `hatbox login --session`: signs in like `aws login`, and saves the session for the AWS CLI and the SDKs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use hatbox_core::config::edit::Change;
use hatbox_core::config::overrides::{Flags, Overrides};
use hatbox_core::config::profile::{Endpoint, Profile};
use hatbox_core::config::{Origin, SectionKind, Which, resolve_profile};
use hatbox_core::login::authorize::{
    Device, LoginIdentity, parse_identity, parse_pasted, render_authorize_url, render_confirmation_url,
};
use hatbox_core::login::cache_file::LoginSession;
use hatbox_core::login::dpop::DpopKey;
use hatbox_core::sso::authorize::{Redirect, RedirectError, render_verifier};
use hatbox_types::duration::render_duration;
use hatbox_types::name::{ProfileName, Region};
use hatbox_types::text::printable;
use hatbox_types::text::shell::quote_word;
use zeroize::Zeroizing;

use crate::args::{GlobalArgs, LoginArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::ask::waiting::{Wanted, lock_path, wait_for_lock};
use crate::aws::signin::{LoginError, LoginGrant, LoginRefusal, LoginService, LoginTokens, random_id};
use crate::credentials::denial::{hint_at_clock, render_clock};
use crate::credentials::request::resolve_profile_name;
use crate::credentials::service::{check_sandbox, resolve_sign_in_settings};
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::files::login_cache::LoginCache;
use crate::keys::KeyStore;
use crate::prompt::{Echo, PromptError, Question};
use crate::sign_in::browser::{find_obstacle, open_browser};
use crate::sign_in::listener::{BindError, Listener, WaitError};
use crate::sign_in::waiting::{Waited, wait_for_person};
use crate::world::World;
use crate::world::clock::shortened;

/// The time for the sign-in in the browser, as a multiple of `prompt_timeout`: ten minutes by default, like the AWS
/// CLI.
const PROMPTS: u32 = 5;
/// How long another process may take to refresh the same session.
const LOCK_PATIENCE: Duration = Duration::from_mins(2);

pub(super) fn run(world: &World, global: &GlobalArgs, args: &LoginArgs) -> Result<(), Failure> {
    let target = Target::load(world, global, args)?;
    let endpoint = target.endpoint(world)?;
    let (url, settings) = resolve_sign_in_settings(&endpoint, &target.region, &world.environment)?;
    world.announce_endpoint("sign-in", settings.endpoint.as_ref());
    let service = LoginService::new(&url, &settings)?;
    let device = if args.remote { Device::Other } else { Device::Same };
    let asking = Asking {
        world,
        args,
        base: url.as_str().trim_end_matches('/'),
        secrets: Secrets::generate()?,
        patience: shortened(&world.environment, world.settings()?.prompt_timeout() * PROMPTS),
    };
    let (code, redirect) = match device {
        Device::Same => asking.by_redirect()?,
        Device::Other => asking.by_pasting()?,
    };
    let grant = LoginGrant::Code { code: &code, redirect: &redirect, verifier: &asking.secrets.verifier };
    let tokens = service
        .create_token(device.client_id(), grant, &asking.secrets.key, || world.clock.now())
        .map_err(|error| failure_of(&error, &target.name))?;
    check_sandbox(&world.environment, &tokens.credentials.access_key_id, &target.name)?;
    let identity =
        tokens.id_token.as_ref().and_then(|token| parse_identity(token.expose())).ok_or_else(|| {
            Failure::new(FailureKind::Failed, "the sign-in service's answer does not say who signed in")
        })?;
    target.confirm_other_identity(world, &identity)?;
    let session = session_of(tokens.clone(), &identity, device, asking.secrets.key, &target.region);
    save(world, &identity, &session, &tokens)?;
    target.save(world, &identity)?;
    let name = quote_word(target.name.as_str());
    world.output.note(&format!("signed in as {} for profile `{}`", identity.arn, target.name));
    world.output.note(&format!("try it: hatbox exec {name} -- aws sts get-caller-identity"));
    Ok(())
}

/// The profile that gets the session.
struct Target {
    name: ProfileName,
    files: ConfigFiles,
    /// The existing profile; `None` if it is new.
    profile: Option<Profile>,
    region: Region,
}

impl Target {
    /// Finds the profile, and rejects one with another identity before a browser is opened.
    fn load(world: &World, global: &GlobalArgs, args: &LoginArgs) -> Result<Self, Failure> {
        let named = args.profile.clone().or_else(|| world.environment.text("AWS_PROFILE"));
        let name = resolve_profile_name(Some(named.as_deref().unwrap_or("default")), &world.environment)?;
        let files = load_config(world)?;
        let flags = Flags { region: args.credentials.region.clone(), duration: None };
        let overrides = Overrides::from_env(flags, |name| world.environment.text(name));
        let profile = match files.config.defined_at(&name) {
            None => None,
            Some(_) => Some(
                resolve_profile(&files.config, &name, &overrides, Which::Source)
                    .map_err(|error| files.failure_of(&error))?,
            ),
        };
        if let Some((what, origin)) = profile.as_ref().and_then(other_identity) {
            let failure = Failure::new(
                FailureKind::Refused,
                format!("profile `{name}` already gets its credentials from {what}"),
            );
            let failure = match origin.place() {
                Some(place) => failure.at(files.shown_place(place)),
                None => failure,
            };
            return Err(failure.hint("choose another profile: hatbox login --session NAME"));
        }
        let stored = KeyStore::open(world, global)?.index_if_known()?;
        if stored.is_some_and(|index| index.find(&name).is_some()) {
            return Err(Failure::new(
                FailureKind::Refused,
                format!(
                    "an access key is stored for profile `{name}`, and would be used instead of the session"
                ),
            )
            .hint("choose another profile: hatbox login --session NAME")
            .hint(format!("or remove the key: hatbox remove {}", quote_word(name.as_str()))));
        }
        let region = Self::region(args, &overrides, profile.as_ref())?;
        Ok(Self { name, files, profile, region })
    }

    fn region(args: &LoginArgs, overrides: &Overrides, profile: Option<&Profile>) -> Result<Region, Failure> {
        let asked = overrides.region.as_ref().map(|said| {
            let (Origin::Flag(name) | Origin::Env(name)) = said.origin else {
                return (said.value.as_str(), "");
            };
            (said.value.as_str(), name)
        });
        match (asked, profile.and_then(|profile| profile.region.as_ref())) {
            (Some((text, origin)), _) => Region::parse(text).map_err(|error| {
                Failure::new(
                    FailureKind::Usage,
                    format!("invalid `{origin}` `{}`: {error}", text.escape_debug()),
                )
            }),
            (None, Some(region)) => Ok(region.value.clone()),
            (None, None) => {
                let name = args.profile.as_deref().map(|name| format!(" {}", quote_word(name)));
                Err(Failure::new(FailureKind::Usage, "no region to sign in to").hint(format!(
                    "name one: hatbox login --session --region us-east-1{}",
                    name.unwrap_or_default()
                )))
            }
        }
    }

    /// Returns the endpoint settings of the profile and the environment.
    fn endpoint(&self, world: &World) -> Result<Endpoint, Failure> {
        let overrides = Overrides::from_env(Flags::default(), |name| world.environment.text(name));
        match resolve_profile(&self.files.config, &self.name, &overrides, Which::Target) {
            Ok(profile) => Ok(profile.endpoint),
            Err(error) => Err(self.files.failure_of(&error)),
        }
    }

    /// Asks before the profile's identity is replaced.
    fn confirm_other_identity(&self, world: &World, identity: &LoginIdentity) -> Result<(), Failure> {
        let before = self.profile.as_ref().and_then(|profile| profile.login_session.as_ref());
        let Some(before) = before.filter(|before| before.value.trim() != identity.arn) else { return Ok(()) };
        let question = Confirmation {
            text: &format!(
                "Profile `{}` is signed in as {}. Use {} instead? (y|N) ",
                self.name, before.value, identity.arn
            ),
            because: Some(&format!(
                "profile `{}` is signed in as {}, and you signed in as {}",
                self.name, before.value, identity.arn
            )),
            hint: "sign in as the same identity, or choose another profile: hatbox login --session NAME",
            timeout: world.settings()?.prompt_timeout(),
        };
        if ask_yes_or_no(world, &question)? {
            return Ok(());
        }
        Err(Failure::new(FailureKind::Cancelled, "nothing was changed"))
    }

    /// Writes `login_session`, and the region if the profile has none.
    fn save(&self, world: &World, identity: &LoginIdentity) -> Result<(), Failure> {
        let set = |key: &str, value: &str| Change::Set { key: key.to_owned(), value: value.to_owned() };
        let mut changes = vec![set("login_session", &identity.arn)];
        if !self.has_own_region() {
            changes.push(set("region", self.region.as_str()));
        }
        self.files.save_section(world, SectionKind::Profile, self.name.as_str(), &changes)?;
        Ok(())
    }

    /// Whether the profile sets a region itself, even if a flag or variable overrides it.
    fn has_own_region(&self) -> bool {
        resolve_profile(&self.files.config, &self.name, &Overrides::default(), Which::Source)
            .is_ok_and(|profile| profile.region.is_some())
    }
}

/// Returns the setting that gives the profile another identity. The AWS CLI rejects the same profiles.
fn other_identity(profile: &Profile) -> Option<(&'static str, &Origin)> {
    let sso = || {
        let sso = profile.sso.as_ref()?;
        let own = sso.value.account_id.as_ref().or(sso.value.role_name.as_ref())?;
        Some(("SSO (Identity Center)", &own.origin))
    };
    profile
        .web_identity
        .as_ref()
        .map(|found| ("a web identity token", &found.origin))
        .or_else(sso)
        .or_else(|| profile.static_keys.as_ref().map(|found| ("an access key in plain text", &found.origin)))
        .or_else(|| profile.role_arn.as_ref().map(|found| ("`role_arn`", &found.origin)))
        .or_else(|| profile.credential_process.as_ref().map(|found| ("`credential_process`", &found.origin)))
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
    args: &'a LoginArgs,
    /// The URL of the sign-in service.
    base: &'a str,
    secrets: Secrets,
    /// How long the user may take in the browser.
    patience: Duration,
}

impl Asking<'_> {
    fn page(&self, device: Device, redirect: &str) -> String {
        render_authorize_url(self.base, device, redirect, &self.secrets.state, &self.secrets.verifier)
    }

    /// Lets this machine's browser return by a redirect. Returns the code and the redirect's URI.
    fn by_redirect(&self) -> Result<(Zeroizing<String>, String), Failure> {
        // Listen before the page is opened: a browser that is already signed in returns at once.
        let listener = Listener::bind(self.args.redirect_port).map_err(|error| bind_failure(&error))?;
        let redirect = listener.redirect_uri();
        let page = self.page(Device::Same, &redirect);
        self.show_page(&page)?;
        let (sender, answers) = mpsc::channel();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (state, patience, stopped) = (self.secrets.state.clone(), self.patience, is_stopped.clone());
        std::thread::spawn(move || {
            let came = listener.wait(&state, patience, &|| stopped.load(Ordering::Relaxed));
            // The receiver may have given up.
            sender.send(came).ok();
        });
        let waited = wait_for_person(self.world, &answers, patience, &|| false);
        is_stopped.store(true, Ordering::Relaxed);
        let timed_out = || {
            let text = format!("no answer came from the browser within {}", render_duration(patience));
            Failure::new(FailureKind::NeedsPerson, text)
                .hint("if the browser is on another machine: hatbox login --session --remote")
        };
        match waited {
            Waited::Answer(Ok(answer)) => Ok((code_of(answer)?, redirect)),
            Waited::Answer(Err(WaitError::Timeout)) | Waited::TimedOut => Err(timed_out()),
            Waited::Cancelled | Waited::TakenOver | Waited::Answer(Err(WaitError::Stopped)) => {
                Err(cancelled())
            }
        }
    }

    fn show_page(&self, page: &str) -> Result<(), Failure> {
        if self.args.no_browser {
            return Ok(self.world.output.data(&format!("{page}\n"))?);
        }
        let is_open = open_browser(self.world, page);
        self.world.output.note(if is_open {
            "sign in in the browser; if no page opened, open this one:"
        } else {
            "sign in by opening this page in a browser on this machine:"
        });
        self.world.output.raw_line(page);
        if !is_open && find_obstacle(self.world).is_some() {
            self.world.output.note("if the browser is on another machine: hatbox login --session --remote");
        }
        Ok(())
    }

    /// Lets the user copy a text from the browser of another machine and paste it here.
    fn by_pasting(&self) -> Result<(Zeroizing<String>, String), Failure> {
        let redirect = render_confirmation_url(self.base);
        let page = self.page(Device::Other, &redirect);
        if self.args.no_browser {
            self.world.output.data(&format!("{page}\n"))?;
        } else {
            self.world.output.note(
                "open this page in a browser on any machine, sign in, and paste the code that it shows:",
            );
            self.world.output.raw_line(&page);
        }
        let question =
            Question { text: "Code: ", echo: Echo::Hidden, timeout: self.patience, is_over: &|| false };
        loop {
            let pasted = match self.world.prompter().ask_line(&question) {
                Ok(pasted) => pasted,
                Err(PromptError::Cancelled) => return Err(cancelled()),
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
                Ok(answer) => return Ok((code_of(answer)?, redirect)),
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
            Err(failure)
        }
    }
}

fn cancelled() -> Failure {
    Failure::new(FailureKind::Cancelled, "the sign-in was cancelled")
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

fn session_of(
    tokens: LoginTokens,
    identity: &LoginIdentity,
    device: Device,
    key: DpopKey,
    region: &Region,
) -> LoginSession {
    LoginSession {
        credentials: tokens.credentials,
        account: Some(identity.account.clone()),
        client_id: device.client_id().to_owned(),
        refresh_token: tokens.refresh_token,
        key,
        region: Some(region.clone()),
    }
}

/// Writes the file, under the lock that keeps other hatbox processes from refreshing the old session.
fn save(
    world: &World,
    identity: &LoginIdentity,
    session: &LoginSession,
    tokens: &LoginTokens,
) -> Result<(), Failure> {
    let cache = LoginCache::of_session(world, &identity.arn);
    let path = lock_path(&world.dirs.locks(), "login", cache.identity().as_os_str().as_encoded_bytes());
    let words = format!("the login session of {}", identity.arn);
    let wanted =
        Wanted { path: &path, patience: LOCK_PATIENCE, held_for: &words, seal: None, taken_from: None };
    let _held = wait_for_lock(world, &wanted)?;
    // An unreadable file has nothing worth keeping.
    let old = cache.load().ok().flatten();
    cache.save(session, old.as_ref(), tokens.id_token.as_ref())
}
