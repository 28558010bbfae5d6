//! From flags to credentials: resolves the request, makes the plan and carries it out.

pub(crate) mod console;
pub(crate) mod obtain;
pub(crate) mod request;

pub(crate) mod plan;

pub(crate) mod guard;

pub(crate) mod audit;

pub(crate) mod run;

mod old_sessions;
#[cfg(feature = "iam")]
mod rotated_key;
mod stage_cache;

pub(crate) mod several;

pub(crate) mod base;
mod call_lock;
pub(crate) mod caller;
pub(crate) mod choose;
pub(crate) mod login_sign_in;
pub(crate) mod login_states;
pub(crate) mod service;
mod session_name;
pub(crate) mod sso;
mod step;

mod mfa;
mod mfa_program;
mod pinentry;
pub(crate) mod profile_command;
pub(crate) mod seed;
mod used_codes;

mod attempt;
pub(crate) mod denial;
pub(crate) mod last_failure;
mod last_role;
mod surroundings;
