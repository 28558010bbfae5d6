//! The server: identities at an address, and all connections to it.

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

/// How many connections are open at a time.
const MOST_CONNECTIONS: usize = 2048;
/// Descriptors for everything else.
const OTHER_DESCRIPTORS: usize = 64;
/// Served whatever the system allows.
const FEW: usize = 16;
/// How long to wait where no connection can be accepted now.
const PAUSE: Duration = Duration::from_millis(1);

/// An address that is bound, and not served yet.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    /// What is before every path.
    endpoint: String,
    hosts: Hosts,
}

#[derive(Debug)]
enum Socket {
    Port(TcpListener),
    #[cfg(unix)]
    File(std::os::unix::net::UnixListener, SocketFile),
}

/// What goes with the server's end.
#[derive(Debug)]
pub(crate) struct Open {
    #[cfg(unix)]
    _file: Option<SocketFile>,
}

impl Listener {
    /// Binds a port of 127.0.0.1; 0 for any that is free.
    pub(crate) fn bind(port: u16) -> Result<Self, ListenError> {
        let (socket, port) = bind_port(port)?;
        let host = format!("127.0.0.1:{port}");
        let endpoint = format!("http://{host}");
        Ok(Self { socket: Socket::Port(socket), endpoint, hosts: Hosts::Exactly(vec![host]) })
    }

    /// Makes a socket at `path`. Whoever forwards a port to it knows the port.
    #[cfg(unix)]
    pub(crate) fn bind_socket(path: &std::path::Path) -> Result<Self, ListenError> {
        let (socket, file) = bind_file(path)?;
        let endpoint = "http://127.0.0.1:PORT".to_owned();
        Ok(Self { socket: Socket::File(socket, file), endpoint, hosts: Hosts::AnyLoopback })
    }

    /// Clients reach it by `url`, and in no other way.
    pub(crate) fn reached_by(self, url: &ClientUrl) -> Self {
        Self { endpoint: url.text().to_owned(), hosts: url.hosts(), ..self }
    }

    /// Where the SDKs ask for the credentials of `identity`.
    pub(crate) fn uri(&self, identity: &Identity) -> String {
        format!("{}{}", self.endpoint(), identity.path())
    }

    /// What is before every path.
    pub(crate) fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Serves `identities`, all of one protocol, on a thread of its own, as long as this process runs.
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
                        // What the system refuses here it refused at the bind.
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
        // Beyond the limit connections wait where the system keeps them: none is refused.
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
        // Security: another user's connection is closed before a byte of it is read.
        let stream = match socket.next(&mut peers, shared.protocol.unknown_peers()).await {
            Ok(Some(stream)) => stream,
            Ok(None) => continue,
            Err(_) => {
                // A client that has gone, or no descriptor left.
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (shared, place) = (Rc::clone(&shared), shared.places.take());
        tokio::task::spawn_local(async move {
            // A connection that fails is its own business.
            serve(&stream, &shared).await.ok();
            drop((stream, place));
        });
    }
}
