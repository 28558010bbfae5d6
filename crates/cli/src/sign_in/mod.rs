//! Signing in by a browser: the loopback address that it comes back to, and the program that opens it.

pub(crate) mod browser;
pub(crate) mod listener;
pub(crate) mod waiting;
