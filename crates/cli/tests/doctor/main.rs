//! `hatbox doctor`, run as a user does, in many kinds of homes: it reports exactly the expected findings.
//!
//! Tests that need cached sessions are in tests/flow.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test helpers may panic, like tests"
)]

mod home;

mod clock;
mod config;
mod environment;
mod files;
mod output;
mod programs;
mod store;
