//! Containers without an engine: tests in network namespaces what the recipes in docs/containers.md rely on.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::Fixture;
use crate::run::Run;
use crate::served::Served;

const CONFIG: &str = "\
[profile jan-work]
[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

/// Forwards a port to a socket, like `socat` in the container of the recipe.
const FORWARDER: &str = r"
import socket, sys, threading
def pass_on(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
port = socket.create_server((sys.argv[1], 80))
print('listening', flush=True)
while True:
    client, _ = port.accept()
    server = socket.socket(socket.AF_UNIX)
    server.connect(sys.argv[2])
    for pair in ((client, server), (server, client)):
        threading.Thread(target=pass_on, args=pair, daemon=True).start()
";

/// A network namespace with a loopback interface, deleted on drop.
struct Namespace(String);

impl Namespace {
    fn create(name: &str) -> Option<Self> {
        let name = format!("hatbox-{name}-{}", std::process::id());
        let ip = |words: &[&str]| Command::new("ip").args(words).stderr(Stdio::null()).status();
        if !ip(&["netns", "add", &name]).is_ok_and(|status| status.success()) {
            eprintln!("skipped: a network namespace needs root, and `ip` of iproute2");
            return None;
        }
        let namespace = Self(name);
        let up = namespace.command("ip", &["link", "set", "lo", "up"]).status();
        assert!(up.unwrap().success());
        Some(namespace)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]).args(arguments);
        command
    }

    /// Sends the request of a container in this namespace.
    fn ask(&self, uri: &str, token: &str) -> Output {
        let authorization = format!("Authorization: {token}");
        self.command("curl", &["-sS", "--max-time", "5", "-H", &authorization, uri]).output().unwrap()
    }

    fn run(&self, run: Run) -> Run {
        run.under("ip", &["netns", "exec", &self.0])
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        Command::new("ip").args(["netns", "del", &self.0]).status().ok();
    }
}

fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        eprintln!("skipped: there is no {program}");
    }
    found.is_ok()
}

#[test]
fn a_container_in_the_same_network_namespace_reaches_the_server_and_no_other_does() {
    let (Some(shared), Some(other)) = (Namespace::create("shared"), Namespace::create("other")) else {
        return;
    };
    if !is_there("curl") {
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    // The namespace cannot reach the sandbox, so the served credentials were obtained before.
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    let served = Served::start_with(&fixture, &["reader"], |run| shared.run(run));
    let (uri, token) = (&served.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"], &served.address.token);
    let answer = shared.ask(uri, token);
    assert!(String::from_utf8_lossy(&answer.stdout).contains("SecretAccessKey"), "{answer:?}");
    let elsewhere = other.ask(uri, token);
    assert!(!elsewhere.status.success() && elsewhere.stdout.is_empty(), "{elsewhere:?}");
    served.end();
}

/// An IMDSv2 client like that of the SDKs: gets a token, the name of the role, and its credentials.
const METADATA_CLIENT: &str = r#"
set -e
at=$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest
ask() { curl -sS --max-time 5 "$@"; }
token=$(ask -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$at/api/token")
role=$(ask -H "X-aws-ec2-metadata-token: $token" "$at/meta-data/iam/security-credentials/")
ask -H "X-aws-ec2-metadata-token: $token" "$at/meta-data/iam/security-credentials/$role"
"#;

#[test]
fn instance_metadata_is_for_the_network_namespace_of_the_command_alone() {
    let (Some(shared), Some(other)) = (Namespace::create("imds"), Namespace::create("no-imds")) else {
        return;
    };
    if !is_there("curl") {
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    let served = Served::start_metadata(&fixture, &["reader"], |run| shared.run(run));
    let name = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    let ask = |namespace: &Namespace| {
        let mut client = namespace.command("sh", &["-c", METADATA_CLIENT]);
        client.env(name, &served.variables[name]).output().unwrap()
    };
    let answer = ask(&shared);
    assert!(String::from_utf8_lossy(&answer.stdout).contains("SecretAccessKey"), "{answer:?}");
    let elsewhere = ask(&other);
    assert!(!elsewhere.status.success() && elsewhere.stdout.is_empty(), "{elsewhere:?}");
    served.end();
}

#[test]
fn a_forwarder_at_169_254_170_2_gives_a_network_of_containers_the_server() {
    let Some(network) = Namespace::create("network") else { return };
    if !is_there("curl") || !is_there("python3") {
        return;
    }
    let address = "169.254.170.2";
    assert!(
        network
            .command("ip", &["address", "add", "169.254.170.2/24", "dev", "lo"])
            .status()
            .unwrap()
            .success()
    );
    let fixture = Fixture::with_config(CONFIG);
    let socket = fixture.path("h.sock");
    let listen = format!("unix:{}", socket.display());
    let mut server = fixture.hatbox(&["serve", "--listen", &listen, "reader"]).spawn();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let file = lines.by_ref().map(Result::unwrap).find_map(|line| {
        Some(line.strip_prefix("export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=")?.to_owned())
    });
    let token = std::fs::read_to_string(Path::new(&file.unwrap())).unwrap();
    let mut forwarder = network
        .command("python3", &["-c", FORWARDER, address, socket.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(forwarder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "listening\n");
    let uri = format!("http://{address}/credentials/reader");
    let answer = network.ask(&uri, &token);
    let denied = network.ask(&uri, "wrong");
    forwarder.kill().unwrap();
    forwarder.wait().unwrap();
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    server.stdout = None;
    assert!(server.wait().unwrap().success());
    assert!(String::from_utf8_lossy(&answer.stdout).contains("SecretAccessKey"), "{answer:?}");
    assert!(!String::from_utf8_lossy(&denied.stdout).contains("SecretAccessKey"), "{denied:?}");
}
