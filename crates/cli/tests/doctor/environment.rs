//! Environment variables, and the files that they name.

use std::net::TcpListener;

use crate::home::{Home, KEY};

#[test]
fn variables_that_beat_a_profile_are_reported() {
    let home = Home::with_config("[profile alice]\ninclude_profile = a\n[profile a]\n");
    let found = |variables: &[(&str, &str)]| {
        let found = home.found(variables).into_iter();
        found.filter(|finding| !finding.starts_with("no-credentials")).collect::<Vec<_>>()
    };
    assert!(found(&[("AWS_PROFILE", "alice"), ("AWS_REGION", "eu-west-1")]).is_empty());
    let keys = [("AWS_ACCESS_KEY_ID", KEY.0), ("AWS_SECRET_ACCESS_KEY", KEY.1)];
    assert_eq!(found(&keys), ["env-keys AWS_ACCESS_KEY_ID"]);
    assert_eq!(found(&[("AWS_PROFILE", "alise")]), ["env-profile AWS_PROFILE"]);
    let nested = [keys[0], keys[1], ("HATBOX", "alice"), ("AWS_VAULT", "alice")];
    assert_eq!(found(&nested), ["env-nested HATBOX"]);
    assert_eq!(found(&[("AWS_MIN_TTL", "soon")]), ["env-value -"]);
    assert_eq!(found(&[("AWS_REGION", "no region")]), ["env-value AWS_REGION"]);
}

#[test]
fn files_that_variables_name_must_be_there() {
    let home = Home::new();
    let there = home.write("bundle.pem", "").display().to_string();
    assert!(home.found(&[("AWS_CA_BUNDLE", &there), ("SSL_CERT_FILE", &there)]).is_empty());
    assert_eq!(home.found(&[("AWS_CA_BUNDLE", "/nonexistent")]), ["env-no-file AWS_CA_BUNDLE"]);
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::444455556666:role/pod");
    let with_token = |path| home.found(&[("AWS_WEB_IDENTITY_TOKEN_FILE", path), role]);
    assert_eq!(with_token(&there), ["env-web-identity AWS_WEB_IDENTITY_TOKEN_FILE"]);
    assert_eq!(
        with_token("/nonexistent"),
        ["env-no-file AWS_WEB_IDENTITY_TOKEN_FILE", "env-web-identity AWS_WEB_IDENTITY_TOKEN_FILE"]
    );
}

#[test]
fn another_endpoint_and_a_sandbox_that_has_gone_are_reported() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = format!("http://{}", listener.local_addr().unwrap());
    let closed = {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", other.local_addr().unwrap())
    };
    let url = "AWS_ENDPOINT_URL";
    for (variables, expected) in [
        (vec![(url, "https://sts.eu-west-1.amazonaws.com")], vec![]),
        (vec![(url, open.as_str())], vec!["env-endpoint AWS_ENDPOINT_URL"]),
        (vec![(url, closed.as_str())], vec!["env-endpoint AWS_ENDPOINT_URL"]),
        (vec![(url, "https://sts.example.com")], vec!["env-endpoint AWS_ENDPOINT_URL"]),
        (vec![(url, "http://10.0.0.1")], vec!["env-endpoint AWS_ENDPOINT_URL"]),
        (vec![(url, open.as_str()), ("HATBOX_SANDBOX", "x")], vec!["sandbox HATBOX_SANDBOX"]),
        (vec![(url, closed.as_str()), ("HATBOX_SANDBOX", "x")], vec!["sandbox-leftover HATBOX_SANDBOX"]),
        (vec![("HATBOX_SANDBOX", "x")], vec!["sandbox-leftover HATBOX_SANDBOX"]),
    ] {
        assert_eq!(home.found(&variables), expected, "{variables:?}");
    }
    let level = |url_said: &str| home.report(&[], &[(url, url_said)])["findings"][0]["level"].clone();
    assert_eq!(
        (level(&open), level(&closed), level("http://10.0.0.1")),
        ("warning".into(), "error".into(), "error".into())
    );
}
