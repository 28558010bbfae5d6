//! The credential side of hatbox, pure: text and values in, values out.
//!
//! Modules are declared in the order of the data flow; each uses only those above it.
//! No file system, environment, network, process, clock or thread: `clippy.toml` bans them.

pub mod config;
pub mod plan;
pub mod sso;

pub mod cache;

pub mod answer;
pub mod login;

pub mod console;

pub mod populate;

pub mod handover;

pub mod doctor;

pub mod totp;
