//! Giving credentials to a program: the change to a child's environment, and the texts of `export`.

mod credentials;
mod env;
mod file;
mod format;
mod json;
mod lines;
mod marks;
mod render;
mod shell;

pub use credentials::{Credentials, Handover};
pub use env::{EnvChange, is_scrubbed, is_store_secret, resolve_env_change};
pub use format::{Format, FormatError};
pub use lines::{Renewal, render_shell_lines};
pub use marks::{MARKS, Marked};
pub use render::{render_export, render_masks, render_unset};
