//! Profiles of IAM Identity Center: one sign-in for all, refreshed automatically, and every way that it can fail.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex};

use hatbox_sandbox::control::{Consent, Fault, FaultKind, Revoked};
use hatbox_sandbox::world::{IdentityCenter, World};
use serde_json::{Value, json};

use crate::cast::WORK;
use crate::fixture::Fixture;
use crate::run::{Outcome, Run, finish, wait_until};
use crate::stub::Stub;
use crate::terminal::Terminal;

pub(crate) const CONFIG: &str = "\
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start

[profile dev]
sso_session = corp
sso_account_id = 444455556666
sso_role_name = Developer
region = eu-west-1

[profile audit]
sso_session = corp
sso_account_id = 444455556666
sso_role_name = Auditor
region = eu-west-1

[profile above]
source_profile = dev
role_arn = arn:aws:iam::444455556666:role/ops
region = eu-west-1
";
const LEGACY: &str = "
[profile old]
sso_region = eu-west-1
sso_start_url = https://old.awsapps.com/start
sso_account_id = 444455556666
sso_role_name = Developer
";
pub(crate) const WAITING: &str = "Waiting for the sign-in in the browser";

/// In the work account, jan has the permission sets developer and auditor, and developers may assume `ops`.
pub(crate) fn add_center(world: &mut World) {
    world.identity_center = Some(IdentityCenter::new("https://corp.awsapps.com/start", "jan"));
    let statement = json!([{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]);
    let policy = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    for name in ["Developer", "Auditor"] {
        world.add_permission_set(name, 3600, [("sts".to_owned(), policy.clone())].into());
        world.assign_permission_set("jan", WORK, name);
    }
    let account = world.accounts.get_mut(WORK).unwrap();
    let mut ops = account.roles["reader"].clone();
    "AROAOPSOPSOPSOPSOPSOP".clone_into(&mut ops.role_id);
    let principal = json!({"AWS": format!("arn:aws:iam::{WORK}:root")});
    let statement = json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]);
    ops.trust = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    account.roles.insert("ops".to_owned(), ops);
}

/// A home with a store and an Identity Center, not signed in.
pub(crate) fn scene() -> Fixture {
    let fixture = Fixture::empty_in(&["jan-work"], add_center);
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    fixture.write_config(CONFIG);
    fixture
}

/// A home with a store and an Identity Center, signed in.
pub(crate) fn signed_in_scene() -> Fixture {
    let fixture = scene();
    sign_in(&fixture, &["exec", "dev", "--", "true"]);
    fixture
}

#[test]
fn each_signs_in_once_for_all_profiles_of_a_session() {
    let fixture = scene();
    let screen =
        sign_in(&fixture, &["each", "dev", "audit", "above", "--", "sh", "-c", "echo in $AWS_ACCOUNT_ID"]);
    for profile in ["dev  ", "audit", "above"] {
        assert!(screen.contains(&format!("{profile} | in 444455556666")), "{screen:?}");
    }
    let count = |action: &str| fixture.log().iter().filter(|entry| entry.action == action).count();
    assert_eq!((count("StartDeviceAuthorization"), count("GetRoleCredentials")), (1, 2));
}

/// Runs hatbox on a terminal, and confirms the code that it shows.
pub(crate) fn sign_in(fixture: &Fixture, arguments: &[&str]) -> Vec<String> {
    let mut terminal = Terminal::start_wide(&fixture.hatbox(arguments), 200);
    confirm(fixture, &terminal, Consent::Allow);
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    terminal.screen()
}

pub(crate) fn confirm(fixture: &Fixture, terminal: &Terminal, consent: Consent) {
    terminal.wait_for_prompt(WAITING);
    fixture.client().sign_in(&shown_code(terminal), consent).unwrap();
}

pub(crate) fn shown_code(terminal: &Terminal) -> String {
    let transcript = terminal.transcript();
    let (_, after) = transcript.rsplit_once("shows the code ").unwrap();
    after.split_whitespace().next().unwrap().to_owned()
}

pub(crate) fn count(fixture: &Fixture, action: &str) -> usize {
    fixture.log().iter().filter(|entry| entry.action == action).count()
}

/// Returns the actions after the first `before` calls.
pub(crate) fn actions_since(fixture: &Fixture, before: usize) -> Vec<String> {
    fixture.log().into_iter().skip(before).map(|entry| entry.action).collect()
}

