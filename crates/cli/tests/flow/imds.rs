//! `exec --imds`: the metadata server next to a command, and which requests it answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatbox_sandbox::control::{Fault, FaultKind};
use rustix::process::test_kill_process;
use serde_json::Value;

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::run::wait_until;
use crate::served::{Address, Served, server_directories};

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
region = eu-west-1
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile short]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/deploy
mfa_serial = arn:aws:iam::111122223333:mfa/jan
duration_seconds = 1200

[profile instance]
credential_source = Ec2InstanceMetadata
role_arn = arn:aws:iam::444455556666:role/reader
";

const MINUTE: i64 = 60;
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// An answer: its status, head and body.
struct Answer {
    status: String,
    head: String,
    body: String,
}

fn send(address: &Address, start: &str, headers: &[&str]) -> Answer {
    let host = format!("Host: 127.0.0.1:{}", address.port);
    send_to_host(address, &host, start, headers)
}

fn send_to_host(address: &Address, host: &str, start: &str, headers: &[&str]) -> Answer {
    let mut text = format!("{start} HTTP/1.1\r\n{host}\r\nConnection: close\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    let answer = address.send(format!("{text}\r\n").as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    Answer { status: head[9..12].to_owned(), head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// Returns a header with a token of the server.
fn token(address: &Address, seconds: u32) -> String {
    let life = format!("X-aws-ec2-metadata-token-ttl-seconds: {seconds}");
    let answer = send(address, "PUT /latest/api/token", &[&life]);
    assert_eq!(answer.status, "200", "{}", answer.body);
    assert!(answer.head.contains("content-type: text/plain"), "{}", answer.head);
    assert!(answer.head.contains(&life.to_ascii_lowercase()), "some SDKs need it: {}", answer.head);
    assert!(answer.body.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{}", answer.body);
    format!("X-aws-ec2-metadata-token: {}", answer.body)
}

fn get(address: &Address, path: &str) -> Answer {
    send(address, &format!("GET {path}"), &[&token(address, 60)])
}

fn credentials(address: &Address) -> (String, Value) {
    let answer = get(address, &address.path);
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

#[track_caller]
fn key_id(address: &Address) -> String {
    let (status, body) = credentials(address);
    assert_eq!(status, "200", "{body}");
    body["AccessKeyId"].as_str().unwrap().to_owned()
}

#[test]
fn the_command_gets_a_metadata_server_by_its_endpoint_alone() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start_metadata(&fixture, &["reader"], |run| {
        run.env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6")
            .env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/old")
    });
    let address = &served.address;
    for (name, value) in [
        ("AWS_VAULT", Some("reader")),
        ("AWS_REGION", Some("eu-west-1")),
        ("AWS_ACCOUNT_ID", Some("444455556666")),
        ("AWS_EC2_METADATA_V1_DISABLED", Some("true")),
        ("AWS_EC2_METADATA_DISABLED", Some("false")),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", Some("IPv4")),
        ("AWS_ACCESS_KEY_ID", None),
        ("AWS_SESSION_TOKEN", None),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", None),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", None),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", None),
        ("HATBOX_SIDECAR_OF", None),
    ] {
        assert_eq!(served.variables.get(name).map(String::as_str), value, "{name}");
    }
    for (path, body) in [
        (ROLES, "hatbox"),
        ("/latest/meta-data/placement/region", "eu-west-1"),
        ("/latest/meta-data/placement/availability-zone", "eu-west-1a"),
        ("/latest/dynamic/instance-identity/document", "{\"region\":\"eu-west-1\"}"),
    ] {
        let answer = get(address, path);
        assert_eq!((answer.status.as_str(), answer.body.as_str()), ("200", body), "{path}");
    }
    let (status, body) = credentials(address);
    assert_eq!(status, "200");
    let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "Code LastUpdated Type AccessKeyId SecretAccessKey Token Expiration AccountId";
    assert_eq!(names, expected.split(' ').collect::<Vec<_>>());
    assert_eq!((&body["Code"], &body["Type"]), (&"Success".into(), &"AWS-HMAC".into()));
    for name in ["LastUpdated", "Expiration"] {
        assert!(body[name].as_str().unwrap().ends_with('Z'), "{body}");
    }

    // Secrets are only in memory.
    let directories = server_directories(&fixture).into_iter();
    let files: Vec<PathBuf> = directories
        .flat_map(|path| std::fs::read_dir(path).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.iter().all(|path| path.ends_with("lock")), "{files:?}");

    // A nested hatbox reads the original variables.
    let names = ["AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "HATBOX"];
    let marks = served.variables.iter().filter(|(name, _)| {
        name.starts_with("HATBOX_SET") || name.starts_with("HATBOX_ORIG_") || names.contains(&name.as_str())
    });
    let inside = |arguments: &[&str]| {
        marks.clone().fold(fixture.hatbox(arguments), |run, (name, value)| run.env(name, value)).run()
    };
    let disabled = inside(&["export", "--nested", "instance"]).expect_code(3).stderr;
    assert!(disabled.contains("AWS_EC2_METADATA_DISABLED turns instance metadata off"), "{disabled}");
    let printed = inside(&["exec", "--nested", "reader", "--", "env"]).ok().stdout;
    assert!(printed.contains("AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1\n"), "{printed}");

    let sidecar = served.sidecar();
    let ended = served.end();
    wait_until("the end of the server", || test_kill_process(sidecar).is_err());
    assert_eq!(server_directories(&fixture), [] as [PathBuf; 0]);
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
}

#[test]
fn only_a_request_of_version_2_is_answered() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start_metadata(&fixture, &["reader"], |run| run);
    let other = Served::start_metadata(&fixture, &["reader"], |run| run);
    let address = &served.address;
    let right = token(address, 21_600);
    let of_other = token(&other.address, 21_600);
    let short = &right[..right.len() - 1];
    let credentials = format!("GET {}", address.path);
    let life = "X-aws-ec2-metadata-token-ttl-seconds: 60";
    let put = "PUT /latest/api/token";
    for (start, headers, status, why) in [
        (credentials.as_str(), vec![&*right], "200", "as an SDK asks"),
        (&credentials, vec![], "401", "version 1"),
        (&credentials, vec!["X-aws-ec2-metadata-token: "], "401", "an empty token"),
        (&credentials, vec![short], "401", "a part of the token"),
        (&credentials, vec![&of_other], "401", "another server's token"),
        (&credentials, vec![&right, &right], "401", "two tokens"),
        (&credentials, vec![&right, "Origin: null"], "403", "a page's script"),
        (&credentials, vec![&right, "Sec-Fetch-Site: none"], "403", "typed into a browser"),
        (&credentials, vec![&right, "Content-Length: 5"], "400", "a body"),
        (&format!("GET {ROLES}"), vec![], "401", "version 1 for the name"),
        ("GET /latest/meta-data/placement/region", vec![], "401", "version 1 for the region"),
        ("GET /latest/user-data", vec![&right], "404", "another path"),
        (&format!("GET {ROLES}reader"), vec![&right], "404", "another role"),
        (put, vec![life], "200", "a token"),
        (put, vec![], "400", "no life"),
        (put, vec!["X-aws-ec2-metadata-token-ttl-seconds: 21601"], "400", "too long a life"),
        (put, vec!["X-aws-ec2-metadata-token-ttl-seconds: 0"], "400", "no life at all"),
        (put, vec![life, "X-Forwarded-For: 10.0.0.1"], "403", "by a proxy"),
        (put, vec![life, "Origin: http://evil.example"], "403", "a page's script"),
        (put, vec![life, "Transfer-Encoding: chunked"], "400", "a body"),
        ("PUT /", vec![life], "404", "another path"),
        ("POST /latest/api/token", vec![life], "405", "another method"),
        (&format!("HEAD {}", address.path), vec![&right], "405", "another method"),
    ] {
        let answer = send(address, start, &headers);
        assert_eq!(answer.status, status, "{why}: {}", answer.body);
        let is_given = status == "200" && start == credentials;
        assert_eq!(answer.body.contains("SecretAccessKey"), is_given, "{why}: {}", answer.body);
    }
    for host in ["Host: evil.example", "Host: localhost", "X-No: host"] {
        for (start, headers) in [(&*credentials, [right.as_str()]), (put, [life])] {
            assert_eq!(send_to_host(address, host, start, &headers).status, "403", "DNS rebinding: {host}");
        }
    }
    let large = format!("{put} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nX: {}", address.port, "a".repeat(1 << 14));
    let answer = address.send(large.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");

    let minute = token(address, 60);
    served.move_clock(&fixture, 59);
    assert_eq!(send(address, &credentials, &[&minute]).status, "200");
    served.move_clock(&fixture, 61);
    assert_eq!(send(address, &credentials, &[&minute]).status, "401", "the token has expired");
    assert_eq!(send(address, &credentials, &[&right]).status, "200");
    assert!(!served.end().stderr.contains("panicked"));
}

/// Like those of the container protocol (server_attacks.rs): both share the connections, but not the requests.
#[test]
fn many_connections_and_slow_ones_keep_no_one_from_the_metadata() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start_metadata(&fixture, &["reader"], |run| run);
    let address = &served.address;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let starts: [&[u8]; 3] = [
        b"",
        b"PUT /latest/api/token HTTP/1.1\r\nX-Slow: a",
        b"GET /latest/meta-data/iam/security-credentials/hatbox HTTP/1.1\r\n",
    ];
    let mut open = Vec::new();
    for number in 0..3_000 {
        let to = (Ipv4Addr::LOCALHOST, address.port).into();
        let Ok(mut connection) = TcpStream::connect_timeout(&to, Duration::from_millis(50)) else { break };
        connection.write_all(starts[number % starts.len()]).ok();
        open.push(connection);
    }
    assert!(open.len() > 1_000, "only {}", open.len());
    // The connections that have waited longest are closed.
    assert!(key_id(address).starts_with("ASIA"));
    // The server closes a connection whose request stays incomplete.
    let mut slow = TcpStream::connect((Ipv4Addr::LOCALHOST, address.port)).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    slow.write_all(starts[1]).unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).ok();
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    drop(open);
    assert!(key_id(address).starts_with("ASIA"));
    assert!(!served.end().stderr.contains("panicked"));
}

#[test]
fn another_user_gets_neither_a_token_nor_credentials() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can run a program as another user");
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start_metadata(&fixture, &["reader"], |run| run);
    let address = &served.address;
    let host = format!("Host: 127.0.0.1:{}\r\nConnection: close\r\n", address.port);
    let put =
        format!("PUT /latest/api/token HTTP/1.1\r\n{host}X-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n");
    let get = format!("GET {} HTTP/1.1\r\n{host}{}\r\n\r\n", address.path, token(address, 60));
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}; printf %s \"$0\" >&3; cat <&3", address.port);
    let ask = |uid: u32, request: &str| {
        let output =
            std::process::Command::new("bash").args(["-c", &script, request]).uid(uid).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(ask(61_234, &put), "");
    assert_eq!(ask(61_234, &get), "", "even with a token");
    assert!(ask(0, &put).starts_with("HTTP/1.1 200 OK"));
    assert!(ask(0, &get).contains("SecretAccessKey"));
}

