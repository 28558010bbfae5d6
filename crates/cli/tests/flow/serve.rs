//! `hatbox serve`: several profiles, each with its own token, until a signal.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::fixture::Fixture;
use crate::run::{Run, finish};
use crate::served::{Address, server_directories};

const CONFIG: &str = "\
[profile jan-work]

[profile reader]
region = eu-west-1
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile admin]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/admin
";

/// Reads what `serve --json` prints once it serves.
fn read_shown(child: &mut Child) -> Value {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.ends_with("\n}\n") {
        assert!(stdout.read_line(&mut text).unwrap() > 0, "{text}");
    }
    child.stdout = Some(stdout.into_inner());
    serde_json::from_str(&text).unwrap()
}

/// Asks for the credentials of `reader` through a socket.
fn ask_socket(path: &Path, host: &str, token: &str) -> String {
    let mut connection = UnixStream::connect(path).unwrap();
    let request = format!(
        "GET /credentials/reader HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn each_profile_has_a_path_and_a_token_of_its_own() {
    let fixture = Fixture::with_config(CONFIG);
    let mut child = fixture.hatbox(&["serve", "--json", "reader", "admin"]).spawn();
    let shown = read_shown(&mut child);
    let address = |profile: &str| {
        let text = |name: &str| shown[profile][name].as_str().unwrap().to_owned();
        Address::new(
            &text("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
            Path::new(&text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")),
        )
    };
    assert_eq!(shown["reader"]["AWS_REGION"], "eu-west-1");
    assert!(shown["admin"]["unset"].as_array().unwrap().contains(&Value::from("AWS_PROFILE")), "{shown}");
    let (reader, admin) = (address("reader"), address("admin"));
    assert_eq!(reader.port, admin.port);
    assert_ne!(reader.key_id(), admin.key_id());
    let mixed = Address { token: reader.token.clone(), ..admin };
    assert_eq!(mixed.get().0, 403);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    finish(child, "serve").ok();
    assert_eq!(server_directories(&fixture), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_socket_is_served_to_whatever_forwards_a_port_to_it() {
    let fixture = Fixture::with_config(CONFIG);
    let path = fixture.path("h.sock");
    let listen = format!("unix:{}", path.display());
    let mut child = fixture.hatbox(&["serve", "--listen", &listen, "reader"]).spawn();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let unset = lines.next().unwrap().unwrap();
    assert!(unset.starts_with("unset AWS_"), "{unset}");
    let endpoint = lines.next().unwrap().unwrap();
    assert!(endpoint.starts_with("export AWS_ENDPOINT_URL=http://127.0.0.1:"), "{endpoint}");
    assert_eq!(
        lines.next().unwrap().unwrap(),
        "export AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:PORT/credentials/reader"
    );
    let line = lines.next().unwrap().unwrap();
    let token = line.strip_prefix("export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=").unwrap();
    let token = std::fs::read_to_string(token).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let ask = |host: &str, token: &str| ask_socket(&path, host, token);
    assert!(ask("127.0.0.1:9911", &token).contains("SecretAccessKey"));
    for (host, token) in [("evil.example", &*token), ("localhost:80", "wrong")] {
        assert!(ask(host, token).starts_with("HTTP/1.1 403"), "{host}");
    }
    let taken = fixture.hatbox(&["serve", "--listen", &listen, "reader"]).run().expect_code(1).stderr;
    assert!(taken.contains("is in use"), "{taken}");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    let file = fixture.hatbox(&["serve", "--listen", &listen, "reader"]).run().expect_code(1).stderr;
    assert!(file.contains("exists and is not a socket"), "{file}");
}

/// Starts `sshd` for one connection, without a port. Its directory in `/run` is there for it alone.
const SSHD: &str = r#"#!/bin/sh
exec unshare --mount --propagation private sh -ec '
    mount -t tmpfs tmpfs /run
    mkdir /run/sshd
    exec /usr/sbin/sshd -i -f "$0"' "$(dirname "$0")/sshd_config"
"#;

#[test]
fn ssh_forwards_a_port_of_another_machine_to_the_socket() {
    let programs =
        ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/bin/curl", "/usr/bin/unshare"];
    if let Some(missing) = programs.iter().find(|program| !Path::new(program).exists()) {
        eprintln!("skipped: there is no {missing}");
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can start a session without the system's own sshd");
        return;
    }
    let fixture = Fixture::with_config(CONFIG);
    let socket = fixture.path("h.sock");
    // Free now; the connection fails aloud if someone else is faster.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let (listen, url) = (format!("unix:{}", socket.display()), format!("http://127.0.0.1:{port}"));
    let mut child =
        fixture.hatbox(&["serve", "--listen", &listen, "--url", &url, "--json", "reader"]).spawn();
    let shown = read_shown(&mut child);
    let of = |name: &str| shown["reader"][name].as_str().unwrap();
    let uri = of("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let token = std::fs::read_to_string(of("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")).unwrap();
    let directory = fixture.path("ssh");
    std::fs::create_dir(&directory).unwrap();
    let path = |name: &str| directory.join(name).display().to_string();
    for name in ["host", "me"] {
        let keygen = Run::new("ssh-keygen", fixture.variables());
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", &path(name)]).run().ok();
    }
    let config = format!(
        "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n",
        path("host"),
        path("me.pub")
    );
    std::fs::write(directory.join("sshd_config"), config).unwrap();
    std::fs::write(directory.join("proxy"), SSHD).unwrap();
    std::fs::set_permissions(directory.join("proxy"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let ask = |token: &str| {
        let options = [
            "BatchMode=yes",
            "StrictHostKeyChecking=no",
            "LogLevel=ERROR",
            "ExitOnForwardFailure=yes",
            &format!("UserKnownHostsFile={}", path("known")),
            &format!("ProxyCommand={}", path("proxy")),
        ];
        let forward = format!("127.0.0.1:{port}:{}", socket.display());
        let line = format!("curl -sS --max-time 20 -H 'Authorization: {token}' {uri}");
        Run::new("ssh", fixture.variables())
            .args(["-F", "/dev/null", "-i", &path("me"), "-R", &forward])
            .args(options.iter().flat_map(|option| ["-o", *option]))
            .args(["root@here", &line])
            .run()
            .ok()
            .stdout
    };
    assert!(ask(&token).contains("SecretAccessKey"));
    assert!(!ask("wrong").contains("SecretAccessKey"));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_url_of_clients_is_printed_and_its_host_is_the_only_one() {
    let fixture = Fixture::with_config(CONFIG);
    let path = fixture.path("h.sock");
    let listen = format!("unix:{}", path.display());
    let serve = |url: &str| fixture.hatbox(&["serve", "--listen", &listen, "--url", url, "--json", "reader"]);
    for (url, why) in [
        ("http://host.docker.internal:80", "the AWS SDKs refuse plain http at this host"),
        ("https://h.example/credentials", "a path is not allowed"),
        ("h.example", "expected `https://` or `http://` at the start"),
    ] {
        let stderr = serve(url).run().expect_code(2).stderr;
        assert!(stderr.contains(&format!("invalid URL `{url}` in --url: {why}")), "{stderr}");
    }
    assert!(!path.exists());
    let mut child = serve("https://h.example:8443").spawn();
    let shown = read_shown(&mut child);
    let of = |name: &str| shown["reader"][name].as_str().unwrap();
    assert_eq!(of("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "https://h.example:8443/credentials/reader");
    let token = std::fs::read_to_string(of("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")).unwrap();
    let ask = |host: &str| ask_socket(&path, host, &token);
    assert!(ask("h.example:8443").contains("SecretAccessKey"));
    for host in ["127.0.0.1:8443", "h.example", "h.example:8444", "evil.example:8443", "localhost"] {
        assert!(ask(host).starts_with("HTTP/1.1 403"), "{host}");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let stderr = finish(child, "serve").ok().stderr;
    assert!(!stderr.contains("write its number for PORT"), "{stderr}");
}

#[test]
fn a_shell_with_another_identity_gets_this_one_and_its_endpoint() {
    let fixture = Fixture::with_config(CONFIG);
    let endpoint = fixture.variables()[std::ffi::OsStr::new("AWS_ENDPOINT_URL")].clone();
    let endpoint = endpoint.to_str().unwrap();
    let child = fixture.hatbox(&["serve", "reader"]);
    let mut child = child.env("AWS_BEARER_TOKEN_B[$(touch ~/pwned)]", "x").spawn();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("AWS_DEFAULT_REGION=") {
        assert!(stdout.read_line(&mut text).unwrap() > 0, "{text}");
    }
    let others = [
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
    ];
    let script = format!("{text}\nenv");
    let shell = crate::run::Run::new("sh", fixture.variables()).without("AWS_ENDPOINT_URL");
    let mut shell = shell.args(["-c", &script]);
    for name in others {
        shell = shell.env(name, "of another");
    }
    let env = shell.run().ok().stdout;
    assert!(!env.contains("of another"), "{env}");
    for line in [format!("AWS_ENDPOINT_URL={endpoint}"), "AWS_REGION=eu-west-1".to_owned()] {
        assert!(env.lines().any(|found| found == line), "{line} in {env}");
    }
    // The shell still opens the store.
    assert!(env.contains("HATBOX_FILE_PASSPHRASE=") && !env.contains("HATBOX_SET="), "{env}");
    assert!(!fixture.home().join("pwned").exists());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_socket_that_other_users_can_replace_is_refused() {
    let fixture = Fixture::with_config(CONFIG);
    let directory = fixture.path("open");
    std::fs::create_dir(&directory).unwrap();
    let listen = format!("unix:{}", directory.join("h.sock").display());
    let set = |mode| std::fs::set_permissions(&directory, PermissionsExt::from_mode(mode)).unwrap();
    // A directory above, a group, and a link in a directory of others.
    let inner = directory.join("inner");
    std::fs::create_dir(&inner).unwrap();
    std::os::unix::fs::symlink(fixture.home(), directory.join("link")).unwrap();
    for (mode, socket) in
        [(0o777, "h.sock"), (0o775, "h.sock"), (0o777, "inner/h.sock"), (0o777, "link/h.sock")]
    {
        set(mode);
        let listen = format!("unix:{}", directory.join(socket).display());
        let stderr = fixture.hatbox(&["serve", "--listen", &listen, "reader"]).run().expect_code(3).stderr;
        assert!(stderr.contains("other users can replace the socket `"), "{stderr}");
        assert!(stderr.contains(&format!("they can write to `{}`", directory.display())), "{stderr}");
    }
    if rustix::process::geteuid().is_root() {
        set(0o755);
        std::os::unix::fs::chown(&directory, Some(61_234), None).unwrap();
        fixture.hatbox(&["serve", "--listen", &listen, "reader"]).run().expect_code(3);
        std::os::unix::fs::chown(&directory, Some(0), None).unwrap();
    }
    // As /tmp is.
    set(0o1777);
    let mut child = fixture.hatbox(&["serve", "--listen", &listen, "reader"]).spawn();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=")));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(lines.filter(|line| line.starts_with("unset")).count(), 0);
    assert!(child.wait().unwrap().success());
    assert_eq!(server_directories(&fixture), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_profile_twice_and_an_address_elsewhere_are_wrong_use() {
    let fixture = Fixture::with_config(CONFIG);
    let twice = fixture.hatbox(&["serve", "reader", "reader"]).run().expect_code(2).stderr;
    assert!(twice.contains("profile `reader` is given twice"), "{twice}");
    for address in ["0.0.0.0:80", "127.0.0.1", "127.0.0.1:x", "80", "[::]:80"] {
        let stderr = fixture.hatbox(&["serve", "--listen", address, "reader"]).run().expect_code(2).stderr;
        assert!(stderr.contains(&format!("invalid address `{address}` in --listen")), "{stderr}");
    }
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = format!("127.0.0.1:{}", port.local_addr().unwrap().port());
    let stderr = fixture.hatbox(&["serve", "--listen", &taken, "reader"]).run().expect_code(1).stderr;
    assert!(stderr.contains("of 127.0.0.1 is in use"), "{stderr}");
}
