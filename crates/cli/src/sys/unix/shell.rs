//! The shell that runs a command line, and the user's interactive shell.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use hatbox_types::text::shell::plain_words;

use super::process_group::is_executable;

/// The variable with the user's shell, and the default.
pub(crate) const USUAL_SHELL: (&str, &str) = ("SHELL", "/bin/sh");

/// Builds a command that runs `line` like `sh -c`, as the AWS CLI and aws-vault do, with this environment.
///
/// A line of plain words with the name of a program is run without the shell, whose start takes as long as many a
/// program. Everything else, such as a builtin, goes to the shell, and so does an unknown program, which the shell
/// reports.
pub(crate) fn command_of_line(line: &str, environment: &[(OsString, OsString)]) -> Command {
    let words = plain_words(line).unwrap_or_default();
    if let Some((first, arguments)) = words.split_first()
        && let Some(program) = find_as_shell(first, environment)
    {
        let mut command = Command::new(program);
        command.args(arguments);
        return command;
    }
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]);
    command
}

/// Finds the file that a shell would run for the first word. Returns `None` if PATH has a relative directory, in which
/// the shell might find another program first.
fn find_as_shell(word: &str, environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    if word.contains('/') {
        return Some(PathBuf::from(word)).filter(|path| path.is_absolute() && is_executable(path));
    }
    let (_, path) = environment.iter().rev().find(|(name, _)| name == OsStr::new("PATH"))?;
    let directories: Vec<PathBuf> = std::env::split_paths(path).collect();
    if word.is_empty() || !directories.iter().all(|directory| directory.is_absolute()) {
        return None;
    }
    directories.into_iter().map(|directory| directory.join(word)).find(|path| is_executable(path))
}

/// Suffixes of program files.
pub(crate) const PROGRAM_ENDINGS: [&str; 1] = [""];

/// Whether a file is an executable program.
pub(crate) fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_plain_words_needs_no_shell_and_every_other_line_gets_one() {
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().join("giver");
        std::fs::write(&own, "#!/bin/sh\necho own \"$@\"\n").unwrap();
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(directory.path().join("text"), "no program").unwrap();
        let path = format!("{}:/usr/bin:/bin", directory.path().display());
        let relative = format!(".:{path}");
        let absolute = format!("{} a 'b c'", own.display());
        for (line, path, needs_shell, output) in [
            ("giver a 'b  $c'", &path, false, "own a b  $c\n"),
            (&*absolute, &path, false, "own a b c\n"),
            ("giver a", &relative, true, "own a\n"),
            ("giver $((1 + 1))", &path, true, "own 2\n"),
            ("giver a; giver b", &path, true, "own a\nown b\n"),
            ("A=b giver a", &path, true, "own a\n"),
            ("exec giver a", &path, true, "own a\n"),
            ("text", &path, true, ""),
            ("absent a", &path, true, ""),
        ] {
            let environment = [("PATH".into(), path.into())];
            let mut command = command_of_line(line, &environment);
            assert_eq!(command.get_program() == "/bin/sh", needs_shell, "{line}");
            let ended = command.env_clear().envs(environment).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&ended.stdout), output, "{line}");
            if output.is_empty() {
                assert!(matches!(ended.status.code(), Some(126 | 127)), "{line}: {}", ended.status);
            }
        }
    }
}
