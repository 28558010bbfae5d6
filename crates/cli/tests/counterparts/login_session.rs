//! A login session file that hatbox wrote, read and refreshed by the SDKs; and the file that they write, read by
//! hatbox.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::python::Python;
use crate::scene::{HATBOX, Scene, succeeded};
use crate::sdks::Sdk;

const JAN: &str = "arn:aws:iam::111122223333:user/jan";

/// Submits the form of the sign-in page and follows the redirect to hatbox's listener, as a browser does.
fn browse(page: &str) {
    let (target, query) = page.split_once('?').unwrap();
    let identity = JAN.replace(':', "%3A").replace('/', "%2F");
    let form = format!("{query}&identity={identity}&decision=allow");
    let answer = send("POST", target, &form);
    let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
    send("GET", &location, "");
}

fn send(method: &str, url: &str, body: &str) -> String {
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A scene in which jan is signed in for the profile `me`, and the credentials have expired.
fn signed_in() -> Scene {
    let scene = Scene::start();
    let arguments = ["login", "--session", "--no-browser", "--region", "us-east-1", "me"];
    let mut login = scene.home.command(HATBOX);
    let mut child = login
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut page = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut page).unwrap();
    browse(page.trim());
    assert!(child.wait().unwrap().success());
    let mut file = read_file(&scene);
    file["accessToken"]["expiresAt"] = "2020-01-01T00:00:00Z".into();
    std::fs::write(file_path(&scene), file.to_string()).unwrap();
    scene
}

fn file_path(scene: &Scene) -> PathBuf {
    let name = "97287988db9a4916d69951a995e950d63e745a776ba121da6888d310a8763f6d.json";
    scene.home.path().join(".aws/login/cache").join(name)
}

fn read_file(scene: &Scene) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file_path(scene)).unwrap()).unwrap()
}

fn refreshes(scene: &Scene) -> usize {
    let calls = scene.calls("CreateOAuth2Token");
    calls
        .iter()
        .filter(|call| call.parameters.get("grantType").is_some_and(|grant| grant == "refresh_token"))
        .count()
}

/// Checks that a program that prints the access key id of `me` refreshes the session, and that hatbox uses what it
/// wrote.
fn check(scene: &Scene, program: &mut Command) {
    let url = scene.sandbox.url();
    let said = succeeded(program.env("AWS_PROFILE", "me").env("AWS_ENDPOINT_URL_SIGNIN", url));
    assert_eq!(refreshes(scene), 1, "it refreshed the session");
    let written = read_file(scene);
    assert_eq!(said.trim(), written["accessToken"]["accessKeyId"].as_str().unwrap());
    let id = succeeded(&mut scene.home.hatbox(&["exec", "me", "--", "printenv", "AWS_ACCESS_KEY_ID"]));
    assert_eq!(id.trim(), written["accessToken"]["accessKeyId"].as_str().unwrap());
    assert_eq!(refreshes(scene), 1, "hatbox uses what it wrote");
    succeeded(&mut scene.home.hatbox(&["exec", "--fresh", "me", "--", "true"]));
    assert_eq!(refreshes(scene), 2, "and refreshes from it");
}

/// Whether a coordinate of the session's key begins with a zero. The Go SDK drops it, and the service then rejects the
/// key.
fn has_short_coordinate(scene: &Scene) -> bool {
    let file = read_file(scene);
    let pem = file["dpopKey"].as_str().unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).unwrap();
    let point = &der[der.len() - 64..];
    point[0] == 0 || point[32] == 0
}

#[test]
fn boto3_refreshes_from_the_file_and_hatbox_goes_on() {
    const ID: &str =
        "import boto3; print(boto3.Session().get_credentials().get_frozen_credentials().access_key)";
    let Some(python) = Python::open() else { return };
    let scene = signed_in();
    check(&scene, scene.home.command(python.interpreter()).args(["-c", ID]));
}

#[test]
fn the_go_sdk_refreshes_from_the_file_and_hatbox_goes_on() {
    let Some(sdk) = Sdk::go() else { return };
    let mut scene = signed_in();
    while has_short_coordinate(&scene) {
        scene = signed_in();
    }
    check(&scene, scene.home.command(&sdk.program).args(&sdk.arguments));
}

#[test]
fn the_javascript_sdk_refreshes_from_the_file_and_hatbox_goes_on() {
    let Some(sdk) = Sdk::javascript() else { return };
    let scene = signed_in();
    check(&scene, scene.home.command(&sdk.program).args(&sdk.arguments).arg("login"));
}

#[test]
#[ignore = "builds the SDK, which takes two minutes: cargo test --test counterparts -- --ignored"]
fn the_rust_sdk_refreshes_from_the_file_and_hatbox_goes_on() {
    let Some(sdk) = Sdk::rust() else { return };
    let scene = signed_in();
    check(&scene, scene.home.command(&sdk.program).args(&sdk.arguments));
}
