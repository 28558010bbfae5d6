//! The pure part of hatbox: text and values in, values out.
//!
//! Modules stand in the order in which the data flows; each may use only those above it.
//! No file system, environment, network, process, clock or thread: `clippy.toml` bans them.

pub mod text;

pub mod name;
pub mod sandbox_key;
pub mod secret;

pub mod key_shape;

pub mod config;
pub mod plan;

pub mod cache;

pub mod policy;

pub mod accounts;

pub mod trust;

pub mod handover;

pub mod doctor;
