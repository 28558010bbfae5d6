//! Runs a command beside others. It shares the console, so Ctrl-C reaches it directly.
#![expect(unsafe_code, reason = "job objects have no safe interface in std")]

use std::io;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use windows_sys::Win32::System::JobObjects::TerminateJobObject;

use super::exec::end_with_us;
use super::pipe::has_output;
use super::signals::Held;
use crate::sys::exec::ExecError;
use crate::sys::job::{Asked, Delivery, Happened, Launch};

/// The interval of polling: Windows cannot wait for an anonymous pipe.
const LOOK: Duration = Duration::from_millis(2);
/// The number of SIGINT on other systems.
const INTERRUPT: i32 = 2;

/// Windows has no signal mask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask;

/// A running command.
#[derive(Debug)]
pub(crate) struct Job {
    child: Child,
    object: Option<Arc<OwnedHandle>>,
}

/// Ends a command.
#[derive(Debug, Clone)]
pub(crate) struct JobHandle(Option<Arc<OwnedHandle>>);

impl Job {
    /// Starts a command with an empty stdin. It is ended together with this process.
    pub(crate) fn start(launch: &Launch<'_>) -> Result<Self, ExecError> {
        let mut command = Command::new(launch.program);
        command.args(launch.command.iter().skip(1));
        command.env_clear().envs(launch.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|source| {
            let path = launch.program.display().to_string();
            match source.kind() {
                io::ErrorKind::NotFound if !launch.program.exists() => ExecError::NotFound(path),
                io::ErrorKind::InvalidInput => ExecError::Nul,
                _ => ExecError::NotExecutable { path, source },
            }
        })?;
        // The command runs even if it could not be added to a job object.
        let object = end_with_us(&child).ok().map(Arc::new);
        Ok(Self { child, object })
    }

    pub(crate) fn handle(&self) -> JobHandle {
        JobHandle(self.object.clone())
    }

    pub(crate) fn take_streams(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for output or for the command's end, for a short time.
    #[expect(clippy::unused_self, reason = "other systems wait for its end")]
    pub(crate) fn wait(
        &self,
        stdout: Option<&ChildStdout>,
        stderr: Option<&ChildStderr>,
        wait: Duration,
    ) -> io::Result<Happened> {
        let end = Instant::now() + wait.min(LOOK);
        loop {
            let stdout = stdout.map(has_output).transpose()?.unwrap_or(false);
            let stderr = stderr.map(has_output).transpose()?.unwrap_or(false);
            let left = end.saturating_duration_since(Instant::now());
            if stdout || stderr || left.is_zero() {
                return Ok(Happened { stdout, stderr, is_over: true });
            }
            std::thread::sleep(left);
        }
    }

    /// Returns the exit status once the command has ended.
    pub(crate) fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }
}

impl JobHandle {
    /// Handles only kills: the console delivers Ctrl-C itself, and Windows cannot pause programs.
    pub(crate) fn send(&self, delivery: Delivery) {
        if let (Delivery::Kill, Some(object)) = (delivery, &self.0) {
            // SAFETY: the handle is open while `object` lives.
            unsafe { TerminateJobObject(object.as_raw_handle(), 1) };
        }
    }
}

/// Receives Ctrl-C and Ctrl-Break, for as long as it exists.
#[derive(Debug)]
pub(crate) struct Watch(Held);

impl Watch {
    pub(crate) fn start() -> Self {
        Self(Held::of_endings_and_stop())
    }

    pub(crate) fn take(&self) -> Option<Asked> {
        self.0.take().map(|()| Asked::End(INTERRUPT))
    }

    #[expect(clippy::unused_self, reason = "other systems have one")]
    pub(crate) fn mask(&self) -> Mask {
        Mask
    }

    #[expect(clippy::unused_self, reason = "nothing asks for it here")]
    pub(crate) fn pause(&self) {}
}
