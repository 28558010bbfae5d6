//! The operating system, beyond what std covers. The only modules with `unsafe`.
//!
//! Code that differs between systems has the same names in `unix/` and `windows/`; everything else here is shared.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub(crate) mod allocator;
pub(crate) mod exec;
pub(crate) mod files;
pub(crate) mod format_version;
pub(crate) mod job;
pub(crate) mod keyring;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod name_service;
pub(crate) mod output_file;
pub(crate) mod own_environment;
pub(crate) mod peer;
pub(crate) mod program;
pub(crate) mod runtime_file;
pub(crate) mod socket;

#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

#[cfg(windows)]
pub(crate) use platform::credentials;
#[cfg(all(unix, feature = "sandbox"))]
pub(crate) use platform::pty;
pub(crate) use platform::{
    access, boot_clock, descriptor, hardening, process_group, shell, signals, terminal,
};
#[cfg(unix)]
pub(crate) use platform::{sidecar, way};
