//! A credential server under test: a long-running command next to it, and requests to it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

use crate::fixture::Fixture;
use crate::run::{Run, wait, wait_until, without_terminal};

const LIMIT: Duration = Duration::from_secs(30);

/// Lists the directories of servers, without the lock file next to them.
pub(crate) fn server_directories(fixture: &Fixture) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture.path("home/run/hatbox/servers")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

/// The address of a server, and its token.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) port: u16,
    pub(crate) path: String,
    pub(crate) token: String,
}

impl Address {
    /// Parses the values of the variables.
    pub(crate) fn new(uri: &str, token_file: &Path) -> Self {
        let rest = uri.strip_prefix("http://127.0.0.1:").unwrap();
        let (port, path) = rest.split_once('/').unwrap();
        let token = std::fs::read_to_string(token_file).unwrap();
        Self { port: port.parse().unwrap(), path: format!("/{path}"), token }
    }

    fn of_metadata(endpoint: &str) -> Self {
        let port = endpoint.strip_prefix("http://127.0.0.1:").unwrap().parse().unwrap();
        let path = "/latest/meta-data/iam/security-credentials/hatbox".to_owned();
        Self { port, path, token: String::new() }
    }

    /// Sends bytes, and reads until the connection ends.
    pub(crate) fn send(&self, bytes: &[u8]) -> String {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        connection.set_read_timeout(Some(LIMIT)).unwrap();
        connection.write_all(bytes).ok();
        let mut answer = Vec::new();
        // A connection reset means that the server closed it.
        connection.read_to_end(&mut answer).ok();
        String::from_utf8(answer).unwrap()
    }

    /// Sends a request as the SDKs do.
    pub(crate) fn get(&self) -> (u16, Value) {
        let Self { port, path, token } = self;
        let answer = self.send(
            format!(
                "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
            )
            .as_bytes(),
        );
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        assert!(head.contains("Content-Type: application/json"), "{head}");
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    /// Returns the access key id that the server returns.
    #[track_caller]
    pub(crate) fn key_id(&self) -> String {
        let (status, body) = self.get();
        assert_eq!(status, 200, "{body}");
        body["AccessKeyId"].as_str().unwrap().to_owned()
    }
}

/// A command with a server next to it.
pub(crate) struct Served {
    child: Option<Child>,
    pub(crate) variables: std::collections::BTreeMap<String, String>,
    pub(crate) address: Address,
    clock: PathBuf,
    /// Only the server's arguments contain it.
    mark: PathBuf,
    stderr: PathBuf,
}

/// The result of a command with a server.
pub(crate) struct Ended {
    status: ExitStatus,
    /// The output of both.
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

impl Served {
    /// Runs `hatbox exec --server ARGUMENTS` with a command that runs until it is ended.
    pub(crate) fn start(fixture: &Fixture, arguments: &[&str]) -> Self {
        Self::start_with(fixture, arguments, |run| run)
    }

    pub(crate) fn start_with(fixture: &Fixture, arguments: &[&str], change: impl FnOnce(Run) -> Run) -> Self {
        Self::start_flag("--server", fixture, arguments, change)
    }

    /// Runs `hatbox exec --imds ARGUMENTS` in the same way. The path of its address is that of the credentials.
    pub(crate) fn start_metadata(
        fixture: &Fixture,
        arguments: &[&str],
        change: impl FnOnce(Run) -> Run,
    ) -> Self {
        Self::start_flag("--imds", fixture, arguments, change)
    }

    fn start_flag(
        flag: &str,
        fixture: &Fixture,
        arguments: &[&str],
        change: impl FnOnce(Run) -> Run,
    ) -> Self {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (out, clock) = (fixture.path(&format!("out{count}")), fixture.path("clock"));
        let mark = fixture.path(&format!("why{count}.json"));
        let script = "env -0 >\"$0.part\" && mv \"$0.part\" \"$0\"; exec sleep 600";
        let run = fixture
            .hatbox(&["exec", flag, "--error-json"])
            .args([&mark])
            .args(arguments)
            .args(["--", "sh", "-c", script])
            .args([&out])
            .env("HATBOX_TEST_CLOCK_FILE", &clock);
        let stderr = fixture.path(&format!("stderr{count}"));
        let mut command = change(run).command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(std::fs::File::create(&stderr).unwrap());
        without_terminal(&mut command);
        let child = command.spawn().unwrap();
        wait_until("the command", || out.exists() || child_has_ended(child.id()));
        assert!(out.exists(), "it failed: {}", std::fs::read_to_string(&stderr).unwrap());
        let text = std::fs::read_to_string(&out).unwrap();
        let variables: std::collections::BTreeMap<String, String> = text
            .split_terminator('\0')
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let address = match variables.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            Some(uri) => Address::new(uri, Path::new(&variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])),
            None => Address::of_metadata(&variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"]),
        };
        Self { child: Some(child), variables, address, clock, mark, stderr }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }

    /// Moves the clocks of this server and of the sandbox.
    pub(crate) fn move_clock(&self, fixture: &Fixture, seconds: i64) {
        std::fs::write(&self.clock, seconds.to_string()).unwrap();
        fixture.client().set_clock_offset(seconds).unwrap();
    }

    /// Returns the server's process.
    pub(crate) fn sidecar(&self) -> Pid {
        self.find_sidecar().unwrap()
    }

    fn find_sidecar(&self) -> Option<Pid> {
        let mark = self.mark.as_os_str().as_encoded_bytes();
        std::fs::read_dir("/proc").unwrap().find_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let is_it = words.split(|&b| b == 0).any(|word| word == mark);
            is_it.then(|| Pid::from_raw(pid).unwrap())
        })
    }

    /// Returns what the command and the server have printed so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    /// Ends the command, and waits until the server ends.
    pub(crate) fn end(mut self) -> Ended {
        let sidecar = self.find_sidecar();
        kill_process(self.pid(), Signal::TERM).unwrap();
        let mut child = self.child.take().unwrap();
        let status = wait(&mut child, "a command with a server");
        wait_until("the end of the server", || sidecar.is_none_or(|pid| test_kill_process(pid).is_err()));
        Ended { status, stderr: self.said() }
    }
}

fn child_has_ended(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(") ").next().is_none_or(|rest| rest.starts_with('Z')) || state.is_empty()
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
