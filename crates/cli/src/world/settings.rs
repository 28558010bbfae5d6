//! hatbox's own settings file, `~/.config/hatbox/config.toml`: its values, and whether it is trusted.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_types::duration::parse_duration;
use serde::Deserialize;

use crate::errors::{Failure, FailureKind};
use crate::store::StoreKind;
use crate::sys::access::{Ownership, open_unblocked};

/// How long the store stays unlocked after its last use.
const UNLOCK_TIMEOUT: Duration = Duration::from_mins(15);
/// The maximum time that the store stays unlocked, however often it is used.
const UNLOCK_MAX: Duration = Duration::from_hours(12);
const PROMPT_TIMEOUT: Duration = Duration::from_mins(2);

/// Limit in bytes of the settings file.
const LIMIT: u64 = 16 << 20;

/// The values of the settings file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) backend: Option<StoreKind>,
    /// The backend for TOTP seeds, if not that of the access keys.
    pub(crate) seed_backend: Option<StoreKind>,
    /// The source of MFA codes, with the values of `--prompt`.
    pub(crate) prompt: Option<String>,
    pub(crate) file_dir: Option<PathBuf>,
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) passphrase_command: Option<String>,
    pub(crate) pass_dir: Option<PathBuf>,
    pub(crate) pass_command: Option<PathBuf>,
    pub(crate) passage_dir: Option<PathBuf>,
    pub(crate) passage_command: Option<PathBuf>,
    pub(crate) pass_prefix: Option<String>,
    pub(crate) store_command: Option<String>,
    pub(crate) unlock_cache: UnlockCache,
    pub(crate) isolate_child: bool,
    /// The commands that open a page, as in `BROWSER`.
    pub(crate) browser: Option<String>,
    /// How consoles of different profiles are kept apart.
    pub(crate) console_isolation: ConsoleIsolation,
    /// Whether tokens of Identity Center are also saved in `~/.aws/sso/cache`.
    pub(crate) share_sso_cache: bool,
    /// Whether coding agents get read-only sessions for every profile that does not say otherwise.
    pub(crate) read_only_for_agents: bool,
    /// Which uses of profiles are recorded in the audit log.
    pub(crate) audit_log: AuditSetting,
    /// Where users and roles are defined, for `hatbox trust` and for the diagnosis of denied calls.
    pub(crate) trust_sources: Vec<PathBuf>,
    /// The fingerprint that the identity of the `file` store must have.
    pub(crate) store_identity: Option<String>,
    unlock_timeout: Option<Duration>,
    unlock_max: Option<Duration>,
    prompt_timeout: Option<Duration>,
}

/// Where the unlocked state is kept between commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnlockCache {
    /// Only in the kernel keyring.
    #[default]
    Keyring,
    /// In files of `XDG_RUNTIME_DIR`, if there is no kernel keyring.
    RuntimeDir,
}

/// How consoles of different profiles are kept apart in the browser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ConsoleIsolation {
    /// They are not.
    #[default]
    None,
    /// A Firefox container for each profile.
    FirefoxContainer,
    /// A profile of a Chromium-based browser for each.
    ChromiumProfile,
}

/// Which uses of profiles are recorded in the audit log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AuditSetting {
    /// Only uses with `--reason`.
    #[default]
    Off,
    /// All uses, if the log can be written.
    On,
    /// All uses; no credentials are handed over if the log cannot be written.
    Required,
}

/// The form on disk.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnDisk {
    backend: Option<StoreKind>,
    seed_backend: Option<StoreKind>,
    prompt: Option<String>,
    file_dir: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    passphrase_command: Option<String>,
    pass_dir: Option<PathBuf>,
    pass_command: Option<PathBuf>,
    passage_dir: Option<PathBuf>,
    passage_command: Option<PathBuf>,
    pass_prefix: Option<String>,
    store_command: Option<String>,
    unlock_cache: Option<UnlockCache>,
    isolate_child: Option<bool>,
    browser: Option<String>,
    console_isolation: Option<ConsoleIsolation>,
    share_sso_cache: Option<bool>,
    read_only_for_agents: Option<bool>,
    audit_log: Option<AuditSetting>,
    store_identity: Option<String>,
    unlock_timeout: Option<String>,
    unlock_max: Option<String>,
    prompt_timeout: Option<String>,
    trust: Option<TrustOnDisk>,
}

