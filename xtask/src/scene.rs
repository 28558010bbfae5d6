//! A sandbox for measuring and testing hatbox.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::Problem;
use crate::released::build_released;

/// The measured profile: a role that is assumed with a stored key.
pub(crate) const PROFILE: &str = "security-auditor";

/// A running sandbox, stopped and deleted on drop.
pub(crate) struct Scene {
    program: PathBuf,
    directory: PathBuf,
    environment: Vec<(String, String)>,
}

impl Scene {
    /// Starts a sandbox with this hatbox program.
    pub(crate) fn open(program: PathBuf) -> Result<Self, Problem> {
        let directory = std::env::temp_dir().join(format!("hatbox-xtask-{}", std::process::id()));
        let mut scene = Self { program, directory, environment: Vec::new() };
        check(&scene.sandbox(&["up", "--detach"]).output()?)?;
        let printed = check(&scene.sandbox(&["run", "--", "env", "-0"]).output()?)?;
        scene.environment = printed
            .split_terminator('\0')
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(scene)
    }

    /// Writes a config with `count` profiles, the measured one last, and obtains its session.
    pub(crate) fn set_profiles(&self, count: usize) -> Result<(), Problem> {
        let mut text = String::new();
        for number in 1..=count {
            let name = if number == count { PROFILE.to_owned() } else { format!("other-{number}") };
            write!(
                text,
                "[profile {name}]\n\
                 region = us-east-1\n\
                 source_profile = jan-work\n\
                 role_arn = arn:aws:iam::444455556666:role/{PROFILE}\n\n"
            )?;
        }
        std::fs::write(self.directory.join("home/.aws/config"), text)?;
        check(&self.exec(&["true"]).output()?)?;
        Ok(())
    }

    /// Makes the measured profile, as the only one, a role of Identity Center; signs in and obtains its session.
    pub(crate) fn set_sso(&self) -> Result<(), Problem> {
        let text = format!(
            "[sso-session sandbox]\n\
             sso_region = us-east-1\n\
             sso_start_url = https://sandbox.awsapps.com/start\n\
             [profile {PROFILE}]\n\
             region = us-east-1\n\
             sso_session = sandbox\n\
             sso_account_id = 444455556666\n\
             sso_role_name = ReadOnly\n"
        );
        std::fs::write(self.directory.join("home/.aws/config"), text)?;
        let browser = format!("{} sandbox sign-in", self.program.display());
        check(&self.hatbox(&["sso", "login"]).env("HATBOX_BROWSER", browser).output()?)?;
        check(&self.exec(&["true"]).output()?)?;
        Ok(())
    }

    /// Returns whether the store stays unlocked between processes; otherwise there is no warm start to measure.
    pub(crate) fn is_warm(&self) -> Result<bool, Problem> {
        let output = self.hatbox(&["--debug", "exec", PROFILE, "--", "true"]).output()?;
        check(&output)?;
        let said = String::from_utf8_lossy(&output.stderr);
        Ok(said.contains("the cached session is still good") && !said.contains("keyring"))
    }

    /// Returns the command `hatbox exec PROFILE -- command`.
    pub(crate) fn exec(&self, command: &[&str]) -> Command {
        self.hatbox(&[&["exec", PROFILE, "--"], command].concat())
    }

    /// Returns the environment variables of the sandbox.
    pub(crate) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Returns the user's access key: id and secret.
    pub(crate) fn user_key(&self) -> Result<(String, String), Problem> {
        let printed =
            check(&self.hatbox(&["export", "jan-work", "--no-session", "--format", "env"]).output()?)?;
        let value = |name: &str| {
            let line = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.map(str::to_owned).ok_or("the sandbox's user has no access key")
        };
        Ok((value("AWS_ACCESS_KEY_ID")?, value("AWS_SECRET_ACCESS_KEY")?))
    }

    /// Returns the current MFA code.
    pub(crate) fn code(&self) -> Result<String, Problem> {
        Ok(check(&self.sandbox(&["code"]).output()?)?.trim_end().to_owned())
    }

    /// Returns a command that runs `hatbox exec` under a tool, such as strace.
    pub(crate) fn under(&self, tool: &str, flags: &[&str], command: &[&str]) -> Command {
        let mut made = self.bare(tool);
        made.args(flags).arg(&self.program).args(["exec", PROFILE, "--"]).args(command);
        made
    }

    /// Returns a command in the sandbox's environment.
    pub(crate) fn bare(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Returns a path for a tool's report.
    pub(crate) fn report(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn hatbox(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(&self.program);
        command.args(arguments);
        command
    }

    fn sandbox(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("sandbox").args(arguments.first()).arg("--dir").arg(&self.directory);
        command.args(arguments.get(1..).unwrap_or_default()).stdin(Stdio::null());
        command
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !self.environment.is_empty() {
            self.hatbox(&["lock"]).output().ok();
        }
        self.sandbox(&["down"]).output().ok();
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The kind of build.
#[derive(Clone, Copy)]
pub(crate) enum Build {
    /// A debug build, as for the tests.
    Debug,
    /// A release build.
    Released,
}

/// Builds hatbox and returns the path of the program.
pub(crate) fn build(build: Build) -> Result<PathBuf, Problem> {
    match build {
        Build::Debug => {
            if !cargo().args(["build", "--quiet", "--package", "hatbox"]).status()?.success() {
                return Err("hatbox was not built".into());
            }
            Ok(target_directory().join("debug/hatbox").canonicalize()?)
        }
        Build::Released => build_released(),
    }
}

/// Returns a cargo command in the repository.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Returns cargo's target directory.
pub(crate) fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Returns the output of a command, or its error if it failed.
pub(crate) fn check(output: &Output) -> Result<String, Problem> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("a command failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
