//! Signing in with a browser: the loopback addresses that it opens and returns to, and the program that opens it.

pub(crate) mod browser;
pub(crate) mod browser_choice;
pub(crate) mod clipboard;
pub(crate) mod listener;
mod loopback;
pub(crate) mod one_use_page;
pub(crate) mod waiting;
