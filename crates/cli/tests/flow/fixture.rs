//! A home directory, a sandbox, and the binary that uses both.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hatbox_sandbox::control::Client;
use hatbox_sandbox::log::LogEntry;
use hatbox_sandbox::world::{Key, World, load_world, save_world};
use hatbox_sandbox::{Error, Options, Running, start};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::cast::save_cast;
use crate::run::Run;

pub(crate) const PASSPHRASE: &str = "canary correct horse";

/// How long a device shows a code, in seconds.
pub(crate) const CODE_LIFE: i64 = 30;

/// Renders an access key id as hatbox shows it.
pub(crate) fn masked(id: &str) -> String {
    format!("****{}", &id[id.len() - 4..])
}

/// The environment of one test.
pub(crate) struct Fixture {
    directory: TempDir,
    server: Running,
    keys: BTreeMap<String, Key>,
    clock_offset: Cell<i64>,
}

impl Fixture {
    /// Returns a sandbox and an empty home. Jan has an access key for each of `keys`, not stored yet.
    pub(crate) fn empty(keys: &[&str]) -> Self {
        Self::empty_in(keys, |_| ())
    }

    /// Returns such a fixture after `change` has changed its world.
    pub(crate) fn empty_in(keys: &[&str], change: impl FnOnce(&mut World)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sandbox = directory.path().join("sandbox");
        let keys = save_cast(&sandbox, keys);
        let mut world = load_world(&sandbox).unwrap().unwrap();
        change(&mut world);
        save_world(&sandbox, &world).unwrap();
        let server = start_patiently(&Options { directory: sandbox, port: 0 });
        let fixture = Self { directory, server, keys, clock_offset: Cell::new(0) };
        for below in ["home/.aws", "bin"] {
            fs::create_dir_all(fixture.path(below)).unwrap();
        }
        fixture
    }

    /// Returns such a fixture with `keys` stored.
    pub(crate) fn with_keys(keys: &[&str]) -> Self {
        let fixture = Self::empty(keys);
        for profile in keys {
            fixture.add(profile).ok();
        }
        fixture
    }

    /// Returns a fixture with jan's key stored, and this config.
    pub(crate) fn with_config(config: &str) -> Self {
        let fixture = Self::with_keys(&["jan-work"]);
        fixture.write_config(config);
        fixture
    }

    fn add(&self, profile: &str) -> crate::run::Outcome {
        self.add_run(profile, &["--no-add-config"]).run()
    }

    /// Runs `hatbox add --env PROFILE` with jan's key for the profile.
    pub(crate) fn add_run(&self, profile: &str, flags: &[&str]) -> Run {
        let key = self.key(profile);
        self.hatbox(&["add", "--env", profile])
            .args(flags)
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", key.secret.expose())
    }

    pub(crate) fn key(&self, name: &str) -> &Key {
        self.keys.get(name).unwrap_or_else(|| panic!("jan has no key `{name}`"))
    }

    pub(crate) fn keys(&self) -> &BTreeMap<String, Key> {
        &self.keys
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.path("home/.aws/config")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("home/.local/share/hatbox/store")
    }

    /// Returns the directory of what this machine knows about the store: its index and its pin.
    pub(crate) fn state(&self) -> PathBuf {
        let stores = self.path("home/.local/state/hatbox/stores");
        let mut entries = fs::read_dir(&stores).unwrap();
        let state = entries.next().unwrap().unwrap().path();
        assert!(entries.next().is_none(), "one store only");
        state
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.state().join("index")
    }

    /// Returns the file of the wrap of this name.
    pub(crate) fn wrap(&self, name: &str) -> PathBuf {
        wrap_in(&self.store(), name)
    }

    pub(crate) fn write_config(&self, text: &str) {
        fs::write(self.config_path(), text).unwrap();
    }

