//! The environment variables that hatbox reads, apart from AWS's own. hatbox's names take precedence over aws-vault's.

/// hatbox's and aws-vault's name of a variable.
pub(crate) type Pair = (&'static str, Option<&'static str>);

pub(crate) const BACKEND: Pair = ("HATBOX_BACKEND", Some("AWS_VAULT_BACKEND"));
pub(crate) const FILE_PASSPHRASE: Pair = ("HATBOX_FILE_PASSPHRASE", Some("AWS_VAULT_FILE_PASSPHRASE"));
pub(crate) const PROMPT: Pair = ("HATBOX_PROMPT", Some("AWS_VAULT_PROMPT"));
/// Not `AWS_VAULT_FILE_DIR`, which names aws-vault's store: its format is different.
pub(crate) const FILE_DIR: Pair = ("HATBOX_FILE_DIR", None);
pub(crate) const PASSPHRASE_FD: Pair = ("HATBOX_PASSPHRASE_FD", None);
pub(crate) const PASSPHRASE_FILE: Pair = ("HATBOX_PASSPHRASE_FILE", None);
/// Set for helpers: the profiles being resolved, separated by newlines.
pub(crate) const RESOLVING: &str = "HATBOX_RESOLVING";
/// Set for `passphrase_command`, `store_command` and `pass`, which must not need the store that they open.
pub(crate) const UNLOCKING: &str = "HATBOX_UNLOCKING";
/// Set for a credential server next to a command: the process that becomes the command, and the pipe to it. hatbox
/// ignores any other value.
pub(crate) const SIDECAR_OF: &str = "HATBOX_SIDECAR_OF";
/// Set for child processes: the profile. A nested `exec` is refused.
pub(crate) const NESTED: Pair = ("HATBOX", Some("AWS_VAULT"));
/// Set in the environment of a sandbox: its id.
pub(crate) const SANDBOX: &str = "HATBOX_SANDBOX";
/// Names aws-vault's own store, for `hatbox import` only.
pub(crate) const VAULT_DIR: &str = "AWS_VAULT_FILE_DIR";
pub(crate) const VAULT_PASSPHRASE: &str = "AWS_VAULT_FILE_PASSPHRASE";
pub(crate) const VAULT_BACKEND: &str = "AWS_VAULT_BACKEND";
/// aws-vault's switch to open no browser for a sign-in.
pub(crate) const VAULT_STDOUT: &str = "AWS_VAULT_STDOUT";
#[cfg(all(target_os = "linux", feature = "secret-service"))]
pub(crate) const VAULT_COLLECTION: &str = "AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME";
pub(crate) const VAULT_PASS_DIR: &str = "AWS_VAULT_PASS_PASSWORD_STORE_DIR";
pub(crate) const VAULT_PASS_CMD: &str = "AWS_VAULT_PASS_CMD";
pub(crate) const VAULT_PASS_PREFIX: &str = "AWS_VAULT_PASS_PREFIX";
#[cfg(all(target_os = "macos", feature = "keychain"))]
pub(crate) const VAULT_KEYCHAIN: &str = "AWS_VAULT_KEYCHAIN_NAME";
/// Set by Wayland or X11 if there is a desktop that can show a window.
pub(crate) const DESKTOP: Pair = ("WAYLAND_DISPLAY", Some("DISPLAY"));
/// The browser to sign in with, and its arguments.
pub(crate) const BROWSER: Pair = ("HATBOX_BROWSER", Some("BROWSER"));
/// Set in the steps of a GitHub Actions job: the file that passes variables to later steps.
pub(crate) const GITHUB_ENV: &str = "GITHUB_ENV";
/// aws-vault's switch: `1` suppresses the line about the subshell.
pub(crate) const NO_HELP_LINE: Pair = ("HATBOX_DISABLE_HELP_MESSAGE", Some("AWS_VAULT_DISABLE_HELP_MESSAGE"));
/// The clock offset in seconds. Only with the feature `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_CLOCK_OFFSET: &str = "HATBOX_TEST_CLOCK_OFFSET";
/// A file with an additional clock offset in seconds, which a running program reads each time. Only with the feature
/// `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_CLOCK_FILE: &str = "HATBOX_TEST_CLOCK_FILE";
/// The URL of AWS's Identity Center services. Only with the feature `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_SSO_URL: &str = "HATBOX_TEST_SSO_URL";
/// The longest wait for a service or a browser, in seconds. Only with the feature `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_TIME_LIMIT: &str = "HATBOX_TEST_TIME_LIMIT";
/// Calls per second to the Identity Center portal, for all processes together. Only with the feature `test-clock`.
#[cfg(feature = "test-clock")]
pub(crate) const TEST_PORTAL_RATE: &str = "HATBOX_TEST_PORTAL_RATE";
