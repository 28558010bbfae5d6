//! Replaces this process with another program.
#![expect(
    unsafe_code,
    reason = "std's exec resets the signal mask and SIGPIPE; the child gets them as received"
)]

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::hardening::Received;
use super::signals;
use crate::sys::exec::ExecError;

/// Finds `program` like execvp(3): a name with a slash is a path, any other name is looked up in `path`. Unlike execvp,
/// a script without `#!` is not run by `sh`.
pub(crate) fn find_program(program: &OsStr, path: Option<&OsStr>) -> Result<PathBuf, ExecError> {
    let shown = || program.to_string_lossy().into_owned();
    if program.is_empty() {
        return Err(ExecError::NotFound(shown()));
    }
    if program.as_bytes().contains(&b'/') {
        return Ok(PathBuf::from(program));
    }
    let mut refused = None;
    // execvp's default if PATH is unset.
    let path = path.unwrap_or(OsStr::new("/bin:/usr/bin"));
    for directory in path.as_bytes().split(|&b| b == b':') {
        let directory =
            if directory.is_empty() { Path::new(".") } else { Path::new(OsStr::from_bytes(directory)) };
        let candidate = directory.join(program);
        match rustix::fs::access(&candidate, rustix::fs::Access::EXEC_OK) {
            Ok(()) if candidate.is_file() => return Ok(candidate),
            Err(error) if error == rustix::io::Errno::ACCESS && candidate.is_file() => {
                refused = Some((candidate, error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    match refused {
        Some((path, error)) => {
            Err(ExecError::NotExecutable { path: path.display().to_string(), source: error.into() })
        }
        None => Err(ExecError::NotFound(shown())),
    }
}

/// Replaces this process with the program at the path `program`, with exactly this environment.
///
/// Restores the signal mask, SIGPIPE and the soft core limit that hatbox received.
///
/// # Errors
/// Returns only if the program could not be started.
pub(crate) fn exec(
    program: &Path,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
    received: Received,
) -> Result<Infallible, ExecError> {
    let c_string = |text: &OsStr| CString::new(text.as_bytes()).map_err(|_| ExecError::Nul);
    let path = c_string(program.as_os_str())?;
    let arguments = arguments.iter().map(|a| c_string(a)).collect::<Result<Vec<_>, _>>()?;
    let environment = environment
        .iter()
        .map(|(name, value)| {
            let mut line = name.clone();
            line.push("=");
            line.push(value);
            c_string(&line)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let pointers = |texts: &[CString]| -> Vec<*const libc::c_char> {
        texts.iter().map(|t| t.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (argv, envp) = (pointers(&arguments), pointers(&environment));
    received.restore();
    signals::restore_pipe();
    // SAFETY: path, argv and envp are NUL-terminated, the arrays end with a null pointer, and all of them live until
    // the call returns.
    unsafe {
        libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr());
    }
    let source = io::Error::last_os_error();
    let path = program.display().to_string();
    Err(match source.kind() {
        io::ErrorKind::NotFound if !program.exists() => ExecError::NotFound(path),
        _ => ExecError::NotExecutable { path, source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_as_a_shell_finds_it() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, script) = (dir.path().join("plain"), dir.path().join("script"));
        std::fs::write(&plain, "").unwrap();
        std::fs::write(&script, "").unwrap();
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = Some(dir.path().as_os_str());
        assert_eq!(find_program(OsStr::new("script"), path).unwrap(), script);
        assert!(matches!(find_program(OsStr::new("nothing"), path), Err(ExecError::NotFound(_))));
        assert!(matches!(find_program(OsStr::new(""), path), Err(ExecError::NotFound(_))));
        assert_eq!(find_program(OsStr::new("./x"), None).unwrap(), Path::new("./x"));
    }
}
