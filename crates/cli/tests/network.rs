//! hatbox connects only to the endpoint that is set, and to nothing if a command needs no endpoint, as docs/network.md
//! says.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "test helpers may panic, like tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const HATBOX: &str = env!("CARGO_BIN_EXE_hatbox");

struct Sandbox {
    directory: tempfile::TempDir,
}

impl Sandbox {
    fn start() -> Self {
        let sandbox = Self { directory: tempfile::tempdir().unwrap() };
        let up = sandbox.command("up").arg("--detach").output().unwrap();
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        sandbox
    }

    fn command(&self, word: &str) -> Command {
        let mut command = Command::new(HATBOX);
        command.args(["sandbox", word, "--dir"]).arg(self.directory.path().join("it")).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command("run").args(["--", "setsid", "--wait", "sh", "-c", line]).output().unwrap()
    }

    /// The host and port of AWS_ENDPOINT_URL.
    fn endpoint(&self) -> String {
        let url = self.run("printf %s \"$AWS_ENDPOINT_URL\"").stdout;
        String::from_utf8(url).unwrap().trim_start_matches("http://").to_owned()
    }

    fn trace(&self) -> PathBuf {
        self.directory.path().join("trace")
    }

    /// Runs a command line. Returns every network address that it, or a process that it starts, connects or sends to.
    fn addresses(&self, line: &str, code: i32) -> BTreeSet<String> {
        let output = self.run(&format!(
            "exec strace -f -qq -o '{}' -e trace=connect,sendto,sendmsg,sendmmsg {line}",
            self.trace().display()
        ));
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        addresses_in(&std::fs::read_to_string(self.trace()).unwrap())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.run("hatbox lock");
        self.command("down").output().ok();
    }
}

/// The addresses in a trace, as `127.0.0.1:80`.
fn addresses_in(trace: &str) -> BTreeSet<String> {
    let of_line = |line: &str| {
        let (_, address) = line.split_once("sa_family=AF_INET")?;
        let (_, port) = address.split_once("htons(")?;
        let host = address.split('"').find(|part| part.contains(['.', ':'])).unwrap_or("?");
        Some(format!("{host}:{}", port.split(')').next()?))
    };
    trace.lines().filter_map(of_line).collect()
}

#[test]
fn commands_connect_to_the_endpoint_alone_or_to_nothing() {
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: strace is not installed");
        return;
    }
    let sandbox = Sandbox::start();
    let endpoint = sandbox.endpoint();
    let iam = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/example-accounts.json");
    let only_endpoint = BTreeSet::from([endpoint.clone()]);
    for (line, code) in [
        ("hatbox exec --fresh security-auditor -- true", 0),
        ("hatbox export --fresh security-auditor", 0),
        ("hatbox exec -t \"$(hatbox sandbox code)\" dev-infra-admin -- true", 0),
        ("hatbox mfa list jan-work", 0),
        ("hatbox exec dev-infra-admin-without-mfa -- true", 125),
        ("hatbox why", 0),
        ("hatbox doctor --online", 0),
        // The endpoint is on this machine, so doctor checks that it answers.
        ("hatbox doctor", 0),
        ("hatbox trust graph --from live:security-auditor", 0),
    ] {
        assert_eq!(sandbox.addresses(line, code), only_endpoint, "{line}");
    }
    let graph = format!("hatbox trust graph --from '{}'", iam.display());
    for line in [
        "hatbox exec security-auditor -- true",
        "hatbox export security-auditor",
        "hatbox list",
        "hatbox explain dev-infra-admin",
        "hatbox why --offline",
        "hatbox log",
        "hatbox store status",
        "hatbox prompt",
        "hatbox completions bash",
        "hatbox --version",
        "hatbox help exec",
        &graph,
        "hatbox clear",
        "hatbox lock",
    ] {
        assert_eq!(sandbox.addresses(line, 0), BTreeSet::new(), "{line}");
    }
}

#[test]
fn addresses_are_read_from_a_trace() {
    let trace = "7 connect(3, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 110) = 0\n\
                 7 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr(\"192.0.2.1\")}, 16) = 0\n\
                 8 sendto(4, \"x\", 1, 0, {sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), \
                 inet_pton(AF_INET6, \"::1\", &sin6_addr), sin6_scope_id=0}, 28) = 1\n";
    assert_eq!(addresses_in(trace), ["192.0.2.1:443", "::1:53"].map(str::to_owned).into());
}
