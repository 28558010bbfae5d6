//! `hatbox add`: stores a user's access key.

mod check;

use std::io::BufRead;

use hatbox_core::config::edit::Change;
use hatbox_core::config::header::SectionKind;
use hatbox_types::key_shape::{KeyOrigin, KeyShapeError, check_id, parse_long_lived_key};
use hatbox_types::name::{AccessKeyId, MfaSerial, ProfileName, Region};
use hatbox_types::secret::{AccessKey, AccessKeyError, SecretString};
use hatbox_types::text;
use hatbox_types::text::shell::quote_word;
use zeroize::Zeroizing;

use self::check::{Device, NewKey};
use crate::args::{AddArgs, GlobalArgs};
use crate::ask::confirm::{Confirmation, ask_yes_or_no};
use crate::ask::passphrase::Interaction;
use crate::credentials::request::resolve_profile_name;
use crate::errors::{Failure, FailureKind};
use crate::files::aws_config::{ConfigFiles, load_config};
use crate::keys::KeyStore;
use crate::output::CalledAs;
use crate::prompt::{Echo, PromptError, Question};
use crate::world::World;

/// The session token beside a temporary key; the second name is boto's.
const TOKENS: [&str; 2] = ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"];

/// In bytes, more than an id and a secret can have.
const STDIN_LIMIT: u64 = 4096;

pub(crate) fn run(world: &World, global: &GlobalArgs, args: &AddArgs) -> Result<(), Failure> {
    let profile = resolve_profile_name(Some(&args.profile), &world.environment)?;
    let mut settings = check_settings(args)?;
    let mut store = KeyStore::open(world, global)?;
    let files = load_config(world)?;
    // Check before anything is typed whether a key is stored already, and whether the section can be added to the
    // config.
    let index = store.index(Interaction::Allowed)?;
    let is_new = index.find(&profile).is_none();
    let timeout = world.settings()?.prompt_timeout();
    let asking = Questions { world, timeout };
    if let Some(stored) = index.find(&profile).filter(|_| !args.force) {
        asking
            .confirm_replacing(&format!("`{profile}` already has the access key {}", stored.id.masked()))?;
    }
    let origin = if args.any_key { KeyOrigin::Any } else { KeyOrigin::Aws };
    let key = if args.env {
        key_of_environment(world, origin)?
    } else if args.stdin {
        key_of_stdin(origin)?
    } else {
        let key = asking.ask_key(&profile, origin)?;
        let new = NewKey { global, files: &files, index: &index, profile: &profile, key: &key };
        asking.ask_settings(args, &new, &mut settings)?;
        key
    };
    store.save_key(&profile, &key)?;
    if !args.no_add_config {
        save_settings(world, &files, &profile, settings)?;
    }
    print_done(
        world,
        &format!("stored the access key {} of profile `{profile}`", key.id.masked()),
        &format!("Added credentials to profile \"{profile}\" in vault\n"),
    )?;
    let sessions = store.sessions(Interaction::Allowed)?;
    let cleared = sessions.delete_of_profile(&profile)?;
    // Scripts pass `--no-add-config`.
    if is_new && !args.no_add_config && world.output.called_as() == CalledAs::Hatbox {
        let name = quote_word(profile.as_str());
        world.output.note(&format!("try it: hatbox exec {name} -- aws sts get-caller-identity"));
    }
    if cleared > 0 {
        print_done(
            world,
            &format!("deleted {} of the profile", text::count(cleared, "cached session")),
            &format!("Deleted {cleared} existing sessions.\n"),
        )?;
    }
    Ok(())
}

/// Prints what was done: to stderr, or to stdout in aws-vault's words.
fn print_done(world: &World, done: &str, as_aws_vault: &str) -> Result<(), Failure> {
    match world.output.called_as() {
        CalledAs::AwsVault => world.output.data(as_aws_vault)?,
        CalledAs::Hatbox => world.output.note(done),
    }
    Ok(())
}

/// Checks the settings given by flags.
fn check_settings(args: &AddArgs) -> Result<Vec<(&'static str, String)>, Failure> {
    let usage = |text: String| Failure::new(FailureKind::Usage, text);
    let mut settings = Vec::new();
    if let Some(serial) = &args.mfa_serial {
        let serial = MfaSerial::parse(serial)
            .map_err(|error| usage(format!("invalid `--mfa-serial` `{}`: {error}", serial.escape_debug())))?;
        settings.push(("mfa_serial", serial.as_str().to_owned()));
    }
    if let Some(region) = &args.region {
        let region = Region::parse(region)
            .map_err(|error| usage(format!("invalid `--region` `{}`: {error}", region.escape_debug())))?;
        settings.push(("region", region.as_str().to_owned()));
    }
    Ok(settings)
}

