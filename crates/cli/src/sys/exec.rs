//! Replaces this process with another program.

use std::io;

pub(crate) use super::platform::exec::{exec, find_program};

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecError {
    /// No file of this path, or of this name in PATH. Exit code 127, as in a shell.
    #[error("command `{0}` not found")]
    NotFound(String),
    /// The file exists but cannot be run. Exit code 126.
    #[error("`{path}` cannot be run")]
    NotExecutable {
        /// The file.
        path: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A NUL byte in an argument or variable.
    #[error("an argument or variable for the command holds a NUL byte")]
    Nul,
}
