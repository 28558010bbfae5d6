//! Runs another program in place of this one. Windows cannot replace a process, so this one waits, and ends with the
//! program's exit code.
#![expect(unsafe_code, reason = "job objects have no safe interface in std")]

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectExtendedLimitInformation, SetInformationJobObject,
};

use super::hardening::Received;
use super::signals::Held;
use crate::sys::exec::ExecError;

/// What CreateProcess can start, in the order in which `cmd` tries them.
const EXTENSIONS: [&str; 4] = ["com", "exe", "bat", "cmd"];

/// Finds `program` like `cmd`, but never in the current directory: a name with a separator is a path, any other name is
/// looked up in `path`. A name without an extension can be a .com, .exe, .bat or .cmd file.
pub(crate) fn find_program(program: &OsStr, path: Option<&OsStr>) -> Result<PathBuf, ExecError> {
    let missing = || ExecError::NotFound(program.to_string_lossy().into_owned());
    if program.is_empty() {
        return Err(missing());
    }
    let name = Path::new(program);
    let is_path = program.encode_wide().any(|unit| [b'\\', b'/', b':'].map(u16::from).contains(&unit));
    if is_path {
        return Ok(with_extension(name).unwrap_or_else(|| name.to_owned()));
    }
    std::env::split_paths(path.unwrap_or_default())
        .filter(|directory| directory.is_absolute())
        .find_map(|directory| with_extension(&directory.join(name)))
        .ok_or_else(missing)
}

fn with_extension(path: &Path) -> Option<PathBuf> {
    if path.extension().is_some() && path.is_file() {
        return Some(path.to_owned());
    }
    EXTENSIONS.into_iter().find_map(|extension| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        Some(PathBuf::from(name)).filter(|path| path.is_file())
    })
}

/// Runs the program at the path `program` with exactly this environment, and ends this process with its exit code. The
/// program handles the console's signals, and is ended together with this process.
///
/// # Errors
/// Returns only if the program could not be started.
pub(crate) fn exec(
    program: &Path,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
    _received: Received,
) -> Result<Infallible, ExecError> {
    let texts = arguments.iter().chain(environment.iter().flat_map(|(name, value)| [name, value]));
    if texts.into_iter().any(|text| text.encode_wide().any(|unit| unit == 0)) {
        return Err(ExecError::Nul);
    }
    let failed = |source: io::Error| {
        let path = program.display().to_string();
        match source.kind() {
            io::ErrorKind::NotFound if !program.exists() => ExecError::NotFound(path),
            _ => ExecError::NotExecutable { path, source },
        }
    };
    let held = Held::new();
    let mut child = Command::new(program)
        .args(arguments.iter().skip(1))
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .spawn()
        .map_err(failed)?;
    // The program runs even if it could not be added to a job object.
    let job = end_with_us(&child).ok();
    let status = child.wait().map_err(failed)?;
    drop(job);
    drop(held);
    #[expect(
        clippy::exit,
        reason = "the program has run in this one's place: nothing is to be done after it"
    )]
    std::process::exit(status.code().unwrap_or(1))
}

/// Makes the system end `child` when the last handle of the job object is closed, which happens when this process ends
/// for any reason. Processes that the child starts are not affected.
pub(super) fn end_with_us(child: &Child) -> io::Result<OwnedHandle> {
    let check = |done: i32| if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    // SAFETY: the job has no name and default access, and nothing else owns its handle. The limits outlive the call,
    // and their length is correct.
    unsafe {
        let job = CreateJobObjectW(std::ptr::null(), std::ptr::null());
        if job.is_null() {
            return Err(io::Error::last_os_error());
        }
        let job = OwnedHandle::from_raw_handle(job);
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags =
            JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
        let length = u32::try_from(size_of_val(&limits)).unwrap_or_default();
        check(SetInformationJobObject(
            job.as_raw_handle(),
            JobObjectExtendedLimitInformation,
            (&raw const limits).cast(),
            length,
        ))?;
        check(AssignProcessToJobObject(job.as_raw_handle(), child.as_raw_handle()))?;
        Ok(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_path_by_what_can_be_started() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.cmd", "a.exe", "b.ps1", "c.bat"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let path = Some(dir.path().as_os_str());
        let found = |name: &str| find_program(OsStr::new(name), path).ok();
        assert_eq!(found("a"), Some(dir.path().join("a.exe")));
        assert_eq!(found("a.cmd"), Some(dir.path().join("a.cmd")));
        assert_eq!(found("c"), Some(dir.path().join("c.bat")));
        assert_eq!((found("b"), found("none"), found("")), (None, None, None));
        let relative = find_program(OsStr::new("a"), Some(OsStr::new(".")));
        assert!(matches!(relative, Err(ExecError::NotFound(_))), "not in the current directory");
        let given = dir.path().join("c");
        assert_eq!(find_program(given.as_os_str(), None).unwrap(), dir.path().join("c.bat"));
    }

    #[test]
    fn a_child_in_a_job_ends_when_the_job_is_let_go() {
        let mut child = Command::new("cmd.exe")
            .args(["/C", "pause"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let job = end_with_us(&child).unwrap();
        assert!(child.try_wait().unwrap().is_none());
        drop(job);
        child.wait().unwrap();
    }
}
