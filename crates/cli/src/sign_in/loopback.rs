//! An address on 127.0.0.1 for this user's browser: bound before the browser opens, and closed after the answer.
//!
//! Others get nothing: requests from pages of other origins are ignored, and connections of other users are closed at
//! once.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::sys::peer::{PeerFinder, UnknownPeers};

/// How long a connection may take to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// In bytes. A redirect contains a code of at most a few KiB.
const MOST_BYTES: usize = 32 * 1024;
/// How many connections to read at a time. Browsers open some in advance.
const MOST_CONNECTIONS: usize = 32;
/// The interval between checks for a connection, and for the end.
const PAUSE: Duration = Duration::from_millis(50);

/// Why the address could not be bound.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// Another program uses the port.
    #[error("port {port} of 127.0.0.1 is in use")]
    InUse {
        /// The port.
        port: u16,
    },
    /// Anything else.
    #[error("could not listen on 127.0.0.1")]
    Io(#[source] io::Error),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WaitError {
    /// The time is over.
    #[error("the browser did not come back in time")]
    Timeout,
    /// The answer is no longer needed.
    #[error("the sign-in was stopped")]
    Stopped,
}

/// A GET request of the browser, with the peer's user, Host and Origin checked.
pub(super) struct Get<'a> {
    /// Path and query.
    pub(super) target: &'a str,
    headers: &'a [httparse::Header<'a>],
}

impl Get<'_> {
    #[cfg(test)]
    pub(super) fn of_target(target: &str) -> Get<'_> {
        Get { target, headers: &[] }
    }

    /// Returns the first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
    }
}

/// A response.
pub(super) struct Response {
    /// Such as `200 OK`.
    pub(super) status: &'static str,
    /// Such as `Location`, or a policy that replaces the default, which lets nothing run.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) page: String,
}

impl Response {
    /// A page with one sentence.
    pub(super) fn page(status: &'static str, text: &str) -> Self {
        Self { status, headers: Vec::new(), page: render_page(&format!("<p>{text}</p>")) }
    }
}

/// What is served at the address.
pub(super) trait Site: Send + Sync + 'static {
    /// The result for the waiting caller.
    type Found: Send + 'static;

    /// Answers a request. A result ends the wait.
    fn answer(&self, get: &Get<'_>) -> (Response, Option<Self::Found>);

    /// The text for other requests, such as "Not a request of the sign-in".
    fn stranger(&self) -> &'static str;
}

/// The bound address.
#[derive(Debug)]
pub(super) struct Loopback {
    socket: TcpListener,
    pub(super) port: u16,
}

impl Loopback {
    /// Binds `port`, or a free one.
    pub(super) fn bind(port: Option<u16>) -> Result<Self, BindError> {
        let wanted = port.unwrap_or(0);
        let socket =
            TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).map_err(|error| match error.kind() {
                io::ErrorKind::AddrInUse => BindError::InUse { port: wanted },
                _ => BindError::Io(error),
            })?;
        socket.set_nonblocking(true).map_err(BindError::Io)?;
        let port = socket.local_addr().map_err(BindError::Io)?.port();
        Ok(Self { socket, port })
    }

    /// Serves `site` until it returns a result, at most for `patience`. Calls `is_over` at short intervals.
    pub(super) fn serve<S: Site>(
        self,
        site: S,
        patience: Duration,
        is_over: &dyn Fn() -> bool,
    ) -> Result<S::Found, WaitError> {
        let end = Instant::now() + patience;
        let (sender, answers) = mpsc::channel();
        let host = format!("127.0.0.1:{}", self.port);
        let reader = Arc::new(Reader { host, site, sender, open: AtomicUsize::new(0) });
        let mut peers = PeerFinder::new();
        loop {
            // With more connections than this, check for the answer and the end in between.
            let mut pause = Duration::ZERO;
            for _ in 0..MOST_CONNECTIONS {
                let Ok((connection, theirs)) = self.socket.accept() else {
                    pause = PAUSE;
                    break;
                };
                // Security: the address is in the browser's command line, which all users of the machine can read.
                // Another user could request the page, send a fake answer, or take all the slots. The browser waits for
                // the answer, so its socket is open.
                let is_refused = connection
                    .local_addr()
                    .map_or(true, |ours| peers.find(theirs, ours).is_refused(UnknownPeers::Admitted));
                // Beyond the limit, a connection is closed at once, too.
                if !is_refused && reader.open.load(Ordering::Relaxed) < MOST_CONNECTIONS {
                    reader.open.fetch_add(1, Ordering::Relaxed);
                    let reader = Arc::clone(&reader);
                    thread::spawn(move || {
                        reader.read(connection);
                        reader.open.fetch_sub(1, Ordering::Relaxed);
                    });
                }
            }
            match answers.recv_timeout(pause) {
                Ok(found) => return Ok(found),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if is_over() {
                return Err(WaitError::Stopped);
            }
            if Instant::now() >= end {
                return Err(WaitError::Timeout);
            }
        }
    }
}

