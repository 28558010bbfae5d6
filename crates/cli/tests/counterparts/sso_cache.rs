//! The SSO token that hatbox shares: boto3, the AWS CLI and the SDKs for Go, JavaScript, Java and Rust read it and
//! refresh it, and hatbox then uses the token that they wrote.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use hatbox_sandbox::control::Consent;
use hatbox_sandbox::world::{READ_ONLY_SET, START_URL, WORK_ACCOUNT};
use serde_json::Value;

use crate::python::Python;
use crate::scene::{Scene, succeeded};
use crate::sdks::Sdk;

/// SHA-1 of `corp`.
const FILE: &str = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// A sandbox in which the user has signed in with a shared token.
struct Shared {
    scene: Scene,
}

impl Shared {
    fn start() -> Self {
        let scene = Scene::start();
        let config = format!(
            "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = {START_URL}\n\
             sso_registration_scopes = sso:account:access\n\
             [profile dev]\nregion = us-east-1\nsso_session = corp\nsso_account_id = {WORK_ACCOUNT}\n\
             sso_role_name = {READ_ONLY_SET}\n"
        );
        std::fs::write(scene.home.path().join(".aws/config"), config).unwrap();
        let shared = Self { scene };
        shared.sign_in();
        shared
    }

    /// Signs in like a user in the browser.
    fn sign_in(&self) {
        let login = ["sso", "login", "corp", "--pkce", "--no-browser", "--share-sso-cache"];
        let mut child = self
            .scene
            .home
            .hatbox(&login)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut page = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut page).unwrap();
        let redirect =
            self.scene.sandbox.client.sign_in(page.trim_end(), Consent::Allow).unwrap().redirect.unwrap();
        let (host, path) = redirect.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut browser = TcpStream::connect(host).unwrap();
        write!(browser, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        browser.read_to_end(&mut Vec::new()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    fn path(&self) -> PathBuf {
        self.scene.home.path().join(".aws/sso/cache").join(FILE)
    }

    fn token(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path()).unwrap()).unwrap()
    }

    /// A command that runs an SDK with the profile as its only identity.
    fn client(&self, program: impl Into<PathBuf>, arguments: &[&str]) -> Command {
        let mut command = self.scene.home.command(program.into());
        command.args(arguments).env("AWS_PROFILE", "dev");
        // For these two, the Go SDK reads no other variable.
        let url = self.scene.sandbox.url();
        command.env("AWS_ENDPOINT_URL_SSO", &url).env("AWS_ENDPOINT_URL_SSO_OIDC", &url);
        command
    }

    fn count(&self, action: &str) -> usize {
        self.scene.calls(action).len()
    }

    /// Checks what holds for every client: it uses the token and refreshes it after it has expired, and hatbox uses the
    /// refreshed token without a prompt.
    fn check(&self, mut client: impl FnMut() -> Command) {
        succeeded(&mut client());
        assert_eq!(
            (self.count("GetRoleCredentials"), self.count("CreateToken")),
            (1, 1),
            "the token is used"
        );
        let mut old = self.token();
        let earlier = old["accessToken"].clone();
        old["expiresAt"] = "2020-01-01T00:00:00Z".into();
        std::fs::write(self.path(), old.to_string()).unwrap();
        succeeded(&mut client());
        assert_eq!(self.count("CreateToken"), 2, "the token is refreshed");
        assert!(self.scene.calls("CreateToken").iter().all(hatbox_sandbox::log::LogEntry::is_allowed));
        let new = self.token();
        assert_ne!(new["accessToken"], earlier);
        let exported = succeeded(&mut self.scene.home.hatbox(&["export", "--format", "json", "dev"]));
        let exported: Value = serde_json::from_str(&exported).unwrap();
        assert!(exported["AccessKeyId"].is_string());
        assert_eq!(
            (self.count("GetRoleCredentials"), self.count("CreateToken")),
            (3, 2),
            "by the client's token"
        );
    }
}

#[test]
fn boto3_reads_and_refreshes_the_shared_token() {
    const SCRIPT: &str =
        "import boto3; print(boto3.Session().get_credentials().get_frozen_credentials().access_key)";
    let Some(python) = Python::open() else { return };
    let shared = Shared::start();
    shared.check(|| shared.client(python.interpreter(), &["-c", SCRIPT]));
}

#[test]
fn the_aws_cli_reads_and_refreshes_the_shared_token() {
    let Some(python) = Python::open() else { return };
    let shared = Shared::start();
    shared.check(|| shared.client(python.aws(), &["sts", "get-caller-identity"]));
}

#[test]
fn the_go_sdk_reads_and_refreshes_the_shared_token() {
    check_sdk(Sdk::go());
}

#[test]
fn the_javascript_sdk_reads_and_refreshes_the_shared_token() {
    check_sdk(Sdk::javascript());
}

#[test]
fn the_java_sdk_reads_and_refreshes_the_shared_token() {
    check_sdk(Sdk::java());
}

#[test]
#[ignore = "builds the SDK, which takes two minutes: cargo test --test counterparts -- --ignored"]
fn the_rust_sdk_reads_and_refreshes_the_shared_token() {
    check_sdk(Sdk::rust());
}

fn check_sdk(sdk: Option<Sdk>) {
    let Some(sdk) = sdk else { return };
    let shared = Shared::start();
    let arguments: Vec<&str> = sdk.arguments.iter().map(String::as_str).collect();
    shared.check(|| shared.client(sdk.program.clone(), &arguments));
}
