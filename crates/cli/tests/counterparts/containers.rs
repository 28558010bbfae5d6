//! The recipes of docs/containers.md that need an SDK. They run the document's commands in two network namespaces that
//! are connected like a machine and its container.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use hatbox_sandbox::world::AUDITOR_ROLE;

use crate::python::Python;
use crate::scene::{Scene, failed, shown, succeeded};
use crate::sdks::Sdk;

const DOCUMENT: &str = include_str!("../../../../docs/containers.md");
/// The machine's address in the document, and the one in this test.
const BRIDGE: &str = "172.17.0.1";
const MACHINE: &str = "10.77.14.1";

const BOTO3: &str = "import boto3; print(boto3.Session().get_credentials().access_key)";

/// Runs a command with files mounted as in a container: each pair is a file and the path that it is mounted on.
const WITH_FILES: &str =
    r#"while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@""#;

/// The document's line that begins with `start`.
pub(crate) fn document_line(start: &str) -> &'static str {
    DOCUMENT.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no line `{start}`"))
}

/// A machine, a container and the network between them. Dropping the value deletes both namespaces.
struct Network {
    machine: String,
    container: String,
}

impl Network {
    fn create() -> Option<Self> {
        let ip = |words: &str| {
            let status = Command::new("ip").args(words.split(' ')).stderr(Stdio::null()).status();
            status.is_ok_and(|status| status.success())
        };
        let id = std::process::id();
        let network = Self { machine: format!("hatbox-m{id}"), container: format!("hatbox-c{id}") };
        if !ip(&format!("netns add {}", network.machine)) {
            println!("skipped: a network namespace needs root, and `ip` of iproute2");
            return None;
        }
        let (machine, container) = (&network.machine, &network.container);
        for words in [
            format!("netns add {container}"),
            format!("-n {machine} link add eth0 type veth peer name eth0 netns {container}"),
            format!("-n {machine} address add {MACHINE}/24 dev eth0"),
            format!("-n {container} address add 10.77.14.2/24 dev eth0"),
            format!("-n {machine} link set eth0 up"),
            format!("-n {container} link set eth0 up"),
            format!("-n {container} link set lo up"),
        ] {
            assert!(ip(&words), "ip {words}");
        }
        Some(network)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in [&self.machine, &self.container] {
            Command::new("ip").args(["netns", "del", name]).status().ok();
        }
    }
}

/// A process that ends with the test.
pub(crate) struct Running {
    child: Child,
    /// Kept open, so that the process can go on printing.
    _output: Option<Lines<BufReader<ChildStdout>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // TERM lets it clean up.
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
        self.child.wait().ok();
    }
}

