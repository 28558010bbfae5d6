//! One connection: its requests, one after the other, each with a time limit.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use hatbox_types::name::Region;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::identity::{Identity, Reply};
use super::metadata::{Asked, LIFE_HEADER, resolve_asked};
use super::protocol::Protocol;
use super::request::{Head, MOST_BYTES, MOST_HEADERS, Request, parse_head};
use super::shared::Shared;

/// How long a client may take to send a request, and to receive an answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may stay idle.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a request waits for credentials that are being obtained. The SDK for Java gives up after a second.
const LATER_TIMEOUT: Duration = Duration::from_millis(400);
/// Enough for the request of an SDK.
const USUAL_BYTES: usize = 1 << 10;

/// A TCP or Unix socket.
pub(super) trait Stream {
    fn readable(&self) -> impl Future<Output = io::Result<()>>;
    fn writable(&self) -> impl Future<Output = io::Result<()>>;
    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize>;
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// Both types have these methods, but tokio has no common trait for them.
macro_rules! impl_stream {
    ($socket:ty) => {
        impl Stream for $socket {
            fn readable(&self) -> impl Future<Output = io::Result<()>> {
                self.readable()
            }

            fn writable(&self) -> impl Future<Output = io::Result<()>> {
                self.writable()
            }

            fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.try_read(buffer)
            }

            fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
                self.try_write(bytes)
            }
        }
    };
}

impl_stream!(tokio::net::TcpStream);
#[cfg(unix)]
impl_stream!(tokio::net::UnixStream);

/// Answers the requests of one connection until it ends, fails or takes too long.
pub(super) async fn serve(stream: &impl Stream, shared: &Shared) -> io::Result<()> {
    // Allocated only while a request is being received.
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        wait(stream.readable(), shared, Instant::now() + IDLE_TIMEOUT).await?;
        let end = Instant::now() + REQUEST_TIMEOUT;
        loop {
            let (answer, after, length) = match decide(&bytes, shared) {
                Decided::Part => match read(stream, &mut bytes) {
                    Ok(0) => return Ok(()),
                    Ok(_) => continue,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        wait(stream.readable(), shared, end).await?;
                        continue;
                    }
                    Err(error) => return Err(error),
                },
                Decided::Answered { answer, after, length } => (answer, after, length),
                Decided::Admitted { identity, after, length } => {
                    (answer(identity, shared, after).await, after, length)
                }
            };
            write(stream, shared, &answer).await?;
            if after == After::Close {
                return Ok(());
            }
            bytes.drain(..length.min(bytes.len()));
            if bytes.is_empty() {
                bytes = Vec::new();
                break;
            }
        }
    }
}

/// Waits for the client, which `ready` does, until `end`, or until another connection needs the slot.
async fn wait(ready: impl Future<Output = io::Result<()>>, shared: &Shared, end: Instant) -> io::Result<()> {
    let place = shared.places().wait();
    let mut is_taken = pin!(place.is_taken());
    let mut ready = pin!(timeout_at(end, ready));
    poll_fn(|context| match is_taken.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
        Poll::Pending => ready.as_mut().poll(context).map(|result| result?),
    })
    .await
}

/// What happens to the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Open,
    Close,
}

/// What to do about the bytes received so far.
enum Decided<'a> {
    Part,
    Answered { answer: Vec<u8>, after: After, length: usize },
    Admitted { identity: &'a Identity, after: After, length: usize },
}

fn decide<'a>(bytes: &[u8], shared: &'a Shared) -> Decided<'a> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let request = match parse_head(bytes, &mut headers, shared.rules()) {
        Head::Part => return Decided::Part,
        Head::Refused(refusal) => {
            let body = render_error("Refused", &refusal.to_string());
            let answer = render(refusal.status(), &body, After::Close);
            return Decided::Answered { answer, after: After::Close, length: bytes.len() };
        }
        Head::Whole(request) => request,
    };
    let (after, length) = (if request.keeps_open { After::Open } else { After::Close }, request.length);
    let decided = match &shared.protocol {
        Protocol::Container => decide_by_token(&request, shared, after),
        Protocol::Metadata { region } => decide_metadata(&request, shared, region.as_ref(), after),
    };
    match decided {
        Ok(identity) => Decided::Admitted { identity, after, length },
        Err(answer) => Decided::Answered { answer, after, length },
    }
}

fn decide_by_token<'a>(
    request: &Request<'_, '_>,
    shared: &'a Shared,
    after: After,
) -> Result<&'a Identity, Vec<u8>> {
    let token = request.header("authorization").unwrap_or_default();
    shared.find(request.path, token).ok_or_else(|| {
        let body = render_error("AccessDenied", "the authorization token is missing or wrong");
        render("403 Forbidden", &body, after)
    })
}

