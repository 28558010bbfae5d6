//! The directories of hatbox's and AWS's files.
//!
//! | | XDG variable, if it is an absolute path | otherwise | otherwise on Windows |
//! |---|---|---|---|
//! | settings | `XDG_CONFIG_HOME` | `~/.config/hatbox` | `%APPDATA%\hatbox` |
//! | store | `XDG_DATA_HOME` | `~/.local/share/hatbox` | `%LOCALAPPDATA%\hatbox` |
//! | index and pin of a `file` store, audit log, choices, allowed projects | `XDG_STATE_HOME` | `~/.local/state/hatbox` | `%LOCALAPPDATA%\hatbox\state` |
//! | sessions, locks, failures | `XDG_CACHE_HOME` | `~/.cache/hatbox` | `%LOCALAPPDATA%\hatbox\cache` |

use std::path::{Component, Path, PathBuf};

use hatbox_types::name::ProfileName;
use hatbox_types::text::printable;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::environment::Environment;
use crate::sys::name_service;

/// The alternative notation for the home directory on Windows.
const HOME_ON_WINDOWS: Option<&str> = if cfg!(windows) { Some("~\\") } else { None };

/// Characters to escape in the name of a directory: all that some system forbids, and the dot, which could lead
/// elsewhere.
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The directories. Each is created when it is first written to.
#[derive(Debug, Clone)]
pub(crate) struct Dirs {
    home: PathBuf,
    /// `~/.config/hatbox`
    config: PathBuf,
    /// `~/.local/share/hatbox`
    data: PathBuf,
    /// `~/.local/state/hatbox`
    state: PathBuf,
    /// `~/.cache/hatbox`
    cache: PathBuf,
    runtime: Option<PathBuf>,
    aws_config: PathBuf,
    aws_credentials: PathBuf,
}

