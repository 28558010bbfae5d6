//! Linux and macOS.

pub(crate) mod access;
pub(crate) mod boot_clock;
pub(crate) mod descriptor;
pub(super) mod disk;
pub(super) mod exec;
pub(crate) mod hardening;
pub(super) mod job;
pub(super) mod locking;
pub(crate) mod process_group;
#[cfg(feature = "sandbox")]
pub(crate) mod pty;
pub(crate) mod shell;
pub(crate) mod sidecar;
pub(crate) mod signals;
pub(crate) mod terminal;
mod terminal_modes;
pub(crate) mod way;
