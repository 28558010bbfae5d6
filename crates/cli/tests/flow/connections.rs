//! Calls without an answer: the message says how far they came, and what caused it.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, mpsc};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::run::Outcome;
use crate::stub::{Granted, Stub};
use crate::terminal::Terminal;

fn fixture() -> Fixture {
    Fixture::with_config(
        "[profile ops]\nsource_profile = jan-work\nrole_arn = arn:aws:iam::444455556666:role/Ops\n",
    )
}

fn call(fixture: &Fixture, endpoint: &str, variables: &[(&str, &str)]) -> Outcome {
    let mut run = fixture.hatbox(&["exec", "ops", "--", "true"]).env("AWS_ENDPOINT_URL", endpoint);
    for (name, value) in variables {
        run = run.env(name, value);
    }
    run.run().expect_code(125)
}

fn nobody() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

#[test]
fn a_host_that_is_not_found_or_does_not_answer_is_named() {
    let fixture = fixture();
    let lost = call(&fixture, "https://nowhere.invalid", &[]);
    assert!(lost.stderr.contains("caused by: the host `nowhere.invalid` was not found: "), "{}", lost.stderr);
    let endpoint = format!("http://{}", nobody());
    let refused = call(&fixture, &endpoint, &[]);
    assert!(
        refused.stderr.contains(&format!("caused by: no connection to {endpoint}: Connection refused")),
        "{}",
        refused.stderr
    );
    let closes = Stub::start(|_, client| drop(client));
    let closed = call(&fixture, &closes.url(), &[]);
    let expected = format!("caused by: {} closed the connection without a response", closes.url());
    assert!(closed.stderr.contains(&expected), "{}", closed.stderr);
}

#[test]
fn a_proxy_that_gives_no_connection_is_named_without_its_password() {
    let fixture = fixture();
    let answers = |answer: &'static str| {
        Stub::start(move |_, mut client| {
            client.write_all(answer.as_bytes()).ok();
        })
    };
    let (asks, forbids, closes) = (
        answers("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
        answers("HTTP/1.1 403 Forbidden\r\n\r\n"),
        answers(""),
    );
    let of = |stub: &Stub| stub.url().trim_start_matches("http://").to_owned();
    let dead = nobody().to_string();
    let cases = [
        (of(&asks), "requires a user name and a password (407)", "http://USER:PASSWORD@HOST:PORT"),
        (of(&forbids), "refused to connect to https://sts.example", "NO_PROXY"),
        (of(&closes), "closed the connection", "NO_PROXY"),
        (dead, "did not connect to https://sts.example: Connection refused", "NO_PROXY"),
        ("nowhere.invalid:3128".to_owned(), "was not found: ", "NO_PROXY"),
    ];
    for variable in ["HTTPS_PROXY", "all_proxy"] {
        for (host, what, hint) in &cases {
            let value = format!("http://me:canary@{host}");
            let run = call(&fixture, "https://sts.example", &[(variable, value.as_str())]);
            let expected = format!("caused by: the proxy http://{host} ({variable}) {what}");
            assert!(run.stderr.contains(&expected), "no `{expected}` in: {}", run.stderr);
            assert!(run.stderr.contains(hint), "no `{hint}` in: {}", run.stderr);
            assert!(!run.stderr.contains("right, and running"), "the endpoint is blamed: {}", run.stderr);
            assert!(!run.stderr.contains("canary"), "the password is shown: {}", run.stderr);
        }
    }
    // A request that bypasses the proxy does not mention it.
    let proxy = format!("http://{}", nobody());
    let past = call(&fixture, "https://nowhere.invalid", &[("HTTPS_PROXY", &proxy), ("NO_PROXY", "invalid")]);
    assert!(past.stderr.contains("the host `nowhere.invalid` was not found"), "{}", past.stderr);
}

#[test]
fn a_proxy_variable_that_cannot_be_read_is_an_error_and_nothing_goes_out() {
    let fixture = fixture();
    for variable in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        for value in ["http://[", "http://canary@", "p:canary", "http://me:canary@p:99999"] {
            let run = call(&fixture, "https://nowhere.invalid", &[(variable, value)]);
            let expected = format!("error: invalid proxy URL in {variable}: expected `http://");
            assert!(run.stderr.contains(&expected), "{}", run.stderr);
            assert!(!run.stderr.contains("canary") && !run.stderr.contains("not found"), "{}", run.stderr);
        }
        let run = call(&fixture, "https://nowhere.invalid", &[(variable, "socks5://me:canary@p")]);
        assert!(
            run.stderr.contains(&format!("error: {variable} is set to a proxy of the kind `socks5`")),
            "{}",
            run.stderr
        );
        assert!(!run.stderr.contains("canary"), "{}", run.stderr);
    }
    // Requests to this machine bypass the proxy.
    fixture.hatbox(&["export", "jan-work"]).env("HTTPS_PROXY", "http://[").run().ok();
}

