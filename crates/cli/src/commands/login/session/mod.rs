//! `hatbox login --session`: signs in like `aws login`, and saves the session for the AWS CLI and the SDKs.

use std::time::Duration;

use hatbox_core::config::edit::Change;
use hatbox_core::config::overrides::{Flags, Overrides};
use hatbox_core::config::profile::{Endpoint, Profile};
use hatbox_core::config::{Origin, SectionKind, Which, resolve_profile};
use hatbox_core::login::authorize::{Device, LoginIdentity};
use hatbox_types::name::{ProfileName, Region};
use hatbox_types::text::shell::quote_word;

use crate::args::{GlobalArgs, LoginArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::ask::waiting::{Wanted, lock_path, wait_for_lock};
use crate::credentials::login_sign_in::{LoggedIn, LoginOptions, LoginPlace, sign_in};
use crate::credentials::request::resolve_profile_name;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::files::login_cache::LoginCache;
use crate::keys::KeyStore;
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
    let options = LoginOptions {
        device: if args.remote { Device::Other } else { Device::Same },
        redirect_port: args.redirect_port,
        is_browser_left_alone: args.no_browser,
        patience: shortened(&world.environment, world.settings()?.prompt_timeout() * PROMPTS),
    };
    let place = LoginPlace { profile: &target.name, region: &target.region, endpoint: &endpoint };
    // Whoever runs this command is asked: no other process takes the question over.
    let Some(signed_in) = sign_in(world, &place, &options, &|| false)? else {
        return Err(Failure::new(FailureKind::Cancelled, "the sign-in was cancelled"));
    };
    target.confirm_other_identity(world, &signed_in.identity)?;
    save(world, &signed_in)?;
    let identity = &signed_in.identity;
    target.save(world, identity)?;
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

/// Writes the file, under the lock that keeps other hatbox processes from refreshing the old session.
fn save(world: &World, signed_in: &LoggedIn) -> Result<(), Failure> {
    let LoggedIn { identity, session, id_token } = signed_in;
    let cache = LoginCache::of_session(world, &identity.arn);
    let path = lock_path(&world.dirs.locks(), "login", cache.identity().as_os_str().as_encoded_bytes());
    let words = format!("the login session of {}", identity.arn);
    let wanted =
        Wanted { path: &path, patience: LOCK_PATIENCE, held_for: &words, seal: None, taken_from: None };
    let _held = wait_for_lock(world, &wanted)?;
    // An unreadable file has nothing worth keeping.
    let old = cache.load().ok().flatten();
    cache.save(session, old.as_ref(), id_token.as_ref())
}
