//! The HTTP server: on 127.0.0.1 only, with limits on everything, in one thread.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use crate::control::{self, Client, ControlReply, ServerNote};
use crate::error::Error;
use crate::http::{Received, Reply};
use crate::log::LogEntry;
use crate::sandbox::{Delivery, Sandbox};

const BODY_LIMIT: usize = 64 << 20;
const HEADER_BYTES: usize = 64 << 10;
const CONNECTIONS: usize = 256;
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
const BODY_TIMEOUT: Duration = Duration::from_mins(1);

/// Options for serving a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// The sandbox directory. It is created with the demo world if it does not exist.
    pub directory: PathBuf,
    /// The port on 127.0.0.1; 0 selects a free port.
    pub port: u16,
}

/// A sandbox served from a background thread. Dropping it stops the server.
#[derive(Debug)]
pub struct Running {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// The sandbox's id, which marks the keys that it mints.
    pub id: String,
    /// A client for the control paths.
    pub client: Client,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

/// Stops a server from any thread. All clones stop the same server.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Notify>);

impl Stop {
    /// Asks the server to stop. It finishes the requests that it has begun.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

impl Running {
    /// Returns the URL of the sandbox, as for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the server and waits until it has ended.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            // The runtime has already reported a panic of the server's thread on stderr.
            drop(thread.join());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts a sandbox in a background thread, and returns once it listens.
///
/// # Errors
/// If the directory cannot be used, another server runs in it, or the port is taken.
pub fn start(options: &Options) -> Result<Running, Error> {
    start_bound(options, Bound::open(options)?)
}

/// Like [`start`], and sends each call to `calls` once it is answered. The channel closes when the server ends.
///
/// # Errors
/// As [`start`].
pub fn start_reporting(options: &Options, calls: Sender<LogEntry>) -> Result<Running, Error> {
    let mut bound = Bound::open(options)?;
    bound.sandbox.report_calls(calls);
    start_bound(options, bound)
}

fn start_bound(options: &Options, bound: Bound) -> Result<Running, Error> {
    let (address, id) = (bound.address, bound.id.clone());
    let client = Client::open(&options.directory)?;
    let stop = Stop::default();
    let until = stop.clone();
    let thread = std::thread::Builder::new()
        .name("sandbox".to_owned())
        .spawn(move || bound.run(&until))
        .map_err(Error::Start)?;
    Ok(Running { address, id, client, stop, thread: Some(thread) })
}

/// Serves a sandbox in the calling thread until `until` is stopped or a control request stops it. Calls `on_ready` once
/// it listens.
///
/// # Errors
/// As [`start`].
pub fn serve_blocking(options: &Options, on_ready: impl FnOnce(&Client), until: &Stop) -> Result<(), Error> {
    let bound = Bound::open(options)?;
    on_ready(&Client::open(&options.directory)?);
    bound.run(until);
    Ok(())
}

/// A sandbox that listens but does not answer yet.
struct Bound {
    sandbox: Sandbox,
    listener: std::net::TcpListener,
    runtime: tokio::runtime::Runtime,
    address: SocketAddr,
    id: String,
}

impl Bound {
    fn open(options: &Options) -> Result<Self, Error> {
        let sandbox = Sandbox::open(&options.directory)?;
        let listen = |source| Error::Listen { port: options.port, source };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
        let id = sandbox.world.id.clone();
        let note = ServerNote { address, pid: std::process::id(), id: id.clone() };
        let path = sandbox.home.path("server.json");
        let note = serde_json::to_vec(&note).map_err(|source| Error::Parse { path, source })?;
        sandbox.home.save("server.json", &note)?;
        Ok(Self { sandbox, listener, runtime, address, id })
    }

