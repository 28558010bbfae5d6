//! Describes a plan: as text for people and as JSON for programs.
//!
//! The output contains no secret, no complete access key id, and only the program of each command.

mod json;
mod layout;
mod place;
mod text;

use std::time::Duration;

use jiff::Timestamp;

pub use json::render_explanation_json;
pub use place::{Paths, render_origin};
pub use text::render_explanation;

/// The state of a stage in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheState {
    /// A session that would be used.
    Cached {
        /// How much time is left of it.
        left: Duration,
        /// When it expires.
        expires_at: Timestamp,
    },
    /// No session that would be used.
    Absent,
    /// Unknown, as the store is locked, or only a call reveals the identity.
    Unknown,
}
