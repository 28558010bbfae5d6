//! Requests that must not get credentials from the server, and clients that must not block others.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use crate::fixture::Fixture;
use crate::served::Served;

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
";

#[test]
fn only_a_program_with_the_token_gets_credentials() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    let address = &served.address;
    let (port, path, token) = (address.port, address.path.as_str(), address.token.as_str());
    let host = format!("Host: 127.0.0.1:{port}");
    let right = format!("Authorization: {token}");
    let upper = format!("Authorization: {}", token.to_ascii_uppercase());
    let bearer = format!("Authorization: Bearer {token}");
    let short = format!("Authorization: {}", &token[1..]);
    let twice = format!("{right}\r\n{right}");
    let get = format!("GET {path}");
    for (start, headers, status, why) in [
        (get.as_str(), vec![&*host, &*right], "200", "the request of an SDK"),
        (&get, vec![&host], "403", "no token"),
        (&get, vec![&host, "Authorization: "], "403", "an empty token"),
        (&get, vec![&host, "Authorization: wrong"], "403", "a wrong token"),
        (&get, vec![&host, &short], "403", "a part of the token"),
        (&get, vec![&host, &upper], "403", "the token in another case"),
        (&get, vec![&host, &bearer], "403", "the token in another form"),
        (&get, vec![&host, &twice], "403", "two tokens"),
        ("GET /", vec![&host, &right], "403", "another path"),
        ("GET /credentials/jan-work", vec![&host, &right], "403", "another profile"),
        (&get, vec![&right], "403", "no host"),
        (&get, vec!["Host: localhost", &right], "403", "another host"),
        (&get, vec!["Host: evil.example", &right], "403", "DNS rebinding"),
        (&get, vec![&host, "Host: evil.example", &right], "403", "two hosts"),
        (&get, vec![&host, &right, "Origin: http://evil.example"], "403", "a page's script"),
        (&get, vec![&host, &right, "Origin: null"], "403", "a page's script without origin"),
        (&get, vec![&host, &right, "Sec-Fetch-Site: none"], "403", "typed into a browser"),
        (&get, vec![&host, &right, "sec-fetch-mode: navigate"], "403", "a link"),
        (&get, vec![&host, &right, "Content-Length: 5"], "400", "a body"),
        (&get, vec![&host, &right, "Transfer-Encoding: chunked"], "400", "a body"),
        (&format!("POST {path}"), vec![&host, &right], "405", "another method"),
        (&format!("PUT {path}"), vec![&host, &right], "405", "another method"),
        (&format!("HEAD {path}"), vec![&host, &right], "405", "another method"),
        (&format!("OPTIONS {path}"), vec![&host, &right], "405", "another method"),
        (&format!("GET http://127.0.0.1:{port}{path}"), vec![&host, &right], "403", "as a proxy"),
    ] {
        let request = format!("{start} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n", headers.join("\r\n"));
        let answer = address.send(request.as_bytes());
        assert_eq!(answer.get(9..12), Some(status), "{why}: {answer}");
        assert_eq!(answer.contains("SecretAccessKey"), status == "200", "{why}: {answer}");
        assert!(!answer.to_ascii_lowercase().contains("access-control"), "{why}: {answer}");
    }
    // The server does not read all of a megabyte of headers.
    let mut large = format!("{get} HTTP/1.1\r\n{host}\r\n{right}\r\nX: ").into_bytes();
    large.resize(1 << 20, b'a');
    let answer = address.send(&large);
    assert!(!answer.contains("SecretAccessKey"), "{answer}");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(!address.send(b"\x16\x03\x01\x02\x00").contains("SecretAccessKey"), "TLS");
    assert!(address.key_id().starts_with("ASIA"), "and the server goes on");
    assert!(!served.end().stderr.contains("panicked"));
}