    fn run(self, until: &Stop) {
        let home = self.sandbox.home.clone();
        let shared = Arc::new(Shared {
            sandbox: Mutex::new(self.sandbox),
            address: self.address,
            stop: until.clone(),
        });
        self.runtime.block_on(async {
            // This fails only for a blocking listener, and this one is non-blocking.
            if let Ok(listener) = TcpListener::from_std(self.listener) {
                accept(&listener, &shared).await;
            }
        });
        drop(self.runtime);
        // Without the flush, only a power cut can lose data.
        home.flush().ok();
        // A leftover file is harmless: clients check the lock to see whether a server runs.
        drop(home.remove("server.json"));
    }
}

struct Shared {
    sandbox: Mutex<Sandbox>,
    address: SocketAddr,
    stop: Stop,
}

async fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = std::pin::pin!(shared.stop.0.notified());
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await;
            (slot, listener.accept().await)
        };
        let next = std::pin::pin!(next);
        match first(stop.as_mut(), next).await {
            None => break,
            Some((slot, Ok((stream, _)))) => {
                let shared = Arc::clone(shared);
                tokio::spawn(async move {
                    serve_connection(stream, shared).await;
                    drop(slot);
                });
            }
            // No descriptors are left, or the peer went away: retry.
            Some((_, Err(_))) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    // Let running requests finish, but do not wait for idle clients.
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    drop(tokio::time::timeout(Duration::from_millis(200), slots.acquire_many(all)).await);
}

/// Returns the output of `next`, or `None` if `stop` completes first.
async fn first<S, N>(mut stop: std::pin::Pin<&mut S>, mut next: std::pin::Pin<&mut N>) -> Option<N::Output>
where
    S: Future<Output = ()>,
    N: Future,
{
    std::future::poll_fn(|context| {
        if stop.as_mut().poll(context).is_ready() {
            return std::task::Poll::Ready(None);
        }
        next.as_mut().poll(context).map(Some)
    })
    .await
}

async fn serve_connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { respond(request, &shared).await }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    // A broken connection is the client's problem, and faults drop connections on purpose.
    drop(connection.await);
}

async fn respond(request: Request<Incoming>, shared: &Shared) -> Result<Response<Full<Bytes>>, io::Error> {
    if !is_our_host(&request) {
        return Ok(respond_with(plain(421, "this Host is not served here")));
    }
    let is_head = request.method() == "HEAD";
    let received = match read(request).await {
        Ok(received) => received,
        Err(reply) => return Ok(respond_with(reply)),
    };
    let delivery = answer(&received, shared);
    match delivery {
        Delivery::Drop(delay) => {
            tokio::time::sleep(delay).await;
            Err(io::Error::other("a fault was asked for"))
        }
        Delivery::Reply(mut reply, delay) => {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            if is_head {
                let length = reply.head_length.unwrap_or_default();
                reply = Reply { body: Bytes::new(), ..reply }.with("content-length", length.to_string());
            }
            Ok(respond_with(reply))
        }
    }
}

fn answer(received: &Received, shared: &Shared) -> Delivery {
    // The lock serializes all changes. After a panic, the world is as last saved, or only slightly newer.
    let mut sandbox = shared.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
    if !received.path.starts_with(control::PREFIX) {
        return sandbox.answer(received);
    }
    // Security: control paths accept only the address as `Host`, as a DNS name could be rebound by an attacker.
    if received.header("host") != Some(&shared.address.to_string()) {
        return Delivery::Reply(plain(421, "control paths are at the address only"), Duration::ZERO);
    }
    match control::answer(&mut sandbox, received) {
        ControlReply::Reply(reply) => Delivery::Reply(reply, Duration::ZERO),
        ControlReply::Stop(reply) => {
            shared.stop.stop();
            Delivery::Reply(reply, Duration::ZERO)
        }
    }
}

/// Security: a browser page whose DNS name was rebound to 127.0.0.1 sends that name as `Host`. The port may differ, for
/// a forwarded port or a recording proxy: that does not allow another name, and the `Host` header is signed.
/// `bucket.localhost` and `bucket.127.0.0.1` are S3's virtual-host style.
fn is_our_host(request: &Request<Incoming>) -> bool {
    let mut hosts = request.headers().get_all("host").iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return false;
    };
    if request.uri().authority().is_some_and(|authority| authority.as_str() != host) {
        return false;
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    ["127.0.0.1", "localhost"]
        .iter()
        .any(|ours| name.strip_suffix(ours).is_some_and(|before| before.is_empty() || before.ends_with('.')))
}

async fn read(request: Request<Incoming>) -> Result<Received, Reply> {
    let (head, body) = request.into_parts();
    let mut headers = Vec::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| plain(400, "a header is not UTF-8"))?;
        headers.push((name.as_str().to_owned(), value.to_owned()));
    }
    let body = Limited::new(body, BODY_LIMIT).collect();
    let body = match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Err(_) => return Err(plain(408, "the body did not come in time")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(plain(413, "the body is longer than 64 MiB"));
        }
        Ok(Err(_)) => return Err(plain(400, "the body did not come whole")),
        Ok(Ok(body)) => body.to_bytes(),
    };
    Ok(Received {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
    })
}

fn plain(status: u16, text: &str) -> Reply {
    Reply::text(status, text).with("connection", "close")
}

fn respond_with(reply: Reply) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    let response: Result<_, Infallible> = builder.body(Full::new(reply.body)).or_else(|_| {
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        Ok(response)
    });
    match response {
        Ok(response) => response,
    }
}
