//! Sessions of `aws login` in `list` and `doctor`, read from the files of this machine.

use std::fs;

use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::login_sign_in::{FILE, JAN, fixture, sign_in};

const EVE: &str = "arn:aws:iam::111122223333:user/eve";

/// Jan is signed in for the profile `me`; eve never was.
fn signed_in() -> Fixture {
    let fixture = fixture();
    fixture.write_config(&format!(
        "[profile also]\nlogin_session = {JAN}\n[profile eve]\nlogin_session = {EVE}\n"
    ));
    sign_in(&fixture);
    fixture
}

fn list(fixture: &Fixture) -> (String, Value) {
    let shown = fixture.hatbox(&["list"]).run().ok().stdout;
    let json: Value = serde_json::from_str(&fixture.hatbox(&["list", "--json"]).run().ok().stdout).unwrap();
    (shown, json["login_sessions"].clone())
}

/// Returns the texts and fixes of the findings of one kind.
fn findings(fixture: &Fixture, id: &str) -> Vec<(String, String)> {
    let shown = fixture.hatbox(&["doctor", "--json"]).run();
    let json: Value = serde_json::from_str(&shown.stdout).unwrap();
    let all = json["findings"].as_array().unwrap().iter();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    all.filter(|finding| finding["id"] == id)
        .map(|finding| (text(finding, "text"), text(finding, "fix")))
        .collect()
}

#[test]
fn login_sessions_are_shown_without_a_call() {
    let fixture = signed_in();
    let calls = fixture.log().len();
    let eve = json!({ "session": EVE, "profiles": ["eve"], "state": "signed-out", "expires_at": null });
    let jan = |json: &Value| (json[0]["state"].clone(), json[0]["expires_at"].is_string(), json[1] == eve);
    for (seconds, shown, state) in [
        (0, "signed in for 14m", "signed-in"),
        (20 * 60, "expired, renewed at the next use", "renewable"),
        (13 * 3600, "signed out", "signed-out"),
    ] {
        fixture.advance(seconds);
        let (text, json) = list(&fixture);
        assert!(text.contains(&format!("\naws login {JAN}: {shown}")), "{text}");
        assert!(text.ends_with(&format!("aws login {EVE}: signed out\n")), "{text}");
        assert_eq!(jan(&json), (json!(state), state != "signed-out", true), "{json}");
        assert_eq!((&json[0]["session"], &json[0]["profiles"]), (&json!(JAN), &json!(["also", "me"])));
        let signed_out = findings(&fixture, "login-signed-out");
        let of_eve = (
            format!("signed out of `{EVE}`: the first command that needs it signs in"),
            "hatbox login --session eve".to_owned(),
        );
        assert_eq!(signed_out.last(), Some(&of_eve));
        assert_eq!(signed_out.len(), if state == "signed-out" { 2 } else { 1 });
    }
    assert_eq!(fixture.log().len(), calls);
}

#[test]
fn a_file_that_cannot_be_used_is_reported_and_stops_nothing() {
    let fixture = signed_in();
    fs::write(fixture.path(FILE), "{}").unwrap();
    let (text, json) = list(&fixture);
    assert!(text.contains(&format!("\naws login {JAN}: could not read the login session in `")), "{text}");
    assert_eq!((&json[0]["state"], &json[0]["expires_at"]), (&json!("unusable"), &json!(null)));
    let [(error, fix)] = &findings(&fixture, "login-unusable")[..] else { panic!("no finding") };
    assert!(error.starts_with("could not read the login session in `"), "{error}");
    assert_eq!(fix, "hatbox login --session also");
}
