//! Where hatbox's own files lie, by the XDG base directory specification, and where AWS's lie.

use std::path::{Path, PathBuf};

use super::environment::Environment;

/// The directories. None is made before it is written to.
#[derive(Debug, Clone)]
pub(crate) struct Dirs {
    home: PathBuf,
    /// `~/.config/hatbox`
    config: PathBuf,
    /// `~/.local/share/hatbox`
    data: PathBuf,
    /// `~/.cache/hatbox`
    cache: PathBuf,
    runtime: Option<PathBuf>,
    aws_config: PathBuf,
    aws_credentials: PathBuf,
}

impl Dirs {
    pub(crate) fn of_environment(environment: &Environment) -> Self {
        let home = environment
            .raw("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute())
            .or_else(std::env::home_dir)
            .unwrap_or_else(|| PathBuf::from("/"));
        // The specification has relative paths in these variables ignored.
        let xdg = |name: &str, usual: &str| {
            environment
                .raw(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
                .unwrap_or_else(|| home.join(usual))
                .join("hatbox")
        };
        let aws = |name: &str, usual: &str| match environment.text(name) {
            Some(path) => match path.strip_prefix("~/") {
                Some(below_home) => home.join(below_home),
                None => PathBuf::from(path),
            },
            None => home.join(usual),
        };
        Self {
            config: xdg("XDG_CONFIG_HOME", ".config"),
            data: xdg("XDG_DATA_HOME", ".local/share"),
            cache: xdg("XDG_CACHE_HOME", ".cache"),
            runtime: environment
                .raw("XDG_RUNTIME_DIR")
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
                .map(|path| path.join("hatbox")),
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

    /// What lives as long as the login: `$XDG_RUNTIME_DIR/hatbox`.
    pub(crate) fn runtime(&self) -> Option<&Path> {
        self.runtime.as_deref()
    }

    /// Where the `file` backend keeps its store unless told otherwise.
    pub(crate) fn store(&self) -> PathBuf {
        self.data.join("store")
    }

    /// What lies beside a backend that keeps its items elsewhere: its index and its locks.
    pub(crate) fn beside(&self, backend: &str) -> PathBuf {
        self.data.join(backend)
    }

    /// Sealed sessions.
    pub(crate) fn sessions(&self) -> PathBuf {
        self.cache.join("sessions")
    }

    /// Lock files of sessions and MFA devices.
    pub(crate) fn locks(&self) -> PathBuf {
        self.cache.join("locks")
    }

    pub(crate) fn aws_config(&self) -> &Path {
        &self.aws_config
    }

    pub(crate) fn aws_credentials(&self) -> &Path {
        &self.aws_credentials
    }

    /// A path as a person wrote it, `~/` for the home directory; `None` for a relative one.
    pub(crate) fn expand(&self, path: &Path) -> Option<PathBuf> {
        match path.strip_prefix("~") {
            Ok(below_home) => Some(self.home.join(below_home)),
            Err(_) => path.is_absolute().then(|| path.to_owned()),
        }
    }

    /// A path as a person writes it: with `~` for the home directory.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.home) {
            Ok(below) if self.home != Path::new("/") => format!("~/{}", below.display()),
            _ => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
