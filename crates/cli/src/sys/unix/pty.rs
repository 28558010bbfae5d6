//! Pseudo-terminals: runs a program on its own terminal, reads its output and types into it.
#![expect(
    unsafe_code,
    reason = "a controlling terminal is taken between fork and exec, which std calls unsafe"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::terminal_modes::{When, load_modes, set_modes};

const TICK: Duration = Duration::from_millis(20);

/// The result of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// This number of bytes.
    Bytes(usize),
    /// Nothing arrived in time.
    Nothing,
    /// The program has ended, and all its output was read.
    Ended,
}

/// A program on its own pseudo-terminal. On drop, the program and its process group are ended.
#[derive(Debug)]
pub(crate) struct OnPty {
    master: File,
    child: Child,
    status: Option<ExitStatus>,
}

impl OnPty {
    /// Starts `command` in a new session with a new terminal of `columns` by `rows`, which is its controlling terminal
    /// and its standard streams. Input is echoed only if the program turns that on.
    pub(crate) fn start(mut command: Command, columns: u16, rows: u16) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        // A flag of openpt could do this only on Linux.
        fcntl_setfd(&master, FdFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let slave: OwnedFd = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(i32::try_from(OFlags::NOCTTY.bits()).unwrap_or_default())
            .open(std::ffi::OsStr::from_bytes(name.to_bytes()))?
            .into();
        let mut modes = load_modes(&slave)?;
        modes.c_lflag &= !libc::ECHO;
        set_modes(&slave, When::Now, &modes)?;
        tcsetwinsize(&slave, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })?;
        command
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave.try_clone()?));
        // SAFETY: between fork and exec, the closure only makes two system calls. It allocates nothing, takes no lock,
        // and owns the descriptor that it uses.
        unsafe {
            command.pre_exec(move || {
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(&slave)?;
                Ok(())
            });
        }
        let child = command.spawn()?;
        // Close this side's copies of the slave, so that the program's end becomes the end of input.
        drop(command);
        Ok(Self { master: File::from(master), child, status: None })
    }

    /// Waits for output, at most for `wait`.
    pub(crate) fn read(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<Output> {
        let has_ended = self.try_wait()?.is_some();
        // A leftover child process may keep the terminal open: read what is there, without waiting for more.
        let wait = if has_ended { Duration::ZERO } else { wait };
        let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
        let timeout = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
        let ready = match poll(&mut fds, Some(&timeout)) {
            Ok(ready) => ready > 0,
            Err(rustix::io::Errno::INTR) => false,
            Err(error) => return Err(error.into()),
        };
        if !ready {
            return Ok(if has_ended { Output::Ended } else { Output::Nothing });
        }
        match self.master.read(buffer) {
            Ok(0) => self.after_hangup(),
            Ok(length) => Ok(Output::Bytes(length)),
            // On Linux, this means that no process has the terminal open any more (pty(7)).
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                self.after_hangup()
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Output::Nothing),
            Err(error) => Err(error),
        }
    }

    /// The program has closed the terminal: it has ended, or is about to.
    fn after_hangup(&mut self) -> io::Result<Output> {
        if self.try_wait()?.is_some() {
            return Ok(Output::Ended);
        }
        std::thread::sleep(TICK);
        Ok(Output::Nothing)
    }

    /// Types into the terminal.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.master.write_all(bytes)
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self.child.try_wait()?;
        }
        Ok(self.status)
    }

    /// Returns the exit status after [`Output::Ended`] was read.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Ends the program and its process group: first asks, then kills.
    pub(crate) fn end(&mut self, grace: Duration) {
        if matches!(self.try_wait(), Ok(Some(_))) {
            return;
        }
        let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else { return };
        kill_process_group(group, Signal::TERM).ok();
        let until = Instant::now() + grace;
        while Instant::now() < until {
            if matches!(self.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(TICK);
        }
        // The group may outlive its leader, and its number is not reused while it has members.
        kill_process_group(group, Signal::KILL).ok();
        if self.status.is_none() {
            self.status = self.child.wait().ok();
        }
    }
}

impl Drop for OnPty {
    fn drop(&mut self) {
        self.end(Duration::from_millis(500));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, typed: &[u8]) -> (String, Option<ExitStatus>) {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let mut program = OnPty::start(command, 80, 24).unwrap();
        program.write(typed).unwrap();
        let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            match program.read(&mut buffer, Duration::from_millis(100)).unwrap() {
                Output::Bytes(length) => text.extend_from_slice(&buffer[..length]),
                Output::Nothing => {}
                Output::Ended => break,
            }
        }
        (String::from_utf8(text).unwrap(), program.status())
    }

    #[test]
    fn the_program_has_a_terminal_of_its_own_of_the_size_asked_for() {
        let (text, status) = run("tty </dev/tty >/dev/tty; stty size; exit 7", b"");
        assert!(text.contains("/dev/"), "{text}");
        assert!(text.ends_with("24 80\r\n"), "{text}");
        assert_eq!(status.unwrap().code(), Some(7));
    }

    #[test]
    fn what_is_typed_arrives_and_is_not_echoed() {
        let (text, status) = run("read -r line; echo \"got $line\"", b"hello\n");
        assert_eq!(text, "got hello\r\n");
        assert!(status.unwrap().success());
    }

    #[test]
    fn a_process_left_behind_does_not_hold_the_reader_up() {
        let begun = Instant::now();
        let (text, status) = run("trap '' HUP; sleep 15 & echo done", b"");
        assert!(text.contains("done"), "{text}");
        assert!(status.unwrap().success());
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn dropping_ends_a_program_that_does_not_want_to() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "trap '' TERM HUP; echo $$; exec sleep 30"]);
        let mut program = OnPty::start(command, 80, 24).unwrap();
        let mut buffer = [0; 64];
        while program.read(&mut buffer, Duration::from_millis(100)).unwrap() == Output::Nothing {}
        let pid = Pid::from_raw(program.child.id().cast_signed()).unwrap();
        drop(program);
        assert!(rustix::process::test_kill_process_group(pid).is_err());
    }
}