/// Reads requests, and finds the expected one.
struct Reader<S: Site> {
    host: String,
    site: S,
    sender: Sender<S::Found>,
    open: AtomicUsize,
}

impl<S: Site> Reader<S> {
    /// Reads the one request of a connection. A failed connection does not affect the others.
    fn read(&self, mut connection: TcpStream) {
        let Ok(head) = read_head(&mut connection) else { return };
        let (response, found) = self.answer(&head);
        let Response { status, headers, page } = response;
        let policy = "default-src 'none'; style-src 'unsafe-inline'";
        let has_policy = headers.iter().any(|(name, _)| *name == POLICY);
        let own = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let usual = (!has_policy).then(|| format!("{POLICY}: {policy}\r\n"));
        let headers: String = own.chain(usual).collect();
        let sent = write!(
            connection,
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\n{headers}\
             Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{page}",
            page.len()
        );
        // The user sees the page before the sign-in continues, which it does even if the page cannot be sent.
        drop(sent.and_then(|()| connection.flush()));
        if let Some(found) = found {
            drop(self.sender.send(found));
        }
    }

    fn answer(&self, head: &[u8]) -> (Response, Option<S::Found>) {
        let stranger = |status| (Response::page(status, self.site.stranger()), None);
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let is_whole = matches!(request.parse(head), Ok(httparse::Status::Complete(_)));
        let (true, Some(method), Some(target)) = (is_whole, request.method, request.path) else {
            return stranger("400 Bad Request");
        };
        let get = Get { target, headers: request.headers };
        let hosts = get.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
        let hosts: Vec<&[u8]> = hosts.map(|header| header.value).collect();
        // Security: a name that another origin resolves to this address (DNS rebinding) is in `Host`. Requests of
        // scripts have `Origin`, those of page loads do not.
        if hosts != [self.host.as_bytes()] || get.header("origin").is_some() {
            return stranger("403 Forbidden");
        }
        if method != "GET" {
            return stranger("405 Method Not Allowed");
        }
        self.site.answer(&get)
    }
}

/// The header that restricts what a page may run and load.
pub(super) const POLICY: &str = "Content-Security-Policy";

fn read_head(connection: &mut TcpStream) -> io::Result<Vec<u8>> {
    connection.set_nonblocking(false)?;
    connection.set_write_timeout(Some(REQUEST_TIMEOUT))?;
    let end = Instant::now() + REQUEST_TIMEOUT;
    let mut head = Vec::new();
    let mut part = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > MOST_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        connection.set_read_timeout(Some(left))?;
        let length = connection.read(&mut part)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(part.get(..length).unwrap_or_default());
    }
    Ok(head)
}

pub(super) fn render_page(body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>hatbox</title>\
         <style>body{{font:1.2em system-ui;margin:20vh auto;max-width:32em;text-align:center;color-scheme:light dark}}\
         button{{font:inherit;padding:.4em 1.2em}}</style>{body}</html>"
    )
}
