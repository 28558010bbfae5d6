//! The part of IAM that is needed to set up tests, rotate keys, and read and change trust policies: users, access keys,
//! MFA devices, roles, inline policies, identity providers. All calls act on the caller's account.

mod account;
mod actions;
mod call;
mod keys;
mod mfa;
mod page;
mod policies;
mod providers;
mod roles;
mod trust;
mod users;

pub(crate) use actions::ACTIONS;
pub(crate) use call::check_caller;