impl OnDisk {
    /// Returns a setting that only the user and root may make: which programs are run, where keys are stored and how
    /// they are protected. `None` if the file has none.
    fn decides(&self) -> Option<&'static str> {
        // No `..`: a new setting must be classified here.
        let Self {
            backend,
            seed_backend,
            prompt,
            file_dir,
            passphrase_file,
            passphrase_command,
            pass_dir,
            pass_command,
            passage_dir,
            passage_command,
            pass_prefix,
            store_command,
            unlock_cache,
            isolate_child,
            browser,
            console_isolation,
            share_sso_cache,
            read_only_for_agents,
            audit_log,
            store_identity,
            unlock_timeout,
            unlock_max,
            prompt_timeout: _,
            trust,
        } = self;
        let names_a_command = passphrase_command.is_some()
            || store_command.is_some()
            || pass_command.is_some()
            || passage_command.is_some()
            || prompt.is_some()
            || browser.is_some()
            || console_isolation.is_some();
        let says_where_keys_are = backend.is_some()
            || seed_backend.is_some()
            || file_dir.is_some()
            || passphrase_file.is_some()
            || pass_dir.is_some()
            || passage_dir.is_some()
            || pass_prefix.is_some()
            || store_identity.is_some();
        let says_how_long = unlock_cache.is_some()
            || isolate_child.is_some()
            || share_sso_cache.is_some()
            || read_only_for_agents.is_some()
            || audit_log.is_some()
            || unlock_timeout.is_some()
            || unlock_max.is_some();
        if names_a_command {
            Some("names a command to run")
        } else if says_where_keys_are {
            Some("says where keys are kept")
        } else if says_how_long {
            Some("says how keys are guarded")
        } else {
            trust.as_ref().map(|_| "names sources of `hatbox trust`")
        }
    }
}

/// The table `[trust]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustOnDisk {
    #[serde(default)]
    sources: Vec<PathBuf>,
}

impl Settings {
    /// Returns the shell commands, with the names of their settings.
    pub(crate) fn named_commands(&self) -> Vec<(&'static str, &str)> {
        [
            ("passphrase_command", self.passphrase_command.as_deref()),
            ("store_command", self.store_command.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, command)| Some((name, command?)))
        .collect()
    }

    pub(crate) fn unlock_timeout(&self) -> Duration {
        self.unlock_timeout.unwrap_or(UNLOCK_TIMEOUT)
    }

    pub(crate) fn unlock_max(&self) -> Duration {
        self.unlock_max.unwrap_or(UNLOCK_MAX)
    }

    pub(crate) fn prompt_timeout(&self) -> Duration {
        self.prompt_timeout.unwrap_or(PROMPT_TIMEOUT)
    }
}