#[test]
fn credentials_are_given_with_25_minutes_left_at_least() {
    let fixture = Fixture::with_config(CONFIG);
    // A cached session that expires too soon is not used, although other commands would use it.
    fixture.hatbox(&["exec", "reader", "--", "true"]).run().ok();
    let later = (31 * MINUTE).to_string();
    fixture.client().set_clock_offset(31 * MINUTE).unwrap();
    let calls = |fixture: &Fixture| fixture.log().iter().filter(|entry| entry.action == "AssumeRole").count();
    fixture.hatbox(&["exec", "reader", "--", "true"]).env("HATBOX_TEST_CLOCK_OFFSET", &later).run().ok();
    assert_eq!(calls(&fixture), 1);
    std::fs::write(fixture.path("clock"), &later).unwrap();
    let served = Served::start_metadata(&fixture, &["reader"], |run| run);
    assert_eq!(calls(&fixture), 2);
    let first = key_id(&served.address);
    // It is renewed when it expires in 35 minutes.
    served.move_clock(&fixture, (31 + 24) * MINUTE);
    assert_eq!(key_id(&served.address), first);
    served.move_clock(&fixture, (31 + 26) * MINUTE);
    wait_until("renewed credentials", || key_id(&served.address) != first);
    let second = key_id(&served.address);
    assert_eq!(calls(&fixture), 3);
    // If renewal fails, the old credentials are served until 25 minutes before they expire.
    let fault =
        Fault { kind: FaultKind::AccessDenied("denied by a test".to_owned()), times: None, action: None };
    fixture.client().add_fault(&fault).unwrap();
    let start = 31 + 26;
    served.move_clock(&fixture, (start + 34) * MINUTE);
    assert_eq!(key_id(&served.address), second);
    wait_until("the warning", || served.said().contains("could not renew the credentials of `reader`"));
    served.move_clock(&fixture, (start + 36) * MINUTE);
    wait_until("no credentials", || credentials(&served.address).0 == "403");
    let (_, body) = credentials(&served.address);
    assert_eq!(body["Code"], "CredentialsExpired", "{body}");
}

