//! The modes of a terminal, through the C library.
//!
//! rustix asks for them by TCGETS2, which not every system that runs programs for Linux knows: QEMU of Debian 12, which runs
//! programs of another processor, answers ENOSYS. The C library asks by TCGETS, which all know.
#![expect(unsafe_code, reason = "the C library takes a pointer to the modes")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};

/// How the terminal treats input and output (termios(3)).
pub(super) type Modes = libc::termios;

/// When a change takes effect.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// Immediately.
    Now,
    /// After pending output is written. Pending input is discarded.
    Flush,
}

/// Returns the modes of a terminal.
pub(super) fn load_modes(terminal: impl AsFd) -> io::Result<Modes> {
    let mut modes = MaybeUninit::uninit();
    // SAFETY: the descriptor is open, and the C library writes to the modes only.
    match unsafe { libc::tcgetattr(terminal.as_fd().as_raw_fd(), modes.as_mut_ptr()) } {
        // SAFETY: on success, the C library has written all modes.
        0 => Ok(unsafe { modes.assume_init() }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sets the modes of a terminal.
pub(super) fn set_modes(terminal: impl AsFd, when: When, modes: &Modes) -> io::Result<()> {
    let when = match when {
        When::Now => libc::TCSANOW,
        When::Flush => libc::TCSAFLUSH,
    };
    // SAFETY: the descriptor is open, and the C library only reads the modes.
    match unsafe { libc::tcsetattr(terminal.as_fd().as_raw_fd(), when, modes) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
