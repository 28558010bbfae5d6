//! The server: serves identities at an address, and accepts all connections.

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::LocalSet;

use super::client_url::ClientUrl;
use super::connection::serve;
use super::events::Events;
use super::identity::Identity;
use super::places::{Places, Room};
use super::protocol::Protocol;
use super::request::{Hosts, Rules};
use super::shared::Shared;
use super::socket::{ListenError, Listening, bind_port};
#[cfg(unix)]
use super::socket::{SocketFile, bind_file};
use crate::sys::peer::PeerFinder;
use crate::sys::socket::raise_limit;
use crate::world::clock::Clock;

/// The maximum number of open connections.
const MOST_CONNECTIONS: usize = 2048;
/// Descriptors reserved for everything else.
const OTHER_DESCRIPTORS: usize = 64;
/// The minimum, whatever the system allows.
const FEW: usize = 16;
/// How long to wait if no connection can be accepted now.
const PAUSE: Duration = Duration::from_millis(1);

/// An address that is bound but not served yet.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    /// The URL before every path.
    endpoint: String,
    hosts: Hosts,
}

#[derive(Debug)]
enum Socket {
    Port(TcpListener),
    #[cfg(unix)]
    File(std::os::unix::net::UnixListener, SocketFile),
}

/// What is dropped when the server ends.
#[derive(Debug)]
pub(crate) struct Open {
    #[cfg(unix)]
    _file: Option<SocketFile>,
}

impl Listener {
    /// Binds a port of 127.0.0.1; 0 selects a free port.
    pub(crate) fn bind(port: u16) -> Result<Self, ListenError> {
        let (socket, port) = bind_port(port)?;
        let host = format!("127.0.0.1:{port}");
        let endpoint = format!("http://{host}");
        Ok(Self { socket: Socket::Port(socket), endpoint, hosts: Hosts::Exactly(vec![host]) })
    }

    /// Creates a socket at `path`. The program that forwards a port to it determines the port.
    #[cfg(unix)]
    pub(crate) fn bind_socket(path: &std::path::Path) -> Result<Self, ListenError> {
        let (socket, file) = bind_file(path)?;
        let endpoint = "http://127.0.0.1:PORT".to_owned();
        Ok(Self { socket: Socket::File(socket, file), endpoint, hosts: Hosts::AnyLoopback })
    }

    /// Sets the URL that clients use, instead of the bound address.
    pub(crate) fn reached_by(self, url: &ClientUrl) -> Self {
        Self { endpoint: url.text().to_owned(), hosts: url.hosts(), ..self }
    }

    /// The URL at which the SDKs request the credentials of `identity`.
    pub(crate) fn uri(&self, identity: &Identity) -> String {
        format!("{}{}", self.endpoint(), identity.path())
    }

    /// The URL before every path.
    pub(crate) fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Serves `identities`, which all have the same protocol, from another thread for as long as this process runs.
    pub(crate) fn serve(
        self,
        identities: Vec<Arc<Identity>>,
        clock: Clock,
        events: &Events,
    ) -> Result<Open, ListenError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ListenError::Io)?;
        let most = raise_limit(MOST_CONNECTIONS + OTHER_DESCRIPTORS).saturating_sub(OTHER_DESCRIPTORS);
        let most = MOST_CONNECTIONS.min(most).max(FEW);
        let events = events.clone();
        let thread = std::thread::Builder::new().name("server".to_owned());
        let protocol = identities.first().map_or(Protocol::Container, |first| first.protocol().clone());
        let hosts = self.hosts;
        let share = move || {
            let rules = Rules { methods: protocol.methods(), hosts };
            let places = Rc::new(Places::new(most));
            Rc::new(Shared { rules, protocol, identities, clock, events, places })
        };
        let open = match self.socket {
            Socket::Port(socket) => thread
                .spawn(move || {
                    LocalSet::new().block_on(&runtime, async {
                        // If this can fail, binding failed before.
                        let Ok(socket) = tokio::net::TcpListener::from_std(socket) else { return };
                        accept(socket, share()).await;
                    });
                })
                .map(|_| Open {
                    #[cfg(unix)]
                    _file: None,
                }),
            #[cfg(unix)]
            Socket::File(socket, file) => thread
                .spawn(move || {
                    LocalSet::new().block_on(&runtime, async {
                        let Ok(socket) = tokio::net::UnixListener::from_std(socket) else { return };
                        accept(socket, share()).await;
                    });
                })
                .map(|_| Open { _file: Some(file) }),
        };
        open.map_err(ListenError::Io)
    }
}

async fn accept(socket: impl Listening, shared: Rc<Shared>) {
    let mut peers = PeerFinder::new();
    loop {
        // Beyond the limit, connections wait in the system's backlog instead of being refused.
        match shared.places.find_room() {
            Room::Now => {}
            Room::Soon => {
                tokio::task::yield_now().await;
                continue;
            }
            Room::Later => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        }
        // Security: a connection of another user is closed before anything is read from it.
        let stream = match socket.next(&mut peers, shared.protocol.unknown_peers()).await {
            Ok(Some(stream)) => stream,
            Ok(None) => continue,
            Err(_) => {
                // The client has gone, or no descriptor is left.
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (shared, place) = (Rc::clone(&shared), shared.places.take());
        tokio::task::spawn_local(async move {
            // A failed connection does not affect the others.
            serve(&stream, &shared).await.ok();
            drop((stream, place));
        });
    }
}
