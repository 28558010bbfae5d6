//! The virtual environment with `aws`, boto3 and moto: made once under the target directory, then reused.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Every package with its pinned version, so that pip resolves nothing.
const REQUIREMENTS: &str = include_str!("python/requirements.txt");

/// A virtual environment that is ready.
pub(crate) struct Python {
    directory: PathBuf,
}

impl Python {
    /// The environment, created if missing. `None` when that fails; the reason is printed.
    pub(crate) fn open() -> Option<&'static Self> {
        static OPENED: OnceLock<Result<Python, String>> = OnceLock::new();
        match OPENED.get_or_init(Self::prepare) {
            Ok(python) => Some(python),
            Err(why) => {
                println!("skipped: {why}");
                None
            }
        }
    }

    /// The interpreter.
    pub(crate) fn interpreter(&self) -> String {
        self.program("python")
    }

    /// The `aws` command.
    pub(crate) fn aws(&self) -> String {
        self.program("aws")
    }

    fn program(&self, name: &str) -> String {
        self.directory.join("bin").join(name).display().to_string()
    }

    fn prepare() -> Result<Self, String> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let broken = |error: std::io::Error| format!("the virtual environment cannot be written: {error}");
        // Other test runs wait here until the first has created it.
        let lock = File::create(target.join("counterparts-python.lock")).map_err(broken)?;
        lock.lock().map_err(broken)?;
        let python = Self { directory: target.join("counterparts-python") };
        // Written last, so that an incomplete environment is created again.
        let complete = python.directory.join("complete");
        let is_complete = fs::read_to_string(&complete).is_ok_and(|text| text == REQUIREMENTS)
            && Path::new(&python.interpreter()).exists();
        if !is_complete {
            if python.directory.exists() {
                fs::remove_dir_all(&python.directory).map_err(broken)?;
            }
            python.install()?;
            fs::write(&complete, REQUIREMENTS).map_err(broken)?;
        }
        Ok(python)
    }

    fn install(&self) -> Result<(), String> {
        let directory = self.directory.display().to_string();
        run("python3", &["-m", "venv", &directory])?;
        let list = self.directory.join("requirements.txt");
        fs::write(&list, REQUIREMENTS).map_err(|error| format!("`{}`: {error}", list.display()))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
        // Wheels only: no downloaded code runs during the installation.
        let how = ["--only-binary=:all:", "--no-deps", "--no-compile", "-r", &list.display().to_string()];
        run(&self.interpreter(), &[&install[..], &how[..]].concat())
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .env_remove("PYTHONHOME")
        .env_remove("PYTHONPATH")
        .output()
        .map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("`{program} {}` failed: {last}", arguments.join(" ")))
}
