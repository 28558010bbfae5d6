//! Requests of botocore, terraform and the Rust SDK, recorded on the wire. Sent again unchanged, the sandbox
//! authenticates them; with one byte changed, it rejects them.

use std::net::SocketAddr;
use std::path::Path;

use hatbox_sandbox::control::Client;
use hatbox_sandbox::log::LogEntry;
use hatbox_sandbox::world::load_world;
use hatbox_sandbox::{Options, Running, start};

use crate::python::Python;
use crate::recorder::Recorder;
use crate::scene::{Scene, succeeded};
use crate::terraform::Project;
use crate::wire::{Part, Wire};

/// Roughly how many changed requests are sent per client.
const CHANGES: usize = 200;

/// A sandbox with a copy of another's state: keys, sessions and objects. Its log is empty and its port differs; the
/// signed Host stays that of the recorder.
struct Twin {
    directory: tempfile::TempDir,
    running: Running,
}

impl Twin {
    fn of(scene: &Scene) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let to = directory.path();
        std::fs::create_dir(to.join("objects")).unwrap();
        let copy = |name: &Path| std::fs::copy(scene.place().join(name), to.join(name)).unwrap();
        copy(Path::new("state.json"));
        for object in std::fs::read_dir(scene.place().join("objects")).unwrap() {
            copy(&Path::new("objects").join(object.unwrap().file_name()));
        }
        let running = start(&Options { directory: to.to_owned(), port: 0 }).unwrap();
        Self { directory, running }
    }

    fn address(&self) -> SocketAddr {
        self.running.address
    }

    fn client(&self) -> &Client {
        &self.running.client
    }
}

/// Sends recorded requests again, unchanged and changed. `taken` are the calls that succeed when they are repeated.
fn check(scene: &Scene, requests: &[Wire], taken: &[&str]) {
    let again = Twin::of(scene);
    let mut kinds: Vec<(LogEntry, &Wire)> = Vec::new();
    let mut carried_out = std::collections::BTreeSet::new();
    for request in requests {
        request.send(again.address());
        let entry = again.client().log(0).unwrap().pop().unwrap();
        assert!(entry.caller.is_some(), "an unchanged request is authenticated: {entry:?}");
        if entry.is_allowed() {
            carried_out.insert(entry.action.clone());
        }
        let with_code = entry.parameters.contains_key("TokenCode");
        assert!(!(with_code && entry.is_allowed()), "an MFA code was accepted twice: {entry:?}");
        if !kinds.iter().any(|(other, _)| other.action == entry.action) {
            kinds.push((entry, request));
        }
    }
    for action in taken {
        assert!(
            carried_out.contains(*action),
            "{action} can be repeated, but only {carried_out:?} succeeded"
        );
    }
    let changed = Twin::of(scene);
    let before = load_world(changed.directory.path()).unwrap();
    let all: Vec<(&LogEntry, &Wire, Part)> = kinds
        .iter()
        .flat_map(|(entry, request)| request.parts().into_iter().map(move |part| (entry, *request, part)))
        .collect();
    let (mut seen, mut sent) = (0, 0);
    for (entry, request, part) in &all {
        for at in part.positions((CHANGES / all.len()).max(1)) {
            let status = request.send_changed(part, at, changed.address());
            sent += 1;
            let what = format!("{} with byte {at} of {} changed: {status}", entry.action, part.name);
            assert!(status == 0 || (400..500).contains(&status), "{what}");
            // Requests that are invalid HTTP are not in the log.
            for entry in changed.client().log(seen).unwrap() {
                assert!(entry.caller.is_none(), "{what} {entry:?}");
                seen = entry.number;
            }
        }
    }
    println!("{sent} changed requests of {} kinds", kinds.len());
    assert!(seen > 0 && sent >= all.len());
    assert!(load_world(changed.directory.path()).unwrap() == before, "a refused request changed the world");
}

#[test]
fn a_request_of_botocore_with_one_byte_changed_is_refused() {
    const SCRIPT: &str = r#"
import boto3
boto3.client("sts").get_caller_identity()
s3 = boto3.client("s3")
s3.list_buckets()
s3.list_objects_v2(Bucket="work-logs", Prefix="2024/05 ~/+&x")
s3.put_object(Bucket="work-logs", Key="a b/c", Body=b"some bytes", Metadata={"k": "v"})
s3.get_object(Bucket="work-logs", Key="a b/c", ResponseContentType="text/plain")["Body"].read()
s3.head_object(Bucket="work-logs", Key="a b/c")
"#;
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let recorder = Recorder::start(scene.sandbox.address);
    let endpoint = format!("AWS_ENDPOINT_URL={}", recorder.url());
    let command = ["env", &endpoint, &python.interpreter(), "-c", SCRIPT];
    succeeded(&mut scene.exec("dev-infra-admin", &command));
    let requests = recorder.requests();
    assert!(requests.iter().all(|r| r.header("user-agent").unwrap().contains("Botocore/")));
    let taken = ["GetCallerIdentity", "ListBuckets", "ListObjectsV2", "PutObject", "GetObject", "HeadObject"];
    check(&scene, &requests, &taken);
}

#[test]
fn a_request_of_terraform_with_one_byte_changed_is_refused() {
    let scene = Scene::start();
    let Some(project) = Project::open(&scene, "") else { return };
    let recorder = Recorder::start(scene.sandbox.address);
    let endpoint = format!("AWS_ENDPOINT_URL={}", recorder.url());
    for arguments in [&["init", "-input=false"][..], &["apply", "-input=false", "-auto-approve"]] {
        let mut command = vec!["env".to_owned(), endpoint.clone()];
        command.extend(project.command(arguments));
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        succeeded(&mut scene.exec("dev-infra-admin", &command));
    }
    let requests = recorder.requests();
    assert!(requests.iter().all(|r| r.header("user-agent").unwrap().contains("aws-sdk-go-v2")));
    check(&scene, &requests, &["GetCallerIdentity", "ListObjectsV2", "GetObject", "HeadObject"]);
}

#[test]
fn a_request_of_the_rust_sdk_with_one_byte_changed_is_refused() {
    let scene = Scene::start();
    let recorder = Recorder::start(scene.sandbox.address);
    let endpoint = recorder.url();
    for profile in ["dev-infra-admin", "security-auditor"] {
        succeeded(scene.exec(profile, &["true"]).env("AWS_ENDPOINT_URL", &endpoint));
    }
    let requests = recorder.requests();
    assert!(requests.iter().all(|r| r.header("user-agent").unwrap().contains("aws-sdk-rust")));
    assert!(requests.iter().any(|r| String::from_utf8_lossy(r.body()).contains("TokenCode=")));
    check(&scene, &requests, &["AssumeRole"]);
}