/// Makes a certificate with `openssl ARGUMENTS`. Returns the configuration of a TLS server and the certificate's file;
/// `None` if openssl is missing.
pub(crate) fn make_tls_config(directory: &Path, arguments: &[&str]) -> Option<(Arc<ServerConfig>, String)> {
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    // Without the extensions in the system's configuration.
    std::fs::write(path("openssl.cnf"), "[req]\ndistinguished_name = name\n[name]\n").unwrap();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=x",
        ])
        .args(["-config", &path("openssl.cnf"), "-keyout", &key, "-out", &certificate])
        .args(arguments)
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: openssl is not there, or cannot make the certificate");
        return None;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = CertificateDer::pem_file_iter(&certificate).unwrap().map(Result::unwrap).collect();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(&key).unwrap())
        .unwrap();
    Some((Arc::new(config), certificate))
}

/// Starts a TLS server with such a certificate until the end of the test. Returns its URL and the certificate's file.
fn start_tls(directory: &Path, arguments: &[&str]) -> Option<(String, String)> {
    if std::net::ToSocketAddrs::to_socket_addrs(&("localhost", 0)).is_err() {
        eprintln!("skipped: the name localhost is not known here");
        return None;
    }
    let (config, certificate) = make_tls_config(directory, arguments)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // The client closes the connection.
            Stream::new(&mut connection, &mut client.unwrap()).write_all(b"HTTP/1.1 500 No\r\n\r\n").ok();
        }
    });
    Some((endpoint, certificate))
}

#[test]
fn a_certificate_that_is_not_trusted_is_explained_with_a_way_out_that_is_not_taken_yet() {
    let fixture = fixture();
    let ca: &[&str] =
        &["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectAltName=DNS:localhost"];
    let other: &[&str] =
        &["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=DNS:other"];
    let Some((endpoint, own)) = start_tls(&fixture.home(), ca) else { return };
    let plain: &[&str] =
        &["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=DNS:localhost"];
    let Some((elsewhere, theirs)) = start_tls(&fixture.path("bin"), other) else { return };
    let Some((unknown, _)) = start_tls(&fixture.path("sandbox"), plain) else { return };
    let not_signed = format!("caused by: the certificate of {unknown} is not signed by a trusted authority");
    for (endpoint, bundle, cause, hint) in [
        (
            &unknown,
            "/etc/ssl/certs/ca-certificates.crt",
            not_signed.as_str(),
            "only the certificates in `/etc/ssl/",
        ),
        (&endpoint, own.as_str(), " is a CA certificate, and not that of a server", ""),
        (&elsewhere, theirs.as_str(), " is for another host", ""),
    ] {
        if !Path::new(bundle).exists() {
            eprintln!("skipped: there is no {bundle}");
            continue;
        }
        let run = call(&fixture, endpoint, &[("AWS_CA_BUNDLE", bundle)]);
        assert!(run.stderr.contains(cause), "no `{cause}` in: {}", run.stderr);
        assert!(run.stderr.contains(hint), "no `{hint}` in: {}", run.stderr);
        assert!(!run.stderr.contains("set AWS_CA_BUNDLE"), "it is set: {}", run.stderr);
        assert!(!run.stderr.contains("OtherError"), "{}", run.stderr);
    }
}

#[test]
fn a_slow_call_is_shown_on_a_terminal_while_it_lasts() {
    let fixture = fixture();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let stub = Stub::start(move |_, mut client| {
        released.lock().unwrap().recv().unwrap();
        let body = Granted::until(3600).of_role("Ops");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).unwrap();
    });
    let run =
        fixture.hatbox(&["exec", "--fresh", "ops", "--", "echo", "done"]).env("AWS_ENDPOINT_URL", stub.url());
    let mut terminal = Terminal::start(&run);
    terminal.wait_for(&format!("waiting for {} (up to 60 s; Ctrl-C cancels)", stub.url()), 1);
    release.send(()).unwrap();
    assert!(terminal.wait().success());
    let screen = terminal.screen().join("\n");
    assert!(screen.ends_with("done") && !screen.contains("waiting"), "it is left there: {screen}");
    // A call that is not slow prints nothing.
    release.send(()).unwrap();
    let quick = run.run().ok();
    assert!(!quick.stderr.contains("waiting"), "{}", quick.stderr);
}

