//! Hands credentials over: puts what core renders into the environment of a command.

pub(crate) mod each;
pub(crate) mod exec;
mod expiry;
pub(crate) mod guard;
