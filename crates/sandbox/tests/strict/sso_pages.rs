//! Identity Center in the browser: the page of the authorization code flow with PKCE, and the page of a device.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hatbox_sandbox::control::Consent;
use hatbox_sandbox::world::START_URL;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::client::{Answer, Sandbox, percent};
use crate::sso::{ACCESS, Client, Tokens};

const VERIFIER: &str = "abcdefghijklmnopqrstuvwxyz-._~0123456789ABCDEFG";
const CALLBACK: &str = "http://127.0.0.1:49152/oauth/callback";

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn register(sandbox: &Sandbox) -> Client {
    sandbox.register_with(&json!({
        "clientName": "<b>test</b>",
        "issuerUrl": START_URL,
        "scopes": [ACCESS],
        "grantTypes": ["authorization_code", "refresh_token"],
        "redirectUris": ["http://127.0.0.1/oauth/callback"],
    }))
}

/// Returns the parameters of an authorize request with `changes`; an empty value removes a parameter.
fn query(client: &Client, changes: &[(&str, &str)]) -> String {
    let digest = challenge(VERIFIER);
    let usual = [
        ("response_type", "code"),
        ("client_id", &client.id),
        ("redirect_uri", CALLBACK),
        ("state", "s t/1"),
        ("code_challenge_method", "S256"),
        ("scopes", ACCESS),
        ("code_challenge", &digest),
    ];
    let changed = usual.map(|(name, value)| {
        let change = changes.iter().find(|(changed, _)| *changed == name);
        (name, change.map_or(value, |(_, value)| *value))
    });
    let pairs = changed.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", percent(value))).collect();
    pairs.join("&")
}

fn show(sandbox: &Sandbox, client: &Client, changes: &[(&str, &str)]) -> Answer {
    let target = format!("/authorize?{}", query(client, changes));
    sandbox.send(&sandbox.s3_raw("GET", &target, &[], b""))
}

fn post(sandbox: &Sandbox, path: &str, form: &str, origin: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(origin.map(|origin| ("origin", origin)));
    sandbox.send(&sandbox.s3_raw("POST", path, &headers, form.as_bytes()))
}

/// Submits Allow and returns the code.
fn allow(sandbox: &Sandbox, client: &Client) -> String {
    let answer = post(sandbox, "/authorize", &format!("{}&answer=allow", query(client, &[])), None);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let location = answer.header("location");
    let rest = location.strip_prefix(&format!("{CALLBACK}?code=")).unwrap();
    rest.strip_suffix("&state=s%20t%2F1").unwrap().to_owned()
}

fn exchange(sandbox: &Sandbox, client: &Client, code: &str, verifier: &str, redirect: &str) -> Answer {
    let more = json!({ "code": code, "codeVerifier": verifier, "redirectUri": redirect });
    sandbox.token(client, "authorization_code", &more)
}

#[test]
fn the_page_names_client_scope_and_user_and_a_code_becomes_tokens() {
    let sandbox = Sandbox::start();
    let client = register(&sandbox);
    let page = show(&sandbox, &client, &[]);
    for text in ["&lt;b&gt;test&lt;/b&gt;", ACCESS, ">jan<", "value=\"allow\"", "value=\"deny\"", CALLBACK] {
        assert!(page.ok().body.contains(text), "{text}: {}", page.body);
    }
    assert!(
        !page.body.contains("<b>") && page.header("content-security-policy").contains("default-src 'none'")
    );
    let code = allow(&sandbox, &client);
    let tokens = Tokens::of(&exchange(&sandbox, &client, &code, VERIFIER, CALLBACK));
    assert_eq!((tokens.seconds, tokens.refresh.is_some()), (3600, true));
    sandbox.portal("GET", "/assignment/accounts", &tokens.access).ok();
    exchange(&sandbox, &client, &code, VERIFIER, CALLBACK).oauth(
        400,
        "InvalidGrantException",
        "invalid_grant",
    );
    sandbox.poll(&client, "x").oauth(400, "UnauthorizedClientException", "unauthorized_client");
}