pub(crate) fn fault(kind: FaultKind, times: u32, action: &str) -> Fault {
    Fault { kind, times: Some(times), action: Some(action.to_owned()) }
}

/// Lists the token files of the session.
pub(crate) fn sign_in_files(fixture: &Fixture) -> Vec<std::path::PathBuf> {
    fixture
        .files()
        .into_iter()
        .filter(|path| path.parent().is_some_and(|p| p.ends_with("sign-ins")))
        .collect()
}

#[test]
fn without_a_terminal_nobody_is_asked_and_the_command_to_run_is_printed() {
    let fixture = Fixture::empty(&[]);
    fixture.write_config(&format!("{CONFIG}{LEGACY}"));
    let exec = fixture.hatbox(&["exec", "dev", "--", "true"]).run().expect_code(125);
    let expected = "hatbox: error: not signed in to SSO session `corp`\n\
                    hatbox: hint: hatbox sso login corp\n";
    assert_eq!(exec.stderr, expected);
    let export = fixture.hatbox(&["export", "old"]).run().expect_code(4);
    assert!(
        export.stderr.contains("hint: hatbox sso login https://old.awsapps.com/start"),
        "{}",
        export.stderr
    );
    let scene = scene();
    let export = scene.hatbox(&["export", "dev"]).run().expect_code(4);
    assert!(export.stderr.contains("hint: hatbox sso login corp"), "{}", export.stderr);
    assert!(fixture.log().is_empty() && scene.log().is_empty(), "nothing is called");
}

#[test]
fn a_name_that_is_no_sign_in_is_an_error() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config(&format!("{CONFIG}{LEGACY}[profile plain]\nregion = eu-west-1\n"));
    for (name, error) in [
        ("plain", "profile `plain` does not use SSO"),
        ("nothing", "no SSO session or profile named `nothing`"),
        ("https://x.example/", "no profile has the start URL `https://x.example/`"),
    ] {
        let run = fixture.hatbox(&["sso", "status", name]).run().expect_code(2);
        assert!(run.stderr.contains(error), "{}", run.stderr);
    }
    let login = fixture.hatbox(&["sso", "login"]).run().expect_code(2);
    assert!(
        login.stderr.contains("name one of them: `corp`, `https://old.awsapps.com/start`"),
        "{}",
        login.stderr
    );
    let status = fixture.hatbox(&["sso", "status"]).run().ok();
    assert!(status.stdout.contains("signed out"), "{}", status.stdout);
    let logout = fixture.hatbox(&["sso", "logout"]).run().ok();
    assert_eq!(logout.stderr, "hatbox: not signed in\n");
    fixture.write_config("[sso-session odd]\nsso_start_url = nonsense\nsso_region = eu-west-1\n");
    let odd = fixture.hatbox(&["sso", "status"]).run().ok();
    assert!(odd.stdout.contains("invalid start URL: expected a URL such as"), "{}", odd.stdout);
}

#[test]
fn a_code_is_confirmed_once_and_later_commands_ask_for_nothing() {
    // There is no store yet: the first sign-in creates it.
    let fixture = Fixture::empty_in(&[], add_center);
    fixture.write_config(CONFIG);
    let screen = sign_in(&fixture, &["exec", "dev", "--", "printenv", "AWS_ACCOUNT_ID"]);
    assert_eq!(screen.last().unwrap(), WORK);
    let shown = screen.join("\n");
    assert!(shown.contains("hatbox: signing in with a device code: "), "{shown}");
    assert!(!shown.contains(WAITING), "the line is erased: {shown}");
    let before = fixture.log().len();
    fixture.hatbox(&["exec", "dev", "--", "true"]).run().ok();
    assert_eq!(actions_since(&fixture, before), [""; 0], "the role is cached");
    fixture.hatbox(&["exec", "audit", "--", "true"]).run().ok();
    assert_eq!(actions_since(&fixture, before), ["GetRoleCredentials"], "the token is shared");
    let explain = fixture.hatbox(&["explain", "dev"]).run().ok();
    assert!(explain.stdout.contains("sign-in to `corp`: signed in for "), "{}", explain.stdout);
    let json = fixture.hatbox(&["explain", "--json", "dev"]).run().ok().stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["sign_in"]["state"], "signed-in");
}

