//! `hatbox login --session`: a first sign-in with a browser on this machine and on another one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hatbox_sandbox::world::World;
use serde_json::Value;

use crate::fixture::Fixture;
use crate::run::{Outcome, Run, finish};
use crate::stub::Stub;
use crate::terminal::Terminal;

pub(crate) const JAN: &str = "arn:aws:iam::111122223333:user/jan";
pub(crate) const FILE: &str =
    "home/.aws/login/cache/97287988db9a4916d69951a995e950d63e745a776ba121da6888d310a8763f6d.json";

/// An empty home, in a world in which jan may sign in.
pub(crate) fn fixture() -> Fixture {
    Fixture::empty_in(&["jan-work"], allow_sign_in)
}

/// Allows jan to sign in, as for `aws login`.
pub(crate) fn allow_sign_in(world: &mut World) {
    let allow =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"signin:*","Resource":"*"}]}"#;
    let users = &mut world.accounts.get_mut("111122223333").unwrap().users;
    users.get_mut("jan").unwrap().policies.insert("sign-in".to_owned(), allow.to_owned());
}

/// The answer of an HTTP server.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> String {
        self.header("location")
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let name = format!("{name}: ");
        let line = self.head.lines().find(|line| line.to_ascii_lowercase().starts_with(&name));
        line.unwrap_or_else(|| panic!("no {name}{}", self.head))[name.len()..].to_owned()
    }
}

pub(crate) fn send(method: &str, url: &str, headers: &str, body: &str) -> Answer {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, target) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    let head = format!(
        "{method} /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub(crate) fn get(url: &str) -> Answer {
    send("GET", url, "", "")
}

fn percent(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

/// Chooses an identity on the page, as a user would. Returns the URL that the browser is redirected to.
pub(crate) fn choose(page: &str, identity: &str, decision: &str) -> String {
    let shown = get(page);
    assert_eq!(shown.status, 200, "{page}");
    // With `no-referrer`, a browser would send `Origin: null`, and the form would be rejected.
    assert_eq!(shown.header("referrer-policy"), "same-origin");
    let (target, query) = page.split_once('?').unwrap();
    let form = format!("{query}&identity={}&decision={decision}", percent(identity));
    send("POST", target, "Content-Type: application/x-www-form-urlencoded\r\n", &form).location()
}

/// Adds a browser that writes down the page to open.
fn with_browser(fixture: &Fixture, run: &Run) -> (Run, PathBuf) {
    let seen = fixture.path("home/page");
    fixture.write_program(
        "browser",
        &format!("printf %s \"$1\" >'{0}.new'; mv '{0}.new' '{0}'", seen.display()),
    );
    (run.clone().env("HATBOX_BROWSER", "browser"), seen)
}

pub(crate) fn page_of(seen: &PathBuf) -> String {
    let start = Instant::now();
    loop {
        if let Ok(page) = std::fs::read_to_string(seen) {
            std::fs::remove_file(seen).unwrap();
            return page;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "no browser was opened");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn start(fixture: &Fixture, arguments: &[&str]) -> (Child, String) {
    start_run(fixture, &fixture.hatbox(arguments))
}

/// Starts the run. Returns the page that its browser was opened with.
pub(crate) fn start_run(fixture: &Fixture, run: &Run) -> (Child, String) {
    let (run, seen) = with_browser(fixture, run);
    let child = run.spawn();
    let page = page_of(&seen);
    (child, page)
}

/// Signs in as `identity`.
pub(crate) fn sign_in_as(fixture: &Fixture, arguments: &[&str], identity: &str) -> Outcome {
    let (child, page) = start(fixture, arguments);
    get(&choose(&page, identity, "allow"));
    finish(child, "login")
}

pub(crate) fn sign_in(fixture: &Fixture) {
    sign_in_as(fixture, &["login", "--session", "--region", "eu-west-1", "me"], JAN).ok();
}

pub(crate) fn read_file(fixture: &Fixture) -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture.path(FILE)).unwrap()).unwrap()
}

