//! Handing credentials over, with effects: what core rendered becomes a child's environment.

pub(crate) mod each;
pub(crate) mod exec;
mod expiry;
pub(crate) mod guard;
