//! A home directory, and a run of `hatbox doctor` in it.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PASSPHRASE: &str = "canary correct horse";
pub(crate) const KEY: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "canary/wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMP");

/// An empty home directory that others cannot enter.
pub(crate) struct Home {
    directory: TempDir,
    variables: BTreeMap<String, String>,
}

/// A run's exit code and output.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("{:?}", output.status));
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// The report that `--json` printed.
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = format!("{}/bin:/usr/bin:/bin", directory.path().display());
        let variables = [("HOME", &*directory.path().to_string_lossy()), ("PATH", &path)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let home = Self { directory, variables };
        home.set_mode("", 0o700);
        home
    }

    pub(crate) fn with_config(config: &str) -> Self {
        let home = Self::new();
        home.write(".aws/config", config);
        home
    }

    /// A home with a locked encrypted store that has an access key for `alice`.
    pub(crate) fn with_store() -> Self {
        let home = Self::with_config("[profile alice]\n");
        let add = ["--backend", "file", "add", "--env", "--no-add-config", "alice"];
        let variables = [
            ("HATBOX_FILE_PASSPHRASE", PASSPHRASE),
            ("HATBOX_TEST_WORK_FACTOR", "10"),
            ("AWS_ACCESS_KEY_ID", KEY.0),
            ("AWS_SECRET_ACCESS_KEY", KEY.1),
        ];
        let ran = home.run(&add, &variables);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(home.run(&["lock"], &[]).code, 0);
        home
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write(&self, below: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        let parent = path.parent().unwrap();
        if !parent.exists() {
            fs::create_dir_all(parent).unwrap();
            fs::set_permissions(parent, Permissions::from_mode(0o700)).unwrap();
        }
        fs::write(&path, text).unwrap();
        self.set_mode(below, 0o600);
        path
    }

    pub(crate) fn write_program(&self, below: &str) {
        self.write(below, "#!/bin/sh\n");
        self.set_mode(below, 0o755);
    }

    pub(crate) fn set_mode(&self, below: &str, mode: u32) {
        fs::set_permissions(self.path(below), Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn mode(&self, below: &str) -> u32 {
        fs::metadata(self.path(below)).unwrap().permissions().mode() & 0o7777
    }

    /// Runs hatbox without a terminal, with these variables in addition to HOME and PATH.
    pub(crate) fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(env!("CARGO_BIN_EXE_hatbox")).args(arguments);
        command.env_clear().envs(&self.variables).envs(variables.iter().copied()).stdin(Stdio::null());
        Ran::of(&command.output().unwrap())
    }

    /// The same as an unprivileged user, because root ignores file modes. The home then belongs to that user. `None`
    /// when that is not possible, which is printed.
    pub(crate) fn run_as_user(&self, arguments: &[&str]) -> Option<Ran> {
        const USER: &str = "65534";
        if !rustix::process::geteuid().is_root() {
            return Some(self.run(arguments, &[]));
        }
        if !is_here("setpriv") {
            return None;
        }
        // The user may not read the build directory. Another process makes the copy: a file that this one writes is
        // inherited by the children of other tests until they exec, and running it would fail with ETXTBSY.
        let binary = self.path("own-hatbox");
        let copy =
            Command::new("install").args(["-m", "755", env!("CARGO_BIN_EXE_hatbox")]).arg(&binary).status();
        assert!(copy.unwrap().success());
        let owner = Command::new("chown").args(["-R", &format!("{USER}:{USER}")]).arg(self.path("")).status();
        assert!(owner.unwrap().success());
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--clear-groups"]);
        command.args(["setsid", "--wait"]).arg(binary).args(arguments);
        command.env_clear().envs(&self.variables).stdin(Stdio::null());
        Some(Ran::of(&command.output().unwrap()))
    }

    /// The report of `hatbox doctor --json` with these flags and variables.
    pub(crate) fn report(&self, flags: &[&str], variables: &[(&str, &str)]) -> Value {
        let ran = self.run(&[&["doctor", "--json"], flags].concat(), variables);
        assert!(!ran.stdout.contains("canary") && !ran.stderr.contains("canary"), "{ran:?}");
        let report = ran.report();
        assert_eq!(report["ok"], ran.code == 0, "{ran:?}");
        report
    }

    /// `ID PLACE` of each finding.
    pub(crate) fn found(&self, variables: &[(&str, &str)]) -> Vec<String> {
        found(&self.report(&[], variables))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Removes this store's entries from the kernel keyring, whose quota all tests share.
        self.run(&["lock"], &[]);
    }
}

/// `ID PLACE` of each finding of a report.
pub(crate) fn found(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let shown = |finding: &Value| {
        let place = finding["place"].as_str().unwrap_or("-");
        format!("{} {place}", finding["id"].as_str().unwrap())
    };
    findings.iter().map(shown).collect()
}

/// Whether a program is installed. Prints that the test is skipped if it is not.
pub(crate) fn is_here(program: &str) -> bool {
    let is_here = ["/usr/bin", "/bin"].iter().any(|directory| Path::new(directory).join(program).exists());
    if !is_here {
        eprintln!("skipped: there is no {program}");
    }
    is_here
}
