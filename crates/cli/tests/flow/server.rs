//! `exec --server`: the command, the server next to it, and how they end.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::{Signal, kill_process, test_kill_process};

use crate::cast::PHONE;
use crate::fixture::Fixture;
use crate::run::{finish, wait_until};
use crate::served::{Served, server_directories};
use crate::terminal::Terminal;

const CONFIG: &str = "\
[profile jan-work]
region = us-east-1

[profile reader]
region = eu-west-1
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader

[profile guarded]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/deploy
mfa_serial = arn:aws:iam::111122223333:mfa/jan

[profile denied]
source_profile = jan-work
role_arn = arn:aws:iam::444455556666:role/reader
hatbox_deny_commands = false, rm
";

#[test]
fn the_command_gets_a_server_instead_of_credentials() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    for (name, value) in [
        ("AWS_VAULT", Some("reader")),
        ("AWS_REGION", Some("eu-west-1")),
        ("AWS_DEFAULT_REGION", Some("eu-west-1")),
        ("AWS_ACCOUNT_ID", Some("444455556666")),
        ("AWS_ACCESS_KEY_ID", None),
        ("AWS_SESSION_TOKEN", None),
        ("AWS_CONFIG_FILE", None),
        ("HATBOX_SIDECAR_OF", None),
        ("HATBOX_FILE_PASSPHRASE", None),
    ] {
        assert_eq!(served.variables.get(name).map(String::as_str), value, "{name}");
    }
    let file = Path::new(&served.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]);
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(served.address.token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "no newline");
    let (status, body) = served.address.get();
    assert_eq!(status, 200);
    let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["AccessKeyId", "SecretAccessKey", "Token", "Expiration", "AccountId"]);
    assert_eq!(body["AccountId"], "444455556666");
    assert!(body["Expiration"].as_str().unwrap().ends_with('Z'));

    // The command is the process that was started, and has no unexpected child.
    let (command, sidecar) = (served.pid(), served.sidecar());
    let comm = format!("/proc/{}/comm", command.as_raw_nonzero());
    wait_until("the command", || std::fs::read_to_string(&comm).unwrap() == "sleep\n");
    let children = format!("/proc/{0}/task/{0}/children", command.as_raw_nonzero());
    assert_eq!(std::fs::read_to_string(children).unwrap(), "");
    assert_ne!(rustix::process::getpgid(Some(sidecar)), rustix::process::getpgid(Some(command)));

    let address = served.address.clone();
    let outcome = served.end();
    assert_eq!(outcome.signal(), Some(Signal::TERM.as_raw()));
    wait_until("the end of the server", || test_kill_process(sidecar).is_err());
    assert_eq!(server_directories(&fixture), [] as [std::path::PathBuf; 0]);
    let taken = std::net::TcpListener::bind(("127.0.0.1", address.port));
    assert!(taken.is_ok(), "the port is free: what takes it gets no token, as the file is gone");
}

#[test]
fn exit_codes_and_failures_are_those_of_exec() {
    let fixture = Fixture::with_config(CONFIG);
    let exec = |flags: &[&str], command: &[&str]| {
        fixture.hatbox(&["exec"]).args(flags).args(["--"]).args(command).run()
    };
    exec(&["-s", "reader"], &["sh", "-c", "exit 7"]).expect_code(7);
    fixture.aws_vault(&["exec", "--ecs-server", "--lazy", "reader", "--", "true"]).run().ok();
    exec(&["--server", "reader"], &["no-such-command"]).expect_code(127);
    let unknown = exec(&["--server", "nobody"], &["true"]).expect_code(125);
    assert_eq!(unknown.stderr.matches("profile `nobody` is neither").count(), 1, "{}", unknown.stderr);
    let key = exec(&["--server", "-n", "jan-work"], &["true"]).expect_code(125);
    assert!(key.stderr.contains("have no known end, which a credential server needs"), "{}", key.stderr);
    for flags in [&["--server", "denied"][..], &["--server", "--lazy", "denied"]] {
        let stderr = exec(flags, &["rm", "x"]).expect_code(125).stderr;
        assert!(stderr.contains("`hatbox_deny_commands` of profile `denied` denies"), "{stderr}");
    }
    let why = fixture.path("why.json");
    let failed =
        fixture.hatbox(&["exec", "--server", "--error-json"]).args([&why]).args(["guarded", "--", "true"]);
    failed.run().expect_code(125);
    let why: serde_json::Value = serde_json::from_slice(&std::fs::read(why).unwrap()).unwrap();
    assert_eq!(why["kind"], "needs-person");
    wait_until("no server is left", || server_directories(&fixture).is_empty());
}