#[test]
fn a_first_sign_in_writes_what_aws_login_writes() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = fixture();
    fixture.write_config("# mine\n[profile other]\nregion = us-east-2\n");
    let outcome = sign_in_as(&fixture, &["login", "--session", "--region", "eu-west-1", "me"], JAN).ok();
    assert!(outcome.stderr.contains(&format!("signed in as {JAN} for profile `me`")), "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "");
    let config = std::fs::read_to_string(fixture.config_path()).unwrap();
    assert_eq!(
        config,
        format!(
            "# mine\n[profile other]\nregion = us-east-2\n\n[profile me]\nlogin_session={JAN}\nregion=eu-west-1\n"
        )
    );
    let file = read_file(&fixture);
    let token = &file["accessToken"];
    assert_eq!(token["accountId"], "111122223333");
    assert!(
        token["expiresAt"].as_str().unwrap().ends_with('Z')
            && !token["expiresAt"].as_str().unwrap().contains('.')
    );
    assert_eq!((&file["tokenType"], &file["signInRegion"]), (&"aws_sigv4".into(), &"eu-west-1".into()));
    assert_eq!(file["clientId"], "arn:aws:signin:::devtools/same-device");
    assert!(file["dpopKey"].as_str().unwrap().starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    assert!(file["idToken"].is_string() && file["refreshToken"].is_string());
    let mode = std::fs::metadata(fixture.path(FILE)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let key = fixture.hatbox(&["exec", "me", "--", "printenv", "AWS_ACCESS_KEY_ID"]).run().ok();
    assert_eq!(key.stdout.trim(), token["accessKeyId"].as_str().unwrap());
    assert!(!key.stderr.contains("without a store"), "nothing is cached elsewhere: {}", key.stderr);
    let calls = fixture.log().iter().filter(|entry| entry.action == "CreateOAuth2Token").count();
    assert_eq!(calls, 1, "the first credentials are used as they are");
}

#[test]
fn the_default_profile_is_meant_where_none_is_named() {
    let fixture = fixture();
    fixture.write_config("[default]\nregion = eu-west-1\n");
    sign_in_as(&fixture, &["login", "--session"], JAN).ok();
    let config = std::fs::read_to_string(fixture.config_path()).unwrap();
    assert_eq!(config, format!("[default]\nregion = eu-west-1\nlogin_session = {JAN}\n"));
    let run = fixture.hatbox(&["login", "--session"]).env("AWS_PROFILE", "new").run().expect_code(2);
    assert!(run.stderr.contains("no region to sign in to"), "{}", run.stderr);
}

#[test]
fn only_the_answer_to_this_question_counts() {
    let fixture = fixture();
    let (child, page) = start(&fixture, &["login", "--session", "--region", "eu-west-1", "me"]);
    let location = choose(&page, JAN, "allow");
    let (redirect, _) = location.split_once('?').unwrap();
    for (url, status) in [
        (format!("{redirect}?code=x&state=wrong"), 400),
        (format!("{redirect}?code=x"), 400),
        (redirect.replace("/oauth/callback", "/"), 404),
    ] {
        assert_eq!(get(&url).status, status, "{url}");
    }
    assert_eq!(send("GET", &location, "Origin: http://evil.example\r\n", "").status, 403);
    assert_eq!(get(&location).status, 200);
    finish(child, "login").ok();
}

#[test]
fn a_person_may_say_no_and_nothing_is_written() {
    let fixture = fixture();
    let (child, page) = start(&fixture, &["login", "--session", "--region", "eu-west-1", "me"]);
    get(&choose(&page, JAN, "deny"));
    let outcome = finish(child, "login").expect_code(130);
    assert!(outcome.stderr.contains("error: the sign-in was denied in the browser"), "{}", outcome.stderr);
    assert!(!fixture.path(FILE).exists() && !fixture.config_path().exists());
}

#[test]
fn a_user_without_permission_learns_what_is_missing() {
    let fixture = Fixture::empty_in(&[], |world: &mut World| {
        let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"signin:Auth*","Resource":"*"}]}"#;
        let users = &mut world.accounts.get_mut("111122223333").unwrap().users;
        users.get_mut("jan").unwrap().policies.insert("sign-in".to_owned(), allow.to_owned());
    });
    let run =
        sign_in_as(&fixture, &["login", "--session", "--region", "eu-west-1", "me"], JAN).expect_code(1);
    assert!(run.stderr.contains("caused by: INSUFFICIENT_PERMISSIONS: User: "), "{}", run.stderr);
    assert!(run.stderr.contains("SignInLocalDevelopmentAccess"), "{}", run.stderr);
}

#[test]
fn a_profile_with_another_identity_is_refused_before_anything_opens() {
    let fixture = fixture();
    for (lines, what) in [
        ("role_arn = arn:aws:iam::444455556666:role/a\nsource_profile = me", "`role_arn`"),
        ("credential_process = x", "`credential_process`"),
        (
            "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x",
            "an access key in plain text",
        ),
        (
            "sso_account_id = 444455556666\nsso_role_name = a\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start",
            "SSO (Identity Center)",
        ),
        ("role_arn = arn:aws:iam::444455556666:role/a\nweb_identity_token_file = /x", "a web identity token"),
    ] {
        fixture.write_config(&format!("[profile p]\nregion = eu-west-1\n{lines}\n"));
        let run = fixture.hatbox(&["login", "--session", "p"]).run().expect_code(3);
        let said = format!("error: profile `p` already gets its credentials from {what}\n");
        assert!(run.stderr.contains(&said), "{}", run.stderr);
    }
    fixture.add_run("jan-work", &["--no-add-config"]).run().ok();
    let run =
        fixture.hatbox(&["login", "--session", "--region", "eu-west-1", "jan-work"]).run().expect_code(3);
    assert!(run.stderr.contains("an access key is stored for profile `jan-work`"), "{}", run.stderr);
    assert_eq!(fixture.log(), []);
}