#[test]
fn a_role_on_top_of_sso_is_assumed() {
    let fixture = signed_in_scene();
    let before = fixture.log().len();
    fixture.hatbox(&["exec", "above", "--", "true"]).run().ok();
    assert_eq!(actions_since(&fixture, before), ["AssumeRole"]);
}

#[test]
fn twenty_cold_starts_make_one_sign_in() {
    let fixture = scene();
    let exec = |n: usize| fixture.hatbox(&["exec", ["dev", "audit"][n % 2], "--", "true"]);
    let mut terminals: Vec<_> = (0..20).map(|n| Terminal::start_wide(&exec(n), 200)).collect();
    let has_code = |terminal: &Terminal| terminal.transcript().contains(WAITING);
    wait_until("nobody asks", || terminals.iter().any(has_code));
    let asking = terminals.iter().find(|terminal| has_code(terminal)).unwrap();
    fixture.client().sign_in(&shown_code(asking), Consent::Allow).unwrap();
    for terminal in &mut terminals {
        assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    }
    assert_eq!(terminals.iter().filter(|terminal| has_code(terminal)).count(), 1);
    assert_eq!((count(&fixture, "RegisterClient"), count(&fixture, "StartDeviceAuthorization")), (1, 1));
    assert_eq!(count(&fixture, "GetRoleCredentials"), 2, "one for each role");
}

#[test]
fn an_expired_token_is_refreshed_by_one_of_twenty_and_a_role_costs_two_calls() {
    let fixture = signed_in_scene();
    fixture.advance(3700);
    let before = fixture.log().len();
    let exec = |n: usize| fixture.hatbox(&["exec", ["dev", "audit"][n % 2], "--", "true"]);
    let children: Vec<Child> = (0..20).map(|n| exec(n).spawn()).collect();
    for child in children {
        finish(child, "one of twenty").ok();
    }
    let mut actions = actions_since(&fixture, before);
    actions.sort();
    assert_eq!(actions, ["CreateToken", "GetRoleCredentials", "GetRoleCredentials"]);
    // Refreshed early, as the token is valid for only four more minutes.
    fixture.advance(3600 - 240);
    let before = fixture.log().len();
    exec(0).run().ok();
    assert_eq!(actions_since(&fixture, before), ["CreateToken", "GetRoleCredentials"]);
}

#[test]
fn a_revoked_token_is_refreshed_once_and_then_a_person_signs_in() {
    let fixture = signed_in_scene();
    let fresh = ["exec", "--fresh", "dev", "--", "true"];
    fixture.client().revoke(Revoked::AccessTokens).unwrap();
    let before = fixture.log().len();
    fixture.hatbox(&fresh).run().ok();
    assert_eq!(actions_since(&fixture, before), ["GetRoleCredentials", "CreateToken", "GetRoleCredentials"]);
    fixture.client().revoke(Revoked::Sessions).unwrap();
    let refused = fixture.hatbox(&fresh).run().expect_code(125);
    assert!(refused.stderr.contains("not signed in to SSO session `corp`"), "{}", refused.stderr);
    let before = fixture.log().len();
    let again = fixture.hatbox(&fresh).run().expect_code(125);
    assert!(again.stderr.contains("not signed in to SSO session `corp`"), "{}", again.stderr);
    assert_eq!(
        actions_since(&fixture, before),
        ["GetRoleCredentials"],
        "a spent refresh token is not tried again"
    );
    sign_in(&fixture, &fresh);
}

#[test]
fn a_role_that_was_taken_away_is_named_and_nobody_signs_in() {
    let fixture = signed_in_scene();
    fixture.client().unassign(WORK, "Developer").unwrap();
    let before = fixture.log().len();
    let run = fixture.hatbox(&["exec", "--fresh", "dev", "--", "true"]).run().expect_code(125);
    let error = "error: the role `Developer` in account 444455556666 is no longer assigned to you\n  --> ~/.aws/config:8";
    assert!(run.stderr.contains(error), "{}", run.stderr);
    assert_eq!(actions_since(&fixture, before), ["GetRoleCredentials"]);
}