/// Whether the config or environment sets an MFA device, and a region, for `profile`.
fn has_serial_and_region(world: &World, files: &ConfigFiles, profile: &ProfileName) -> (bool, bool) {
    use hatbox_core::config::overrides::{Flags, Overrides};
    use hatbox_core::config::resolve::{Which, resolve_profile};
    let overrides = Overrides::from_env(Flags::default(), |name| world.environment.text(name));
    match resolve_profile(&files.config, profile, &overrides, Which::Source) {
        Ok(resolved) => (resolved.mfa_serial.is_some(), resolved.region.is_some()),
        Err(_) => (false, false),
    }
}

fn save_settings(
    world: &World,
    files: &ConfigFiles,
    profile: &ProfileName,
    settings: Vec<(&'static str, String)>,
) -> Result<(), Failure> {
    if settings.is_empty() && files.config.defined_at(profile).is_some() {
        return Ok(());
    }
    let changes: Vec<_> =
        settings.into_iter().map(|(key, value)| Change::Set { key: key.to_owned(), value }).collect();
    let is_new =
        files.save_section(world, SectionKind::Profile, profile.as_str(), &changes).map_err(|failure| {
            failure.hint(format!("the access key is stored; add the settings of [profile {profile}] by hand"))
        })?;
    let shown = files.shown(hatbox_core::config::origin::FileKind::Config);
    let verb = if is_new { "added" } else { "changed" };
    world.output.note(&format!("{verb} [profile {profile}] in {shown}"));
    Ok(())
}

fn key_of_environment(world: &World, origin: KeyOrigin) -> Result<AccessKey, Failure> {
    if let Some(token) = TOKENS.into_iter().find(|name| world.environment.text(name).is_some()) {
        return Err(Failure::new(
            FailureKind::Usage,
            format!("{token} is set: the key beside it is temporary and expires"),
        )
        .hint("store a long-lived access key: leave the shell of `exec` first, or use `exec --no-session`")
        .hint(format!("or `unset {token}` if it is left over from other credentials")));
    }
    let text = |name| {
        world
            .environment
            .text(name)
            .ok_or_else(|| Failure::new(FailureKind::Usage, format!("--env needs {name}, which is not set")))
    };
    let secret = SecretString::new(text("AWS_SECRET_ACCESS_KEY")?);
    parse_long_lived_key(&text("AWS_ACCESS_KEY_ID")?, secret.expose(), origin)
        .map_err(|error| failure_of_shape(&error))
}

fn failure_of_shape(error: &KeyShapeError) -> Failure {
    Failure::of_error(FailureKind::Usage, error).hint(error.hint())
}

fn key_of_stdin(origin: KeyOrigin) -> Result<AccessKey, Failure> {
    use std::io::Read;
    let unreadable = |error: std::io::Error| {
        Failure::new(FailureKind::Usage, "could not read the access key from standard input")
            .caused_by(&error)
    };
    let mut input = std::io::BufReader::new(std::io::stdin().lock().take(STDIN_LIMIT));
    let mut lines =
        [Zeroizing::new(String::with_capacity(4096)), Zeroizing::new(String::with_capacity(4096))];
    for line in &mut lines {
        input.read_line(line).map_err(unreadable)?;
    }
    let [id, secret] = &lines;
    parse_long_lived_key(id.trim(), secret.trim(), origin).map_err(|error| {
        failure_of_shape(&error)
            .hint("standard input must hold two lines: the access key id, then the secret access key")
    })
}

/// Asks the user for values.
struct Questions<'w> {
    world: &'w World,
    timeout: std::time::Duration,
}

