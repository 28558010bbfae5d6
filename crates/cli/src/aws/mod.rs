//! Calls to AWS, by the official SDK's clients: blocking for the caller, on a runtime that lives for one call.

pub(crate) mod client;
pub(crate) mod date;
pub(crate) mod endpoint;
pub(crate) mod federation;
#[cfg(feature = "iam")]
pub(crate) mod iam;
mod issued;
pub(crate) mod json;
pub(crate) mod machine;
pub(crate) mod proxy;
pub(crate) mod signin;
pub(crate) mod sso;
pub(crate) mod sts;
pub(crate) mod sts_error;
pub(crate) mod tls;
mod transport;
mod unanswered;