#[test]
fn too_many_calls_are_waited_for_and_are_no_reason_to_sign_in() {
    let fixture = signed_in_scene();
    fixture.client().add_fault(&fault(FaultKind::Throttling, 2, "GetRoleCredentials")).unwrap();
    fixture.client().add_fault(&fault(FaultKind::Unavailable, 1, "GetRoleCredentials")).unwrap();
    let before = fixture.log().len();
    fixture.hatbox(&["exec", "--fresh", "dev", "--", "true"]).run().ok();
    assert!(actions_since(&fixture, before).iter().all(|action| action == "GetRoleCredentials"));
}

/// Adds a browser that writes the pages to open into a file.
pub(crate) fn with_browser(fixture: &Fixture, run: Run) -> Run {
    let pages = fixture.path("home/pages");
    let script = format!("printf '%s\\n' \"$2\" >>'{}'", pages.display());
    let browser = fixture.write_program("firefox", &script);
    run.env("HATBOX_BROWSER", format!("{} --new-window", browser.display()))
}

pub(crate) fn opened_page(fixture: &Fixture) -> String {
    let pages = || std::fs::read_to_string(fixture.path("home/pages")).unwrap_or_default();
    wait_until("no page is opened", || pages().ends_with('\n'));
    pages().lines().last().unwrap().to_owned()
}

