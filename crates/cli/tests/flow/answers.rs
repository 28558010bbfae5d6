//! Answers of an endpoint that must be rejected: expired credentials, missing parts, and answers without an end.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use jiff::Timestamp;

use crate::fixture::Fixture;
use crate::run::finish;
use crate::stub::{Granted, Stub};

const CONFIG: &str =
    "[profile ops]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\n";

fn no_expiration() -> Granted {
    Granted { expiration: String::new(), ..Granted::until(3600) }
}

#[test]
fn credentials_that_cannot_work_are_neither_handed_over_nor_cached() {
    let fixture = Fixture::with_config(CONFIG);
    let whole = || Granted::until(3600);
    let expiring = |text: &str| Granted { expiration: format!("<Expiration>{text}</Expiration>"), ..whole() };
    let cases = [
        (Granted::until(-3600), "the credentials in the response expired "),
        (Granted::until(-10), "the credentials in the response expired "),
        (Granted::until(0), "the credentials in the response expired "),
        (expiring("1970-01-01T00:00:01Z"), "the credentials in the response expired "),
        (expiring("1969-01-01T00:00:01Z"), "the credentials in the response expired "),
        (no_expiration(), "the response does not say when the credentials expire"),
        (expiring(""), "the response cannot be read: "),
        (expiring("soon"), "the response cannot be read: "),
        (expiring("3600"), "the response cannot be read: "),
        (expiring("99999-01-01T00:00:00Z"), "the response cannot be read: "),
        (Granted { id: "", ..whole() }, "invalid access key id in the response: "),
        (Granted { id: "ASIA", ..whole() }, "invalid access key id in the response: "),
        (Granted { secret: "", ..whole() }, "the response has no secret access key"),
        (
            Granted { secret: "  ", ..whole() },
            "invalid secret access key in the response: a character is not allowed",
        ),
        (Granted { token: "", ..whole() }, "the response has no session token"),
        (
            Granted { token: "\n", ..whole() },
            "invalid session token in the response: a character is not allowed",
        ),
        (
            Granted { token: "a\u{a0}b", ..whole() },
            "invalid session token in the response: a character is not allowed",
        ),
    ];
    for (granted, cause) in cases {
        let shown = format!("{granted:?}");
        let body = granted.clone();
        let stub = Stub::answering(move || body.of_role("Ops"), Some(Timestamp::now()));
        for arguments in
            [&["exec", "ops", "--", "env"][..], &["export", "ops"], &["export", "--format", "json", "ops"]]
        {
            let run = fixture.hatbox(arguments).env("AWS_ENDPOINT_URL", stub.url()).run();
            assert_ne!(run.code(), Some(0), "{shown}: {}", run.stderr);
            assert_eq!(run.stdout, "", "{shown}");
            assert!(run.stderr.contains(&format!("caused by: {cause}")), "{shown}: {}", run.stderr);
            assert!(!run.stderr.contains("clock"), "the clocks agree: {}", run.stderr);
            assert!(!run.stderr.contains("canary-"), "a secret: {}", run.stderr);
        }
        assert_eq!(stub.requests().len(), 3, "{shown}: such an answer is not asked for twice");
        let session = stub_of_session(&fixture, &granted);
        assert!(session.contains(cause), "{shown}: {session}");
    }
    let list = fixture.hatbox(&["list", "--sessions"]).run().ok();
    assert_eq!(list.stdout, "", "something was cached");
}

/// Serves the same credentials as the answer to GetSessionToken.
fn stub_of_session(fixture: &Fixture, granted: &Granted) -> String {
    let body = granted.clone();
    let stub = Stub::answering(move || body.of_session(), None);
    let run = fixture.hatbox(&["exec", "jan-work", "--", "env"]).env("AWS_ENDPOINT_URL", stub.url()).run();
    assert_eq!((run.code(), run.stdout.as_str()), (Some(125), ""), "{granted:?}: {}", run.stderr);
    run.stderr
}

#[test]
fn a_clock_that_is_wrong_is_named_where_credentials_are_over_or_shorter() {
    let fixture = Fixture::with_config(CONFIG);
    let theirs = |ago: i64| Timestamp::from_second(Timestamp::now().as_second() - ago).unwrap();
    let run = |granted: Granted, ago: i64| {
        let stub = Stub::answering(move || granted.of_role("Ops"), Some(theirs(ago)));
        fixture.hatbox(&["exec", "--fresh", "ops", "--", "true"]).env("AWS_ENDPOINT_URL", stub.url()).run()
    };
    let over = run(Granted::until(-3600), 7200).expect_code(125);
    // A slow machine adds seconds to the difference.
    let named = |text: &str, start: &str, end: &str| {
        let rest = text.split_once(start).and_then(|(_, rest)| rest.split_once(end));
        assert!(rest.is_some_and(|(seconds, _)| seconds.len() <= "59s".len()), "{text}");
    };
    named(&over.stderr, "hint: this machine's clock is 2h", " ahead of the endpoint's; set it");
    let short = run(Granted::until(240), 3360).ok();
    named(&short.stderr, " instead of 1h; this machine's clock is 56m", " ahead of the endpoint's");
    let right = run(Granted::until(240), 0).ok();
    assert!(right.stderr.contains(" instead of 1h\n"), "{}", right.stderr);
}

