//! The shell that runs a line of text, and the one that a person works in.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// The variable that names the user's shell, and the shell of those who set none.
pub(crate) const USUAL_SHELL: (&str, &str) = ("SHELL", "/bin/sh");

/// A command that has the shell run `line`, as the AWS CLI and aws-vault do.
pub(crate) fn command_of_line(line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]);
    command
}

/// What may stand behind the name of a program in the name of its file.
pub(crate) const PROGRAM_ENDINGS: [&str; 1] = [""];

/// Whether a file is a program that someone may run.
pub(crate) fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