/// Requests a URL as a browser does, and returns the status.
pub(crate) fn visit(url: &str, more: &str) -> Option<String> {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut connection = TcpStream::connect(host).ok()?;
    write!(connection, "GET /{path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1).map(str::to_owned)
}

#[test]
fn the_browser_comes_back_and_only_its_own_answer_is_taken() {
    let fixture = scene();
    let exec = fixture.hatbox(&["exec", "dev", "--", "echo", "in"]);
    let mut terminal = Terminal::start_wide(&with_browser(&fixture, exec), 400);
    let page = opened_page(&fixture);
    assert!(page.contains("/authorize?response_type=code&") && page.contains("&code_challenge_method=S256&"));
    let redirect = fixture.client().sign_in(&page, Consent::Allow).unwrap().redirect.unwrap();
    assert!(redirect.starts_with("http://127.0.0.1:"), "{redirect}");
    let (address, _) = redirect.split_once('?').unwrap();
    let state_at = redirect.find("state=").unwrap();
    let other_state = format!("{}state=0{}", &redirect[..state_at], &redirect[state_at + 6..]);
    assert_eq!(visit(&other_state, "").as_deref(), Some("400"));
    assert_eq!(visit(address, "").as_deref(), Some("400"));
    assert_eq!(visit(&redirect, "Origin: https://evil.example\r\n").as_deref(), Some("403"));
    let long = format!("X-Long: {}\r\n", "a".repeat(1 << 20));
    assert_eq!(visit(&redirect, &long), None, "1 MB is not read");
    assert_eq!(visit(&redirect, "").as_deref(), Some("200"));
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    assert_eq!(terminal.screen().last().unwrap(), "in");
    assert_eq!(visit(&redirect, ""), None, "nothing listens any more");
    assert_eq!(count(&fixture, "StartDeviceAuthorization"), 0);
    // The refresh uses the client that obtained the token.
    fixture.advance(3700);
    fixture.hatbox(&["exec", "dev", "--", "true"]).run().ok();
}

#[test]
fn a_sign_in_is_taken_over_with_enter_and_both_get_their_roles() {
    // Another role of the session, and the same role: then the lock of the role is taken over too.
    for second in ["audit", "dev"] {
        let fixture = scene();
        let exec = |profile: &str| fixture.hatbox(&["exec", profile, "--", "echo", "in"]);
        let mut left = Terminal::start_wide(&exec("dev"), 200);
        left.wait_for_prompt(WAITING);
        let left_code = shown_code(&left);
        let mut right = Terminal::start_wide(&exec(second), 200);
        right.take_over();
        assert!(right.transcript().contains("waiting for the sign-in to `corp` (process "), "{second}");
        right.wait_for_prompt(WAITING);
        left.wait_for("answered on another terminal", 1);
        assert_ne!(shown_code(&right), left_code, "a question of its own");
        confirm(&fixture, &right, Consent::Allow);
        for terminal in [&mut right, &mut left] {
            assert_eq!(terminal.wait().code(), Some(0), "{second}: {:?}", terminal.screen());
            assert_eq!(terminal.screen().last().unwrap(), "in");
            assert!(terminal.has_modes_of_before(), "{second}");
        }
        let given =
            fixture.log().into_iter().filter(|call| call.action == "CreateToken" && call.status == 200);
        assert_eq!(given.count(), 1, "{second}: one sign-in");
        assert_eq!(count(&fixture, "GetRoleCredentials"), if second == "dev" { 1 } else { 2 });
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let fixture = scene();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = fixture.hatbox(&["sso", "login", "corp", "--redirect-port", &port]).run().expect_code(1);
    assert!(run.stderr.contains(&format!("port {port} of 127.0.0.1 is in use")), "{}", run.stderr);
    assert_eq!(count(&fixture, "RegisterClient"), 0);
}

#[test]
fn a_sign_in_can_be_denied_cancelled_or_forgotten() {
    let fixture = scene();
    fixture.write_settings("backend = \"file\"\nprompt_timeout = \"1s\"\n");
    let forgotten = fixture.hatbox(&["sso", "login", "corp"]).run().expect_code(4);
    assert!(forgotten.stderr.contains("no one signed in to `corp` within 3 s"), "{}", forgotten.stderr);
    fixture.write_settings("backend = \"file\"\n");
    let exec = fixture.hatbox(&["exec", "dev", "--", "true"]);
    let mut terminal = Terminal::start_wide(&exec, 200);
    confirm(&fixture, &terminal, Consent::Deny);
    assert_eq!(terminal.wait().code(), Some(130));
    terminal.wait_for("the sign-in to `corp` was denied in the browser", 1);
    let mut terminal = Terminal::start_wide(&exec, 200);
    terminal.wait_for_prompt(WAITING);
    // Processes that wait for the sign-in fail with it.
    let waiter = fixture.hatbox(&["exec", "audit", "--", "true"]).spawn();
    wait_for_words(&waiter);
    terminal.type_keys("\x03");
    assert_eq!(terminal.wait().code(), Some(130));
    terminal.wait_for("the sign-in to `corp` was cancelled", 1);
    assert!(terminal.has_modes_of_before());
    let waiter = finish(waiter, "a waiter").expect_code(130);
    assert!(waiter.stderr.contains("the sign-in to `corp` was cancelled"), "{}", waiter.stderr);
    let exec = with_browser(&fixture, exec);
    let mut terminal = Terminal::start_wide(&exec, 400);
    let page = opened_page(&fixture);
    let redirect = fixture.client().sign_in(&page, Consent::Deny).unwrap().redirect.unwrap();
    visit(&redirect, "");
    assert_eq!(terminal.wait().code(), Some(130));
    terminal.wait_for("the sign-in to `corp` was denied in the browser", 1);
}

/// Waits until a child has written to stderr, without reading it.
fn wait_for_words(child: &Child) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let limit = Timespec { tv_sec: 30, tv_nsec: 0 };
    let stderr = child.stderr.as_ref().unwrap();
    assert_eq!(poll(&mut [PollFd::new(stderr, PollFlags::IN)], Some(&limit)), Ok(1));
}

#[test]
fn a_kill_between_the_refresh_and_its_file_costs_a_sign_in_and_nothing_else() {
    let fixture = signed_in_scene();
    fixture.advance(3700);
    let before = count(&fixture, "CreateToken");
    fixture.client().add_fault(&fault(FaultKind::DelayMillis(20_000), 1, "CreateToken")).unwrap();
    let mut killed = fixture.hatbox(&["exec", "dev", "--", "true"]).spawn();
    wait_until("no refresh", || count(&fixture, "CreateToken") > before);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let exec = fixture.hatbox(&["exec", "dev", "--", "true"]).run().expect_code(125);
    assert!(exec.stderr.contains("not signed in to SSO session `corp`"), "{}", exec.stderr);
    sign_in(&fixture, &["exec", "dev", "--", "true"]);
}

#[test]
fn damaged_and_exchanged_files_count_as_absent() {
    let fixture = signed_in_scene();
    let files = sign_in_files(&fixture);
    assert_eq!(files.len(), 3, "a token, a client and the list: {files:?}");
    let texts: Vec<_> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let expect_sign_in = |what: &str| {
        let exec = fixture.hatbox(&["exec", "--fresh", "dev", "--", "true"]).run().expect_code(125);
        assert!(exec.stderr.contains("not signed in to SSO session `corp`"), "{what}: {}", exec.stderr);
    };
    for (file, text) in files.iter().zip(texts.iter().cycle().skip(1)) {
        std::fs::write(file, text).unwrap();
    }
    expect_sign_in("exchanged");
    for file in &files {
        std::fs::write(file, "garbage").unwrap();
    }
    expect_sign_in("garbage");
    sign_in(&fixture, &["exec", "--fresh", "dev", "--", "true"]);
}

#[test]
fn credentials_of_another_form_or_from_the_past_are_not_handed_over() {
    let fixture = scene();
    let good = json!({"accessKeyId": "ASIAIOSFODNN7EXAMPLE", "secretAccessKey": "s", "sessionToken": "t",
        "expiration": 4_000_000_000_000_i64});
    let given = Arc::new(Mutex::new(good.clone()));
    let answer = Arc::clone(&given);
    let stub = Stub::start(move |request, mut client| {
        let body = if request.starts_with("POST /client/register") {
            json!({"clientId": "id", "clientSecret": "cs", "clientSecretExpiresAt": 4_000_000_000_i64})
        } else if request.starts_with("POST /device_authorization") {
            json!({"deviceCode": "dc", "userCode": "ABCD-EFGH", "verificationUri": "https://x.example/",
                "expiresIn": 600, "interval": 1})
        } else if request.starts_with("POST /token") {
            json!({"accessToken": "at", "refreshToken": "rt", "expiresIn": 3600})
        } else {
            json!({"roleCredentials": *answer.lock().unwrap()})
        };
        let body = body.to_string();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).ok();
    });
    let there = |arguments: &[&str]| fixture.hatbox(arguments).env("AWS_ENDPOINT_URL", stub.url());
    there(&["sso", "login", "corp"]).run().ok();
    there(&["export", "--fresh", "dev"]).run().ok();
    for (name, value, error) in [
        ("expiration", json!(1_600_000_000_000_i64), "the credentials in the response expired"),
        (
            "sessionToken",
            json!("t\u{202e}"),
            "invalid session token in the response: a character is not allowed",
        ),
        (
            "secretAccessKey",
            json!("s\u{200b}"),
            "invalid secret access key in the response: a character is not allowed",
        ),
        ("sessionToken", json!(""), "the response has no session token"),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        *given.lock().unwrap() = bad;
        let export = there(&["export", "--fresh", "dev"]).run().expect_code(1);
        assert!(export.stderr.contains(error), "{}", export.stderr);
        assert_eq!(export.stdout, "");
        there(&["exec", "--fresh", "dev", "--", "true"]).run().expect_code(125);
    }
}

