//! The operating system, where std has no word for it. The only modules with `unsafe`.
//!
//! What differs between systems is in a folder of each kind of them (`unix/`); what is here is shared.

#[cfg(unix)]
mod unix;

pub(crate) mod files;
pub(crate) mod keyring;
pub(crate) mod lock;
pub(crate) mod runtime_file;

#[cfg(unix)]
use unix as platform;

#[cfg(all(unix, feature = "sandbox"))]
pub(crate) use platform::pty;
pub(crate) use platform::{access, boot_clock, descriptor, exec, hardening, pipe, shell, signals, terminal};
