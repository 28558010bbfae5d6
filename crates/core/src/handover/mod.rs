//! Giving credentials to a program: the change to a child's environment, and the texts of `export`.

mod credentials;
mod env;
mod format;
mod marks;

pub use credentials::{Credentials, Handover};
pub use env::{EnvChange, is_scrubbed, is_store_secret, resolve_env_change};
pub use format::{Format, FormatError, render_export};
pub use marks::{MARKS, Marked};