    pub(crate) fn write_settings(&self, text: &str) {
        let path = self.path("home/.config/hatbox/config.toml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a shell script to a directory on PATH.
    pub(crate) fn write_program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Returns the variables of a run: of the test runner's own, only PATH and the like are passed on.
    pub(crate) fn variables(&self) -> BTreeMap<OsString, OsString> {
        let home = self.home();
        let mut path = self.path("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        [
            ("PATH", path),
            ("HOME", home.clone().into()),
            ("XDG_CONFIG_HOME", home.join(".config").into()),
            ("XDG_DATA_HOME", home.join(".local/share").into()),
            ("XDG_CACHE_HOME", home.join(".cache").into()),
            ("XDG_RUNTIME_DIR", home.join("run").into()),
            ("AWS_ENDPOINT_URL", self.server.url().into()),
            ("HATBOX_FILE_PASSPHRASE", PASSPHRASE.into()),
            // Makes creating and opening a store fast. One test each in `leaks` and `passphrase` uses the default
            // factor.
            ("HATBOX_TEST_WORK_FACTOR", "10".into()),
            ("HATBOX_TEST_CLOCK_OFFSET", self.clock_offset.get().to_string().into()),
            // The tests may run on an EC2 instance.
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("TERM", "xterm".into()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into()
    }

    /// Returns a run of hatbox.
    pub(crate) fn hatbox(&self, arguments: &[&str]) -> Run {
        Run::new(env!("CARGO_BIN_EXE_hatbox"), self.variables()).args(arguments)
    }

    /// Returns a run of hatbox under the name `aws-vault`.
    pub(crate) fn aws_vault(&self, arguments: &[&str]) -> Run {
        let link = self.path("bin/aws-vault");
        if !link.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_hatbox"), &link).unwrap();
        }
        Run::new(link, self.variables()).args(arguments)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.server.client
    }

    /// Returns the calls so far.
    pub(crate) fn log(&self) -> Vec<LogEntry> {
        self.client().log(0).unwrap()
    }

    /// Loads the sandbox's state from disk.
    pub(crate) fn world(&self) -> World {
        load_world(&self.path("sandbox")).unwrap().unwrap()
    }

    /// Moves the clocks of hatbox and of the sandbox.
    pub(crate) fn advance(&self, seconds: i64) {
        self.clock_offset.set(self.clock_offset.get() + seconds);
        self.client().set_clock_offset(self.clock_offset.get()).unwrap();
    }

    /// Moves the clocks to three seconds before devices show the next code.
    pub(crate) fn advance_to_end_of_code(&self) {
        let now = Timestamp::now().as_second() + self.clock_offset.get();
        self.advance((CODE_LIFE - 3 - now).rem_euclid(CODE_LIFE));
    }

    /// Returns an unused code of a device. Moves the clocks if the current code was used.
    pub(crate) fn code(&self, serial: &str) -> String {
        let mut shown = self.client().code(serial).unwrap();
        while shown.is_used {
            self.advance(CODE_LIFE);
            shown = self.client().code(serial).unwrap();
        }
        shown.code
    }

    /// Returns hatbox's output with everything replaced that differs between runs.
    pub(crate) fn shown(&self, text: &str) -> String {
        text.replace(&self.server.url(), "SANDBOX").replace(&*self.directory.path().to_string_lossy(), "DIR")
    }

    /// Lists the files below the home directory.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files_below(&self.home())
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // Removes this store's entries from the kernel keyring, whose quota is shared by all of the user's processes.
        self.hatbox(&["lock"]).run();
    }
}

/// Starts the sandbox, with retries: a child that another test has just forked still has a copy of every descriptor
/// until it runs its program, so a released lock may seem taken for a moment.
fn start_patiently(options: &Options) -> Running {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        match start(options) {
            Err(Error::Running { .. }) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result.unwrap(),
        }
    }
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() && !path.is_symlink() { files_below(&path) } else { vec![path] })
        .collect();
    paths.sort();
    paths
}

/// Returns the file of the wrap of this name in a store's directory.
pub(crate) fn wrap_in(store: &Path, name: &str) -> PathBuf {
    let entries = fs::read_dir(store).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let start = format!("identity.{name}.");
    let files: Vec<_> =
        entries.filter(|file| file.starts_with(&start) && !file.ends_with("plugin")).collect();
    let [file] = files.as_slice() else { panic!("one wrap `{name}`, not {files:?}") };
    store.join(file)
}
