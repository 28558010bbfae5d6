//! Hands credentials to a program: the change to a child's environment, the texts of `export`, and the responses of a
//! credential server.

mod credentials;
mod dialect;
mod env;
mod file;
mod format;
mod json;
mod lines;
mod marks;
mod render;
mod server;
mod shell_change;

pub use credentials::{Credentials, Handover};
pub use env::{EnvChange, is_scrubbed, is_store_secret, resolve_env_change};
pub use format::{Format, FormatError};
pub use lines::{Renewal, render_shell_lines};
pub use marks::{MARKS, Marked};
pub use render::{render_export, render_masks, render_unset};
pub use server::{
    ServerAddress, ServerHandover, render_container_answer, render_metadata_answer,
    resolve_server_env_change, resolve_server_shell_change,
};
