//! The Security Token Service: caller identity, role sessions and user sessions.
//!
//! [`actions`] has a row for each call, [`mfa`] checks codes, [`grant`] mints credentials.

mod actions;
mod assume_role;
mod assume_root;
mod bearer;
mod caller;
mod caller_identity;
mod grant;
mod mfa;
mod outbound;
mod parameters;
mod refused;
mod session_policy;
mod tokens;
mod web_identity;

pub(crate) use actions::ACTIONS;
pub(crate) use caller::check_caller;
pub(crate) use grant::{Grant, grant_session};
