//! `--share-sso-cache`: the token in `~/.aws/sso/cache` is written, refreshed, and read after other programs changed
//! it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::sso::{CONFIG, add_center, count};
use crate::sso_populate::sign_in;
use crate::stub::Stub;

const HOURS: i64 = 3600;

/// A home without a store, not signed in.
fn fixture() -> Fixture {
    let fixture = Fixture::empty_in(&[], add_center);
    fixture.write_config(CONFIG);
    fixture
}

pub(crate) fn path(fixture: &Fixture) -> PathBuf {
    // SHA-1 of `corp`.
    fixture.path("home/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json")
}

pub(crate) fn read(fixture: &Fixture) -> Value {
    serde_json::from_slice(&fs::read(path(fixture)).unwrap()).unwrap()
}

fn write(fixture: &Fixture, token: &Value) {
    fs::write(path(fixture), token.to_string()).unwrap();
}

fn export(fixture: &Fixture) -> crate::run::Run {
    fixture.hatbox(&["export", "--fresh", "dev"])
}

/// Runs `export` with the sandbox in place of AWS, without a configured endpoint.
fn export_from_aws(fixture: &Fixture) -> crate::run::Run {
    as_from_aws(fixture, export(fixture))
}

fn as_from_aws(fixture: &Fixture, run: crate::run::Run) -> crate::run::Run {
    run.without("AWS_ENDPOINT_URL").env("HATBOX_TEST_SSO_URL", fixture.client().url())
}

/// Refreshes the token in the file as an SDK does, and writes the file as boto3 does, without fields that it does not
/// know.
pub(crate) fn refresh_like_an_sdk(fixture: &Fixture) {
    refresh_file_like_an_sdk(&path(fixture), fixture.client().address());
}

fn refresh_file_like_an_sdk(path: &Path, address: SocketAddr) {
    let mut token: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let body = json!({
        "clientId": token["clientId"], "clientSecret": token["clientSecret"],
        "grantType": "refresh_token", "refreshToken": token["refreshToken"],
    })
    .to_string();
    let length = body.len();
    let head =
        format!("POST /token HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    let answer = forward(&format!("{head}{body}"), address);
    let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    token["accessToken"] = answer["accessToken"].clone();
    token["refreshToken"] = answer["refreshToken"].clone();
    token["expiresAt"] = "2099-01-01T00:00:00Z".into();
    token.as_object_mut().unwrap().retain(|name, _| name != "madeBy");
    fs::write(path, token.to_string()).unwrap();
}

/// Sends a request to the server at `address`, and returns the answer.
fn forward(request: &str, address: SocketAddr) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let is_kept = |line: &&str| {
        !["host:", "connection:"].iter().any(|name| line.to_ascii_lowercase().starts_with(name))
    };
    let head: Vec<&str> = head.lines().filter(is_kept).collect();
    let head = head.join("\r\n");
    let mut server = TcpStream::connect(address).unwrap();
    write!(server, "{head}\r\nHost: {address}\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_token_is_shared_in_the_form_that_all_read_and_unknown_fields_stay() {
    let fixture = fixture();
    sign_in(&fixture, &["--share-sso-cache"]);
    let token = read(&fixture);
    let mut names: Vec<_> = token.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accessToken",
            "clientId",
            "clientSecret",
            "expiresAt",
            "refreshToken",
            "region",
            "registrationExpiresAt",
            "startUrl"
        ]
    );
    for name in ["expiresAt", "registrationExpiresAt"] {
        let time = token[name].as_str().unwrap();
        assert!(time.len() == "2026-11-29T10:00:00Z".len() && time.ends_with('Z'), "{time}");
    }
    assert_eq!(fs::metadata(path(&fixture)).unwrap().permissions().mode() & 0o777, 0o600);
    let mut more = token.clone();
    more["madeBy"] = json!({"a": [1]});
    write(&fixture, &more);
    // Sharing was chosen at the sign-in, and a refresh by another command keeps it.
    fixture.advance(2 * HOURS);
    export(&fixture).run().ok();
    assert_eq!(count(&fixture, "CreateToken"), 2);
    let refreshed = read(&fixture);
    assert_ne!(refreshed["accessToken"], token["accessToken"]);
    assert_eq!(refreshed["madeBy"], more["madeBy"]);
    assert_eq!(fs::metadata(path(&fixture)).unwrap().permissions().mode() & 0o777, 0o600);
    let out = fixture.hatbox(&["sso", "logout"]).run().ok();
    assert_eq!(out.stderr.lines().last(), Some("hatbox: signed out of `corp`"));
    assert!(!path(&fixture).exists());
    // A later sign-in does not share its token again.
    sign_in(&fixture, &[]);
    assert!(!path(&fixture).exists());
}

#[test]
fn a_token_that_another_program_refreshed_is_taken_over() {
    let fixture = fixture();
    sign_in(&fixture, &["--share-sso-cache"]);
    refresh_like_an_sdk(&fixture);
    assert_eq!(count(&fixture, "CreateToken"), 2);
    export(&fixture).run().ok();
    // hatbox uses the new refresh token; the one of the sign-in is spent.
    let mut token = read(&fixture);
    token["expiresAt"] = "2098-01-01T00:00:00Z".into();
    write(&fixture, &token);
    export(&fixture).run().ok();
    assert_eq!(count(&fixture, "CreateToken"), 2, "no refresh, and no sign-in");
}

