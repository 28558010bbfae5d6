//! The policy side of hatbox, pure: what IAM policies say, who can assume which role, and why AWS denied a call.
//!
//! An answer is yes, no, or not known because named facts are missing. It is never guessed. Modules are declared in the order in
//! which the data flows. No file system, environment, network, process, clock or thread: `clippy.toml` bans them.

pub mod policy;

pub mod accounts;

pub mod assume;
pub mod report;

pub mod admits;
pub mod lint;
pub mod require_mfa;

pub mod graph;

pub mod denial;
