//! A local stand-in for AWS without delay. Programs use it as an endpoint over plain HTTP or, if they do not support
//! that, as a proxy that terminates TLS.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Problem;
use crate::scene::check;

/// The host names in the certificate.
const NAMES: &str =
    "subjectAltName=DNS:*.amazonaws.com,DNS:*.us-east-1.amazonaws.com,DNS:*.sso.us-east-1.amazonaws.com";

/// A running stub, stopped on drop.
pub(crate) struct Stub {
    child: Child,
    port: String,
    certificate: PathBuf,
}

impl Stub {
    /// Starts a stub. Requires `openssl` and `python3`.
    pub(crate) fn start(directory: &Path) -> Result<Self, Problem> {
        let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
        let script = directory.join("stub.py");
        std::fs::write(&script, include_str!("peers_stub.py"))?;
        let mut request = Command::new("openssl");
        request.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        request.args(["-days", "2", "-subj", "/CN=stub", "-addext", NAMES]);
        check(&request.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output()?)?;
        let mut python = Command::new("python3");
        python.arg(script).args([&certificate, &key]);
        let mut child = python.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut port = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut port)?;
        }
        let stub = Self { child, port: port.trim().to_owned(), certificate };
        if stub.port.is_empty() { Err("the stub did not start".into()) } else { Ok(stub) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn certificate(&self) -> &Path {
        &self.certificate
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
