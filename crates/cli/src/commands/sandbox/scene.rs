//! The scene of a sandbox: a server, a home directory with a config and a store, and a clean environment.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use hatbox_sandbox::control::Client;
use hatbox_sandbox::world as demo;
use hatbox_sandbox::{Options, Running};
use hatbox_types::secret::AccessKey;

use crate::errors::{Failure, FailureKind};
use crate::sys::exec::{ExecError, find_program};
use crate::sys::files::{FileError, Keep, make_private_directory, write_atomic};
use crate::sys::signals::{self, Held, Signal};
use crate::world::World;

use super::allowed::build_environment;

/// The profile that the user's key is stored for.
pub(super) const USER_PROFILE: &str = "jan-work";

/// A file in the sandbox's directory that names the sandbox whose key is stored.
const KEY_OF: &str = "key-of";

/// The interval between checks of a child.
const TICK: Duration = Duration::from_millis(20);
/// How long another process may take to start or stop its server.
const START_LIMIT: Duration = Duration::from_secs(5);

/// A running sandbox and its environment.
pub(super) struct Scene<'h> {
    directory: PathBuf,
    client: Client,
    /// `None` if the server was already running.
    _server: Option<Running>,
    environment: Vec<(OsString, OsString)>,
    held: &'h Held,
}

impl<'h> Scene<'h> {
    /// Opens the sandbox at `directory`, starts its server if needed, and stores the key of `jan-work`.
    ///
    /// The caller already holds signals back, as the server's threads must inherit that.
    pub(super) fn open(world: &World, directory: &Path, held: &'h Held) -> Result<Self, Failure> {
        let scene = Self::open_empty(world, directory, held)?;
        // If the sandbox's state was removed, a new sandbox with a new key has replaced it.
        let marker = scene.directory.join(KEY_OF);
        if std::fs::read_to_string(&marker).ok().as_deref() != Some(scene.client.id()) {
            scene.add_key()?;
            write_atomic(&marker, scene.client.id().as_bytes(), Keep::Nothing)?;
        }
        Ok(scene)
    }

    /// Does the same, without storing a key.
    pub(super) fn open_empty(world: &World, directory: &Path, held: &'h Held) -> Result<Self, Failure> {
        let (client, server) = open_server(directory)?;
        let program = std::env::current_exe().map_err(|error| {
            Failure::new(FailureKind::Failed, "could not find hatbox's own program").caused_by(&error)
        })?;
        let environment = build_environment(&world.environment, directory, &client);
        let scene = Self { directory: directory.to_owned(), client, _server: server, environment, held };
        scene.make_home(&program)?;
        Ok(scene)
    }

    /// Sets a further variable for the commands of this scene.
    pub(super) fn set_variable(&mut self, name: &str, value: &str) {
        self.environment.push((name.into(), value.into()));
    }

    pub(super) fn home(&self) -> PathBuf {
        self.directory.join("home")
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn held(&self) -> &'h Held {
        self.held
    }

    /// Finds a program for commands of the sandbox.
    pub(super) fn find_program(&self, name: &OsStr) -> Result<PathBuf, ExecError> {
        let path = self.environment.iter().find(|(name, _)| name == "PATH");
        find_program(name, path.map(|(_, value)| value.as_os_str()))
    }

    /// hatbox itself, in the sandbox's environment.
    pub(super) fn hatbox(&self) -> Command {
        self.command(self.home().join("bin/hatbox"))
    }

    /// Returns the user's access key, which a user would find in the console.
    pub(super) fn user_key(&self) -> Result<AccessKey, Failure> {
        let world = demo::load_world(&self.directory)?;
        world.and_then(|world| world.access_key(demo::PEOPLE_ACCOUNT, demo::USER)).ok_or_else(|| {
            Failure::new(FailureKind::Failed, "the sandbox's user has no access key")
                .hint("remove the sandbox's directory to start over")
        })
    }

    /// Creates the missing files of the home directory.
    fn make_home(&self, program: &Path) -> Result<(), FileError> {
        let home = self.home();
        for below in [".aws", ".config/hatbox", ".cache", ".local/share", "run", "tmp", "bin"] {
            make_private_directory(&home.join(below))?;
        }
        // Link under the name `hatbox`, whatever the binary's file is called, and away from its neighbours.
        let link = home.join("bin/hatbox");
        if std::fs::read_link(&link).ok().as_deref() != Some(program) {
            let temporary = home.join(format!("tmp/hatbox-{}", std::process::id()));
            std::os::unix::fs::symlink(program, &temporary)
                .and_then(|()| std::fs::rename(&temporary, &link))
                .map_err(FileError::io("create", &link))?;
        }
        let write_new = |path: PathBuf, text: &str| {
            if path.exists() { Ok(()) } else { write_atomic(&path, text.as_bytes(), Keep::Nothing) }
        };
        let passphrase = self.directory.join("passphrase");
        if !passphrase.exists() {
            let mut bytes = [0; 16];
            getrandom::getrandom(&mut bytes)
                .map_err(|_| std::io::Error::other("the operating system returned no random bytes"))
                .map_err(FileError::io("write", &passphrase))?;
            let text = format!("{:032x}", u128::from_ne_bytes(bytes));
            write_atomic(&passphrase, text.as_bytes(), Keep::Nothing)?;
        }
        // A TOML basic string.
        let shown = passphrase.display().to_string().replace('\\', r"\\").replace('"', "\\\"");
        write_new(
            home.join(".config/hatbox/config.toml"),
            &format!("backend = \"file\"\npassphrase_file = \"{shown}\"\n"),
        )?;
        write_new(home.join(".aws/config"), &render_config())
    }