/// Loads the settings. A missing file counts as empty.
pub(crate) fn load_settings(path: &Path) -> Result<Settings, Failure> {
    let failure = |text: String| Failure::new(FailureKind::Usage, text).at(path.display().to_string());
    let read = || {
        let file = open_unblocked(path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(std::io::Error::other("it is not a regular file"));
        }
        let ownership = Ownership::of(&file, &about);
        let mut text = String::new();
        // One byte more than allowed, to detect a file that is too large.
        file.take(LIMIT + 1).read_to_string(&mut text)?;
        Ok((text, ownership))
    };
    let (text, ownership) = match read() {
        Ok(read) => read,
        Err(error) if std::io::Error::kind(&error) == std::io::ErrorKind::NotFound => {
            return Ok(Settings::default());
        }
        Err(error) => return Err(failure("could not read hatbox's settings".to_owned()).caused_by(&error)),
    };
    if text.len() as u64 > LIMIT {
        return Err(failure(format!("hatbox's settings are larger than {} MB", LIMIT >> 20)));
    }
    let on_disk: OnDisk = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| 1 + text.get(..span.start).unwrap_or_default().matches('\n').count());
        let failure = Failure::new(FailureKind::Usage, format!("invalid settings: {}", error.message()))
            .at(format!("{}:{line}", path.display()));
        if toml::from_str::<toml::Table>(&text).is_ok() {
            failure.hint("if a newer version of hatbox reads this setting, update hatbox")
        } else {
            failure
        }
    })?;
    let duration = |name: &str, text: Option<String>| {
        text.map(|text| {
            parse_duration(&text)
                .map_err(|error| failure(format!("invalid duration in `{name} = \"{text}\"`: {error}")))
        })
        .transpose()
    };
    if let Some(what) = on_disk.decides() {
        check_trusted(ownership, &path.display().to_string(), what)?;
    }
    if let Some(prefix) = &on_disk.pass_prefix
        && !is_prefix(prefix)
    {
        return Err(failure(format!(
            "invalid `pass_prefix = \"{prefix}\"`: expected a directory name in the store"
        )));
    }
    if on_disk.passphrase_file.is_some() && on_disk.passphrase_command.is_some() {
        return Err(failure(
            "`passphrase_file` and `passphrase_command` are both set: keep one of them".to_owned(),
        ));
    }
    let trust_sources = on_disk.trust.unwrap_or_default().sources;
    if let Some(source) = trust_sources.iter().find(|source| !is_source(source)) {
        let source = source.display();
        return Err(failure(format!(
            "invalid source `{source}` in `[trust]`: expected an absolute path, `~/PATH` or `live:PROFILE`"
        )));
    }
    Ok(Settings {
        backend: on_disk.backend,
        seed_backend: on_disk.seed_backend,
        prompt: on_disk.prompt,
        file_dir: on_disk.file_dir,
        passphrase_file: on_disk.passphrase_file,
        passphrase_command: on_disk.passphrase_command,
        pass_dir: on_disk.pass_dir,
        pass_command: on_disk.pass_command,
        passage_dir: on_disk.passage_dir,
        passage_command: on_disk.passage_command,
        pass_prefix: on_disk.pass_prefix,
        store_command: on_disk.store_command,
        unlock_cache: on_disk.unlock_cache.unwrap_or_default(),
        isolate_child: on_disk.isolate_child.unwrap_or_default(),
        browser: on_disk.browser,
        console_isolation: on_disk.console_isolation.unwrap_or_default(),
        share_sso_cache: on_disk.share_sso_cache.unwrap_or_default(),
        read_only_for_agents: on_disk.read_only_for_agents.unwrap_or_default(),
        audit_log: on_disk.audit_log.unwrap_or_default(),
        trust_sources,
        store_identity: on_disk.store_identity,
        unlock_timeout: duration("unlock_timeout", on_disk.unlock_timeout)?,
        unlock_max: duration("unlock_max", on_disk.unlock_max)?,
        prompt_timeout: duration("prompt_timeout", on_disk.prompt_timeout)?,
    })
}

/// Returns whether a source is the same in every working directory: live IAM, or a path from `/` or `~`.
fn is_source(source: &Path) -> bool {
    let is_live = source.to_str().is_some_and(|text| text == "live" || text.starts_with("live:"));
    is_live || source.is_absolute() || source.starts_with("~")
}

/// Returns whether this names a directory inside a password store, does not lead out of it, and is not an option.
fn is_prefix(text: &str) -> bool {
    text.split('/').all(|part| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.chars().any(|c| c.is_control() || c == '\\')
    })
}

/// Rejects a file that names a command, unless it belongs to the user or root and no other user can write to it.
pub(crate) fn check_may_name_a_command(ownership: Ownership, shown: &str) -> Result<(), Failure> {
    check_trusted(ownership, shown, "names a command to run")
}