fn decide_metadata<'a>(
    request: &Request<'_, '_>,
    shared: &'a Shared,
    region: Option<&Region>,
    after: After,
) -> Result<&'a Identity, Vec<u8>> {
    let Some(identity) = shared.identities.first() else {
        return Err(render("404 Not Found", &render_error("Refused", "not found"), after));
    };
    Err(match resolve_asked(request, identity.token(), region, shared.now()) {
        Asked::Credentials => return Ok(identity),
        Asked::Token(token, seconds) => {
            render_as("200 OK", TEXT, &format!("{LIFE_HEADER}: {seconds}\r\n"), &token, after)
        }
        Asked::Text(text) => render_as("200 OK", TEXT, "", &text, after),
        Asked::Json(text) => render("200 OK", &text, after),
        Asked::Refused(status, why) => render(status, &render_error("Refused", why), after),
    })
}

/// Reads the available bytes; none if the client has closed the connection.
fn read(stream: &impl Stream, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let mut part = [0; USUAL_BYTES];
    // One byte more than allowed, to detect requests that are too large.
    let room = part.len().min((MOST_BYTES + 1).saturating_sub(bytes.len()));
    let count = stream.try_read(part.get_mut(..room).unwrap_or_default())?;
    bytes.extend_from_slice(part.get(..count).unwrap_or_default());
    Ok(count)
}

async fn write(stream: &impl Stream, shared: &Shared, mut bytes: &[u8]) -> io::Result<()> {
    let end = Instant::now() + REQUEST_TIMEOUT;
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(stream.writable(), shared, end).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn answer(identity: &Identity, shared: &Shared, after: After) -> Vec<u8> {
    let end = Instant::now() + LATER_TIMEOUT;
    loop {
        let changed = shared.changed();
        let reply = identity.reply(shared.now());
        shared.wake_if_due(identity);
        match reply {
            Reply::Credentials(body) => return render("200 OK", &body, after),
            // Fewer SDKs retry after this status than after 503.
            Reply::Never(why) => {
                return render("403 Forbidden", &render_error("CredentialsExpired", &why), after);
            }
            Reply::Later => {
                if timeout_at(end, changed).await.is_err() {
                    let body = render_error("NotReady", "the credentials are being obtained; try again");
                    return render("503 Service Unavailable", &body, after);
                }
            }
        }
    }
}

fn render_error(code: &str, message: &str) -> String {
    json!({ "Code": code, "Message": message }).to_string()
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

fn render(status: &str, body: &str, after: After) -> Vec<u8> {
    render_as(status, JSON, "", body, after)
}

/// `header` is a complete line, or empty.
fn render_as(status: &str, media_type: &str, header: &str, body: &str, after: After) -> Vec<u8> {
    let connection = if after == After::Close { "Connection: close\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\n{header}{connection}\r\n",
        body.len()
    );
    // Security: reserved in full, so it never grows; freed memory is wiped.
    let mut answer = Vec::with_capacity(head.len() + body.len());
    answer.extend_from_slice(head.as_bytes());
    answer.extend_from_slice(body.as_bytes());
    answer
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::server::events::Events;
    use crate::server::places::{Places, Room};
    use crate::server::request::{Hosts, Rules};
    use crate::world::clock::Clock;
    use crate::world::environment::Environment;

    /// A client that sends a request and never reads the answer.
    struct Deaf;

    impl Stream for Deaf {
        async fn readable(&self) -> io::Result<()> {
            Ok(())
        }

        async fn writable(&self) -> io::Result<()> {
            std::future::pending().await
        }

        fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
            let request = b"GET / HTTP/1.1\r\n\r\n";
            buffer[..request.len()].copy_from_slice(request);
            Ok(request.len())
        }

        fn try_write(&self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    #[test]
    fn a_client_that_reads_no_answer_gives_its_slot_up() {
        let places = Rc::new(Places::new(1));
        let shared = Shared {
            rules: Rules { methods: &["GET"], hosts: Hosts::Exactly(Vec::new()) },
            protocol: Protocol::Container,
            identities: Vec::new(),
            clock: Clock::of_environment(&Environment::of(&[])),
            events: Events::default(),
            places: Rc::clone(&places),
        };
        let _place = places.take();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let result = runtime.block_on(async {
            let mut serving = pin!(serve(&Deaf, &shared));
            poll_fn(|context| {
                assert!(serving.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            assert_eq!(places.find_room(), Room::Soon);
            serving.await
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
