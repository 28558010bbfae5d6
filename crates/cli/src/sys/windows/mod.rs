//! Windows.

pub(crate) mod access;
pub(crate) mod boot_clock;
pub(crate) mod credentials;
pub(crate) mod descriptor;
pub(super) mod disk;
pub(super) mod exec;
pub(crate) mod hardening;
pub(super) mod job;
pub(super) mod locking;
mod pipe;
pub(crate) mod process_group;
mod security;
pub(crate) mod shell;
pub(crate) mod signals;
pub(crate) mod terminal;
mod wide;
