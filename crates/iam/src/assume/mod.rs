//! Whether a caller can assume a role, in one step: who calls, what is known of the request, and the judgement.

pub mod entity;
pub(crate) mod gap;

pub(crate) mod caller;
pub(crate) mod condition_keys;
pub(crate) mod context;
pub(crate) mod judge;

pub mod edges;
