//! One file for each command. A command never imports another.

pub(crate) mod add;
pub(crate) mod allow;
pub(crate) mod clear;
pub(crate) mod doctor;
pub(crate) mod each;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod mfa;
pub(crate) mod profile;
pub(crate) mod remove;
#[cfg(feature = "iam")]
pub(crate) mod rotate;
#[cfg(all(unix, feature = "sandbox"))]
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod sso;
pub(crate) mod store;
#[cfg(feature = "trust")]
pub(crate) mod trust;
pub(crate) mod why;
