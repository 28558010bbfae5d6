//! Cached temporary credentials: their keys, the contents of their files, and when they can still be used.
//!
//! The `hatbox` crate seals and stores the files. [`SessionKey`] identifies a session, [`CachedSession`] is the content
//! of its file, [`StartSearch`] finds the first stage of a plan that must run.

mod key;
mod session;
mod start;

pub use key::{SessionKey, resolve_session_key};
pub use session::{CachedSession, CachedSessionError, parse_cached_session, render_cached_session};
pub use start::{
    DEFAULT_MIN_TTL, Renewal, Reuse, Start, StartRules, StartSearch, resolve_cache_state, resolve_use,
};