#[test]
fn a_code_is_good_for_its_client_its_verifier_its_address_and_a_minute() {
    let mut sandbox = Sandbox::start();
    let (client, other) = (register(&sandbox), register(&sandbox));
    let refused = |answer: Answer| answer.oauth(400, "InvalidGrantException", "invalid_grant");
    let code = allow(&sandbox, &client);
    refused(exchange(&sandbox, &other, &code, VERIFIER, CALLBACK));
    refused(exchange(&sandbox, &client, &code, &VERIFIER.replace('a', "b"), CALLBACK));
    refused(exchange(&sandbox, &client, &code, VERIFIER, CALLBACK));
    let code = allow(&sandbox, &client);
    refused(exchange(&sandbox, &client, &code, VERIFIER, &CALLBACK.replace("49152", "49153")));
    let code = allow(&sandbox, &client);
    sandbox.advance(61);
    refused(exchange(&sandbox, &client, &code, VERIFIER, CALLBACK));
    // A verifier of 42 characters is too short, even if it matches the challenge.
    let short = &VERIFIER[..42];
    let form = format!("{}&answer=allow", query(&client, &[("code_challenge", &challenge(short))]));
    let location = post(&sandbox, "/authorize", &form, None).header("location");
    let code = location.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    refused(exchange(&sandbox, &client, &code, short, CALLBACK));
}

#[test]
fn a_request_that_is_not_in_order_is_refused_on_the_page_and_never_redirected() {
    let sandbox = Sandbox::start();
    let client = register(&sandbox);
    for (name, value, status) in [
        ("client_id", "unknown", 401),
        ("client_id", "", 400),
        ("redirect_uri", "http://127.0.0.1:49152/oauth/other", 400),
        ("redirect_uri", "http://127.0.0.1:49152", 400),
        ("redirect_uri", "http://localhost:49152/oauth/callback", 400),
        ("redirect_uri", "http://[::1]:49152/oauth/callback", 400),
        ("redirect_uri", "https://evil.example/oauth/callback", 400),
        ("response_type", "token", 400),
        ("code_challenge_method", "plain", 400),
        ("code_challenge", VERIFIER, 400),
        ("code_challenge", "", 400),
        ("scopes", "sso:account:access codewhisperer:completions", 400),
    ] {
        let page = show(&sandbox, &client, &[(name, value)]);
        assert_eq!((page.status, page.header("location").as_str()), (status, ""), "{name}={value}");
        assert!(page.body.starts_with("<!doctype html>"), "{}", page.body);
        let form = format!("{}&answer=allow", query(&client, &[(name, value)]));
        assert_eq!(post(&sandbox, "/authorize", &form, None).status, status, "{name}={value}");
    }
    let device = sandbox.register(&[ACCESS]);
    assert_eq!(show(&sandbox, &device, &[]).status, 400, "it has no redirect URI");
    for uri in ["http://127.0.0.1:1/oauth/callback", "http://127.0.0.1/oauth/callback"] {
        show(&sandbox, &client, &[("redirect_uri", uri)]).ok();
    }
}

#[test]
fn deny_goes_back_with_an_error_and_a_form_of_another_site_does_nothing() {
    let sandbox = Sandbox::start();
    let client = register(&sandbox);
    let form = |answer: &str| format!("{}&answer={answer}", query(&client, &[]));
    let own = format!("http://{}", sandbox.address());
    let denied = post(&sandbox, "/authorize", &form("deny"), Some(&own));
    let expected =
        format!("{CALLBACK}?error=access_denied&error_description=Access%20denied&state=s%20t%2F1");
    assert_eq!((denied.status, denied.header("location")), (303, expected));
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        let answer = post(&sandbox, "/authorize", &form("allow"), Some(origin));
        assert_eq!((answer.status, answer.header("location").as_str()), (400, ""), "{origin}");
    }
    assert_eq!(post(&sandbox, "/authorize", &form("maybe"), None).status, 400);
}