#[test]
fn one_connection_carries_many_requests() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    let address = &served.address;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: {}\r\n\r\n",
        address.path, address.port, address.token
    );
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, address.port)).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Also if several requests arrive at once, or in pieces.
    let (start, end) = request.split_at(10);
    for part in [&*request.repeat(3), start, end] {
        connection.write_all(part.as_bytes()).unwrap();
    }
    let mut answers = Vec::new();
    let count = |bytes: &[u8]| String::from_utf8_lossy(bytes).matches("\"SecretAccessKey\"").count();
    let mut buffer = [0; 4096];
    while count(&answers) < 4 {
        let length = connection.read(&mut buffer).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&answers));
        answers.extend_from_slice(&buffer[..length]);
    }
}

#[test]
fn many_connections_and_slow_ones_keep_no_one_from_the_credentials() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    let address = &served.address;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    // The descriptors of this process may be limited to fewer.
    let most = limit.maximum.map_or(10_000, |most| usize::try_from(most).unwrap().saturating_sub(200));
    let mut open = Vec::new();
    for number in 0..10_000.min(most) {
        // However many are open, the server takes each one: it closes those that have waited longest.
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, address.port)).unwrap();
        match number % 3 {
            0 => connection.write_all(b"GET /credentials/reader HTTP/1.1\r\nX-Slow: a").ok(),
            // Never reads its answers.
            1 => connection.write_all(&b"GET / HTTP/1.1\r\n\r\n".repeat(20)).ok(),
            _ => None,
        };
        open.push(connection);
    }
    assert!(address.key_id().starts_with("ASIA"));
    drop(open);
    assert!(address.key_id().starts_with("ASIA"));
}

/// The directory contains a copy of the config, which names programs that the SDKs run.
#[test]
fn a_runtime_directory_in_which_other_users_can_replace_files_is_refused() {
    let fixture = Fixture::with_config(CONFIG);
    let shared = fixture.path("shared");
    let make = |below: &str, mode| {
        std::fs::create_dir_all(shared.join(below)).unwrap();
        std::fs::set_permissions(shared.join(below), PermissionsExt::from_mode(mode)).unwrap();
    };
    let exec = || {
        fixture.hatbox(&["exec", "--server", "reader", "--", "true"]).env("XDG_RUNTIME_DIR", &shared).run()
    };
    let refuses = || {
        let stderr = exec().expect_code(125).stderr;
        assert!(stderr.contains("other users can replace `"), "{stderr}");
    };
    // Also for a group.
    for mode in [0o777, 0o770] {
        make("", mode);
        refuses();
    }
    // Like /tmp.
    make("", 0o1777);
    exec().ok();
    make("hatbox", 0o777);
    refuses();
    make("hatbox", 0o755);
    exec().ok();
    let (above, link) = (fixture.path("above"), fixture.path("link"));
    std::fs::create_dir(&above).unwrap();
    std::fs::set_permissions(&above, PermissionsExt::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink(&shared, above.join("link")).unwrap();
    std::os::unix::fs::symlink(above.join("link"), &link).unwrap();
    let by_link =
        fixture.hatbox(&["exec", "--server", "reader", "--", "true"]).env("XDG_RUNTIME_DIR", &link).run();
    let stderr = by_link.expect_code(125).stderr;
    assert!(stderr.contains(&format!("they can write to `{}`", above.display())), "{stderr}");
    assert!(stderr.contains(&format!("hint: chmod go-w {}", above.display())), "{stderr}");
    if rustix::process::geteuid().is_root() {
        // Another user created it beforehand, with a directory of this user in it.
        std::os::unix::fs::chown(shared.join("hatbox"), Some(61_234), None).unwrap();
        refuses();
    }
}

#[test]
fn another_user_gets_no_answer() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can run a program as another user");
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    let address = &served.address;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: {}\r\nConnection: close\r\n\r\n",
        address.path, address.port, address.token
    );
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}; printf %s \"$0\" >&3; cat <&3", address.port);
    let ask = |uid: u32| {
        let output =
            std::process::Command::new("bash").args(["-c", &script, &request]).uid(uid).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(ask(61_234), "", "even with the token");
    assert!(ask(0).contains("SecretAccessKey"));
}