#[test]
fn the_command_is_not_harmed_when_its_server_is_killed_and_the_next_server_sweeps() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    let sidecar = served.sidecar();
    kill_process(sidecar, Signal::KILL).unwrap();
    wait_until("the end of the server", || test_kill_process(sidecar).is_err());
    assert!(test_kill_process(served.pid()).is_ok());
    let left = server_directories(&fixture);
    assert_eq!(left.len(), 1);
    let next = Served::start(&fixture, &["reader"]);
    assert!(!left[0].exists(), "what the killed one left is deleted");
    assert!(next.address.key_id().starts_with("ASIA"));
    assert_eq!(served.end().stderr.matches("error").count(), 0);
}

#[test]
fn a_server_that_is_ended_by_a_signal_leaves_nothing_that_the_command_would_trust() {
    let fixture = Fixture::with_config(CONFIG);
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let served = Served::start(&fixture, &["reader"]);
        let sidecar = served.sidecar();
        kill_process(sidecar, signal).unwrap();
        wait_until("the end of the server", || test_kill_process(sidecar).is_err());
        assert_eq!(server_directories(&fixture), [] as [std::path::PathBuf; 0], "{signal:?}");
        assert!(test_kill_process(served.pid()).is_ok());
    }
}

#[test]
fn what_the_server_starts_does_not_know_what_it_serves_beside() {
    let fixture = Fixture::with_config("");
    let giver = fixture.write_program(
        "giver",
        "env >\"$HOME/seen\"; printf '{\"Version\": 1, \"AccessKeyId\": \"ASIAIOSFODNN7EXAMPLE\", \"SecretAccessKey\": \
         \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\", \"SessionToken\": \"t\", \"Expiration\": \"2099-01-01T00:00:00Z\"}'",
    );
    fixture.write_config(&format!("[profile given]\ncredential_process = {}\n", giver.display()));
    let served = Served::start(&fixture, &["given"]);
    let seen = std::fs::read_to_string(fixture.path("home/seen")).unwrap();
    assert!(seen.contains("HOME=") && !seen.contains("HATBOX_SIDECAR_OF"), "{seen}");
    served.end();
}

#[test]
fn a_mark_of_the_sidecar_that_someone_else_has_set_is_ignored() {
    let fixture = Fixture::with_config(CONFIG);
    let own = std::process::id();
    for mark in [own.to_string(), format!("{own}:1"), "0:0".to_owned(), "1:".to_owned(), "x".to_owned()] {
        let exec = |script: &str| {
            let arguments = ["exec", "--server", "reader", "--", "sh", "-c", script];
            fixture.hatbox(&arguments).env("HATBOX_SIDECAR_OF", &mark).run().ok().stdout
        };
        assert_eq!(exec("echo ${HATBOX_SIDECAR_OF-unset}"), "unset\n", "{mark}");
        assert!(exec("echo $AWS_CONTAINER_CREDENTIALS_FULL_URI").starts_with("http://127.0.0.1:"), "{mark}");
    }
}

#[test]
fn the_server_ends_when_its_command_is_killed() {
    let fixture = Fixture::with_config(CONFIG);
    let served = Served::start(&fixture, &["reader"]);
    let sidecar = served.sidecar();
    kill_process(served.pid(), Signal::KILL).unwrap();
    wait_until("the end of the server", || test_kill_process(sidecar).is_err());
    wait_until("no directory", || server_directories(&fixture).is_empty());
}

