//! A program with everything that it starts: ended together, with or without the terminal.
//!
//! Everything beyond std that running programs needs from the operating system is in this file.
#![expect(unsafe_code, reason = "std has no word for setsid, and none for what runs between fork and exec")]

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpgrp, getpid, kill_process, kill_process_group, waitid,
};
#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, pidfd_open};
use rustix::termios::{tcgetpgrp, tcsetpgrp};

use super::signals::{Held, with_terminal_output_held};
use crate::sys::program::{Person, Readable};

/// The processes of one program.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    /// The terminal, which is given to the program and taken back afterwards.
    terminal: Option<File>,
    is_own: bool,
    id: Option<Pid>,
    /// Held back, so a signal that ends hatbox ends the program first.
    held: Held,
}

impl ProcessGroup {
    /// Makes `command` start its own process group. If hatbox is in the background of its terminal, a program that may
    /// ask stays in hatbox's group, so the shell stops and continues both.
    pub(crate) fn prepare(command: &mut Command, person: Person) -> Self {
        let held = Held::of_endings();
        held.release_in(command);
        die_with_parent(command);
        let mut group = Self { terminal: None, is_own: true, id: None, held };
        match person {
            Person::IsNotAsked => {
                // SAFETY: setsid(2) is safe after fork (signal-safety(7)), and touches no memory.
                unsafe {
                    command.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(Into::into));
                }
            }
            Person::MayBeAsked => {
                let terminal = File::options().read(true).write(true).open("/dev/tty").ok();
                match terminal.as_ref().map(tcgetpgrp) {
                    Some(Ok(foreground)) if foreground == getpgrp() => group.terminal = terminal,
                    Some(Ok(_)) => group.is_own = false,
                    // Without a terminal, there is no foreground group to respect.
                    Some(Err(_)) | None => {}
                }
                if group.is_own {
                    command.process_group(0);
                }
            }
        }
        group
    }

    /// Makes the started program the terminal's foreground group.
    pub(crate) fn begin(&mut self, child: &Child) {
        self.id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let (Some(terminal), Some(id)) = (&self.terminal, self.id) {
            // If this fails, the program can still do anything but ask.
            tcsetpgrp(terminal, id).ok();
        }
    }

    /// Continues the program if it was stopped: it asked before it was in the foreground, or the user pressed Ctrl-Z.
    /// No shell would continue it, as shells do not know its group.
    pub(crate) fn keep_going(&self) {
        let (Some(id), true) = (self.id, self.is_own) else { return };
        let stopped = waitid(WaitId::Pid(id), WaitIdOptions::STOPPED | WaitIdOptions::NOHANG);
        if matches!(stopped, Ok(Some(_))) {
            kill_process_group(id, Signal::CONT).ok();
        }
    }

    /// Waits for the program's end, at most for `wait`. If the kernel has no descriptor for processes (Linux before
    /// 5.3, other systems), this only sleeps.
    pub(crate) fn wait_for_end(&self, wait: Duration) {
        #[cfg(target_os = "linux")]
        if let Some(Ok(process)) = self.id.map(|id| pidfd_open(id, PidfdFlags::empty())) {
            let wait = timespec_of(wait);
            // Errors do not matter: the caller checks next whether it has ended.
            poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&wait)).ok();
            return;
        }
        std::thread::sleep(wait);
    }

    /// Whether a signal that ends hatbox has arrived. It takes effect once this value is dropped.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.held.is_one_pending()
    }

    /// Asks the program and everything it started to end, as it may have to restore the terminal's modes.
    pub(crate) fn ask_to_end(&self) {
        let Some(id) = self.id else { return };
        let asked =
            if self.is_own { kill_process_group(id, Signal::TERM) } else { kill_process(id, Signal::TERM) };
        // It may have ended already.
        asked.ok();
    }

    /// Kills the program with everything that it started.
    pub(crate) fn end(&self) {
        if let (Some(id), true) = (self.id, self.is_own) {
            kill_process_group(id, Signal::KILL).ok();
        }
    }

    /// Takes the terminal back. If the program died from Ctrl-C, which reached only the program, passes it on to
    /// hatbox.
    pub(crate) fn give_back(&self, status: Option<&ExitStatus>) {
        let Some(terminal) = &self.terminal else { return };
        with_terminal_output_held(|| tcsetpgrp(terminal, getpgrp()).ok());
        if status.is_some_and(|status| status.signal() == Some(libc::SIGINT)) {
            kill_process(getpid(), Signal::INT).ok();
        }
    }
}

/// Makes the kernel kill the program if hatbox is killed (SIGKILL). What the program started continues.
#[cfg(target_os = "linux")]
pub(super) fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl(2) is only a system call, and touches no memory.
    unsafe {
        command.pre_exec(|| {
            rustix::process::set_parent_process_death_signal(Some(Signal::TERM)).map_err(Into::into)
        });
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_parent(_: &mut Command) {}

/// Whether this is an executable file.
pub(crate) fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file()
}

/// Returns the path of the terminal of a standard stream, for programs that need it by name.
pub(crate) fn terminal_name() -> Option<OsString> {
    let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
    let name = [input.as_fd(), errors.as_fd(), output.as_fd()]
        .into_iter()
        .find_map(|fd| rustix::termios::ttyname(fd, Vec::new()).ok())?;
    Some(OsString::from_vec(name.into_bytes()))
}

/// Waits for output, at most for `wait`.
pub(crate) fn wait_for_output(
    stdout: Option<&ChildStdout>,
    stderr: Option<&ChildStderr>,
    wait: Duration,
) -> io::Result<Readable> {
    let mut fds: Vec<PollFd<'_>> = [stdout.map(AsFd::as_fd), stderr.map(AsFd::as_fd)]
        .into_iter()
        .flatten()
        .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
        .collect();
    match poll(&mut fds, Some(&timespec_of(wait))) {
        Ok(_) => {}
        // The caller's next round checks again.
        Err(rustix::io::Errno::INTR) => return Ok(Readable::default()),
        Err(error) => return Err(error.into()),
    }
    let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
    let mut next = |is_open: bool| is_open && ready.next().unwrap_or(false);
    Ok(Readable { stdout: next(stdout.is_some()), stderr: next(stderr.is_some()) })
}

fn timespec_of(wait: Duration) -> Timespec {
    Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() }
}
