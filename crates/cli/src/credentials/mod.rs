//! From flags to credentials: what was asked, the plan, and the plan carried out.

pub(crate) mod obtain;
pub(crate) mod request;

pub(crate) mod plan;

pub(crate) mod run;

mod base;
pub(crate) mod caller;
mod step;

mod mfa;
mod mfa_program;
mod used_codes;

pub(crate) mod service;

mod attempt;
mod denial;
pub(crate) mod last_failure;
mod surroundings;
