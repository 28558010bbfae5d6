//! A sandbox for one test, and a home directory with its user's access key in hatbox's store.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use hatbox_sandbox::control::Fault;
use hatbox_sandbox::log::LogEntry;
use hatbox_sandbox::world::{
    ADMIN_ROLE, AUDITOR_ROLE, MFA_SERIAL, PEOPLE_ACCOUNT, USER, World, load_world, save_world,
};
use hatbox_sandbox::{Options, Running, start};

pub(crate) const HATBOX: &str = env!("CARGO_BIN_EXE_hatbox");
const PASSPHRASE: &str = "of no other store";

/// A home directory with hatbox's store in it, and the endpoint that its programs talk to.
pub(crate) struct Home {
    directory: tempfile::TempDir,
    /// The value of `AWS_ENDPOINT_URL` for programs.
    endpoint: String,
    /// Marks the sandbox's keys; `None` for an endpoint that is not hatbox's sandbox.
    sandbox_id: Option<String>,
}

impl Home {
    /// A home with this AWS config, and `id` and `secret` stored for `profile`.
    pub(crate) fn with_key(
        config: &str,
        (profile, id, secret): (&str, &str, &str),
        endpoint: &str,
        sandbox_id: Option<String>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join(".aws")).unwrap();
        std::fs::write(directory.path().join(".aws/config"), config).unwrap();
        std::fs::write(directory.path().join("terraformrc"), "").unwrap();
        let home = Self { directory, endpoint: endpoint.to_owned(), sandbox_id };
        let mut add = home.hatbox(&["add", "--env", "--no-add-config", profile]);
        add.envs([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]);
        succeeded(&mut add);
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A program with nothing of the caller's environment but PATH.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .current_dir(self.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("HATBOX_FILE_PASSPHRASE", PASSPHRASE)
            .env("HATBOX_TEST_WORK_FACTOR", "10")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_CLI_CONFIG_FILE", self.path().join("terraformrc"))
            .envs(self.sandbox_id.as_ref().map(|id| ("HATBOX_SANDBOX", id)));
        command
    }

    pub(crate) fn hatbox(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(HATBOX);
        command.args(arguments);
        command
    }
}

/// A sandbox and the home of its user.
pub(crate) struct Scene {
    pub(crate) sandbox: Running,
    pub(crate) home: Home,
    directory: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn start() -> Self {
        Self::start_in(|_| ())
    }

    /// The same with a demo world that `change` has modified.
    pub(crate) fn start_in(change: impl FnOnce(&mut World)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("box");
        let mut world = World::demo(&place).unwrap();
        change(&mut world);
        save_world(&place, &world).unwrap();
        let sandbox = start(&Options { directory: place.clone(), port: 0 }).unwrap();
        let key = load_world(&place).unwrap().unwrap().access_key(PEOPLE_ACCOUNT, USER).unwrap();
        let home = Home::with_key(
            &render_config(),
            ("jan-work", key.id.as_str(), key.secret.expose()),
            &sandbox.url(),
            Some(sandbox.id.clone()),
        );
        Self { sandbox, home, directory }
    }

    /// The sandbox's directory.
    pub(crate) fn place(&self) -> PathBuf {
        self.directory.path().join("box")
    }

    /// The MFA code that the user's phone shows.
    pub(crate) fn code(&self) -> String {
        self.sandbox.client.code(MFA_SERIAL).unwrap().code
    }

    /// `hatbox exec PROFILE -- COMMAND`, with an MFA code if the role requires one.
    pub(crate) fn exec(&self, profile: &str, command: &[&str]) -> Command {
        let code = self.code();
        let mut arguments = vec!["exec"];
        if profile == "dev-infra-admin" {
            arguments.extend(["-t", &code]);
        }
        arguments.extend([profile, "--"]);
        arguments.extend(command);
        self.home.hatbox(&arguments)
    }

    pub(crate) fn add_fault(&self, fault: &Fault) {
        self.sandbox.client.add_fault(fault).unwrap();
    }

    pub(crate) fn log(&self) -> Vec<LogEntry> {
        self.sandbox.client.log(0).unwrap()
    }

    /// The calls of one kind.
    pub(crate) fn calls(&self, action: &str) -> Vec<LogEntry> {
        self.log().into_iter().filter(|entry| entry.action == action).collect()
    }
}

/// A child that does not outlive a test that fails.
pub(crate) struct Background(pub(crate) Child);

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs a command that must succeed, and returns its stdout.
#[track_caller]
pub(crate) fn succeeded(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail, and returns its exit code and stderr.
#[track_caller]
pub(crate) fn failed(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{command:?}\n{}", shown(&output));
    (output.status.code().unwrap_or(-1), shown(&output))
}

pub(crate) fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn render_config() -> String {
    // `sh` reads the line, and the path of a program may contain a space.
    let hatbox = format!("'{}'", HATBOX.replace('\'', r"'\''"));
    format!(
        "[profile jan-work]\n\
         region = us-east-1\n\
         mfa_serial = {MFA_SERIAL}\n\
         [profile security-auditor]\n\
         region = us-east-1\n\
         source_profile = jan-work\n\
         role_arn = {AUDITOR_ROLE}\n\
         [profile dev-infra-admin]\n\
         region = us-east-1\n\
         source_profile = jan-work\n\
         role_arn = {ADMIN_ROLE}\n\
         mfa_serial = {MFA_SERIAL}\n\
         [profile auditor-by-process]\n\
         region = us-east-1\n\
         credential_process = {hatbox} export --no-session --format=json security-auditor\n\
         [profile admin-by-process]\n\
         region = us-east-1\n\
         credential_process = {hatbox} export --format=json dev-infra-admin\n"
    )
}
