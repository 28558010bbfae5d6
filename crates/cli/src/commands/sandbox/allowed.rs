//! The environment of commands in a sandbox: a list of variables is inherited, and everything else is set here.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use hatbox_sandbox::control::Client;

use crate::env_names;
use crate::world::environment::Environment;

/// Inherited variables: PATH, terminal, language, time zone.
const PASSED: [&str; 10] = [
    "PATH",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
];

/// Inherited variables of tool managers, whose shims of `aws` and `terraform` need them.
///
/// `LD_LIBRARY_PATH` is not inherited: it makes every program load the user's files, and `cargo run` sets it to
/// directories that nothing here needs.
const PASSED_TOOLS: [&str; 15] = [
    "PYENV_ROOT",
    "PYENV_VERSION",
    "ASDF_DIR",
    "ASDF_DATA_DIR",
    "MISE_DATA_DIR",
    "NVM_DIR",
    "NODENV_ROOT",
    "RBENV_ROOT",
    "GOENV_ROOT",
    "TFENV_ROOT",
    "TENV_ROOT",
    "VOLTA_HOME",
    "SDKMAN_DIR",
    "HOMEBREW_PREFIX",
    "NIX_PROFILES",
];

/// Builds the environment of a command in the sandbox at `directory`.
pub(super) fn build_environment(
    parent: &Environment,
    directory: &Path,
    client: &Client,
) -> Vec<(OsString, OsString)> {
    let home = directory.join("home");
    let mut variables: Vec<(OsString, OsString)> = PASSED
        .iter()
        .chain(&PASSED_TOOLS)
        .filter(|name| **name != "PATH")
        .filter_map(|name| Some(((*name).into(), parent.raw(name)?.to_owned())))
        .collect();
    let mut path = OsString::from(home.join("bin"));
    path.push(":");
    path.push(parent.raw("PATH").unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin")));
    let mut set = |name: &str, value: OsString| variables.push((name.into(), value));
    set("PATH", path);
    set("HOME", home.clone().into());
    set("XDG_CONFIG_HOME", home.join(".config").into());
    set("XDG_CACHE_HOME", home.join(".cache").into());
    set("XDG_DATA_HOME", home.join(".local/share").into());
    set("XDG_RUNTIME_DIR", home.join("run").into());
    set("TMPDIR", home.join("tmp").into());
    set("AWS_ENDPOINT_URL", client.url().into());
    set("AWS_EC2_METADATA_DISABLED", "true".into());
    set("NO_PROXY", "127.0.0.1".into());
    set("no_proxy", "127.0.0.1".into());
    set("HATBOX_SANDBOX_DIR", directory.into());
    // Otherwise terraform checks for updates online and reads one of the user's files.
    set("CHECKPOINT_DISABLE", "1".into());
    set("TF_CLI_CONFIG_FILE", "/dev/null".into());
    set(env_names::SANDBOX, client.id().into());
    variables
}
