//! Makes a trust policy require MFA from people: returns the patched text and keeps all other bytes.
//!
//! Each Allow that lets people assume the role without MFA gets `Bool` `aws:MultiFactorAuthPresent` `true`. Conditions
//! that only seem to require MFA (`BoolIfExists`, `Null`, `ForAllValues`) are replaced. A statement that also names
//! services, identity providers or roles is split, so that these keep their access. A Deny is never changed.

mod edit;
mod scan;

mod patch;

mod require;

mod diff;

pub use diff::{Layout, render_diff};
pub use require::{Change, Effects, Guard, Outcome, Patch, Wanted, require_mfa};

#[cfg(test)]
mod tests;
