//! Flags and environment, put together: what is asked for. Pure: no file is read and nobody is asked.

use std::path::PathBuf;
use std::time::Duration;

use hatbox_core::cache::DEFAULT_MIN_TTL;
use hatbox_core::config::overrides::{Flags, Overrides};
use hatbox_types::duration::parse_duration;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::{MfaCode, SecretString};

use crate::args::{GlobalArgs, SessionArgs};
use crate::env_names;
use crate::report::{Failure, FailureKind};
use crate::store::StoreKind;
use crate::world::environment::Environment;

/// Which store, and how to unlock it.
#[derive(Debug)]
pub(crate) struct StoreRequest {
    /// With the flag or variable that says so. `None`: what the settings file says, else the first write
    /// chooses.
    pub(crate) kind: Option<(StoreKind, &'static str)>,
    pub(crate) file_dir: Option<PathBuf>,
    /// `None`: what the settings file says, else the terminal.
    pub(crate) passphrase: Option<PassphraseSource>,
    /// `None`: what the settings file says.
    pub(crate) unlock_for: Option<Duration>,
}

/// A passphrase that is at hand without a person.
#[derive(Debug)]
pub(crate) enum PassphraseSource {
    /// `--passphrase-fd`, `HATBOX_PASSPHRASE_FD`.
    Descriptor(i32),
    /// A variable, by name.
    Variable(&'static str, SecretString),
    /// `passphrase_command` of the settings.
    Command(String),
    /// What one of them gave, once it was asked: no source is asked twice.
    Read {
        /// The source's name in messages.
        source: String,
        /// The passphrase.
        text: SecretString,
    },
}

impl PassphraseSource {
    /// Its name in messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Descriptor(number) => format!("descriptor {number}"),
            Self::Variable(name, _) => (*name).to_owned(),
            Self::Command(_) => "`passphrase_command`".to_owned(),
            Self::Read { source, .. } => source.clone(),
        }
    }
}

/// Which sessions, and how to get them.
#[derive(Debug, Clone)]
pub(crate) struct SessionRequest {
    pub(crate) overrides: Overrides,
    pub(crate) use_sessions: bool,
    pub(crate) fresh: bool,
    pub(crate) min_ttl: Duration,
    /// `--mfa-token`.
    pub(crate) mfa_code: Option<MfaCode>,
    /// `--prompt` or its variables, as said: only who asks for a code needs to know.
    pub(crate) prompt: Option<(&'static str, String)>,
}

/// Flags and environment about the store.
pub(crate) fn resolve_store(global: &GlobalArgs, environment: &Environment) -> Result<StoreRequest, Failure> {
    let named = match &global.backend {
        Some(name) => Some(("--backend", name.clone())),
        None => environment.first(env_names::BACKEND),
    };
    let kind = match named {
        // aws-vault's variable, with a backend of aws-vault's: said of another store than ours.
        None | Some(("AWS_VAULT_BACKEND", _)) => None,
        Some((origin, name)) => Some((parse_kind(&name, origin)?, origin)),
    };
    let descriptor = match global.passphrase_fd {
        Some(number) => Some(number),
        None => match environment.first(env_names::PASSPHRASE_FD) {
            None => None,
            Some((name, text)) => Some(text.parse().map_err(|_| {
                Failure::new(FailureKind::Usage, format!("{name} is no descriptor's number: `{text}`"))
            })?),
        },
    };
    if let Some(number) = descriptor.filter(|number| *number < 0) {
        return Err(Failure::new(FailureKind::Usage, format!("`{number}` is no descriptor's number")));
    }
    let passphrase = match descriptor {
        Some(number) => Some(PassphraseSource::Descriptor(number)),
        // Set and empty is a mistake to be told of, not a variable that is unset: see `store::file`.
        None => passphrase_of_environment(environment)?,
    };
    let file_dir = global
        .file_dir
        .clone()
        .or_else(|| environment.text(env_names::FILE_DIR.0).map(PathBuf::from))
        .map(|dir| std::path::absolute(&dir).unwrap_or(dir));
    let unlock_for = match &global.unlock_for {
        None => None,
        Some(text) => Some(parse_duration(text).map_err(|error| {
            Failure::new(FailureKind::Usage, format!("`--unlock-for {text}` is no duration: {error}"))
        })?),
    };
    Ok(StoreRequest { kind, file_dir, passphrase, unlock_for })
}

/// The backend named `name`, in `origin`.
pub(crate) fn parse_kind(name: &str, origin: &str) -> Result<StoreKind, Failure> {
    StoreKind::parse(name).ok_or_else(|| {
        let known: Vec<_> = StoreKind::ALL.into_iter().filter(|kind| kind.is_built()).collect();
        let known: Vec<_> = known.iter().map(|kind| format!("`{kind}`")).collect();
        Failure::new(
            FailureKind::Usage,
            format!("there is no backend `{}` (from {origin})", name.escape_debug()),
        )
        .hint(format!("this build has {}", known.join(", ")))
        .hint("`hatbox store status` shows which of them can be used here")
    })
}

fn passphrase_of_environment(environment: &Environment) -> Result<Option<PassphraseSource>, Failure> {
    let (ours, theirs) = env_names::FILE_PASSPHRASE;
    let found =
        [Some(ours), theirs].into_iter().flatten().find_map(|name| Some((name, environment.raw(name)?)));
    let Some((name, value)) = found else { return Ok(None) };
    let text = value
        .to_str()
        .ok_or_else(|| Failure::new(FailureKind::Usage, format!("the passphrase in {name} is not UTF-8")))?;
    Ok(Some(PassphraseSource::Variable(name, SecretString::new(text.to_owned()))))
}

/// Flags and environment about sessions.
pub(crate) fn resolve_session(
    global: &GlobalArgs,
    args: &SessionArgs,
    environment: &Environment,
) -> Result<SessionRequest, Failure> {
    let flags = Flags { region: args.region.clone(), duration: args.duration.clone() };
    let min_ttl = match &args.min_ttl {
        Some(text) => Some(("--min-ttl", text.clone())),
        None => environment.text("AWS_MIN_TTL").map(|text| ("AWS_MIN_TTL", text)),
    };
    let min_ttl = match min_ttl {
        None => DEFAULT_MIN_TTL,
        Some((origin, text)) => parse_duration(&text).map_err(|error| {
            Failure::new(FailureKind::Usage, format!("`{text}` of {origin} is no duration: {error}"))
        })?,
    };
    let mfa_code = args
        .mfa_token
        .as_deref()
        .map(MfaCode::parse)
        .transpose()
        .map_err(|error| Failure::new(FailureKind::Usage, format!("`--mfa-token`: {error}")))?;
    Ok(SessionRequest {
        overrides: Overrides::from_env(flags, |name| environment.text(name)),
        use_sessions: !args.no_session,
        fresh: args.fresh,
        min_ttl,
        mfa_code,
        prompt: global
            .prompt
            .clone()
            .map(|name| ("--prompt", name))
            .or_else(|| environment.first(env_names::PROMPT)),
    })
}

/// Who asks the person for an MFA code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptDriver {
    /// hatbox, on the terminal device.
    Terminal,
    /// A YubiKey, by its own program.
    Ykman,
    /// A window, by GNOME's program.
    Zenity,
    /// A window, by KDE's program.
    Kdialog,
    /// A window, by macOS's program.
    Osascript,
}

