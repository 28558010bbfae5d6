//! A trust policy that asks for MFA: what has to change in it, and who would gain and lose by that.
//!
//! | in an Allow of `sts:AssumeRole` | becomes |
//! |---|---|
//! | people: an account, a user, `*` | the same with `Bool` `aws:MultiFactorAuthPresent` `true` |
//! | people beside services, providers or roles | two statements: the people with it, the others as they were |
//! | services, providers, roles, sessions, and who is deleted | left alone: they never have MFA |
//! | a condition that only seems to ask: `BoolIfExists`, `Null`, `ForAllValues:`, `false` | replaced |
//!
//! A Deny is never touched. Names, order, Sids and unknown conditions stay.

mod condition;
mod diff;
mod patch;
mod principals;

pub use patch::{Options, Patch, Refused, require_mfa};

#[cfg(test)]
mod tests;
