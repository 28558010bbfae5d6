//! The operating system, where std has no word for it. The only modules with `unsafe`.

pub(crate) mod boot_clock;
pub(crate) mod descriptor;
pub(crate) mod exec;
pub(crate) mod files;
pub(crate) mod hardening;
pub(crate) mod keyring;
pub(crate) mod lock;
#[cfg(feature = "sandbox")]
pub(crate) mod pty;
pub(crate) mod runtime_file;
pub(crate) mod signals;
