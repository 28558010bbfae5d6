//! Combines flags and environment variables into a request. Asks nothing, and reads no file except a policy that a flag
//! names.

use std::time::Duration;

use hatbox_core::cache::DEFAULT_MIN_TTL;
use hatbox_core::config::overrides::{Flags, Overrides};
use hatbox_core::plan::LastRole;
use hatbox_types::duration::parse_duration;
use hatbox_types::name::ProfileName;
use hatbox_types::secret::MfaCode;

use super::last_role::load_last_role;
use crate::args::{GlobalArgs, SessionArgs};
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::world::environment::Environment;
use crate::world::settings::Settings;

/// Which sessions are requested, and how to obtain them.
#[derive(Debug, Clone)]
pub(crate) struct SessionRequest {
    pub(crate) overrides: Overrides,
    pub(crate) use_sessions: bool,
    pub(crate) fresh: bool,
    pub(crate) min_ttl: Duration,
    /// The flags for the last role.
    pub(crate) last_role: LastRole,
    /// `--mfa-token`.
    pub(crate) mfa_code: Option<MfaCode>,
    /// The value of `--prompt` or its variables, unparsed: it matters only if a code is needed.
    pub(crate) prompt: Option<(&'static str, String)>,
}

/// Resolves the flags and variables about sessions.
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
            Failure::new(FailureKind::Usage, format!("invalid `{origin}` `{text}`: {error}"))
        })?,
    };
    let mfa_code = args
        .mfa_token
        .as_deref()
        .map(MfaCode::parse)
        .transpose()
        .map_err(|error| Failure::new(FailureKind::Usage, format!("invalid `--mfa-token`: {error}")))?;
    Ok(SessionRequest {
        overrides: Overrides::from_env(flags, |name| environment.text(name)),
        use_sessions: !args.no_session,
        fresh: args.fresh,
        min_ttl,
        last_role: load_last_role(args)?,
        mfa_code,
        prompt: global
            .prompt
            .clone()
            .map(|name| ("--prompt", name))
            .or_else(|| environment.first(env_names::PROMPT)),
    })
}

/// What asks for an MFA code, or computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptDriver {
    /// hatbox itself, on the terminal device.
    Terminal,
    /// No question: hatbox computes the code from a stored TOTP seed.
    Stored,
    /// A YubiKey, through `ykman`.
    Ykman,
    /// 1Password, through `op`.
    Op,
    /// pass, with the extension pass-otp.
    Pass,
    /// Bitwarden, through the unofficial client `rbw`.
    Rbw,
    /// Bitwarden, through its own client `bw`.
    Bw,
    /// A window of GnuPG's `pinentry`.
    Pinentry,
    /// A window of GNOME's `zenity`.
    Zenity,
    /// A window of KDE's `kdialog`.
    Kdialog,
    /// A window, opened through macOS's `osascript`.
    Osascript,
}

impl PromptDriver {
    /// The program to run; `None` if hatbox asks or computes the code itself.
    pub(crate) fn program(self) -> Option<&'static str> {
        match self {
            Self::Terminal | Self::Stored => None,
            Self::Ykman => Some("ykman"),
            Self::Op => Some("op"),
            Self::Pass => Some("pass"),
            Self::Rbw => Some("rbw"),
            Self::Bw => Some("bw"),
            Self::Pinentry => Some("pinentry"),
            Self::Zenity => Some("zenity"),
            Self::Kdialog => Some("kdialog"),
            Self::Osascript => Some("osascript"),
        }
    }

    pub(crate) const ALL: [Self; 11] = [
        Self::Terminal,
        Self::Stored,
        Self::Ykman,
        Self::Op,
        Self::Pass,
        Self::Rbw,
        Self::Bw,
        Self::Pinentry,
        Self::Zenity,
        Self::Kdialog,
        Self::Osascript,
    ];

    /// The name in flags and settings: the program's name, if there is one.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Stored => "stored",
            other => other.program().unwrap_or_default(),
        }
    }

    /// Finds the driver with this name.
    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|driver| driver.as_str() == name)
    }

    /// Whether it stores the devices under names.
    pub(crate) fn has_items(self) -> bool {
        matches!(self, Self::Ykman | Self::Op | Self::Pass | Self::Rbw | Self::Bw)
    }

    /// Whether it asks in a window.
    pub(crate) fn needs_desktop(self) -> bool {
        matches!(self, Self::Zenity | Self::Kdialog | Self::Osascript)
    }
}

/// The source of MFA codes as the user set it: `op` or `op:ITEM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) driver: PromptDriver,
    /// The name of the device in the program; `None` for its serial number.
    pub(crate) item: Option<String>,
}

/// Resolves the source of MFA codes from the flag, variable or settings. `None` means a stored seed if there is one,
/// else the terminal.
pub(crate) fn resolve_prompt(
    said: Option<&(&'static str, String)>,
    settings: &Settings,
) -> Result<Option<Prompt>, Failure> {
    let (origin, text) = match (said, &settings.prompt) {
        (Some((origin, text)), _) => (*origin, text),
        (None, Some(text)) => ("the setting `prompt`", text),
        (None, None) => return Ok(None),
    };
    let usage = |text: String| Failure::new(FailureKind::Usage, text);
    let (name, item) = match text.split_once(':') {
        Some((name, item)) => (name, Some(item)),
        None => (text.as_str(), None),
    };
    let Some(driver) = PromptDriver::parse(name) else {
        return Err(usage(format!("unknown prompt `{}` (from {origin})", name.escape_debug()))
            .hint(
                "expected terminal, stored, ykman, op, pass, rbw, bw, pinentry, zenity, kdialog or osascript",
            )
            .hint(
                "for another program set `mfa_process` in the profile to the command that prints the code",
            ));
    };
    // Security: the program would parse a name that begins with `-` as an option.
    let is_bad = |item: &str| {
        !driver.has_items() || item.is_empty() || item.starts_with('-') || item.chars().any(char::is_control)
    };
    if item.is_some_and(is_bad) {
        return Err(usage(format!("invalid prompt `{}` (from {origin})", text.escape_debug()))
            .hint("only ykman, op, pass, rbw and bw take the name of an item, as in `op:ITEM`; it does not begin with `-`"));
    }
    Ok(Some(Prompt { driver, item: item.map(str::to_owned) }))
}

/// Returns the profile of a command: the argument, or else `AWS_PROFILE`.
pub(crate) fn resolve_profile_name(
    argument: Option<&str>,
    environment: &Environment,
) -> Result<ProfileName, Failure> {
    let named = match argument {
        Some(name) => Some(("the argument", name.to_owned())),
        None => environment.text("AWS_PROFILE").map(|name| ("AWS_PROFILE", name)),
    };
    let Some((origin, name)) = named else {
        return Err(Failure::new(FailureKind::Usage, "no profile given").hint(
            "name a profile or set AWS_PROFILE; `hatbox list` shows the profiles, `hatbox add NAME` creates one",
        ));
    };
    ProfileName::parse(&name).map_err(|error| {
        Failure::new(
            FailureKind::Usage,
            format!("invalid profile name `{}` (from {origin}): {error}", name.escape_debug()),
        )
    })
}
