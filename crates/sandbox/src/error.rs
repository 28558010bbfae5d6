//! Why the sandbox cannot start, load its world or be reached.

use std::path::PathBuf;

/// Why the sandbox cannot start, load its world or be reached.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the sandbox directory could not be read.
    #[error("reading `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file of the sandbox directory could not be written.
    #[error("writing `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file of the sandbox directory is not what the sandbox writes.
    #[error("`{}` is not a file of a sandbox", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// Another process serves this directory.
    #[error("another sandbox runs in `{}`", directory.display())]
    Running {
        /// The sandbox directory.
        directory: PathBuf,
    },
    /// No sandbox serves this directory.
    #[error("no sandbox runs in `{}`", directory.display())]
    NotRunning {
        /// The sandbox directory.
        directory: PathBuf,
    },
    /// The port cannot be listened on.
    #[error("listening on 127.0.0.1:{port}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// The cause.
        source: std::io::Error,
    },
    /// The server's thread or runtime could not be started.
    #[error("starting the server")]
    Start(#[source] std::io::Error),
    /// The operating system gives no random bytes.
    #[error("the operating system returned no random bytes")]
    Random,
    /// A key of the sandbox's world that signs tokens is none.
    #[error("a key that signs tokens is invalid")]
    SigningKey,
    /// The running sandbox could not be asked.
    #[error("asking the sandbox at {address}")]
    Ask {
        /// Where it was asked.
        address: std::net::SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
    /// The running sandbox refused.
    #[error("the sandbox returned {status}: {text}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        text: String,
    },
    /// The running sandbox answered something that is not understood.
    #[error("the sandbox returned an invalid response")]
    Answer(#[source] serde_json::Error),
}
