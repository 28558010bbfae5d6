//! Runs commands in parallel with this process: starts, watches, pauses and ends them.

use std::ffi::OsString;
use std::path::Path;

use super::hardening::Received;
pub(crate) use super::platform::job::{Job, JobHandle, Mask, Watch};

/// What a signal asks of this process while commands run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// End, because of the signal with this number; Ctrl-C is 2.
    End(i32),
    /// Pause until continued, because of Ctrl-Z.
    #[cfg_attr(windows, expect(dead_code, reason = "nothing stops programs there"))]
    Pause,
}

/// What to send to a command and everything that it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The signal that this process received.
    End(i32),
    /// Kill it.
    Kill,
    /// Pause it.
    Pause,
    /// Continue it.
    Continue,
}

/// How to start a command.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The path of the program.
    pub(crate) program: &'a Path,
    /// The words of the command, with its name first.
    pub(crate) command: &'a [OsString],
    pub(crate) environment: &'a [(OsString, OsString)],
    #[cfg_attr(windows, expect(dead_code, reason = "there is nothing to put back there"))]
    pub(crate) received: Received,
    /// The signal mask to start it with.
    #[cfg_attr(windows, expect(dead_code, reason = "no signal is inherited there"))]
    pub(crate) mask: Mask,
    /// Whether to start it in a new session keyring.
    #[cfg_attr(windows, expect(dead_code, reason = "there are no keyrings there: it is refused before"))]
    pub(crate) is_isolated: bool,
}

/// What happened to a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Happened {
    /// There is output, or the stream has ended.
    pub(crate) stdout: bool,
    /// The same for stderr.
    pub(crate) stderr: bool,
    /// The command may have ended.
    pub(crate) is_over: bool,
}