/// `hatbox serve` as the document runs it, and what it printed.
pub(crate) fn serve(scene: &Scene, start: &str) -> (Running, BTreeMap<String, String>) {
    let config = scene.home.path().join(".aws/config");
    let dev = format!("[profile dev]\nsource_profile = jan-work\nrole_arn = {AUDITOR_ROLE}\n");
    std::fs::write(&config, std::fs::read_to_string(&config).unwrap() + &dev).unwrap();
    let words = document_line(start).trim_start_matches("$ ").strip_prefix("hatbox ").unwrap();
    let mut command = scene.home.command("sh");
    command.args(["-c", &format!("exec \"$0\" {words}"), crate::scene::HATBOX]);
    command.env("XDG_RUNTIME_DIR", scene.home.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut variables = BTreeMap::new();
    for line in lines.by_ref().map(Result::unwrap) {
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|rest| rest.split_once('=')) {
            variables.insert(name.to_owned(), value.to_owned());
            if name == "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" {
                break;
            }
        }
    }
    let running = Running { child, _output: Some(lines) };
    assert!(variables.contains_key("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), "{variables:?}");
    (running, variables)
}

#[test]
fn sdks_in_a_container_get_credentials_by_https_if_they_trust_the_certificate_and_have_the_token() {
    for program in ["openssl", "socat"] {
        let version = if program == "socat" { "-V" } else { "version" };
        if Command::new(program).arg(version).output().is_err() {
            println!("skipped: there is no {program}");
            return;
        }
    }
    let (Some(network), Some(python)) = (Network::create(), Python::open()) else { return };
    let scene = Scene::start();
    let home = scene.home.path();
    succeeded(scene.home.command("sh").args(["-c", document_line("openssl req ")]));
    let (_server, variables) =
        serve(&scene, "hatbox serve --listen \"unix:$XDG_RUNTIME_DIR/hatbox.sock\" --url");
    let uri = &variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    assert_eq!(uri, "https://host.docker.internal:8443/credentials/dev");
    let token = Path::new(&variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]);

    let terminator = format!("exec {}", document_line("socat OPENSSL-LISTEN").replace(BRIDGE, MACHINE));
    let mut command = scene.home.command("ip");
    command.args(["netns", "exec", &network.machine, "sh", "-c", &terminator]);
    let child = command.env("XDG_RUNTIME_DIR", home).stderr(Stdio::null()).spawn().unwrap();
    let _terminator = Running { child, _output: None };

    let hosts = home.join("hosts");
    std::fs::write(&hosts, format!("127.0.0.1 localhost\n{MACHINE} host.docker.internal\n")).unwrap();
    let certificate = home.join("cert.pem");
    // The file that `cat cert.pem >>"$(python3 -m certifi)"` makes in an image.
    let certifi = succeeded(Command::new(python.interpreter()).args(["-m", "certifi"]));
    let bundle = home.join("bundle.pem");
    let all = [std::fs::read(certifi.trim()).unwrap(), std::fs::read(&certificate).unwrap()].concat();
    std::fs::write(&bundle, all).unwrap();
    let trusted = [(hosts.as_path(), Path::new("/etc/hosts")), (&bundle, Path::new(certifi.trim()))];

    let client = |files: &[(&Path, &Path)], words: &[String]| {
        let mut command = scene.home.command("ip");
        command.args(["netns", "exec", &network.container, "sh", "-c", WITH_FILES, "sh"]);
        for (file, place) in files {
            command.args([file, place]);
        }
        command.arg("--").args(words);
        command.env_remove("AWS_ENDPOINT_URL").env("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri);
        command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token).env("AWS_REGION", "us-east-1");
        command
    };
    let check = |output: String| {
        let exported = succeeded(&mut scene.home.hatbox(&["export", "--format", "json", "dev"]));
        assert!(output.starts_with("ASIA") && exported.contains(output.trim()), "{output} {exported}");
    };
    let boto3 = [python.interpreter(), "-c".to_owned(), BOTO3.to_owned()];
    wait_until_it_listens(&network);
    check(succeeded(&mut client(&trusted, &boto3)));

    // Without the token.
    let wrong = home.join("wrong.token");
    std::fs::write(&wrong, "0".repeat(64)).unwrap();
    let mut without = client(&trusted, &boto3);
    let (_, said) = failed(without.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &wrong));
    assert!(said.contains("403") && !said.contains("ASIA"), "{said}");
    // Without trust in the certificate: boto3 ignores AWS_CA_BUNDLE here.
    let mut without = client(&trusted[..1], &boto3);
    let (_, said) = failed(without.env("AWS_CA_BUNDLE", &certificate));
    assert!(said.contains("CERTIFICATE_VERIFY_FAILED") && !said.contains("ASIA"), "{said}");

    for (sdk, trust) in [(Sdk::go(), "SSL_CERT_FILE"), (Sdk::javascript(), "NODE_EXTRA_CA_CERTS")] {
        let Some(sdk) = sdk else { continue };
        let words: Vec<String> =
            [sdk.program.display().to_string()].into_iter().chain(sdk.arguments.clone()).collect();
        check(succeeded(client(&trusted[..1], &words).env(trust, &certificate)));
        let (_, said) = failed(&mut client(&trusted[..1], &words));
        assert!(!said.contains("ASIA"), "{said}");
    }
}

/// Waits until the TLS proxy answers.
fn wait_until_it_listens(network: &Network) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let mut command = Command::new("ip");
        let connect = format!("exec 3<>/dev/tcp/{MACHINE}/8443");
        command.args(["netns", "exec", &network.container, "bash", "-c", &connect]);
        let output = command.output().unwrap();
        if output.status.success() {
            return;
        }
        assert!(std::time::Instant::now() < end, "{}", shown(&output));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
