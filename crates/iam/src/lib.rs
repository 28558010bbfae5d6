//! The policy side of hatbox: evaluates IAM policies, reports who can assume which role, and explains why AWS denied a
//! call.
//!
//! An answer is yes, no, or unknown because of the named facts; it is never guessed. Modules are declared in the order
//! in which the data flows. They use no file system, environment, network, process, clock or thread: `clippy.toml` bans
//! them.

pub mod policy;

pub mod accounts;

pub mod assume;
pub mod report;

pub mod admits;
pub mod lint;
pub mod require_mfa;

pub mod graph;

pub mod denial;
