//! Plans, what their sessions are filed under, where a start begins, and how it is explained.

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
