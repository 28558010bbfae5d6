//! The shell that runs a line of text, and the one that a person works in.
#![expect(unsafe_code, reason = "std has no word for the system's directory")]

use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;

/// The variable that names the user's shell, and the shell of those who set none.
pub(crate) const USUAL_SHELL: (&str, &str) = ("ComSpec", "cmd.exe");

/// A command that has the shell run `line`, as the AWS CLI and aws-vault do.
pub(crate) fn command_of_line(line: &str, _: &[(OsString, OsString)]) -> Command {
    let mut command = Command::new(system_directory().join("cmd.exe"));
    // With /S the outer quotes are taken off and the rest is the line as it is; without /D the registry could
    // put another command in front of it (`cmd /?`).
    command.args(["/D", "/S", "/C"]).raw_arg(format!("\"{line}\""));
    command
}

/// Where Windows's own programs are: not looked for in PATH, where others may stand first.
fn system_directory() -> PathBuf {
    let mut buffer = [0; 260];
    // SAFETY: the buffer has as many units as the call is told.
    let length = unsafe { GetSystemDirectoryW(buffer.as_mut_ptr(), 260) };
    match usize::try_from(length).ok().and_then(|length| buffer.get(..length)) {
        Some(units) if !units.is_empty() => PathBuf::from(OsString::from_wide(units)),
        _ => PathBuf::from(r"C:\Windows\System32"),
    }
}

/// What may stand behind the name of a program in the name of its file.
pub(crate) const PROGRAM_ENDINGS: [&str; 3] = [".exe", ".cmd", ".bat"];

/// Whether a file is a program that someone may run.
pub(crate) fn is_program(path: &Path) -> bool {
    path.is_file()
}
