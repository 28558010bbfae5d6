//! The files in `~/.aws/login/cache`, one per session of `aws login`, which the AWS CLI and the SDKs share.

use std::path::{Path, PathBuf};

use hatbox_core::login::cache_file::{LoginFileError, LoginSession, cache_file_name};
use hatbox_types::secret::SecretString;
use hatbox_types::text::shell::quote_word;

use crate::errors::{Failure, FailureKind};
use crate::sys::files::{FileError, Keep, make_private_directory, read_private, write_atomic};
use crate::world::World;

/// In bytes. A file has a few KiB, of which the refresh token may take 12.
const LIMIT: u64 = 64 * 1024;

/// The file of one session.
#[derive(Debug)]
pub(crate) struct LoginCache {
    path: PathBuf,
    shown: String,
}

/// The content of a file.
#[derive(Clone)]
pub(crate) struct LoginFile {
    pub(crate) session: LoginSession,
    /// The text of the file, whose other fields are kept.
    text: SecretString,
}

impl LoginCache {
    /// Returns the file of the session in `login_session`.
    pub(crate) fn of_session(world: &World, session: &str) -> Self {
        let path = directory(world).join(cache_file_name(session));
        let shown = world.dirs.shown(&path);
        Self { path, shown }
    }

    /// The path for display.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Identifies the file, so that processes that refresh the same session wait for each other.
    pub(crate) fn identity(&self) -> &Path {
        &self.path
    }

    /// Loads the file; `None` if there is none.
    pub(crate) fn load(&self) -> Result<Option<LoginFile>, Failure> {
        let bytes = match read_private(&self.path, LIMIT) {
            Ok(bytes) => bytes,
            Err(FileError::Absent(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let text = String::from_utf8(bytes).map_err(|_| self.broken(&LoginFileError::Json))?;
        let session = LoginSession::parse(&text).map_err(|error| self.broken(&error))?;
        Ok(Some(LoginFile { session, text: SecretString::new(text) }))
    }

    /// Replaces the file. Keeps fields of `old` that are not part of the session.
    pub(crate) fn save(
        &self,
        session: &LoginSession,
        old: Option<&LoginFile>,
        id_token: Option<&SecretString>,
    ) -> Result<(), Failure> {
        let text = session
            .render(old.map(|old| old.text.expose()), id_token.map(SecretString::expose))
            .map_err(|error| self.broken(&error))?;
        if let Some(directory) = self.path.parent().filter(|directory| !directory.exists()) {
            make_private_directory(directory)?;
        }
        Ok(write_atomic(&self.path, text.expose().as_bytes(), Keep::Nothing)?)
    }

    fn broken(&self, error: &LoginFileError) -> Failure {
        Failure::new(FailureKind::Failed, format!("could not read the login session in `{}`", self.shown))
            .caused_by(error)
            .hint(format!(
                "delete the file and sign in again: rm {}",
                quote_word(&self.path.to_string_lossy())
            ))
    }
}

/// Returns `AWS_LOGIN_CACHE_DIRECTORY`, with `~` and `$VAR` expanded as in botocore, or else `~/.aws/login/cache`.
fn directory(world: &World) -> PathBuf {
    let usual = || world.dirs.home().join(".aws/login/cache");
    let Some(named) = world.environment.text("AWS_LOGIN_CACHE_DIRECTORY") else { return usual() };
    let named = expand_variables(&named, |name| world.environment.text(name));
    match named.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\'])) {
        Some(rest) => world.dirs.home().join(rest.trim_start_matches(['/', '\\'])),
        None => PathBuf::from(named),
    }
}

/// Expands `$NAME` and `${NAME}`. Keeps unset names unchanged, as botocore does.
fn expand_variables(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, behind) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, behind)) => (name, behind),
            None => after.split_at(after.find(|c| !is_word(c)).unwrap_or(after.len())),
        };
        if let Some(value) = value(name).filter(|_| !name.is_empty()) {
            expanded.push_str(&value);
            rest = behind;
        } else {
            expanded.push('$');
            rest = after;
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded_as_botocore_does() {
        let value = |name: &str| (name == "A_1").then(|| "x".to_owned());
        for (text, expanded) in [
            ("/a/$A_1/b", "/a/x/b"),
            ("${A_1}b", "xb"),
            ("$A_1", "x"),
            ("/a/$B/${B}/$", "/a/$B/${B}/$"),
            ("$A_1$A_1", "xx"),
            ("${A_1", "${A_1"),
            ("plain", "plain"),
        ] {
            assert_eq!(expand_variables(text, value), expanded, "{text}");
        }
    }
}
