//! The AWS SDKs with the servers of `hatbox exec --server` and `--imds`, which they find only by the variables.

use std::process::Command;

use hatbox_sandbox::control::{Fault, FaultKind};

use serde_json::Value;

use crate::python::Python;
use crate::scene::{Scene, succeeded};
use crate::sdks::Sdk;
use crate::sso::find_chromium;
use crate::terraform::{APPLY, assert_finished, start_outlived};

const PAGE: &str = concat!(include_str!("python/chromium.py"), include_str!("python/server_page.py"));

fn exec(scene: &Scene, profile: &str, command: &[&str]) -> Command {
    exec_with("--server", scene, profile, command)
}

fn exec_with(flag: &str, scene: &Scene, profile: &str, command: &[&str]) -> Command {
    let code = scene.code();
    let mut run = scene.home.hatbox(&["exec", flag]);
    if profile == "dev-infra-admin" {
        run.args(["-t", &code]);
    }
    run.args([profile, "--"]).args(command);
    run
}

/// Checks that an SDK's program gets the credentials that `export` prints.
fn check(sdk: Option<Sdk>) {
    let Some(sdk) = sdk else { return };
    for flag in ["--server", "--imds"] {
        check_with(flag, &sdk);
    }
}

fn check_with(flag: &str, sdk: &Sdk) {
    let scene = Scene::start();
    // The SDKs would use this before they ask a server.
    let keys = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n";
    std::fs::write(scene.home.path().join(".aws/credentials"), keys).unwrap();
    let program = sdk.program.display().to_string();
    let mut words = vec![program.as_str()];
    words.extend(sdk.arguments.iter().map(String::as_str));
    let id = succeeded(&mut exec_with(flag, &scene, "security-auditor", &words));
    let exported = succeeded(&mut scene.home.hatbox(&["export", "--format", "json", "security-auditor"]));
    assert!(id.starts_with("ASIA") && exported.contains(id.trim()), "{id} {exported}");
}

/// The page knows all that a program knows: the address, and the token too.
#[test]
fn a_page_in_chromium_gets_no_credentials_even_with_the_token() {
    let Some(chromium) = find_chromium() else { return };
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let interpreter = python.interpreter();
    let words = [interpreter.as_str(), "-c", PAGE, chromium];
    let out: Value = serde_json::from_str(&succeeded(&mut exec(&scene, "security-auditor", &words))).unwrap();
    let got = |name: &str| out[name].as_str().unwrap_or_default().to_owned();
    assert!(got("program").starts_with("200 ") && got("program").contains("SecretAccessKey"), "{out}");
    for (name, is_right) in [
        // Chromium sends a preflight request first, and the server does not allow the header.
        ("another_origin", got("another_origin").starts_with("none ")),
        ("without_cors", ["opaque 0 ", "none "].iter().any(|start| got("without_cors").starts_with(start))),
        ("rebound", got("rebound").contains("Refused")),
        ("rebound_script", got("rebound_script").starts_with("basic 4")),
        ("address", got("address").contains("Refused")),
        ("address_script", got("address_script").starts_with("basic 4")),
    ] {
        assert!(is_right && !got(name).contains("SecretAccessKey"), "{name}: {out}");
    }
}

#[test]
fn the_go_sdk_asks_the_server() {
    check(Sdk::go());
}

#[test]
fn the_javascript_sdk_asks_the_server() {
    check(Sdk::javascript());
}

#[test]
fn the_java_sdk_asks_the_server() {
    check(Sdk::java());
}

#[test]
fn the_rust_sdk_asks_the_server() {
    check(Sdk::rust());
}

#[test]
fn the_aws_cli_asks_the_server() {
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let words = [&*python.aws(), "s3", "ls"];
    for flag in ["--server", "--imds"] {
        let listed = succeeded(&mut exec_with(flag, &scene, "security-auditor", &words));
        assert!(listed.contains("work-terraform-state"), "{flag}: {listed}");
    }
}

#[test]
fn boto3_goes_on_when_its_first_credentials_have_expired() {
    const SCRIPT: &str = r#"
import boto3, time
session = boto3.Session()
credentials = session.get_credentials()
first = credentials.get_frozen_credentials().access_key
deadline = time.monotonic() + 30
while credentials.get_frozen_credentials().access_key == first:
    assert time.monotonic() < deadline, "no others"
    session.client("sts").get_caller_identity()
print(session.client("sts").get_caller_identity()["Arn"])
"#;
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    scene.add_fault(&Fault {
        kind: FaultKind::ShortLifeSeconds(6),
        times: None,
        action: Some("AssumeRole".to_owned()),
    });
    let words = [&*python.interpreter(), "-c", SCRIPT];
    let who = succeeded(&mut exec(&scene, "security-auditor", &words));
    assert!(who.contains(":assumed-role/security-auditor/"), "{who}");
}

#[test]
fn boto3_finds_the_credentials_of_the_metadata_server_and_no_others() {
    const SCRIPT: &str = r#"
import boto3
session = boto3.Session()
credentials = session.get_credentials()
print(credentials.method, session.client("sts").get_caller_identity()["Arn"])
"#;
    let Some(python) = Python::open() else { return };
    let scene = Scene::start();
    let words = [&*python.interpreter(), "-c", SCRIPT];
    let who = succeeded(&mut exec_with("--imds", &scene, "security-auditor", &words));
    assert!(who.starts_with("iam-role ") && who.contains(":assumed-role/security-auditor/"), "{who}");
}

fn check_terraform(life: i64, work: u32) {
    let Some((scene, project)) = start_outlived(life, work) else { return };
    let before = scene.calls("AssumeRole").len();
    let command = project.command(&APPLY);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let said = succeeded(&mut exec(&scene, "dev-infra-admin", &command));
    assert_finished(&scene, &said);
    assert!(scene.calls("AssumeRole").len() >= before + 2, "the role was renewed");
}

#[test]
fn terraform_outlives_its_credentials_and_gives_its_lock_back() {
    check_terraform(3, 5);
}

#[test]
#[ignore = "takes 90 seconds: cargo test --test counterparts -- --ignored apply_of_90_seconds"]
fn an_apply_of_90_seconds_outlives_credentials_of_30_by_the_server() {
    check_terraform(30, 90);
}