#[test]
fn a_token_is_sent_to_no_other_endpoint_and_no_secret_is_shown_or_kept_open() {
    let fixture = scene();
    let stub = Stub::start(|request, mut client| {
        let body = if request.starts_with("POST /client/register") {
            json!({"clientId": "id", "clientSecret": "canary-client", "clientSecretExpiresAt": 4_000_000_000_i64})
        } else if request.starts_with("POST /device_authorization") {
            json!({"deviceCode": "canary-device", "userCode": "ABCD-EFGH", "verificationUri": "https://x.example/",
                "expiresIn": 600, "interval": 1})
        } else {
            json!({"accessToken": "canary-access", "refreshToken": "canary-refresh", "expiresIn": 3600})
        };
        let body = body.to_string();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).ok();
    });
    let there = |arguments: &[&str]| fixture.hatbox(arguments).env("AWS_ENDPOINT_URL_SSO_OIDC", stub.url());
    let login: Outcome = there(&["--debug", "sso", "login", "corp"]).run().ok();
    assert!(login.stderr.contains("hatbox: signed in to `corp`; "), "{}", login.stderr);
    for path in fixture.files() {
        let text = std::fs::read(&path).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("canary-"), "{}", path.display());
    }
    let exec = there(&["--debug", "exec", "dev", "--", "true"]).run().expect_code(125);
    for text in [login.stdout, login.stderr, exec.stderr] {
        assert!(!text.contains("canary-"), "{text}");
    }
    // The same SSO session at another endpoint needs another sign-in.
    let before = fixture.log().len();
    let exec = fixture.hatbox(&["exec", "dev", "--", "true"]).run().expect_code(125);
    assert!(exec.stderr.contains("not signed in to SSO session `corp`"), "{}", exec.stderr);
    assert_eq!(fixture.log().len(), before);
}
