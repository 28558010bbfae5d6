//! Puts a plan into words for a person, and into JSON for a program.
//!
//! No secret is in it, no whole access key id, and of commands the program only.

mod json;
mod layout;
mod place;
mod text;

use std::time::Duration;

use jiff::Timestamp;

pub use json::render_explanation_json;
pub use place::{Paths, render_origin};
pub use text::render_explanation;

/// What the cache has for a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheState {
    /// A session that would be used.
    Cached {
        /// How much of it is left.
        left: Duration,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// Nothing that would be used.
    Absent,
    /// The store is locked, or the identity is learned by a call only.
    Unknown,
}
