//! Runs a command in its own session: signals reach everything it started, and it has no terminal. A question on the
//! terminal fails at once, instead of waiting unseen behind the output of other commands.
#![expect(unsafe_code, reason = "std has no word for what runs between fork and exec")]

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use super::process_group::die_with_parent;
use super::signals::{Held, restore_pipe, set_mask, stop_self};
use crate::sys::exec::ExecError;
use crate::sys::job::{Asked, Delivery, Happened, Launch};
use crate::sys::keyring::join_new_session;

/// The interval between checks for the end if the kernel has no descriptor for processes.
const TICK: Duration = Duration::from_millis(10);

/// The signal mask to start commands with: the one that this process received.
#[derive(Clone, Copy)]
pub(crate) struct Mask(libc::sigset_t);

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask")
    }
}

/// A running command.
#[derive(Debug)]
pub(crate) struct Job {
    child: Child,
    /// Readable once the command has ended.
    end: Option<OwnedFd>,
}

/// Sends signals to a command. Drop it before collecting the command's exit status.
#[derive(Debug, Clone)]
pub(crate) struct JobHandle(Pid);

impl Job {
    /// Starts a command with an empty stdin. The kernel kills it when the thread that started it ends.
    pub(crate) fn start(launch: &Launch<'_>) -> Result<Self, ExecError> {
        let mut command = Command::new(launch.program);
        if let Some((name, arguments)) = launch.command.split_first() {
            command.arg0(name).args(arguments);
        }
        command.env_clear().envs(launch.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        die_with_parent(&mut command);
        let (received, mask, is_isolated) = (launch.received, launch.mask, launch.is_isolated);
        // SAFETY: each of these only makes system calls, which are safe after fork (signal-safety(7)).
        unsafe {
            command.pre_exec(move || {
                rustix::process::setsid()?;
                if is_isolated {
                    join_new_session()?;
                }
                received.restore();
                restore_pipe();
                set_mask(&mask.0)
            });
        }
        let child = command.spawn().map_err(|source| {
            let path = launch.program.display().to_string();
            match source.kind() {
                io::ErrorKind::NotFound if !launch.program.exists() => ExecError::NotFound(path),
                io::ErrorKind::InvalidInput => ExecError::Nul,
                _ => ExecError::NotExecutable { path, source },
            }
        })?;
        let end = open_end(&child);
        Ok(Self { child, end })
    }

    pub(crate) fn handle(&self) -> JobHandle {
        JobHandle(Pid::from_child(&self.child))
    }

    pub(crate) fn take_streams(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for output or for the command's end, at most for `wait`.
    pub(crate) fn wait(
        &self,
        stdout: Option<&ChildStdout>,
        stderr: Option<&ChildStderr>,
        wait: Duration,
    ) -> io::Result<Happened> {
        let wait = if self.end.is_some() { wait } else { wait.min(TICK) };
        let wait = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        let streams = [stdout.map(AsFd::as_fd), stderr.map(AsFd::as_fd), self.end.as_ref().map(AsFd::as_fd)];
        let mut fds: Vec<_> =
            streams.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        match poll(&mut fds, Some(&wait)) {
            Ok(_) => {}
            // The caller's next round checks again.
            Err(rustix::io::Errno::INTR) => return Ok(Happened::default()),
            Err(error) => return Err(error.into()),
        }
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        let mut next = |is_open: bool| is_open && ready.next().unwrap_or(false);
        let (stdout, stderr) = (next(stdout.is_some()), next(stderr.is_some()));
        // Without a descriptor, check each time.
        let is_over = self.end.is_none() || next(true);
        Ok(Happened { stdout, stderr, is_over })
    }

    /// Returns the exit status once the command has ended. After that, do not send it signals.
    pub(crate) fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }
}

#[cfg(target_os = "linux")]
fn open_end(child: &Child) -> Option<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    pidfd_open(Pid::from_child(child), PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn open_end(_: &Child) -> Option<OwnedFd> {
    None
}

impl JobHandle {
    /// Sends `delivery` to the command's process group, which is everything it started unless it left the group.
    pub(crate) fn send(&self, delivery: Delivery) {
        let signal = match delivery {
            Delivery::End(number) => Signal::from_named_raw(number).unwrap_or(Signal::TERM),
            Delivery::Kill => Signal::KILL,
            // A process group without a terminal ignores SIGTSTP.
            Delivery::Pause => Signal::STOP,
            Delivery::Continue => Signal::CONT,
        };
        // It may have ended meanwhile.
        kill_process_group(self.0, signal).ok();
    }
}

/// Receives the signals that would end or stop this process, for as long as it exists.
#[derive(Debug)]
pub(crate) struct Watch(Held);

impl Watch {
    /// Threads started afterwards inherit the mask that holds these signals back.
    pub(crate) fn start() -> Self {
        Self(Held::of_endings_and_stop())
    }

    /// Returns what a signal has asked for, if one arrived.
    pub(crate) fn take(&self) -> Option<Asked> {
        self.0.take().map(|signal| match signal {
            Signal::TSTP => Asked::Pause,
            signal => Asked::End(signal.as_raw()),
        })
    }

    pub(crate) fn mask(&self) -> Mask {
        Mask(self.0.before())
    }

    /// Stops this process, and returns when it is continued.
    #[expect(clippy::unused_self, reason = "only who takes the signal that asks for it may do it")]
    pub(crate) fn pause(&self) {
        stop_self();
    }
}
