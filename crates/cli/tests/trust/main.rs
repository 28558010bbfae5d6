//! `hatbox trust`, run as a user does: offline, without a config.
#![expect(clippy::unwrap_used, reason = "test helpers may panic, like tests")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

mod evaluate;
#[cfg(unix)]
mod foreign_text;
mod graph;
mod lint;
mod questions;
mod require_mfa;

/// A run's exit code and output.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs `hatbox` with these arguments and this stdin, in an empty home directory.
fn hatbox(arguments: &[&str], input: &[u8]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hatbox"))
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A command may exit without reading its stdin.
    let writer = std::thread::spawn(move || stdin.write_all(&input).is_ok());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        code: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// A directory of this repository's crates.
fn sources(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
