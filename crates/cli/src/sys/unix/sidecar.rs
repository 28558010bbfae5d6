//! A process of this program that runs beside another one and ends with it.
#![expect(unsafe_code, reason = "std cannot start a process that is not a child")]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::signals::Held;

/// The interval between checks whether a process has ended, if the system cannot notify.
const LOOK: Duration = Duration::from_secs(1);

/// Starts this program again, but not as a child of this process: a command that waits for all of its children must not
/// find an unknown one. The variable `mark` names this process and the pipe to it, for [`parse_mark`]. Returns the read end
/// of its stdout.
pub(crate) fn start(
    own_name: &OsStr,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
    mark: &str,
) -> io::Result<PipeReader> {
    let (reader, writer) = io::pipe()?;
    let pipe = rustix::fs::fstat(&writer)?.st_ino;
    let mut command = Command::new(own_program()?);
    command
        .arg0(own_name)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env(mark, format!("{}:{pipe}", std::process::id()))
        .stdout(Stdio::from(OwnedFd::from(writer)));
    // SAFETY: the process has one thread after a fork, so calling fork(2) and _exit(2) is safe (signal-safety(7)): the
    // process in the middle ends at once, and the new one continues to exec.
    unsafe {
        command.pre_exec(|| match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(()),
            _ => libc::_exit(0),
        });
    }
    command.spawn()?.wait()?;
    Ok(reader)
}

/// Returns the process that [`start`]ed this one, from the value of its mark. `None` if stdout is not the pipe to that
/// process: then someone else has set the variable.
pub(crate) fn parse_mark(value: &str) -> Option<i32> {
    let (pid, pipe) = value.split_once(':')?;
    let stdout = rustix::fs::fstat(rustix::stdio::stdout()).ok()?;
    let is_pipe = rustix::fs::FileType::from_raw_mode(stdout.st_mode) == rustix::fs::FileType::Fifo;
    if is_pipe && pipe.parse() == Ok(stdout.st_ino) { pid.parse().ok() } else { None }
}

/// Returns the path of the running binary, which on Linux works even after the file was replaced.
fn own_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok(PathBuf::from("/proc/self/exe")) } else { std::env::current_exe() }
}

/// Waits until `stream` is readable or has ended, at most for `wait`. Returns whether it is.
pub(crate) fn wait_for(stream: &PipeReader, wait: Duration) -> bool {
    let wait = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
    poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&wait)).is_ok_and(|count| count > 0)
}

/// A process to watch.
#[derive(Debug)]
pub(crate) struct Watched {
    pid: Pid,
    #[cfg(target_os = "linux")]
    descriptor: Option<OwnedFd>,
}

impl Watched {
    /// Watches the existing process `pid`. Returns `None` for an invalid id.
    pub(crate) fn new(pid: i32) -> Option<Self> {
        let pid = Pid::from_raw(pid)?;
        Some(Self {
            pid,
            // Not available before Linux 5.3, and sometimes denied.
            #[cfg(target_os = "linux")]
            descriptor: rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok(),
        })
    }

    /// Waits until the process has ended.
    pub(crate) fn wait_for_end(&self) {
        if self.wait_for_event().is_some() {
            return;
        }
        while test_kill_process(self.pid).is_ok() {
            std::thread::sleep(LOOK);
        }
    }

    #[cfg(target_os = "linux")]
    fn wait_for_event(&self) -> Option<()> {
        let descriptor = self.descriptor.as_ref()?;
        loop {
            match poll(&mut [PollFd::new(descriptor, PollFlags::IN)], None) {
                Err(rustix::io::Errno::INTR) => {}
                result => return result.ok().map(|_| ()),
            }
        }
    }

    #[cfg(target_vendor = "apple")]
    fn wait_for_event(&self) -> Option<()> {
        use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, kevent, kqueue};
        let queue = kqueue().ok()?;
        let filter = EventFilter::Proc { pid: self.pid, flags: ProcessEvents::EXIT };
        let wanted = [Event::new(filter, EventFlags::ADD | EventFlags::ONESHOT, std::ptr::null_mut())];
        let mut events: Vec<Event> = Vec::with_capacity(1);
        // SAFETY: the event refers to no descriptor, so none has to stay open.
        unsafe { kevent(&queue, &wanted, rustix::buffer::spare_capacity(&mut events), None) }.ok().map(|_| ())
    }

    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    fn wait_for_event(&self) -> Option<()> {
        None
    }
}

/// Makes this process end as if by a signal, which lets a question be removed from the terminal first.
pub(crate) fn end_self() {
    // This thread holds the signal back, so the thread that asks the question receives it.
    let held = Held::new();
    kill_process(rustix::process::getpid(), Signal::TERM).ok();
    std::mem::forget(held);
}

/// The stdout of this process, whose read end [`start`] returned.
pub(crate) fn stdout() -> io::Result<File> {
    Ok(File::from(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?))
}

/// Leaves the terminal and its signals to the command, by starting a new session. Returns the former stdout.
pub(crate) fn leave_terminal() -> io::Result<File> {
    let beside = stdout()?;
    rustix::process::setsid()?;
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    Ok(beside)
}