    fn add_key(&self) -> Result<(), Failure> {
        let key = self.user_key()?;
        let output = self
            .hatbox()
            .args(["add", "--env", "--force", "--no-add-config", USER_PROFILE])
            .env("AWS_ACCESS_KEY_ID", key.id.as_str())
            .env("AWS_SECRET_ACCESS_KEY", key.secret.expose())
            .output();
        let failure = || Failure::new(FailureKind::Failed, "could not store the sandbox's access key");
        let failure = match output {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                match said.lines().find_map(|line| line.strip_prefix("hatbox: error: ")) {
                    Some(error) => failure().because(error),
                    None => failure(),
                }
            }
            Err(error) => failure().caused_by(&error),
        };
        Err(failure.hint("remove the sandbox's directory to start over"))
    }

    /// A command with exactly the sandbox's environment.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        self.held.release_in(&mut command);
        command
    }

    /// Starts hatbox with `verb`, without input and output.
    pub(super) fn hatbox_quietly(&self, verb: &str) -> std::io::Result<Child> {
        self.hatbox().arg(verb).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }

    /// Runs a command and returns its exit code.
    pub(super) fn run(&self, command: &[OsString]) -> Result<ExitCode, Failure> {
        let Some((program, arguments)) = command.split_first() else {
            return Err(Failure::new(FailureKind::Usage, "no command is given"));
        };
        let found = self
            .find_program(program)
            .map_err(|error| Failure::of_error(FailureKind::CommandNotFound, &error))?;
        let mut command = self.command(found);
        command.args(arguments);
        self.run_child(command)
    }

    /// Runs a prepared command and waits for it, as the server may be in this process.
    ///
    /// | signal | reaction |
    /// |---|---|
    /// | SIGINT, SIGQUIT | ignored: the terminal sent it to the child as well |
    /// | SIGTERM, SIGHUP | passed on |
    /// | SIGTSTP | this process stops, as the child did |
    pub(super) fn run_child(&self, mut command: Command) -> Result<ExitCode, Failure> {
        let mut child = command.spawn().map_err(|error| {
            Failure::new(FailureKind::CommandNotExecutable, "the command cannot be run").caused_by(&error)
        })?;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(exit_code_of(status)),
                Ok(None) => {}
                Err(error) => {
                    return Err(
                        Failure::new(FailureKind::Failed, "lost sight of the command").caused_by(&error)
                    );
                }
            }
            match self.held.take() {
                Some(signal @ (Signal::TERM | Signal::HUP)) => signals::send(&child, signal),
                Some(Signal::TSTP) => signals::stop_self(),
                _ => std::thread::sleep(TICK),
            }
        }
    }
}

/// Connects to the server that runs in `directory`, or starts one in this process.
fn open_server(directory: &Path) -> Result<(Client, Option<Running>), Failure> {
    let until = Instant::now() + START_LIMIT;
    loop {
        if let Some(client) = Client::open(directory).ok().filter(|client| client.status().is_ok()) {
            return Ok((client, None));
        }
        match hatbox_sandbox::start(&Options { directory: directory.to_owned(), port: 0 }) {
            Ok(server) => return Ok((server.client.clone(), Some(server))),
            // Another process is starting or stopping its server.
            Err(hatbox_sandbox::Error::Running { .. }) if Instant::now() < until => std::thread::sleep(TICK),
            Err(error) => return Err(error.into()),
        }
    }
}

fn exit_code_of(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn render_config() -> String {
    let (work, region, serial) = (demo::WORK_ACCOUNT, demo::REGION, demo::MFA_SERIAL);
    let (start_url, read, write) = (demo::START_URL, demo::READ_ONLY_SET, demo::DEVELOPER_SET);
    let user = format!("arn:aws:iam::{}:user/{}", demo::PEOPLE_ACCOUNT, demo::USER);
    format!(
        "[profile {USER_PROFILE}]\n\
         region = {region}\n\
         mfa_serial = {serial}\n\
         \n\
         [profile security-auditor]\n\
         region = {region}\n\
         source_profile = {USER_PROFILE}\n\
         role_arn = arn:aws:iam::{work}:role/security-auditor\n\
         \n\
         [profile dev-infra-admin]\n\
         region = {region}\n\
         source_profile = {USER_PROFILE}\n\
         role_arn = arn:aws:iam::{work}:role/dev-infra-admin\n\
         mfa_serial = {serial}\n\
         \n\
         # The same role, with no MFA device named: its trust policy refuses.\n\
         [profile dev-infra-admin-without-mfa]\n\
         region = {region}\n\
         source_profile = {USER_PROFILE}\n\
         role_arn = arn:aws:iam::{work}:role/dev-infra-admin\n\
         \n\
         # The portal of the sandbox: AWS_ENDPOINT_URL leads there.\n\
         [sso-session sandbox]\n\
         sso_start_url = {start_url}\n\
         sso_region = {region}\n\
         sso_registration_scopes = sso:account:access\n\
         \n\
         [profile work-read-only]\n\
         region = {region}\n\
         sso_session = sandbox\n\
         sso_account_id = {work}\n\
         sso_role_name = {read}\n\
         \n\
         [profile work-developer]\n\
         region = {region}\n\
         sso_session = sandbox\n\
         sso_account_id = {work}\n\
         sso_role_name = {write}\n\
         \n\
         # As `aws login` writes it: `hatbox login --session jan-console` signs in.\n\
         [profile jan-console]\n\
         region = {region}\n\
         login_session = {user}\n"
    )
}