impl Dirs {
    pub(crate) fn of_environment(environment: &Environment) -> Self {
        // On Windows, the SDKs and the AWS CLI ignore HOME, which only some shells set.
        let home = environment
            .raw(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
            .map(PathBuf::from)
            .filter(|home| home.is_absolute())
            .or_else(|| {
                name_service::use_own_services();
                std::env::home_dir()
            })
            .unwrap_or_else(|| PathBuf::from(std::path::MAIN_SEPARATOR_STR));
        // The specification says to ignore relative paths in these variables.
        let absolute =
            |name: &str| environment.raw(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let own = |xdg: &str, usual: &str, on_windows: (&str, &str)| {
            if let Some(path) = absolute(xdg) {
                return path.join("hatbox");
            }
            let (variable, below) = on_windows;
            if cfg!(windows)
                && let Some(path) = absolute(variable)
            {
                return path.join(below);
            }
            home.join(usual).join("hatbox")
        };
        let aws = |name: &str, usual: &str| match environment.text(name) {
            Some(path) => match path.strip_prefix("~/").or_else(|| path.strip_prefix(HOME_ON_WINDOWS?)) {
                Some(below_home) => home.join(below_home),
                None => PathBuf::from(path),
            },
            None => home.join(usual),
        };
        Self {
            config: own("XDG_CONFIG_HOME", ".config", ("APPDATA", "hatbox")),
            data: own("XDG_DATA_HOME", ".local/share", ("LOCALAPPDATA", "hatbox")),
            state: own("XDG_STATE_HOME", ".local/state", ("LOCALAPPDATA", r"hatbox\state")),
            cache: own("XDG_CACHE_HOME", ".cache", ("LOCALAPPDATA", r"hatbox\cache")),
            runtime: absolute("XDG_RUNTIME_DIR").map(|path| path.join("hatbox")),
            aws_config: aws("AWS_CONFIG_FILE", ".aws/config"),
            aws_credentials: aws("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
            home,
        }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// `~/.config/hatbox/config.toml`
    pub(crate) fn settings_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    #[cfg(all(unix, feature = "sandbox"))]
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Files that live as long as the login session: `$XDG_RUNTIME_DIR/hatbox`.
    pub(crate) fn runtime(&self) -> Option<&Path> {
        self.runtime.as_deref()
    }

    /// Files of credential servers for their commands: below `XDG_RUNTIME_DIR`, which is in memory, if it is set.
    pub(crate) fn servers(&self) -> PathBuf {
        self.runtime.as_deref().unwrap_or(&self.cache).join("servers")
    }

    /// The default directory of the `file` backend.
    pub(crate) fn store(&self) -> PathBuf {
        self.data.join("store")
    }

    /// What this machine knows about the `file` store at `directory`. Kept elsewhere, as whoever can write to the store
    /// must not be able to change it.
    pub(crate) fn state_of_store(&self, directory: &Path) -> PathBuf {
        self.state.join("stores").join(digest_of_place(directory))
    }

    /// The audit log.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.state.join("log")
    }

    /// Which profiles were picked from the list, and how often.
    pub(crate) fn chosen_profiles(&self) -> PathBuf {
        self.state.join("chosen-profiles.json")
    }

    /// The `.hatbox.toml` files that the user has allowed.
    pub(crate) fn allowed_projects(&self) -> PathBuf {
        self.state.join("allowed-projects.json")
    }

    /// The index and locks of a backend that keeps its items elsewhere.
    pub(crate) fn beside(&self, backend: &str) -> PathBuf {
        self.data.join(backend)
    }

    /// The records of unfinished rotations.
    #[cfg(feature = "iam")]
    pub(crate) fn rotations(&self) -> PathBuf {
        self.data.join("rotations")
    }

    /// A separate browser profile for the console of the profile `name`.
    pub(crate) fn browser_data(&self, name: &ProfileName) -> PathBuf {
        let escaped = utf8_percent_encode(name.as_str(), FILE_NAME).to_string();
        self.data.join("browser").join(escaped)
    }

    /// Backups of changed trust policies.
    #[cfg(feature = "trust")]
    pub(crate) fn trust_backups(&self) -> PathBuf {
        self.data.join("trust-backups")
    }

    /// Sealed sessions.
    pub(crate) fn sessions(&self) -> PathBuf {
        self.cache.join("sessions")
    }

    /// Sealed tokens and registrations of Identity Center.
    pub(crate) fn sign_ins(&self) -> PathBuf {
        self.cache.join("sign-ins")
    }

    /// Lock files of sessions, sign-ins and MFA devices.
    pub(crate) fn locks(&self) -> PathBuf {
        self.cache.join("locks")
    }

    /// The last failures, for `hatbox why`.
    pub(crate) fn failures(&self) -> PathBuf {
        self.cache.join("failures")
    }

    /// The default directory of aws-vault's `file` backend.
    pub(crate) fn vault_files(&self) -> PathBuf {
        self.home().join(".awsvault/keys")
    }

    pub(crate) fn aws_config(&self) -> &Path {
        &self.aws_config
    }

    pub(crate) fn aws_credentials(&self) -> &Path {
        &self.aws_credentials
    }

    /// Expands a path from the user, with `~/` for the home directory; `None` for a relative path.
    pub(crate) fn expand(&self, path: &Path) -> Option<PathBuf> {
        match path.strip_prefix("~") {
            Ok(below_home) => Some(self.home.join(below_home)),
            Err(_) => path.is_absolute().then(|| path.to_owned()),
        }
    }

    /// Shortens a path for display, with `~` for the home directory.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.home) {
            Ok(below) if self.home.parent().is_some() => {
                format!("~{}{}", std::path::MAIN_SEPARATOR, shown_path(below))
            }
            _ => shown_path(path),
        }
    }
}

/// Cleans a path for display, as others may have chosen its name.
pub(crate) fn shown_path(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// Returns a name for a directory that is unique on this machine.
pub(crate) fn digest_of_place(directory: &Path) -> String {
    // `/store/`, `/store/.` and `/x/../store` mean `/store`. Symlinks are not resolved, as that would slow down every
    // start.
    let mut plain = PathBuf::new();
    for part in directory.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    let digest = Sha256::digest(plain.as_os_str().as_encoded_bytes());
    hex::encode(digest.get(..12).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn variables_move_the_directories_and_relative_ones_are_ignored() {
        let dirs = Dirs::of_environment(&Environment::of(&[
            ("HOME", "/home/jan"),
            ("XDG_CACHE_HOME", "relative"),
            ("XDG_DATA_HOME", "/data"),
            ("AWS_CONFIG_FILE", "~/elsewhere/config"),
        ]));
        assert_eq!(dirs.sessions(), Path::new("/home/jan/.cache/hatbox/sessions"));
        assert_eq!(dirs.store(), Path::new("/data/hatbox/store"));
        assert_eq!(dirs.aws_config(), Path::new("/home/jan/elsewhere/config"));
        assert_eq!(dirs.aws_credentials(), Path::new("/home/jan/.aws/credentials"));
        assert_eq!(dirs.shown(dirs.aws_config()), "~/elsewhere/config");
        assert_eq!(dirs.shown(Path::new("/etc/x")), "/etc/x");
    }

    #[cfg(windows)]
    #[test]
    fn windows_has_directories_of_its_own_and_variables_move_them() {
        let dirs = Dirs::of_environment(&Environment::of(&[
            ("UserProfile", r"C:\Users\jan"),
            ("HOME", r"C:\elsewhere"),
            ("APPDATA", r"C:\Users\jan\AppData\Roaming"),
            ("LOCALAPPDATA", r"C:\Users\jan\AppData\Local"),
            ("AWS_CONFIG_FILE", r"~\elsewhere\config"),
        ]));
        assert_eq!(dirs.settings_file(), Path::new(r"C:\Users\jan\AppData\Roaming\hatbox\config.toml"));
        assert_eq!(dirs.store(), Path::new(r"C:\Users\jan\AppData\Local\hatbox\store"));
        assert_eq!(dirs.sessions(), Path::new(r"C:\Users\jan\AppData\Local\hatbox\cache\sessions"));
        assert_eq!(dirs.aws_config(), Path::new(r"C:\Users\jan\elsewhere\config"));
        assert_eq!(dirs.aws_credentials(), Path::new(r"C:\Users\jan\.aws\credentials"));
        assert_eq!(dirs.shown(dirs.aws_config()), r"~\elsewhere\config");
        let moved = Dirs::of_environment(&Environment::of(&[
            ("XDG_DATA_HOME", r"D:\data"),
            ("LOCALAPPDATA", r"C:\Users\jan\AppData\Local"),
        ]));
        assert_eq!(moved.store(), Path::new(r"D:\data\hatbox\store"));
    }
}
