//! Makes a trust policy ask people for MFA: its text in, the patched text out, every other byte kept.
//!
//! Each Allow that lets people in without MFA gets `Bool` `aws:MultiFactorAuthPresent` `true`. What only looks
//! like it (`BoolIfExists`, `Null`, `ForAllValues`) is replaced, and a statement that names services, providers
//! or roles beside people is split, these left as they were. A Deny is never touched.

mod edit;
mod scan;

mod patch;

mod require;

mod diff;

pub use diff::{Layout, render_diff};
pub use require::{Change, Effects, Guard, Outcome, Patch, Wanted, require_mfa};

#[cfg(test)]
mod tests;