impl Questions<'_> {
    fn ask(&self, text: &str, echo: Echo) -> Result<SecretString, Failure> {
        let question = Question { text, echo, timeout: self.timeout, is_over: &|| false };
        self.world.prompter().ask_line(&question).map_err(|error| match error {
            PromptError::Cancelled => Failure::new(FailureKind::Cancelled, "cancelled: nothing was stored"),
            other => Failure::new(FailureKind::NeedsPerson, "could not ask for the access key")
                .caused_by(&other)
                .hint("pass it in variables (--env) or on standard input (--stdin)"),
        })
    }

    fn confirm_replacing(&self, stored: &str) -> Result<(), Failure> {
        let question = Confirmation {
            text: &format!("{stored}. Replace it? (y|N) "),
            because: Some(stored),
            hint: "run it on a terminal, or add --force",
            timeout: self.timeout,
        };
        if ask_yes_or_no(self.world, &question)? {
            return Ok(());
        }
        Err(Failure::new(FailureKind::Failed, "nothing was stored: the existing key is unchanged"))
    }

    /// Asks for the id and the secret until both are well-formed.
    fn ask_key(&self, profile: &ProfileName, origin: KeyOrigin) -> Result<AccessKey, Failure> {
        let prompter = self.world.prompter();
        let check_id = |id: &str| match origin {
            KeyOrigin::Aws => check_id(id),
            KeyOrigin::Any => AccessKeyId::parse(id).map(drop).map_err(|e| AccessKeyError::Id(e).into()),
        };
        let id = loop {
            let id = self.ask(&format!("Access key id for `{profile}`: "), Echo::Shown)?;
            let id = SecretString::new(id.expose().trim().to_owned());
            match check_id(id.expose()) {
                Ok(()) => break id,
                Err(error) => prompter.reject(&render_reason(&error)),
            }
        };
        loop {
            let secret = self.ask("Secret access key (not shown): ", Echo::Hidden)?;
            match parse_long_lived_key(id.expose(), secret.expose().trim(), origin) {
                Ok(key) => return Ok(key),
                Err(error) => prompter.reject(&render_reason(&error)),
            }
        }
    }

    /// Offers to check the key, and asks for the settings of the profile that no flag or file sets.
    fn ask_settings(
        &self,
        args: &AddArgs,
        new: &NewKey<'_>,
        settings: &mut Vec<(&'static str, String)>,
    ) -> Result<(), Failure> {
        let is_hatbox = self.world.output.called_as() == CalledAs::Hatbox;
        let (has_serial, has_region) = has_serial_and_region(self.world, new.files, new.profile);
        let is_set = |settings: &[(&str, String)], name| settings.iter().any(|(set, _)| *set == name);
        let wants_serial = !args.no_add_config && !has_serial && !is_set(settings, "mfa_serial");
        let device = if is_hatbox && !args.no_check && !args.any_key {
            self.check_key(new, wants_serial)?
        } else {
            Device::Unknown
        };
        if args.no_add_config {
            return Ok(());
        }
        if wants_serial {
            let serial = match device {
                Device::Decided(serial) => serial.map(|serial| serial.as_str().to_owned()),
                Device::Unknown => self.ask_mfa_serial()?,
            };
            settings.extend(serial.map(|serial| ("mfa_serial", serial)));
        }
        if is_hatbox && !has_region && !is_set(settings, "region") {
            settings.extend(self.ask_region()?.map(|region| ("region", region)));
        }
        Ok(())
    }

    fn ask_region(&self) -> Result<Option<String>, Failure> {
        loop {
            let answer = self.ask("Region (such as eu-west-1, Enter for none): ", Echo::Shown)?;
            let text = answer.expose().trim();
            if text.is_empty() {
                return Ok(None);
            }
            match Region::parse(text) {
                Ok(region) => return Ok(Some(region.as_str().to_owned())),
                Err(error) => self.world.prompter().reject(&format!("Invalid region: {error}.")),
            }
        }
    }

    fn ask_mfa_serial(&self) -> Result<Option<String>, Failure> {
        loop {
            let answer =
                self.ask("MFA device (arn:aws:iam::ACCOUNT:mfa/NAME, Enter for none): ", Echo::Shown)?;
            let text = answer.expose().trim();
            if text.is_empty() {
                return Ok(None);
            }
            match MfaSerial::parse(text) {
                Ok(serial) if serial.is_user_arn() => {
                    self.world
                        .prompter()
                        .reject("This is the ARN of a user: expected `arn:aws:iam::ACCOUNT:mfa/NAME`.");
                }
                Ok(serial) => return Ok(Some(serial.as_str().to_owned())),
                Err(error) => self.world.prompter().reject(&format!("Invalid MFA device: {error}.")),
            }
        }
    }
}

/// Renders the reason as a sentence, with advice.
fn render_reason(error: &KeyShapeError) -> String {
    let sentence = |text: String| {
        let mut chars = text.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).chain(['.']).collect::<String>()
    };
    format!("{} {}", sentence(error.to_string()), sentence(error.hint().to_owned()))
}
