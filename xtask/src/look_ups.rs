//! Checks that the released program looks up hosts and users without the system's NSS modules, which may belong to
//! another glibc: runs it under strace with an `/etc/nsswitch.conf` that lists such modules first.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Problem;

/// The modules come first, so that they would be loaded even for a name in `/etc/hosts`.
const SERVICES: &str = "passwd: systemd files\nhosts: resolve mdns4_minimal myhostname files dns\n";
const CONFIG: &str = "[profile role]\n\
    region = us-east-1\n\
    role_arn = arn:aws:iam::444455556666:role/role\n\
    credential_source = Environment\n";
/// `FILE COMMAND...`: runs the command with FILE in place of `/etc/nsswitch.conf`.
const ENTER: &str = r#"mount --bind "$0" /etc/nsswitch.conf && exec "$@""#;

/// Looks up a host, then the home directory of the user, and checks which files are opened.
pub(crate) fn check_look_ups(program: &Path) -> Result<(), Problem> {
    let is_possible = Command::new("unshare").args(["--mount", "strace", "-V"]).output();
    if !is_possible.is_ok_and(|output| output.status.success()) {
        println!("skipped: look-ups are not watched, as there is no strace or no right to mount");
        return Ok(());
    }
    let directory = std::env::temp_dir().join(format!("hatbox-xtask-{}", std::process::id()));
    let home = directory.join("home");
    std::fs::create_dir_all(home.join(".aws"))?;
    std::fs::write(home.join(".aws/config"), CONFIG)?;
    std::fs::write(directory.join("nsswitch.conf"), SERVICES)?;
    let opened = |words: &[&str], variables: &[(&str, &str)]| -> Result<String, Problem> {
        let report = directory.join("strace.out");
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", ENTER]).arg(directory.join("nsswitch.conf"));
        command.args(["strace", "-f", "-e", "trace=openat", "-o"]).arg(&report).arg(program).args(words);
        command.env_clear().env("PATH", "/usr/bin:/bin").envs(variables.iter().copied()).stdin(Stdio::null());
        command.output()?;
        Ok(std::fs::read_to_string(&report)?)
    };
    let home = home.to_string_lossy();
    let host = opened(
        &["export", "role"],
        &[
            ("HOME", &home),
            ("AWS_ACCESS_KEY_ID", "AKIA0123456789ABCDEF"),
            ("AWS_SECRET_ACCESS_KEY", "0123456789abcdef0123456789abcdef01234567"),
            ("AWS_ENDPOINT_URL", "https://localhost:1"),
        ],
    )?;
    let user = opened(&["list"], &[])?;
    std::fs::remove_dir_all(&directory)?;
    for (what, opened, file) in [("a host", &host, "/etc/hosts"), ("a user", &user, "/etc/passwd")] {
        if !opened.contains(file) {
            return Err(format!("{what} is not looked up in {file}:\n{opened}").into());
        }
        if let Some(line) = opened.lines().find(|line| line.contains("libnss")) {
            return Err(format!("to look up {what}, the released program loads a module: {line}").into());
        }
    }
    Ok(())
}
