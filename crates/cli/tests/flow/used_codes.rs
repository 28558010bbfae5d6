//! Each code is sent only once, whatever was sent in between; a code that was never sent is not spent.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::run::Outcome;
use crate::stub::{Granted, Stub};

type Answer = fn(&str, TcpStream);

fn fixture() -> Fixture {
    Fixture::with_config(&format!(
        "[profile ops]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\nmfa_serial = {PHONE}\n"
    ))
}

fn send(fixture: &Fixture, endpoint: &str, code: &str) -> Outcome {
    fixture
        .hatbox(&["exec", "--fresh", "ops", "--mfa-token", code, "--", "true"])
        .env("AWS_ENDPOINT_URL", endpoint)
        .run()
}

/// Part of hatbox's own error, not AWS's.
const USED: &str = "mfa/jan was used already";

#[test]
fn a_code_goes_out_once_whatever_was_sent_between() {
    let fixture = fixture();
    // A service that rejects each code.
    let stub = Stub::start(|_, mut client| {
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>MultiFactorAuthentication failed with \
                    invalid MFA one time pass code.</Message></Error></ErrorResponse>";
        let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).ok();
    });
    let codes = ["111111", "222222", "333333", "444444"];
    for code in codes {
        let run = send(&fixture, &stub.url(), code).expect_code(125);
        assert!(!run.stderr.contains(USED), "{}", run.stderr);
    }
    for code in codes {
        let run = send(&fixture, &stub.url(), code).expect_code(125);
        assert!(run.stderr.contains(USED), "{code}: {}", run.stderr);
    }
    let sent: Vec<_> = stub.requests().iter().map(|request| code_of(request)).collect();
    assert_eq!(sent, codes);
}

fn code_of(request: &str) -> String {
    let (_, rest) = request.split_once("TokenCode=").unwrap();
    rest.split('&').next().unwrap().to_owned()
}

fn write(mut client: TcpStream, answer: &str) {
    // The client may already have closed the connection.
    client.write_all(answer.as_bytes()).ok();
}

#[test]
fn a_code_that_left_the_machine_is_spent_whatever_came_of_it() {
    let fixture = fixture();
    let answers: [(&str, Answer); 4] = [
        ("111111", |_, client| drop(client)),
        ("222222", |_, client| write(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")),
        ("333333", |_, client| {
            write(client, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        }),
        ("444444", |_, client| write(client, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<a>")),
    ];
    for (code, answer) in answers {
        let stub = Stub::start(answer);
        let run = send(&fixture, &stub.url(), code);
        assert_eq!(run.code(), Some(125), "{code}");
        let again = send(&fixture, &stub.url(), code).expect_code(125);
        assert!(again.stderr.contains(USED), "{code}: {}", again.stderr);
        assert_eq!(stub.requests().len(), 1, "{code}");
    }
}

#[test]
fn a_code_that_never_left_the_machine_can_be_used() {
    let fixture = fixture();
    let works = Stub::answering(|| Granted::until(3600).of_role("Ops"), None);
    let refused = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    // A server without TLS.
    let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let no_tls = plain.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in plain.incoming() {
            client.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
        }
    });
    for (code, endpoint) in [
        ("111111", format!("http://{refused}")),
        ("222222", "https://nowhere.invalid".to_owned()),
        ("333333", format!("https://{no_tls}")),
    ] {
        let run = send(&fixture, &endpoint, code).expect_code(125);
        assert!(!run.stderr.contains(USED), "{endpoint}: {}", run.stderr);
        // A second failure does not spend it either.
        let run = send(&fixture, &endpoint, code).expect_code(125);
        assert!(!run.stderr.contains(USED), "{endpoint}: {}", run.stderr);
        let before = works.requests().len();
        send(&fixture, &works.url(), code).ok();
        assert_eq!(works.requests().len(), before + 1, "{endpoint}: the code was sent");
        let run = send(&fixture, &works.url(), code).expect_code(125);
        assert!(run.stderr.contains(USED), "{endpoint}: {}", run.stderr);
    }
    for (code, answer) in [
        ("444444", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
        ("555555", "HTTP/1.1 403 Forbidden\r\n\r\n"),
        ("666666", ""),
    ] {
        let proxy = Stub::start(move |_, mut client| {
            client.write_all(answer.as_bytes()).ok();
        });
        let run = fixture
            .hatbox(&["exec", "--fresh", "ops", "--mfa-token", code, "--", "true"])
            .env("AWS_ENDPOINT_URL", "https://sts.example")
            .env("HTTPS_PROXY", proxy.url())
            .run()
            .expect_code(125);
        assert!(!run.stderr.contains(USED), "{answer}: {}", run.stderr);
        assert_eq!(proxy.requests().len(), 1);
        send(&fixture, &works.url(), code).ok();
    }
}
