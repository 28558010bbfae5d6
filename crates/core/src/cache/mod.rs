//! Saved temporary credentials: what they are filed under, what a file holds, and when one is still good.
//!
//! Sealing and the files themselves are the binary's. [`SessionKey`] says what a session is filed under,
//! [`CachedSession`] is what a file holds, [`StartSearch`] finds the first stage of a plan that must run.

mod key;
mod session;
mod start;

pub use key::{SessionKey, resolve_session_key};
pub use session::{CachedSession, CachedSessionError, parse_cached_session, render_cached_session};
pub use start::{
    DEFAULT_MIN_TTL, Renewal, Reuse, Start, StartRules, StartSearch, resolve_cache_state, resolve_use,
};
