//! Commands that run beside each other while this process stays: started, watched, stopped, ended.

use std::ffi::OsString;
use std::path::Path;

use super::hardening::Received;
pub(crate) use super::platform::job::{Job, JobHandle, Mask, Watch};

/// What a signal asks of this process while commands run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To end, by the signal of this number: Ctrl-C is 2.
    End(i32),
    /// To stop until it is continued: Ctrl-Z.
    #[cfg_attr(windows, expect(dead_code, reason = "nothing stops programs there"))]
    Pause,
}

/// What is sent to a command, and to all that it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The signal that this process got.
    End(i32),
    /// The end, at once.
    Kill,
    /// Stop.
    Pause,
    /// Go on.
    Continue,
}

/// A command to be started, with all that it gets.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The program's path.
    pub(crate) program: &'a Path,
    /// The words of the command, its name first.
    pub(crate) command: &'a [OsString],
    pub(crate) environment: &'a [(OsString, OsString)],
    #[cfg_attr(windows, expect(dead_code, reason = "there is nothing to put back there"))]
    pub(crate) received: Received,
    /// The signals that it is started with held back.
    #[cfg_attr(windows, expect(dead_code, reason = "no signal is inherited there"))]
    pub(crate) mask: Mask,
    /// Whether it gets a new session keyring.
    #[cfg_attr(windows, expect(dead_code, reason = "there are no keyrings there: it is refused before"))]
    pub(crate) is_isolated: bool,
}

/// What of a command can be looked at now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Happened {
    /// There is output, or it has ended.
    pub(crate) stdout: bool,
    /// The same of stderr.
    pub(crate) stderr: bool,
    /// The command may have ended.
    pub(crate) is_over: bool,
}
