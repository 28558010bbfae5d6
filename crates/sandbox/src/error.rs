//! The errors of starting a sandbox, loading its world and connecting to it.

use std::path::PathBuf;

/// An error of starting a sandbox, loading its world or connecting to it.
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
    /// A file of the sandbox directory has a form that the sandbox does not write.
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
        /// The requested port.
        port: u16,
        /// The cause.
        source: std::io::Error,
    },
    /// The server's thread or runtime could not be started.
    #[error("starting the server")]
    Start(#[source] std::io::Error),
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes")]
    Random,
    /// A key in the world that signs tokens is invalid.
    #[error("a key that signs tokens is invalid")]
    SigningKey,
    /// The request to the running sandbox failed.
    #[error("asking the sandbox at {address}")]
    Ask {
        /// The address of the sandbox.
        address: std::net::SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
    /// The running sandbox returned an error status.
    #[error("the sandbox returned {status}: {text}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The text of the response.
        text: String,
    },
    /// The response of the running sandbox could not be parsed.
    #[error("the sandbox returned an invalid response")]
    Answer(#[source] serde_json::Error),
}
