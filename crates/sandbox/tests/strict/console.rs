//! The console: sign-in tokens, which credentials they are issued for, and browser sessions.

use hatbox_sandbox::control::{Fault, FaultKind};
use hatbox_sandbox::world::AUDITOR_ROLE;
use serde_json::{Value, json};

use crate::client::{Answer, Keys, OPEN, Sandbox, percent};

const PAGE: &str = "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1";

fn get(sandbox: &Sandbox, target: &str, cookies: &str) -> Answer {
    sandbox.send(&sandbox.s3_raw("GET", target, &[("cookie", cookies)], b""))
}

fn ask(sandbox: &Sandbox, keys: &Keys, more: &str) -> Answer {
    let token = keys.token.clone().unwrap_or_default();
    let session = json!({"sessionId": keys.id, "sessionKey": keys.secret, "sessionToken": token}).to_string();
    get(sandbox, &format!("/federation?Action=getSigninToken&Session={}{more}", percent(&session)), "")
}

fn token(sandbox: &Sandbox, keys: &Keys) -> String {
    let answer = ask(sandbox, keys, "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body["SigninToken"].as_str().unwrap().to_owned()
}

fn login(sandbox: &Sandbox, token: &str, cookies: &str) -> Answer {
    let target =
        format!("/federation?Action=login&Issuer=x&Destination={}&SigninToken={token}", percent(PAGE));
    get(sandbox, &target, cookies)
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, text: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.body.contains(text), "{text}: {}", answer.body);
}

#[test]
fn a_role_is_signed_in_and_its_page_says_who_it_is() {
    let mut sandbox = Sandbox::start();
    let keys = sandbox.assume(&sandbox.jan, AUDITOR_ROLE, &[]).keys();
    let token = token(&sandbox, &keys);
    let answer = login(&sandbox, &token, "");
    assert_eq!(answer.status, 303, "{}", answer.body);
    let (page, cookie) = (answer.header("location"), cookie(&answer));
    assert!(page.starts_with("/console/") && page.ends_with("/s3/home?region=eu-west-1"), "{page}");
    let shown = get(&sandbox, &page, &cookie);
    for text in [
        "<dd id=who>arn:aws:sts::444455556666:assumed-role/security-auditor/",
        "<dd id=region>eu-west-1<",
        "<dd id=path>/s3/home<",
        "<dd id=account>444455556666<",
    ] {
        assert!(shown.body.contains(text), "{text}: {}", shown.body);
    }
    refused(&get(&sandbox, &page, ""), 403, "has ended, or this browser has not signed in");
    let log = sandbox.control().log(0).unwrap();
    let text = serde_json::to_string(&log).unwrap();
    assert!(!text.contains(&token) && !text.contains(&keys.secret), "{text}");
    let world = std::fs::read_to_string(sandbox.directory.join("world.json")).unwrap_or_default();
    assert!(!world.contains(&token));
    sandbox.advance(3601);
    refused(&get(&sandbox, &page, &cookie), 403, "has ended");
}

#[test]
fn a_sign_in_token_ends_and_another_is_refused() {
    let mut sandbox = Sandbox::start();
    let keys = sandbox.assume(&sandbox.jan, AUDITOR_ROLE, &[]).keys();
    refused(&login(&sandbox, "nonsense", ""), 400, "Token is invalid");
    let first = token(&sandbox, &keys);
    sandbox.advance(901);
    refused(&login(&sandbox, &first, ""), 400, "Token has expired");
    sandbox
        .control()
        .add_fault(&Fault {
            kind: FaultKind::ShortLifeSeconds(0),
            times: Some(1),
            action: Some("GetSigninToken".to_owned()),
        })
        .unwrap();
    let short = token(&sandbox, &keys);
    refused(&login(&sandbox, &short, ""), 400, "Token has expired");
    sandbox.advance(3600);
    refused(&ask(&sandbox, &keys, ""), 400, "Invalid Credentials Parameter");
}

