//! Whether a caller can assume a role, in one step: who calls, what is known of the request, and the judgement.

pub mod entity;

pub(crate) mod caller;
pub mod credentials;
pub(crate) mod device;

pub mod context;
pub(crate) mod target;

pub mod judge;

pub mod edges;