#[test]
fn a_cache_directory_that_cannot_be_used_is_an_error_with_a_way_out() {
    let fixture = fixture();
    // A file in place of the directory, which root cannot replace with a directory either.
    std::fs::write(fixture.path("no-directory"), "").unwrap();
    let run = fixture
        .hatbox(&["exec", "ops", "--", "true"])
        .env("XDG_CACHE_HOME", fixture.path("no-directory"))
        .run();
    assert_eq!(run.code(), Some(125));
    assert!(
        run.stderr.contains("hint: set XDG_CACHE_HOME to a directory that you can write to"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("hatbox clear"), "{}", run.stderr);
}

#[test]
fn the_question_for_the_clock_of_sts_is_shown_while_it_lasts() {
    let fixture = fixture();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let stub = Stub::start(move |_, mut client| {
        released.lock().unwrap().recv().unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let run = fixture.hatbox(&["doctor", "--online"]).env("AWS_ENDPOINT_URL_STS", stub.url());
    let mut terminal = Terminal::start(&run);
    terminal.wait_for(&format!("waiting for {} (up to 10 s; Ctrl-C cancels)", stub.url()), 1);
    release.send(()).unwrap();
    terminal.wait();
    let screen = terminal.screen().join("\n");
    assert!(!screen.contains("waiting for"), "it is left there: {screen}");
}

#[test]
fn an_endpoint_is_named_once_for_two_calls() {
    let fixture = Fixture::with_config(&format!(
        "[profile jan-work]\nmfa_serial = {PHONE}\n\n[profile guarded]\nsource_profile = jan-work\n\
         role_arn = arn:aws:iam::444455556666:role/guarded\nmfa_serial = {PHONE}\n"
    ));
    let code = fixture.code(PHONE);
    let outcome = fixture.hatbox(&["exec", "-t", &code, "guarded", "--", "true"]).run().ok();
    let calls: Vec<_> = fixture.log().iter().map(|call| call.action.clone()).collect();
    assert_eq!(calls, ["GetSessionToken", "AssumeRole"]);
    assert_eq!(outcome.stderr.matches("using the STS endpoint").count(), 1, "{}", outcome.stderr);
}

/// Whatever replaces a session, the command in the hint helps, and no hint names a command that fails too.
#[test]
fn what_cannot_be_read_as_a_session_is_cleared_only_where_that_works() {
    let fixture = Fixture::with_config(
        "[profile jan-work]\n\n[profile reader]\nsource_profile = jan-work\n\
         role_arn = arn:aws:iam::444455556666:role/reader\n",
    );
    let exec = || fixture.hatbox(&["exec", "reader", "--", "true"]).run();
    exec().ok();
    let sessions = fixture.home().join(".cache/hatbox/sessions");
    let session = std::fs::read_dir(&sessions).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&session).unwrap();
    let whole = |is_broken: &dyn Fn()| {
        is_broken();
        let refused = exec().expect_code(125).stderr;
        let hints_at_clear = refused.contains("hint: hatbox clear");
        if hints_at_clear {
            fixture.hatbox(&["clear"]).run().ok();
            exec().ok();
        } else {
            assert!(refused.contains("hint: "), "{refused}");
        }
        hints_at_clear
    };
    // hatbox never creates a directory here, so it must not be deleted with its content.
    let with_directory = whole(&|| {
        std::fs::remove_file(&session).unwrap();
        std::fs::create_dir(&session).unwrap();
        std::fs::write(session.join("kept"), "").unwrap();
    });
    assert!(!with_directory);
    let way_out = format!("hint: rm -r {}\n", session.display());
    let refused = exec().expect_code(125).stderr;
    assert!(refused.contains(&way_out), "{refused}");
    std::fs::remove_dir_all(&session).unwrap();
    // Only the link itself is removed.
    assert!(whole(&|| {
        std::fs::remove_file(&session).ok();
        std::os::unix::fs::symlink("nowhere", &session).unwrap();
    }));
    // The sessions directory is a file: sessions can be neither read nor cleared.
    std::fs::write(&session, &bytes).unwrap();
    assert!(!whole(&|| {
        std::fs::remove_dir_all(&sessions).unwrap();
        std::fs::write(&sessions, "").unwrap();
    }));
}
