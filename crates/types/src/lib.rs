//! Names and secrets that all crates of hatbox share, each checked once, and text for display.
//!
//! No file system, environment, network, process, clock or thread: `clippy.toml` bans them.

pub mod text;

pub mod arn;
pub mod name;
pub mod partition;
pub mod sandbox_key;
pub mod secret;

pub mod key_shape;

pub mod duration;

pub mod level;