#[test]
fn another_identity_takes_a_profile_over_only_after_a_yes() {
    let fixture = fixture();
    sign_in(&fixture);
    let role = "arn:aws:sts::111122223333:assumed-role/iam/jan";
    let root = "arn:aws:iam::111122223333:root";
    let run = sign_in_as(&fixture, &["login", "--session", "me"], root).expect_code(4);
    assert!(
        run.stderr.contains(&format!("is signed in as {JAN}, and you signed in as {root}")),
        "{}",
        run.stderr
    );
    let config = std::fs::read_to_string(fixture.config_path()).unwrap();
    assert!(config.contains(JAN), "{config} {role}");
    sign_in_as(&fixture, &["login", "--session", "me"], JAN).ok();
}

#[test]
fn the_code_of_another_machines_browser_is_pasted() {
    let fixture = fixture();
    let run = fixture.hatbox(&["login", "--session", "--remote", "--region", "eu-west-1", "me"]);
    let mut terminal = Terminal::start_wide(&run, 200);
    terminal.wait_for_prompt("Code:");
    let transcript = terminal.transcript();
    let page = transcript
        .split_whitespace()
        .find(|word| word.starts_with("http") && word.contains("/v1/authorize?"));
    let shown = get(&choose(page.unwrap(), JAN, "allow"));
    let code = shown.body.split("<code id=code>").nth(1).unwrap().split('<').next().unwrap();
    for (wrong, said) in [
        ("nonsense!".to_owned(), "Invalid code: paste the whole code"),
        (STANDARD.encode("state=other&code=x"), "This code belongs to another sign-in"),
    ] {
        terminal.type_keys(&format!("{wrong}\r"));
        terminal.wait_for(said, 1);
        terminal.wait_for_prompt("Code:");
    }
    terminal.type_keys(&format!("{code}\r"));
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    assert!(!terminal.transcript().contains(code), "the code is not shown");
    assert_eq!(read_file(&fixture)["clientId"], "arn:aws:signin:::devtools/cross-device");
    fixture.hatbox(&["exec", "me", "--", "true"]).run().ok();
    let run = fixture.hatbox(&["login", "--session", "--remote", "me"]).run().expect_code(4);
    assert!(run.stderr.contains("the code of the sign-in page is needed"), "{}", run.stderr);
}

#[test]
fn the_page_alone_is_printed_without_a_browser_and_a_taken_port_is_named() {
    let fixture = fixture();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let arguments =
        ["login", "--session", "--no-browser", "--region", "eu-west-1", "--redirect-port", &port, "me"];
    let run = fixture.hatbox(&arguments).run().expect_code(1);
    assert!(run.stderr.contains(&format!("port {port} of 127.0.0.1 is in use")), "{}", run.stderr);
    assert!(run.stderr.contains("--remote"), "{}", run.stderr);
    drop(taken);
    let mut child = fixture.hatbox(&arguments).spawn();
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    assert!(
        line.contains(&format!("redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Foauth%2Fcallback")),
        "{line}"
    );
    get(&choose(line.trim(), JAN, "allow"));
    assert_eq!(crate::run::wait(&mut child, "login").code(), Some(0));
}

#[test]
fn a_first_sign_in_by_a_clock_that_is_off_is_corrected_too() {
    let fixture = fixture();
    let run = fixture.hatbox(&["login", "--session", "--region", "eu-west-1", "me"]);
    let (run, seen) = with_browser(&fixture, &run.env("HATBOX_TEST_CLOCK_OFFSET", "-3600"));
    let child = run.spawn();
    get(&choose(&page_of(&seen), JAN, "allow"));
    finish(child, "login").ok();
    let statuses = fixture.log().into_iter().filter(|call| call.action == "CreateOAuth2Token");
    assert_eq!(statuses.map(|call| call.status).collect::<Vec<_>>(), [400, 200]);
    // If a retry does not help because the code is spent, the error names the clock.
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let stub = Stub::start(move |_, mut client| {
        let body = r#"{"error":"INVALID_REQUEST","message":"Invalid DPoP proof"}"#;
        let head = format!("HTTP/1.1 400 Bad Request\r\nDate: {date}\r\nConnection: close\r\n");
        client.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).ok();
    });
    let child = run.env("AWS_ENDPOINT_URL_SIGNIN", stub.url()).spawn();
    let page = page_of(&seen);
    let value = |name: &str| {
        let (_, after) = page.split_once(&format!("{name}=")).unwrap();
        after.split('&').next().unwrap().replace("%3A", ":").replace("%2F", "/")
    };
    get(&format!("{}?code=x&state={}", value("redirect_uri"), value("state")));
    let refused = finish(child, "login").expect_code(1);
    assert!(refused.stderr.contains("caused by: INVALID_REQUEST: Invalid DPoP proof"), "{}", refused.stderr);
    // A slow run prints `59m58s`.
    for part in
        ["hint: this machine's clock is ", " behind the endpoint's; set it, for instance: sudo timedatectl"]
    {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
}