#[test]
fn a_device_is_allowed_on_its_page() {
    let sandbox = Sandbox::start();
    let client = sandbox.register(&[ACCESS]);
    let (device_code, user_code) = sandbox.start_device(&client);
    let page = |target: &str| sandbox.send(&sandbox.s3_raw("GET", target, &[], b""));
    assert!(page("/device").ok().body.contains("name=\"user_code\""));
    assert_eq!(page("/device?user_code=BCDF-GHJK").status, 400);
    let shown = page(&format!("/device?user_code={user_code}"));
    for text in [user_code.as_str(), ">jan<", "test"] {
        assert!(shown.ok().body.contains(text), "{text}: {}", shown.body);
    }
    let form = format!("user_code={user_code}&answer=allow");
    assert_eq!(post(&sandbox, "/device", &form, Some("http://evil.example")).status, 400);
    assert!(post(&sandbox, "/device", &form, None).ok().body.contains("Request approved"));
    assert_eq!(post(&sandbox, "/device", &form, None).status, 400);
    Tokens::of(&sandbox.poll(&client, &device_code));
    let (device_code, user_code) = sandbox.start_device(&client);
    post(&sandbox, "/device", &format!("user_code={user_code}&answer=deny"), None).ok();
    sandbox.poll(&client, &device_code).oauth(400, "AccessDeniedException", "access_denied");
}

#[test]
fn the_control_path_answers_an_authorize_request_too_and_the_log_has_no_code() {
    let sandbox = Sandbox::start();
    let client = register(&sandbox);
    let url = format!("http://{}/authorize?{}", sandbox.address(), query(&client, &[]));
    let done = sandbox.control().sign_in(&url, Consent::Allow).unwrap();
    let redirect = done.redirect.clone().unwrap();
    assert!(!format!("{done:?}").contains(&redirect));
    let code = redirect.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    let second = allow(&sandbox, &client);
    Tokens::of(&exchange(&sandbox, &client, &code, VERIFIER, CALLBACK));
    let denied = sandbox.control().sign_in(&url, Consent::Deny).unwrap().redirect.unwrap();
    assert!(denied.contains("error=access_denied"), "{denied}");
    assert!(sandbox.control().sign_in(&url.replace("%2Foauth%2F", "%2Fother%2F"), Consent::Allow).is_err());
    let log = std::fs::read_to_string(sandbox.directory.join("log.jsonl")).unwrap();
    for secret in [code.as_str(), &second, VERIFIER, &client.secret, "s t/1"] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[test]
fn many_accounts_are_listed_page_by_page() {
    let sandbox = Sandbox::start();
    sandbox.control().add_sso_accounts(43, 3).unwrap();
    assert!(sandbox.control().add_sso_accounts(1_000_000, 1).is_err());
    let token = sandbox.sign_in(&sandbox.register(&[ACCESS])).access;
    let (mut ids, mut next) = (Vec::new(), None::<String>);
    loop {
        let more = next.map(|next| format!("&next_token={next}")).unwrap_or_default();
        let page =
            sandbox.portal("GET", &format!("/assignment/accounts?max_result=10{more}"), &token).ok().json();
        ids.extend(page["accountList"].as_array().unwrap().iter().map(|one| one["accountId"].to_string()));
        next = page["nextToken"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    assert!(ids.len() == 45 && ids.is_sorted_by(|one, other| one < other), "{ids:?}");
    let roles = sandbox.portal("GET", "/assignment/roles?account_id=200000000043", &token).ok().json();
    let names: Vec<_> =
        roles["roleList"].as_array().unwrap().iter().map(|one| one["roleName"].clone()).collect();
    assert_eq!(names, ["Role01", "Role02", "Role03"]);
    sandbox.role_credentials(&token, "200000000043", "Role03").ok();
}
