//! The environment variables that hatbox reads, beside AWS's own. Each of ours goes before aws-vault's.

/// A name of ours and aws-vault's for the same thing.
pub(crate) type Pair = (&'static str, Option<&'static str>);

pub(crate) const BACKEND: Pair = ("HATBOX_BACKEND", Some("AWS_VAULT_BACKEND"));
pub(crate) const FILE_PASSPHRASE: Pair = ("HATBOX_FILE_PASSPHRASE", Some("AWS_VAULT_FILE_PASSPHRASE"));
pub(crate) const PROMPT: Pair = ("HATBOX_PROMPT", Some("AWS_VAULT_PROMPT"));
/// Not `AWS_VAULT_FILE_DIR`: that names aws-vault's store, which is of another form.
pub(crate) const FILE_DIR: Pair = ("HATBOX_FILE_DIR", None);
pub(crate) const PASSPHRASE_FD: Pair = ("HATBOX_PASSPHRASE_FD", None);
pub(crate) const PASSPHRASE_FILE: Pair = ("HATBOX_PASSPHRASE_FILE", None);
/// Set for helpers: the profiles that are being resolved, separated by newlines.
pub(crate) const RESOLVING: &str = "HATBOX_RESOLVING";
/// Set for `passphrase_command`, `store_command` and `pass`: they must not need the store that they open.
pub(crate) const UNLOCKING: &str = "HATBOX_UNLOCKING";
/// Set for the process of a credential server beside a command: the process that becomes the command, and the pipe to it.
/// hatbox ignores any other value.
pub(crate) const SIDECAR_OF: &str = "HATBOX_SIDECAR_OF";
/// Set for children: the profile. A nested `exec` is refused.
pub(crate) const NESTED: Pair = ("HATBOX", Some("AWS_VAULT"));
/// Set in a sandbox's environment: its id.
pub(crate) const SANDBOX: &str = "HATBOX_SANDBOX";
/// aws-vault's, which name its own store: for `hatbox import` alone.
pub(crate) const VAULT_DIR: &str = "AWS_VAULT_FILE_DIR";
pub(crate) const VAULT_PASSPHRASE: &str = "AWS_VAULT_FILE_PASSPHRASE";
pub(crate) const VAULT_BACKEND: &str = "AWS_VAULT_BACKEND";
/// Of aws-vault: opens no browser to sign in.
pub(crate) const VAULT_STDOUT: &str = "AWS_VAULT_STDOUT";
#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub(crate) const VAULT_COLLECTION: &str = "AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME";
pub(crate) const VAULT_PASS_DIR: &str = "AWS_VAULT_PASS_PASSWORD_STORE_DIR";
pub(crate) const VAULT_PASS_CMD: &str = "AWS_VAULT_PASS_CMD";
pub(crate) const VAULT_PASS_PREFIX: &str = "AWS_VAULT_PASS_PREFIX";
#[cfg(all(target_os = "macos", feature = "keychain"))]
pub(crate) const VAULT_KEYCHAIN: &str = "AWS_VAULT_KEYCHAIN_NAME";
/// Set where there is a desktop that can show a window: by X11, by Wayland.
pub(crate) const DESKTOP: Pair = ("WAYLAND_DISPLAY", Some("DISPLAY"));
/// Names the browser to sign in with, and its arguments.
pub(crate) const BROWSER: Pair = ("HATBOX_BROWSER", Some("BROWSER"));
/// Set in the steps of a GitHub Actions job: the file that passes variables on to the next steps.
pub(crate) const GITHUB_ENV: &str = "GITHUB_ENV";
/// aws-vault's: `1` silences the line that tells of the shell.
pub(crate) const NO_HELP_LINE: Pair = ("HATBOX_DISABLE_HELP_MESSAGE", Some("AWS_VAULT_DISABLE_HELP_MESSAGE"));
/// Seconds that the clock is shifted by. Only with the feature `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_CLOCK_OFFSET: &str = "HATBOX_TEST_CLOCK_OFFSET";
/// A file with more seconds that the clock is shifted by, read each time: for a program that runs on. Only with the
/// feature `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_CLOCK_FILE: &str = "HATBOX_TEST_CLOCK_FILE";
/// Where AWS's own services of Identity Center are. Only with the feature `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_SSO_URL: &str = "HATBOX_TEST_SSO_URL";
/// Seconds that no service and no browser is waited for longer than. Only with the feature `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_TIME_LIMIT: &str = "HATBOX_TEST_TIME_LIMIT";
/// Calls to the portal of Identity Center in a second, over all processes. Only with the feature `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_PORTAL_RATE: &str = "HATBOX_TEST_PORTAL_RATE";
