//! `hatbox doctor`, run as a user does, in many kinds of homes: it reports exactly the expected findings.
//!
//! Tests that need cached sessions are in tests/flow.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "what the tests share may stop at the first surprise, as they do"
)]

mod home;

mod clock;
mod config;
mod environment;
mod files;
mod output;
mod programs;
mod store;
