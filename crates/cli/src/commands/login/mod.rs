//! `hatbox login`.

mod session;

pub(crate) use session::run;
