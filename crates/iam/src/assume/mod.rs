//! Decides whether a caller can assume a role in one step: the caller, the known facts about the request, and the
//! evaluation.

pub mod entity;

pub(crate) mod caller;
pub mod credentials;
pub(crate) mod device;

pub mod context;
pub(crate) mod target;

pub mod judge;

pub mod edges;