/// Rejects a file with another critical setting. `what` describes the setting.
fn check_trusted(ownership: Ownership, shown: &str, what: &str) -> Result<(), Failure> {
    ownership.check_trusted().map_err(|why| {
        let failure = Failure::new(FailureKind::Refused, format!("`{shown}` {what}, and {why}"));
        match why.hint(shown) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_file_has_the_usual_settings() {
        let settings = load_settings(Path::new("/nonexistent/config.toml")).unwrap();
        assert_eq!(settings.backend, None);
        assert_eq!(settings.unlock_timeout(), Duration::from_mins(15));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "# c\nbackend = \"file\"\nunlok_timeout = \"1h\"\n").unwrap();
        let failure = load_settings(&path).unwrap_err();
        assert!(failure.place.unwrap().ends_with("config.toml:3"), "{}", failure.error);
        std::fs::write(&path, "unlock_timeout = \"soon\"\n").unwrap();
        assert!(load_settings(&path).unwrap_err().error.contains("unlock_timeout"));
    }

    #[test]
    fn sources_of_trust_are_a_list_in_a_table_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "backend = \"file\"\n[trust]\nsources = [\"~/infra/terraform.tfstate\"]\n")
            .unwrap();
        assert_eq!(load_settings(&path).unwrap().trust_sources, [Path::new("~/infra/terraform.tfstate")]);
        std::fs::write(&path, "[trust]\nsource = []\n").unwrap();
        assert!(load_settings(&path).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_settings_file_that_others_may_write_decides_nothing_of_weight() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        for line in [
            "passphrase_command = \"cat x\"",
            "passphrase_file = \"/x\"",
            "store_command = \"cat x\"",
            "pass_command = \"/bin/cat\"",
            "passage_command = \"/bin/cat\"",
            "backend = \"file\"",
            "seed_backend = \"file\"",
            "prompt = \"ykman\"",
            "browser = \"firefox\"",
            "console_isolation = \"firefox-container\"",
            "file_dir = \"/evil\"",
            "pass_dir = \"/evil\"",
            "passage_dir = \"/evil\"",
            "pass_prefix = \"evil\"",
            "store_identity = \"00\"",
            "unlock_cache = \"runtime-dir\"",
            "isolate_child = false",
            "share_sso_cache = true",
            "unlock_timeout = \"12h\"",
            "unlock_max = \"12h\"",
            "[trust]\nsources = [\"/evil\"]",
        ] {
            std::fs::write(&path, format!("{line}\n")).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            assert!(load_settings(&path).is_ok());
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
            assert_eq!(load_settings(&path).unwrap_err().kind, FailureKind::Refused, "{line}");
        }
        // A file without critical settings is harmless, whoever wrote it.
        std::fs::write(&path, "prompt_timeout = \"1m\"\n").unwrap();
        assert!(load_settings(&path).is_ok());
    }

    #[test]
    fn a_prefix_names_a_directory_in_the_store_and_nothing_outside_it() {
        for (text, is) in [
            ("hatbox", true),
            ("work/aws keys", true),
            ("ü", true),
            ("", false),
            ("..", false),
            ("a/../b", false),
            ("/a", false),
            ("a/", false),
            ("-f", false),
            (".git", false),
            ("a\u{1b}", false),
        ] {
            assert_eq!(is_prefix(text), is, "{text}");
        }
    }

    #[test]
    fn a_source_of_trust_is_live_or_a_path_from_the_root_or_home() {
        for (text, is) in [
            ("live", true),
            ("live:work", true),
            (if cfg!(windows) { r"C:\iam.json" } else { "/iam.json" }, true),
            ("~/iam.json", true),
            ("iam.json", false),
            ("lively.json", false),
            ("~jan/iam.json", false),
        ] {
            assert_eq!(is_source(Path::new(text)), is, "{text}");
        }
    }
}
