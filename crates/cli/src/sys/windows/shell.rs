//! The shell that runs a command line, and the user's interactive shell.
#![expect(unsafe_code, reason = "std has no word for the system's directory")]

use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;

/// The variable with the user's shell, and the default.
pub(crate) const USUAL_SHELL: (&str, &str) = ("ComSpec", "cmd.exe");

/// Builds a command that runs `line` with the shell, as the AWS CLI and aws-vault do.
pub(crate) fn command_of_line(line: &str, _: &[(OsString, OsString)]) -> Command {
    let mut command = Command::new(system_directory().join("cmd.exe"));
    // With /S, the outer quotes are removed and the rest is the line itself. With /D, the registry cannot add a command
    // before it (`cmd /?`).
    command.args(["/D", "/S", "/C"]).raw_arg(format!("\"{line}\""));
    command
}

/// The directory of Windows's own programs. Not looked up in PATH, where another program may come first.
fn system_directory() -> PathBuf {
    let mut buffer = [0; 260];
    // SAFETY: the buffer has the given number of units.
    let length = unsafe { GetSystemDirectoryW(buffer.as_mut_ptr(), 260) };
    match usize::try_from(length).ok().and_then(|length| buffer.get(..length)) {
        Some(units) if !units.is_empty() => PathBuf::from(OsString::from_wide(units)),
        _ => PathBuf::from(r"C:\Windows\System32"),
    }
}

/// Suffixes of program files.
pub(crate) const PROGRAM_ENDINGS: [&str; 3] = [".exe", ".cmd", ".bat"];

/// Whether a file is an executable program.
pub(crate) fn is_program(path: &Path) -> bool {
    path.is_file()
}
