//! `hatbox sandbox token` prints a token that the sandbox accepts, and nothing else on stdout.
#![cfg(all(unix, feature = "sandbox"))]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};

use hatbox_sandbox::world::JOB_ROLE;
use hatbox_sandbox::{Options, Running, start};

fn token(directory: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hatbox"))
        .args(["sandbox", "token", "--dir"])
        .arg(directory)
        .args(words)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", directory)
        .current_dir(directory)
        .output()
        .unwrap()
}

/// Assumes the job role with the token in `output`. Returns the status line, headers and body of the response.
fn assume(running: &Running, output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let token = text.strip_suffix('\n').unwrap();
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{token}");
    let body = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=job-7&RoleArn={JOB_ROLE}&WebIdentityToken={token}"
    );
    let mut stream = TcpStream::connect(running.address).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        running.address,
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_token_opens_the_role_of_jobs_and_one_of_another_subject_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(&Options { directory: directory.path().to_owned(), port: 0 }).unwrap();
    let answer = assume(&running, &token(directory.path(), &[]));
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("<SecretAccessKey>"), "{answer}");
    let answer = assume(&running, &token(directory.path(), &["--subject", "repo:play/site"]));
    assert!(answer.contains("Not authorized to perform sts:AssumeRoleWithWebIdentity"), "{answer}");
    let answer = assume(&running, &token(directory.path(), &["--audience", "other"]));
    assert!(answer.contains("Incorrect token audience"), "{answer}");
    running.client.advance_clock(-90).unwrap();
    let short = token(directory.path(), &["--lifetime", "1m"]);
    running.client.advance_clock(90).unwrap();
    assert!(assume(&running, &short).contains("ExpiredTokenException"));
}

#[test]
fn what_cannot_be_minted_is_said_and_nothing_printed() {
    let directory = tempfile::tempdir().unwrap();
    let of_nobody = token(directory.path(), &[]);
    assert_eq!((of_nobody.status.code(), of_nobody.stdout.as_slice()), (Some(1), &b""[..]));
    let told = String::from_utf8(of_nobody.stderr).unwrap();
    assert!(told.contains("hatbox: hint: hatbox sandbox up --detach"), "{told}");
    let _running = start(&Options { directory: directory.path().to_owned(), port: 0 }).unwrap();
    for (words, status, expected) in [
        (["--issuer", "https://none.example"], 1, "there is no identity provider `https://none.example`"),
        (["--lifetime", "soon"], 2, "invalid `--lifetime` `soon`"),
    ] {
        let output = token(directory.path(), &words);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(status), &b""[..]));
        assert!(told.contains(expected), "{told}");
    }
}