#[test]
fn only_credentials_of_roles_and_federated_users_are_taken() {
    const HOURS: &str = "&SessionDuration=28800";
    let sandbox = Sandbox::start();
    let role = sandbox.assume(&sandbox.jan, OPEN, &[]).keys();
    let chained = sandbox.assume(&role, OPEN, &[]).keys();
    let session = sandbox.sts(&sandbox.jan, "GetSessionToken", &[]).keys();
    let federated = sandbox.sts(&sandbox.jan, "GetFederationToken", &[("Name", "jan")]).keys();
    for (keys, more, is_taken) in [
        (&role, "", true),
        (&role, HOURS, true),
        (&role, "&SessionDuration=43201", false),
        (&role, "&SessionDuration=899", false),
        (&role, "&SessionDuration=x", false),
        (&chained, "", true),
        (&chained, HOURS, false),
        (&federated, "", true),
        (&federated, HOURS, false),
        (&session, "", false),
        (&sandbox.jan, "", false),
        (&Keys { secret: "x".to_owned(), ..role.clone() }, "", false),
        (&Keys { token: Some("x".to_owned()), ..role.clone() }, "", false),
    ] {
        let answer = ask(&sandbox, keys, more);
        assert_eq!(answer.status, if is_taken { 200 } else { 400 }, "{more} {}", answer.body);
        assert!(is_taken || answer.body.contains("Invalid Credentials Parameter"), "{}", answer.body);
    }
    refused(
        &get(&sandbox, "/federation?Action=getSigninToken&Session=%7B%7D", ""),
        400,
        "Invalid Credentials",
    );
}

#[test]
fn another_session_needs_a_sign_out_or_multi_session_support() {
    let sandbox = Sandbox::start();
    let one = token(&sandbox, &sandbox.assume(&sandbox.jan, AUDITOR_ROLE, &[]).keys());
    let other = token(&sandbox, &sandbox.assume(&sandbox.jan, OPEN, &[]).keys());
    let first = cookie(&login(&sandbox, &one, ""));
    refused(&login(&sandbox, &other, &first), 400, "You must first log out");
    let next = format!("http://{}/federation?Action=login", sandbox.address());
    let out = get(&sandbox, &format!("/oauth?Action=logout&redirect_uri={}", percent(&next)), &first);
    assert_eq!((out.status, out.header("location")), (303, next));
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{}", out.head);
    assert_eq!(
        login(&sandbox, &other, &first).status,
        303,
        "the session is gone, whatever the browser keeps"
    );
    refused(
        &get(&sandbox, "/oauth?Action=logout&redirect_uri=https%3A%2F%2Fevil.example", ""),
        400,
        "Invalid redirect_uri",
    );

    let both = format!("{}; sandbox-multi-session=on", cookie(&login(&sandbox, &one, "")));
    assert_eq!(login(&sandbox, &other, &both).status, 303);
    refused(&get(&sandbox, "/oauth?Action=logout", &both), 400, "Bad Request");
}

#[test]
fn a_console_link_of_the_portal_signs_its_user_in() {
    let sandbox = Sandbox::start();
    let page = get(&sandbox, "/start/", "");
    assert!(page.body.contains("location.hash") && page.head.contains("script-src 'nonce-"), "{}", page.head);
    let post = |form: &str, origin: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", origin)];
        sandbox.send(&sandbox.s3_raw("POST", "/start/console", &headers, form.as_bytes()))
    };
    let own = format!("http://{}", sandbox.address());
    let form = format!("account_id=444455556666&role_name=ReadOnly&destination={}", percent(PAGE));
    let shown = get(&sandbox, &format!("/start/console?{form}"), "");
    assert!(shown.body.contains("<b id=user>jan</b>"), "{}", shown.body);
    let answer = post(&form, &own);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let console = get(&sandbox, &answer.header("location"), &cookie(&answer));
    assert!(console.body.contains("assumed-role/AWSReservedSSO_ReadOnly_"), "{}", console.body);
    refused(&post(&form, "http://evil.example"), 400, "another site");
    refused(&post("account_id=444455556666&role_name=Owner", &own), 403, "No access");
}
