//! The change to the variables of a running shell, by `hat` or by the commands that `export` prints.
//!
//! | | `hat` | `export` |
//! |---|---|---|
//! | HATBOX, AWS_VAULT | set, as the shell counts as one of `exec` | not set, as the shell may run `exec` later |
//! | variables that open the store | kept for the next call | kept |
//! | other identities | removed as by `exec` | removed, except those that SDKs ignore beside credentials |
//! | region, endpoint, account that are not set | kept; the function restores the user's values first | the user's values are restored |

use std::collections::BTreeSet;

use hatbox_types::secret::SecretString;

use super::credentials::Handover;
use super::env::{EnvChange, is_store_secret, resolve_env_change};
use super::marks::{MARKED_NAMES, Marked};

/// Variables that `export` does not remove although `exec` does: no SDK takes them for an identity if the environment
/// has credentials.
const KEPT: [&str; 4] =
    ["AWS_SDK_LOAD_CONFIG", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"];

/// What changes the variables of the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShellUse {
    /// The shell function `hat`.
    Hat,
    /// The commands that `export` prints.
    Export,
}

impl ShellUse {
    /// Whether the shell loses an inherited variable with this name that is not set.
    fn is_removed(self, name: &str) -> bool {
        match self {
            Self::Hat => !is_store_secret(name),
            Self::Export => {
                Marked::is_own(name)
                    || (name.starts_with("AWS_")
                        && !KEPT.contains(&name)
                        && !name.starts_with("AWS_VAULT_")
                        && !name.starts_with("AWS_CONTAINER_"))
            }
        }
    }
}

/// Resolves the change that gives `handover` to a shell. `inherited` is its environment without the variables that
/// hatbox set there earlier.
pub(super) fn resolve_shell_change<'a>(
    handover: Handover<'_>,
    shell: ShellUse,
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> EnvChange {
    let mut change = resolve_env_change(handover, inherited.clone());
    let mut removed: BTreeSet<String> = std::mem::take(&mut change.remove).into_iter().collect();
    // An outer hatbox may have set marks.
    removed.extend(Marked::own_names().map(str::to_owned));
    if shell == ShellUse::Export {
        change.set.retain(|(name, _)| !["AWS_VAULT", "HATBOX"].contains(name));
        let restored: Vec<_> = former_values(inherited)
            .filter(|(name, _)| *name != "AWS_ACCOUNT_ID" && change.set.iter().all(|(set, _)| set != name))
            .collect();
        change.set.extend(restored);
        removed.extend(MARKED_NAMES.map(str::to_owned));
    }
    removed.retain(|name| {
        is_shell_name(name)
            && shell.is_removed(name)
            && change.set.iter().all(|(set, _)| *set != name.as_str())
    });
    change.remove = removed.into_iter().collect();
    change
}

/// Resolves the change that takes away what `export` set in a shell, and restores the former values.
pub(super) fn resolve_shell_reset<'a>(
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> EnvChange {
    const CREDENTIALS: [&str; 4] =
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"];
    let set: Vec<_> = former_values(inherited).collect();
    let all = CREDENTIALS.into_iter().chain(MARKED_NAMES).chain(Marked::own_names());
    let remove: BTreeSet<&str> = all.filter(|name| set.iter().all(|(set, _)| set != name)).collect();
    EnvChange { set, remove: remove.into_iter().map(str::to_owned).collect() }
}

/// Whether a shell can have a variable with this name. Security: any other name is not a variable of the shell, may
/// contain a line end, and some shells run the text within the brackets of `a[$(...)]`.
fn is_shell_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Returns the user's values of the variables that get marks.
fn former_values<'a>(
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> impl Iterator<Item = (&'static str, SecretString)> {
    MARKED_NAMES.into_iter().filter_map(move |name| {
        let (_, value) = inherited.clone().into_iter().find(|(n, value)| *n == name && !value.is_empty())?;
        Some((name, SecretString::new(value.to_owned())))
    })
}
