//! Custom start URLs of an organisation: followed through one redirect to the portal, whose host contains the region.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use hatbox_sandbox::world::{IdentityCenter, World};
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::Value;

use crate::connections::make_tls_config;
use crate::fixture::Fixture;
use crate::run::Run;
use crate::sso::count;
use crate::sso_cache::{path, read, refresh_like_an_sdk};

const CONFIG: &str = "\
[sso-session corp]
sso_region = us-east-1
sso_start_url = https://sso.corp.example/start/

[profile dev]
sso_session = corp
sso_account_id = 444455556666
sso_role_name = Developer
region = eu-west-1
";
const PORTAL: &str = "https://ssoins-1.portal.eu-central-1.app.aws/start";

/// Returns the answer to the head of a request.
type Answer = Box<dyn Fn(&str) -> String + Send>;

/// A proxy that stands in for every host: it answers each request with `answer`.
struct EveryHost {
    url: String,
    certificate: String,
    /// The first line of each `CONNECT` and of each request inside it.
    seen: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Answer>>,
}

impl EveryHost {
    fn start(fixture: &Fixture) -> Option<Self> {
        let names = "subjectAltName=DNS:sso.corp.example";
        let arguments = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", names];
        let (config, certificate) = make_tls_config(&fixture.home(), &arguments)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer: Answer = Box::new(|_| redirect(PORTAL));
        let answer = Arc::new(Mutex::new(answer));
        let (seen_there, answer_there) = (Arc::clone(&seen), Arc::clone(&answer));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                serve(client.unwrap(), &config, &seen_there, &|head| answer_there.lock().unwrap()(head));
            }
        });
        Some(Self { url, certificate, seen, answer })
    }

    fn answer_with(&self, answer: impl Fn(&str) -> String + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn serve(
    mut client: TcpStream,
    config: &Arc<ServerConfig>,
    seen: &Mutex<Vec<String>>,
    answer: &dyn Fn(&str) -> String,
) {
    let first_line = |head: &str| head.lines().next().unwrap_or_default().to_owned();
    let connect = read_head(&mut client);
    seen.lock().unwrap().push(first_line(&connect));
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok();
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut inside = Stream::new(&mut connection, &mut client);
    let head = read_head(&mut inside);
    // A client that does not trust the certificate closes the connection.
    if !head.is_empty() {
        seen.lock().unwrap().push(first_line(&head));
        inside.write_all(answer(&head).as_bytes()).ok();
    }
    connection.send_close_notify();
    connection.complete_io(&mut client).ok();
}

fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8(head).unwrap()
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn status(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// An Identity Center at `portal` in place of AWS; the config has no endpoint.
fn fixture(portal: &str) -> Fixture {
    let portal = portal.to_owned();
    let fixture = Fixture::empty_in(&[], move |world: &mut World| {
        world.identity_center = Some(IdentityCenter::new(&portal, "jan"));
        world.add_permission_set("Developer", 3600, [].into());
        world.assign_permission_set("jan", "444455556666", "Developer");
    });
    fixture.write_config(CONFIG);
    fixture
}

fn at_aws(fixture: &Fixture, hosts: &EveryHost, run: Run) -> Run {
    run.without("AWS_ENDPOINT_URL")
        .env("HATBOX_TEST_SSO_URL", fixture.client().url())
        .env("HTTPS_PROXY", &hosts.url)
        .env("AWS_CA_BUNDLE", &hosts.certificate)
}

fn login(fixture: &Fixture, hosts: &EveryHost) -> Run {
    let run = fixture.hatbox(&["sso", "login", "corp", "--device", "--share-sso-cache"]);
    at_aws(fixture, hosts, run)
}

/// Signs in, and returns the output.
fn sign_in(fixture: &Fixture, hosts: &EveryHost) -> String {
    let terminal = &mut crate::terminal::Terminal::start_wide(&login(fixture, hosts), 200);
    crate::sso::confirm(fixture, terminal, hatbox_sandbox::control::Consent::Allow);
    assert_eq!(terminal.wait().code(), Some(0), "{:?}", terminal.screen());
    terminal.screen().join("\n")
}

#[test]
fn a_vanity_address_leads_to_the_portal_and_to_its_region() {
    let fixture = fixture(PORTAL);
    let Some(hosts) = EveryHost::start(&fixture) else { return };
    let said = sign_in(&fixture, &hosts);
    assert_eq!(hosts.take_seen(), ["CONNECT sso.corp.example:443 HTTP/1.1", "HEAD /start HTTP/1.1"]);
    assert!(said.contains("hatbox: `corp` is in the region eu-central-1"), "{said}");
    let token = read(&fixture);
    assert_eq!((&token["startUrl"], &token["region"]), (&PORTAL.into(), &"eu-central-1".into()));
    let export = || at_aws(&fixture, &hosts, fixture.hatbox(&["export", "--fresh", "dev"])).run();
    export().ok();
    // The portal's address is remembered, so a token that another program got there is used too.
    fixture.advance(7200);
    refresh_like_an_sdk(&fixture);
    let before = count(&fixture, "CreateToken");
    export().ok();
    assert_eq!(count(&fixture, "CreateToken"), before);
    assert_eq!(hosts.take_seen(), [""; 0], "it is followed for a sign-in only");
    // A token of another portal is not used.
    let mut other = token;
    other["startUrl"] = "https://ssoins-2.portal.eu-central-1.app.aws/start".into();
    other["expiresAt"] = Value::from("2099-01-01T00:00:00Z");
    std::fs::write(path(&fixture), other.to_string()).unwrap();
    let before = fixture.log().len();
    let refused = export().expect_code(4);
    assert!(refused.stderr.contains("not signed in to SSO session `corp`"), "{}", refused.stderr);
    assert!(!fixture.log().iter().skip(before).any(|call| call.action == "GetRoleCredentials"));
}

#[test]
fn a_server_that_knows_no_head_is_asked_again_and_a_portal_without_a_region_has_the_configured_one() {
    let fixture = fixture("https://d-1.awsapps.com/start");
    let Some(hosts) = EveryHost::start(&fixture) else { return };
    hosts.answer_with(|head| {
        if head.starts_with("HEAD") {
            status("405 Method Not Allowed")
        } else {
            redirect("https://d-1.awsapps.com/start/#/")
        }
    });
    let said = sign_in(&fixture, &hosts);
    let asked: Vec<_> = hosts.take_seen().into_iter().filter(|line| !line.starts_with("CONNECT")).collect();
    assert_eq!(asked, ["HEAD /start HTTP/1.1", "GET /start HTTP/1.1"]);
    assert!(!said.contains("is in the region"), "{said}");
    assert_eq!(read(&fixture)["region"], "us-east-1");
}

#[test]
fn an_address_that_does_not_lead_to_a_portal_is_an_error_and_nothing_is_registered() {
    let fixture = fixture(PORTAL);
    let Some(hosts) = EveryHost::start(&fixture) else { return };
    for (answer, cause) in [
        (status("200 OK"), "it returns HTTP 200, not a redirect"),
        (status("404 Not Found"), "it returns HTTP 404, not a redirect"),
        (redirect("https://sso.corp.example/again"), "it redirects to a place that is not a portal of AWS"),
        (redirect("http://d-1.awsapps.com/start"), "it redirects to a place that is not a portal of AWS"),
        (redirect("https://d-1.awsapps.com.evil.example/"), "it redirects to a place that is not a portal"),
        ("nonsense".to_owned(), "closed the connection without a response"),
    ] {
        hosts.answer_with(move |_| answer.clone());
        let refused = login(&fixture, &hosts).run().expect_code(1);
        let headline =
            "error: could not find the portal behind the start URL `https://sso.corp.example/start`\n";
        assert!(refused.stderr.contains(headline), "{}", refused.stderr);
        assert!(refused.stderr.contains(cause), "no `{cause}` in: {}", refused.stderr);
        assert!(refused.stderr.contains("hatbox: hint: "), "{}", refused.stderr);
    }
    assert!(hosts.take_seen().iter().all(|line| !line.contains("again") && !line.contains("awsapps")));
    // A host that cannot be verified, or that does not answer in time, is an error too.
    let untrusted = login(&fixture, &hosts).without("AWS_CA_BUNDLE").run().expect_code(1);
    assert!(untrusted.stderr.contains("caused by: the certificate of "), "{}", untrusted.stderr);
    hosts.answer_with(|_| {
        std::thread::park();
        String::new()
    });
    let silent = login(&fixture, &hosts).env("HATBOX_TEST_TIME_LIMIT", "1").run().expect_code(1);
    assert!(silent.stderr.contains("no response came within 1 s"), "{}", silent.stderr);
    fixture.write_config(&CONFIG.replace("https://sso", "http://sso"));
    let plain = login(&fixture, &hosts).run().expect_code(2);
    assert!(
        plain.stderr.contains("invalid `sso_start_url` `http://sso.corp.example/start/`"),
        "{}",
        plain.stderr
    );
    assert_eq!(count(&fixture, "RegisterClient"), 0);
}