/// What an endpoint sends first, and the part that it then repeats without end.
const ENDLESS: [(&str, &str); 6] = [
    ("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n", " "),
    ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n<AssumeRoleResponse>", "<a/>"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "10\r\n0123456789abcdef\r\n"),
    ("HTTP/1.1 403 Forbidden\r\n\r\n<ErrorResponse><Error><Code>", "A"),
    ("HTTP/1.1 200 OK\r\nX-Long: ", "a"),
    ("HTTP/1.1 200 OK\r\n", "X-Many: a\r\n"),
];

/// Writes until the client closes the connection, and counts the bytes that were accepted.
fn write_endlessly(mut client: TcpStream, head: &str, part: &str, taken: &AtomicUsize) {
    let block = part.repeat(65536 / part.len());
    let mut text = head;
    while client.write_all(text.as_bytes()).is_ok() {
        taken.fetch_add(text.len(), Ordering::SeqCst);
        text = &block;
    }
}

/// The kernel buffers 4 MiB and more on each side of a connection, even if the client reads nothing.
const BUFFERS: usize = 16 << 20;

#[test]
fn an_answer_without_an_end_is_cut_off_and_its_endpoint_named() {
    let fixture = Fixture::with_config(&format!(
        "{CONFIG}[profile guarded]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\n\
         mfa_serial = arn:aws:iam::111122223333:mfa/jan\n"
    ));
    for (number, (head, part)) in ENDLESS.into_iter().enumerate() {
        // Each code is sent only once.
        let code = ["111111", "222222", "333333", "444444", "555555", "666666"][number];
        let runs: [(&[&str], usize); 4] = [
            (&["exec", "ops", "--", "true"], 3),
            (&["exec", "guarded", "-t", code, "--", "true"], 1),
            (&["export", "jan-work"], 3),
            (&["doctor", "--online"], 1),
        ];
        for (arguments, tries) in runs {
            let taken = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&taken);
            let stub = Stub::start(move |_, client| write_endlessly(client, head, part, &count));
            let run = fixture.hatbox(arguments).env("AWS_ENDPOINT_URL", stub.url()).run();
            if arguments[0] != "doctor" {
                assert_ne!(run.code(), Some(0), "{arguments:?} {head}");
                let expected = format!("caused by: the response of {} is too long for STS", stub.url());
                assert!(run.stderr.contains(&expected), "{head} {arguments:?}: {}", run.stderr);
            }
            assert!(stub.requests().len() <= tries, "{arguments:?} {head}");
            let limit = tries * (1_000_000 + BUFFERS);
            let taken = taken.load(Ordering::SeqCst);
            assert!(taken <= limit, "{arguments:?} {head}: {taken} bytes were taken");
        }
    }
}

#[cfg(feature = "trust")]
#[test]
fn a_list_of_iam_without_an_end_is_cut_off_as_well() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    let page = "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult>\
                <IsTruncated>true</IsTruncated><Marker>again</Marker></GetAccountAuthorizationDetailsResult>\
                </GetAccountAuthorizationDetailsResponse>";
    let pages = Stub::answering(move || page.to_owned(), None);
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let long = Stub::start(move |_, client| write_endlessly(client, ENDLESS[0].0, ENDLESS[0].1, &count));
    for (stub, cause) in [(&pages, "a list does not end"), (&long, " is too long for IAM")] {
        let file = fixture.path("iam.json");
        let arguments = ["trust", "snapshot", "--profile", "jan-work", "-o", file.to_str().unwrap()];
        let run = fixture
            .hatbox(&arguments)
            .env("AWS_ENDPOINT_URL_IAM", stub.url())
            .env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
            .run();
        assert_ne!(run.code(), Some(0), "{cause}");
        assert!(run.stderr.contains(cause), "{}", run.stderr);
        assert!(!file.exists());
    }
    let taken = taken.load(Ordering::SeqCst);
    assert!(taken <= 3 * (64_000_000 + BUFFERS), "{taken} bytes were taken");
}

#[test]
fn a_key_removed_during_a_call_leaves_no_session_behind() {
    let fixture = Fixture::with_keys(&["jan-work"]);
    fixture.write_config(CONFIG);
    let (asked, is_asked) = mpsc::channel();
    let (answer, may_answer) = mpsc::channel::<()>();
    let may_answer = Mutex::new(may_answer);
    let stub = Stub::start(move |_, mut client| {
        asked.send(()).unwrap();
        may_answer.lock().unwrap().recv().unwrap();
        let body = Granted::until(3600).of_role("Ops");
        client
            .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
            .unwrap();
    });
    let changes: [&dyn Fn(); 2] = [
        &|| drop(fixture.hatbox(&["remove", "--force", "jan-work"]).run().ok()),
        // Another key with the same name.
        &|| {
            let other = fixture.hatbox(&["add", "--env", "--force", "jan-work"]);
            let other = other.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
            other.env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").run().ok();
        },
    ];
    for change in changes {
        fixture.add_run("jan-work", &["--force"]).run().ok();
        let run = fixture.hatbox(&["exec", "ops", "--", "true"]).env("AWS_ENDPOINT_URL", stub.url()).spawn();
        is_asked.recv().unwrap();
        change();
        answer.send(()).unwrap();
        finish(run, "exec").ok();
        assert_eq!(fixture.hatbox(&["list", "--sessions"]).run().ok().stdout, "");
        let sessions = std::fs::read_dir(fixture.home().join(".cache/hatbox/sessions"));
        assert_eq!(sessions.map_or(0, Iterator::count), 0, "a file is left");
    }
}
