//! The clock: compared with files, and with an endpoint on request.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use crate::home::{Home, found};

#[test]
fn a_file_of_the_future_shows_that_the_clock_is_behind() {
    let home = Home::with_config("");
    let set = |time| {
        let file = File::options().append(true).open(home.path(".aws/config")).unwrap();
        file.set_modified(time).unwrap();
    };
    set(SystemTime::now() + Duration::from_mins(1));
    assert!(home.found(&[]).is_empty());
    set(SystemTime::now() + Duration::from_hours(24));
    assert_eq!(home.found(&[]), ["clock-behind ~/.aws/config"]);
}

/// Answers one request with these headers. Returns the URL, and the request when it has come.
fn serve(headers: &str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 302 Found\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n");
    let server = std::thread::spawn(move || {
        // The first connection only checks that the endpoint can be reached.
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut buffer = [0; 4096];
            while !asked.ends_with(b"\r\n\r\n") {
                match stream.read(&mut buffer).unwrap() {
                    0 => break,
                    count => asked.extend_from_slice(&buffer[..count]),
                }
            }
            if !asked.is_empty() {
                stream.write_all(answer.as_bytes()).unwrap();
                return String::from_utf8(asked).unwrap();
            }
        }
        String::new()
    });
    (url, server)
}

fn http_date(seconds_ahead: i64) -> String {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds_ahead);
    format!("Date: {}\r\n", time.strftime("%a, %d %b %Y %H:%M:%S GMT"))
}

#[test]
fn with_online_the_clock_is_compared_by_a_request_without_a_signature() {
    let home = Home::with_config("");
    for (headers, summary, expected) in [
        (http_date(0), "agrees with that of ", None),
        (http_date(95), "compared with that of ", Some(("clock-skew", "warning", "behind"))),
        (http_date(-7200), "compared with that of ", Some(("clock-skew", "error", "ahead of"))),
        (
            String::new(),
            "not compared with that of ",
            Some(("no-answer", "warning", "its response has no `Date` header")),
        ),
    ] {
        let (url, server) = serve(&headers);
        let report = home.report(&["--online"], &[("AWS_ENDPOINT_URL_STS", &url)]);
        let asked = server.join().unwrap();
        assert!(asked.starts_with("GET / HTTP/1.1\r\n"), "{asked}");
        assert!(!asked.to_lowercase().contains("authorization"), "{asked}");
        let checks = report["checks"].as_array().unwrap();
        let clock = checks.iter().find(|check| check["topic"] == "clock").unwrap();
        assert_eq!(clock["summary"], url.replace("http://", summary));
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["topic"] == "clock");
        let finding = finding.map(|f| [&f["id"], &f["level"], &f["text"]].map(|v| v.as_str().unwrap()));
        match (finding, expected) {
            (None, None) => {}
            (Some([id, level, text]), Some((wanted, wanted_level, part))) => {
                assert_eq!((id, level), (wanted, wanted_level));
                assert!(text.contains(part), "{text}");
            }
            other => panic!("{headers}: {other:?}"),
        }
    }
}

#[test]
fn without_online_no_connection_is_made_to_where_sts_is() {
    let home = Home::new();
    // If hatbox tried to connect, this name would be reported as unreachable.
    let url = [("AWS_ENDPOINT_URL_STS", "https://sts.invalid")];
    assert_eq!(home.found(&url), ["env-endpoint AWS_ENDPOINT_URL_STS"]);
    assert_eq!(
        found(&home.report(&["--online"], &url)),
        ["env-endpoint AWS_ENDPOINT_URL_STS", "no-answer -"]
    );
}