#[test]
fn a_token_of_the_aws_cli_is_taken_over_only_where_the_settings_say_so() {
    let fixture = fixture();
    sign_in(&fixture, &["--share-sso-cache"]);
    // Only the file of the AWS CLI is left.
    fs::remove_dir_all(fixture.path("home/.cache/hatbox/sign-ins")).unwrap();
    let refused = export_from_aws(&fixture).run().expect_code(4);
    assert!(refused.stderr.contains("hatbox sso login corp"), "{}", refused.stderr);
    share_always(&fixture);
    export_from_aws(&fixture).run().ok();
    let good = read(&fixture);
    let change = |name: &str, value: &str| {
        let mut token = good.clone();
        token[name] = value.into();
        token.to_string()
    };
    let other_portal = change("startUrl", "https://other.awsapps.com/start");
    for text in [other_portal, change("region", "us-east-1"), change("expiresAt", "soon"), "{".to_owned()] {
        fs::write(path(&fixture), &text).unwrap();
        let refused = export_from_aws(&fixture).run().expect_code(4);
        assert!(refused.stderr.contains("hatbox sso login corp"), "{text}: {}", refused.stderr);
    }
    write(&fixture, &good);
    fs::set_permissions(path(&fixture), fs::Permissions::from_mode(0o666)).unwrap();
    export_from_aws(&fixture).run().expect_code(4);
    // An expired token is refreshed, and written back for other programs of the user only.
    fs::set_permissions(path(&fixture), fs::Permissions::from_mode(0o644)).unwrap();
    fixture.advance(2 * HOURS);
    export_from_aws(&fixture).run().ok();
    assert_eq!(count(&fixture, "CreateToken"), 2);
    assert_ne!(read(&fixture)["accessToken"], good["accessToken"]);
    assert_eq!(fs::metadata(path(&fixture)).unwrap().permissions().mode() & 0o777, 0o600);
    let status = as_from_aws(&fixture, fixture.hatbox(&["sso", "status"])).run().ok();
    assert!(status.stdout.contains("signed in"), "{}", status.stdout);
}

fn share_always(fixture: &Fixture) {
    let settings = fs::read_to_string(fixture.path("home/.config/hatbox/config.toml")).unwrap_or_default();
    fixture.write_settings(&format!("share_sso_cache = true\n{settings}"));
}

#[test]
fn a_token_of_aws_is_neither_sent_to_an_endpoint_that_was_left_behind_nor_lost_there() {
    let fixture = fixture();
    sign_in(&fixture, &["--share-sso-cache"]);
    share_always(&fixture);
    // Only the file of a sign-in at AWS is left.
    fs::remove_dir_all(fixture.path("home/.cache/hatbox/sign-ins")).unwrap();
    let before = (read(&fixture), fixture.log().len());
    let stub = Stub::answering(|| r#"{"error": "invalid_grant"}"#.to_owned(), None);
    for time in [0, 2 * HOURS] {
        fixture.advance(time);
        for url in [stub.url(), fixture.client().url()] {
            let refused = export(&fixture).env("AWS_ENDPOINT_URL", &url).run().expect_code(4);
            assert!(refused.stderr.contains("not signed in to SSO session `corp`"), "{}", refused.stderr);
        }
        for name in ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"] {
            export_from_aws(&fixture).env(name, stub.url()).run().expect_code(4);
        }
        export_from_aws(&fixture).env("HATBOX_SANDBOX", "left").run().expect_code(4);
    }
    assert_eq!(stub.requests(), [""; 0]);
    assert_eq!(fixture.log().len(), before.1);
    // A sign-in at the other endpoint does not replace the file, and a sign-out does not delete it.
    sign_in(&fixture, &["--share-sso-cache"]);
    export(&fixture).run().ok();
    fixture.advance(2 * HOURS);
    let refreshed = export(&fixture).run().ok();
    let warning = "does not come from a sign-in at this endpoint, and stays as it is";
    assert!(refreshed.stderr.contains(warning), "{}", refreshed.stderr);
    fixture.hatbox(&["sso", "logout"]).run().ok();
    assert_eq!(read(&fixture), before.0);
    export_from_aws(&fixture).run().ok();
}

#[test]
fn a_cache_that_cannot_be_written_is_a_warning_and_the_sign_in_holds() {
    let fixture = fixture();
    fs::create_dir_all(path(&fixture)).unwrap();
    sign_in(&fixture, &["--share-sso-cache"]);
    export(&fixture).run().ok();
    assert!(path(&fixture).is_dir());
}

#[test]
fn a_refresh_token_that_another_program_spends_meanwhile_is_read_again_before_giving_up() {
    let fixture = fixture();
    sign_in(&fixture, &["--share-sso-cache"]);
    share_always(&fixture);
    // Only the file of the AWS CLI is left.
    fs::remove_dir_all(fixture.path("home/.cache/hatbox/sign-ins")).unwrap();
    fixture.advance(2 * HOURS);
    let (address, file, is_first) = (fixture.client().address(), path(&fixture), AtomicBool::new(true));
    let stub = Stub::start(move |request, mut client| {
        // hatbox has read the file and sends its request, but the other program is faster.
        if request.starts_with("POST /token") && is_first.swap(false, Ordering::SeqCst) {
            refresh_file_like_an_sdk(&file, address);
        }
        client.write_all(forward(request, address).as_bytes()).ok();
    });
    let through_stub = || export_from_aws(&fixture).env("HATBOX_TEST_SSO_URL", stub.url());
    through_stub().run().ok();
    let spent: Vec<_> = fixture
        .log()
        .into_iter()
        .filter(|call| call.action == "CreateToken")
        .map(|call| call.status)
        .collect();
    assert_eq!(spent, [200, 200, 400], "the sign-in, the other program, hatbox");
    through_stub().run().ok();
    assert_eq!(count(&fixture, "CreateToken"), 3, "what the other program got is used");
}