impl PromptDriver {
    /// The program that asks; `None`: hatbox itself.
    pub(crate) fn program(self) -> Option<&'static str> {
        match self {
            Self::Terminal => None,
            Self::Ykman => Some("ykman"),
            Self::Zenity => Some("zenity"),
            Self::Kdialog => Some("kdialog"),
            Self::Osascript => Some("osascript"),
        }
    }

    /// Whether it asks by a window.
    pub(crate) fn needs_desktop(self) -> bool {
        matches!(self, Self::Zenity | Self::Kdialog | Self::Osascript)
    }
}

/// The driver that was said: the terminal unless another was named.
pub(crate) fn resolve_prompt(said: Option<&(&'static str, String)>) -> Result<PromptDriver, Failure> {
    let Some((origin, name)) = said else { return Ok(PromptDriver::Terminal) };
    match name.as_str() {
        "terminal" => Ok(PromptDriver::Terminal),
        "ykman" => Ok(PromptDriver::Ykman),
        "zenity" => Ok(PromptDriver::Zenity),
        "kdialog" => Ok(PromptDriver::Kdialog),
        "osascript" => Ok(PromptDriver::Osascript),
        _ => Err(Failure::new(
            FailureKind::Usage,
            format!("there is no prompt `{}` (from {origin})", name.escape_debug()),
        )
        .hint("there are terminal, ykman, zenity, kdialog and osascript")
        .hint("for another program set `mfa_process` in the profile to the command that prints the code")),
    }
}

/// The profile of a command: the argument, else `AWS_PROFILE`.
pub(crate) fn resolve_profile_name(
    argument: Option<&str>,
    environment: &Environment,
) -> Result<ProfileName, Failure> {
    let named = match argument {
        Some(name) => Some(("the argument", name.to_owned())),
        None => environment.text("AWS_PROFILE").map(|name| ("AWS_PROFILE", name)),
    };
    let Some((origin, name)) = named else {
        return Err(Failure::new(FailureKind::Usage, "no profile is named").hint(
            "name one, or set AWS_PROFILE; `hatbox list` shows them, `hatbox add NAME` makes the first",
        ));
    };
    ProfileName::parse(&name).map_err(|error| {
        Failure::new(
            FailureKind::Usage,
            format!("{origin} names no profile: `{}` {error}", name.escape_debug()),
        )
    })
}
