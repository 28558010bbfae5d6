//! A snapshot of the environment variables, taken at the start.

use std::ffi::{OsStr, OsString};

use hatbox_core::handover::{MARKS, Marked, is_store_secret};

use crate::env_names::{DESKTOP, Pair, SIDECAR_OF, UNLOCKING};

/// The variables in their original order.
#[derive(Clone)]
pub(crate) struct Environment {
    variables: Vec<(OsString, OsString)>,
    /// The process that this sidecar serves. Programs started by it do not get this variable.
    sidecar_of: Option<i32>,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Security: values may be secrets.
        f.debug_list().entries(self.variables.iter().map(|(name, _)| name)).finish()
    }
}

impl Environment {
    /// Loads the variables as the user set them: what an outer hatbox set for its command is removed or restored.
    pub(crate) fn load() -> Self {
        Self::of_variables(std::env::vars_os().collect())
    }

    fn of_variables(mut variables: Vec<(OsString, OsString)>) -> Self {
        let place = variables.iter().position(|(name, _)| name == SIDECAR_OF);
        let sidecar_of = place.and_then(|place| parse_sidecar(variables.remove(place).1.to_str()?));
        Self { variables, sidecar_of }.without_marked()
    }

    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        Self::of_variables(variables.iter().map(|(n, v)| (n.into(), v.into())).collect())
    }

    fn without_marked(self) -> Self {
        let Some(marks) = self.text(MARKS) else { return self };
        let marked = Marked::new(&marks);
        let undo = |(name, value): &(OsString, OsString)| {
            let text = name.to_str();
            if text.is_some_and(Marked::is_own) {
                return None;
            }
            let value = match text.and_then(|text| marked.original_name(text, value.as_encoded_bytes())) {
                None => value,
                Some(original) => self.raw(original)?,
            };
            Some((name.clone(), value.to_owned()))
        };
        Self { variables: self.variables.iter().filter_map(undo).collect(), ..self }
    }

    /// The process that this one serves, if it is a sidecar.
    pub(crate) fn sidecar_of(&self) -> Option<i32> {
        self.sidecar_of
    }

    pub(crate) fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    /// The environment of programs that open the store or keep its items: without the variables that open the store,
    /// and with one that keeps these programs from using the store themselves.
    pub(crate) fn of_store_programs(&self) -> Vec<(OsString, OsString)> {
        let is_kept = |(name, _): &&(OsString, OsString)| !name.to_str().is_some_and(is_store_secret);
        let kept = self.variables.iter().filter(is_kept).cloned().map(with_absolute_path);
        kept.chain([(UNLOCKING.into(), "1".into())]).collect()
    }

    /// Returns the value of a variable, even if it is empty.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables.iter().find(|(n, _)| is_name(n, name)).map(|(_, value)| value.as_os_str())
    }

    /// Returns the value of a variable that is not empty. Invalid UTF-8 becomes replacement characters, which no name
    /// or number contains.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.raw(name).filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().into_owned())
    }

    /// Returns the name and value of the first variable of a pair that is not empty.
    pub(crate) fn first(&self, (ours, theirs): Pair) -> Option<(&'static str, String)> {
        [Some(ours), theirs].into_iter().flatten().find_map(|name| Some((name, self.text(name)?)))
    }

    /// Whether there is a desktop that can show a window.
    pub(crate) fn has_desktop(&self) -> bool {
        // macOS has no such variable; a user who is logged in by SSH cannot see a window.
        if cfg!(target_os = "macos") {
            return self.text("SSH_CONNECTION").is_none();
        }
        self.first(DESKTOP).is_some()
    }
}

#[cfg(unix)]
fn parse_sidecar(value: &str) -> Option<i32> {
    crate::sys::sidecar::parse_mark(value)
}

/// Elsewhere, hatbox itself stays and serves.
#[cfg(not(unix))]
fn parse_sidecar(_: &str) -> Option<i32> {
    None
}

/// Whether a variable has this name, ignoring case on Windows.
fn is_name(variable: &OsStr, name: &str) -> bool {
    if cfg!(windows) { variable.eq_ignore_ascii_case(name) } else { variable == name }
}

/// Returns PATH without entries relative to the working directory, in which anyone may have placed a program. Returns
/// other variables unchanged.
pub(crate) fn with_absolute_path((name, value): (OsString, OsString)) -> (OsString, OsString) {
    if !is_name(&name, "PATH") {
        return (name, value);
    }
    let absolute = std::env::split_paths(&value).filter(|directory| directory.is_absolute());
    match std::env::join_paths(absolute) {
        Ok(path) => (name, path),
        // An entry contains the separator, which is impossible for an entry of PATH.
        Err(_) => (name, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env_names::BACKEND;

    #[test]
    fn our_name_goes_before_aws_vaults_and_an_empty_value_counts_as_unset() {
        let both = Environment::of(&[("AWS_VAULT_BACKEND", "b"), ("HATBOX_BACKEND", "a")]);
        assert_eq!(both.first(BACKEND), Some(("HATBOX_BACKEND", "a".to_owned())));
        let empty = Environment::of(&[("AWS_VAULT_BACKEND", "b"), ("HATBOX_BACKEND", "")]);
        assert_eq!(empty.first(BACKEND), Some(("AWS_VAULT_BACKEND", "b".to_owned())));
        assert_eq!(Environment::of(&[]).first(BACKEND), None);
    }

    #[test]
    fn what_an_outer_hatbox_set_counts_as_what_it_was_before() {
        let inner = Environment::of(&[
            ("AWS_REGION", "outer"),
            ("AWS_DEFAULT_REGION", "changed since"),
            ("AWS_ENDPOINT_URL", "http://outer"),
            ("HATBOX_ORIG_AWS_REGION", "the user's"),
            ("HATBOX_ORIG_AWS_DEFAULT_REGION", "older"),
            ("HATBOX_SET", "AWS_REGION=outer AWS_DEFAULT_REGION=outer AWS_ENDPOINT_URL=http://outer"),
            ("PATH", "/bin"),
        ]);
        let expected =
            [("AWS_REGION", "the user's"), ("AWS_DEFAULT_REGION", "changed since"), ("PATH", "/bin")];
        assert_eq!(inner.variables, Environment::of(&expected).variables);
    }

    #[test]
    fn debug_output_holds_names_only() {
        let shown = format!("{:?}", Environment::of(&[("NAME", "canary")]));
        assert!(shown.contains("NAME") && !shown.contains("canary"));
    }

    #[cfg(unix)]
    #[test]
    fn a_helper_gets_a_path_without_the_working_directory() {
        let path = |text: &str| with_absolute_path(("PATH".into(), text.into())).1;
        assert_eq!(path("/usr/bin:/bin"), "/usr/bin:/bin");
        assert_eq!(path(".:/usr/bin::bin:./x:../y:/bin:"), "/usr/bin:/bin");
        assert_eq!(path(""), "");
        assert_eq!(with_absolute_path(("OTHER".into(), ".:x".into())).1, ".:x");
    }
}
