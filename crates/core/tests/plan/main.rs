//! Plans: how they are resolved, the keys of their sessions, where a start begins, and the text of `explain`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy knows test functions, but not what only they call"
)]

mod explain;
mod fixture;
mod keys;
mod resolve;
mod starts;
