//! The shell that runs a line of text, and the one that a person works in.

use std::process::Command;

/// The variable that names the user's shell, and the shell of those who set none.
pub(crate) const USUAL_SHELL: (&str, &str) = ("SHELL", "/bin/sh");

/// A command that has the shell run `line`, as the AWS CLI and aws-vault do.
pub(crate) fn command_of_line(line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]);
    command
}