#[test]
fn sessions_that_are_too_short_are_refused_before_the_command_starts() {
    let fixture = Fixture::with_config(CONFIG);
    let started = fixture.path("started");
    let exec = |arguments: &[&str]| {
        fixture.hatbox(&["exec", "--imds"]).args(arguments).args(["--", "touch"]).args([&started]).run()
    };
    // Checked before a code is asked for.
    let short = exec(&["short"]).expect_code(125).stderr;
    let said = "the credentials of `short` expire in 20m, and --imds needs 25m at least";
    assert!(short.contains(said) && short.contains("use --server"), "{short}");
    assert!(!short.contains(PHONE), "{short}");
    let flag = exec(&["-d", "15m", "reader"]).expect_code(125).stderr;
    assert!(flag.contains("the credentials of `reader` expire in 15m"), "{flag}");
    assert_eq!(fixture.log().len(), 0, "no call was made");
    let key = exec(&["-n", "jan-work"]).expect_code(125).stderr;
    assert!(key.contains("have no known end") && key.contains("without --imds"), "{key}");
    // The actual lifetime in AWS's answer counts, not the requested one.
    let fault = Fault {
        kind: FaultKind::ShortLifeSeconds(20 * 60),
        times: None,
        action: Some("AssumeRole".to_owned()),
    };
    fixture.client().add_fault(&fault).unwrap();
    let returned = exec(&["reader"]).expect_code(125).stderr;
    assert!(returned.contains("the credentials of `reader` expire in "), "{returned}");
    assert!(!Path::new(&started).exists());
    wait_until("no server is left", || server_directories(&fixture).is_empty());
    let both = fixture.hatbox(&["exec", "--imds", "--server", "reader", "--", "true"]).run();
    both.expect_code(125);
}

#[test]
fn aws_vaults_name_for_it_says_what_it_does() {
    let fixture = Fixture::with_config(CONFIG);
    let script = "echo \"$AWS_EC2_METADATA_SERVICE_ENDPOINT\"";
    let run =
        fixture.aws_vault(&["exec", "--ec2-server", "--lazy", "reader", "--", "sh", "-c", script]).run();
    let outcome = run.ok();
    assert!(outcome.stdout.starts_with("http://127.0.0.1:"), "{}", outcome.stdout);
    assert_eq!(
        outcome.stderr.matches("aws-vault: `--ec2-server` is `--imds` here").count(),
        1,
        "{}",
        outcome.stderr
    );
}
