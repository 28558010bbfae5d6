//! What a server listens on: a port of 127.0.0.1, or a Unix socket. Connections of other users are closed at once.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
#[cfg(unix)]
use std::path::{Path, PathBuf};

use super::connection::Stream;
use crate::errors::{Failure, FailureKind};
use crate::sys::peer::{PeerFinder, UnknownPeers};
use crate::sys::socket::widen_backlog;
#[cfg(unix)]
use crate::sys::way::{OpenWay, find_open_way};

/// Why a server cannot listen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// Another program uses the port.
    #[error("port {port} of 127.0.0.1 is in use")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// Another program uses the socket.
    #[cfg(unix)]
    #[error("the socket `{0}` is in use")]
    SocketInUse(String),
    /// Something other than a socket is there.
    #[cfg(unix)]
    #[error("`{0}` exists and is not a socket")]
    NotASocket(String),
    /// Another user could replace the socket.
    #[cfg(unix)]
    #[error("other users can replace the socket `{socket}`: {way}")]
    OpenWay {
        /// The file.
        socket: String,
        /// How.
        way: OpenWay,
    },
    /// The socket cannot be created.
    #[cfg(unix)]
    #[error("could not create the socket `{path}`")]
    Socket {
        /// The file.
        path: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Anything else.
    #[error("could not listen for connections")]
    Io(#[source] io::Error),
}

impl From<ListenError> for Failure {
    fn from(error: ListenError) -> Self {
        #[cfg(unix)]
        if let ListenError::OpenWay { way, .. } = &error {
            let failure =
                way.hint().into_iter().fold(Self::of_error(FailureKind::Refused, &error), Self::hint);
            return failure
                .hint("use a directory that only you can write to: `unix:$XDG_RUNTIME_DIR/hatbox.sock`");
        }
        Self::of_error(FailureKind::Failed, &error)
    }
}

/// Binds a port of 127.0.0.1; 0 selects a free port.
pub(super) fn bind_port(port: u16) -> Result<(TcpListener, u16), ListenError> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => ListenError::PortInUse { port },
        _ => ListenError::Io(error),
    })?;
    // Allows a thousand programs to connect at the same time.
    widen_backlog(&socket);
    socket.set_nonblocking(true).map_err(ListenError::Io)?;
    let port = socket.local_addr().map_err(ListenError::Io)?.port();
    Ok((socket, port))
}

/// The file of a socket, deleted on drop.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

/// Creates a socket, replacing one whose program has ended.
#[cfg(unix)]
pub(super) fn bind_file(path: &Path) -> Result<(UnixListener, SocketFile), ListenError> {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let shown = || path.display().to_string();
    let failed = |source| ListenError::Socket { path: shown(), source };
    // Security: a program that forwards a port to the socket would send its clients to whoever replaced it. In a
    // directory such as /tmp (sticky bit), only the owner can replace it.
    if let Some(way) = find_open_way(path).map_err(failed)? {
        return Err(ListenError::OpenWay { socket: shown(), way });
    }
    if let Ok(about) = std::fs::symlink_metadata(path) {
        if !about.file_type().is_socket() {
            return Err(ListenError::NotASocket(shown()));
        }
        if UnixStream::connect(path).is_ok() {
            return Err(ListenError::SocketInUse(shown()));
        }
        std::fs::remove_file(path).map_err(failed)?;
    }
    let socket = UnixListener::bind(path).map_err(failed)?;
    let file = SocketFile(path.to_owned());
    // Security: a client that connects before this is checked by its user as well.
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    Ok((socket, file))
}

/// A listening TCP or Unix socket.
pub(super) trait Listening {
    type Stream: Stream + 'static;

    /// Returns the next connection; `None` if it is another user's.
    fn next(
        &self,
        peers: &mut PeerFinder,
        unknown: UnknownPeers,
    ) -> impl Future<Output = io::Result<Option<Self::Stream>>>;
}

impl Listening for tokio::net::TcpListener {
    type Stream = tokio::net::TcpStream;

    async fn next(&self, peers: &mut PeerFinder, unknown: UnknownPeers) -> io::Result<Option<Self::Stream>> {
        let (stream, theirs) = self.accept().await?;
        if peers.find(theirs, stream.local_addr()?).is_refused(unknown) {
            return Ok(None);
        }
        stream.set_nodelay(true).ok();
        Ok(Some(stream))
    }
}

#[cfg(unix)]
impl Listening for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;

    async fn next(&self, _: &mut PeerFinder, _: UnknownPeers) -> io::Result<Option<Self::Stream>> {
        let (stream, _) = self.accept().await?;
        let is_trusted = crate::sys::peer::is_trusted_user(stream.peer_cred()?.uid());
        Ok(is_trusted.then_some(stream))
    }
}