#[test]
fn a_code_is_asked_for_before_the_command_starts_and_keys_are_the_commands_afterwards() {
    let fixture = Fixture::with_config(CONFIG);
    let code = fixture.code(PHONE);
    let script = "trap 'echo interrupted' INT; echo ready; \
                  while :; do read -r line && break; done; echo \"got $line\"; \
                  exec 3<>\"/dev/tcp/127.0.0.1/$(echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\" | cut -d: -f3 | cut -d/ -f1)\"; \
                  printf 'GET /credentials/guarded HTTP/1.1\\r\\nHost: %s\\r\\nAuthorization: %s\\r\\nConnection: close\\r\\n\\r\\n' \
                    \"$(echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\" | cut -d/ -f3)\" \
                    \"$(cat \"$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE\")\" >&3; head -n1 <&3";
    let run = fixture.hatbox(&["exec", "--server", "guarded", "--", "bash", "-c", script]);
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt(&format!("MFA code for {PHONE}:"));
    terminal.type_keys(&format!("{code}\n"));
    terminal.wait_for("ready", 1);
    // If the signal arrives just before bash starts to read, its trap runs when the line is there.
    terminal.type_keys("\u{3}");
    terminal.type_keys("hello\n");
    terminal.wait_for("interrupted", 1);
    terminal.wait_for("HTTP/1.1 200 OK", 1);
    assert_eq!(terminal.wait().code(), Some(0));
    assert!(terminal.transcript().contains("got hello"));
}

#[test]
fn a_question_that_is_cancelled_ends_both_processes() {
    let fixture = Fixture::with_config(CONFIG);
    let run = fixture.hatbox(&["exec", "--server", "guarded", "--", "true"]);
    let mut terminal = Terminal::start(&run);
    terminal.wait_for_prompt(&format!("MFA code for {PHONE}:"));
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.wait().code(), Some(130));
    assert!(terminal.has_modes_of_before());
    terminal.wait_for("cancelled", 1);
    wait_until("no server is left", || server_directories(&fixture).is_empty());
}

#[test]
fn a_default_profile_with_credentials_does_not_go_before_the_server() {
    let fixture = Fixture::with_config(&format!(
        "[default]\noutput = json\nrole_arn = arn:aws:iam::444455556666:role/a\nsource_profile = jan-work\n\n{CONFIG}"
    ));
    let credentials = fixture.path("home/.aws/credentials");
    std::fs::write(&credentials, "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = canary\n[other]\nregion = x\n").unwrap();
    let served = Served::start(&fixture, &["reader"]);
    let read = |name: &str| {
        let path = Path::new(&served.variables[name]);
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::read_to_string(path).unwrap()
    };
    assert_eq!(read("AWS_CONFIG_FILE"), format!("[default]\noutput = json\n\n{CONFIG}"));
    assert_eq!(read("AWS_SHARED_CREDENTIALS_FILE"), "[default]\n[other]\nregion = x\n");
    // A nested hatbox reads the original files.
    let mut nested =
        fixture.hatbox(&["export", "--nested", "--format", "env", "reader"]).env("HATBOX", "reader");
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "HATBOX_SET"] {
        nested = nested.env(name, &served.variables[name]);
    }
    nested.args(["--debug"]).run().ok();
    let said = served.end().stderr;
    for line in
        ["~/.aws/config:3: the AWS SDKs prefer `role_arn`", "~/.aws/credentials:2: the AWS SDKs prefer"]
    {
        assert!(said.contains(line), "{said}");
    }

    // If the copy cannot be written, the command is refused.
    std::fs::remove_dir_all(fixture.path("home/run")).ok();
    std::fs::write(fixture.path("home/run"), "").unwrap();
    let refused = fixture.hatbox(&["exec", "--server", "reader", "--", "true"]).run();
    refused.expect_code(125);
}

#[test]
fn the_passphrase_by_descriptor_reaches_the_server_and_not_the_command() {
    let fixture = Fixture::with_config(CONFIG);
    fixture.hatbox(&["lock"]).run().ok();
    let hatbox = env!("CARGO_BIN_EXE_hatbox");
    let script = format!(
        "printf '{}' | '{hatbox}' exec --passphrase-fd 0 --server reader -- sh -c 'echo [$(cat)]'",
        crate::fixture::PASSPHRASE
    );
    let run = fixture.hatbox(&[]).under("sh", &["-c", &script]).without("HATBOX_FILE_PASSPHRASE");
    let outcome = finish(run.spawn(), "a passphrase by descriptor").ok();
    assert!(!outcome.stdout.contains(crate::fixture::PASSPHRASE), "{}", outcome.stdout);
}
