//! `bench server`: loads the credential server, and measures what it adds to the start of a command.
//!
//! The clients run in this process, so they share the CPU cores with the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::{Arc, Barrier};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crate::Problem;
use crate::bench::{median, milliseconds, time};
use crate::scene::{Build, PROFILE, Scene, build};

const REQUESTS_LIMIT: f64 = 20_000.0;
const SLOWEST_LIMIT: Duration = Duration::from_millis(2);
const MEMORY_LIMIT: u64 = 15 << 10;
const ADDED_LIMIT: Duration = Duration::from_millis(6);
/// The number of clients that send requests without a pause.
const FEW: usize = 8;
const REQUESTS_OF_FEW: usize = 20_000;
/// The number of clients that connect at once.
const MANY: usize = 1000;
const REQUESTS_OF_MANY: usize = 20;
const STACK: usize = 64 << 10;

/// Whether a client keeps its connection open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connections {
    One,
    OneForEachRequest,
}

pub(crate) fn run(runs: usize) -> Result<(), Problem> {
    let scene = Scene::open(build(Build::Released)?)?;
    scene.set_profiles(1)?;
    if !scene.is_warm()? {
        println!("skipped: the kernel keyring is denied here, so there is no warm start to time");
        return Ok(());
    }
    println!("| | measured | limit |");
    println!("|---|---|---|");
    let server = Server::start(&scene)?;
    println!("| memory of the server, resident | {} KiB | {MEMORY_LIMIT} KiB |", server.resident()?);
    for (connections, words, requests) in [
        (Connections::One, "connections that stay open", REQUESTS_OF_FEW),
        (Connections::OneForEachRequest, "a connection for each request", REQUESTS_OF_FEW / 10),
    ] {
        let load = server.load(FEW, requests, connections)?;
        let (rate, slowest) = (load.rate(), load.percentile(99));
        println!("| requests a second, {FEW} clients, {words} | {rate:.0} | {REQUESTS_LIMIT:.0} |");
        println!(
            "| the slowest hundredth of them takes at least | {} | {} |",
            milliseconds(slowest),
            milliseconds(SLOWEST_LIMIT)
        );
    }
    let load = server.load(MANY, REQUESTS_OF_MANY, Connections::One)?;
    println!(
        "| refused, of {} requests of {MANY} clients at once | {} | 0 |",
        load.times.len() + load.refused,
        load.refused
    );
    println!(
        "| memory of the server while {MANY} are connected, at most | {} KiB | {MEMORY_LIMIT} KiB |",
        server.peak()?
    );
    drop(server);
    let (mut plain, mut served) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        plain.push(time(&mut scene.hatbox(&["exec", PROFILE, "--", "/bin/true"]))?);
        served.push(time(&mut scene.hatbox(&["exec", "--server", PROFILE, "--", "/bin/true"]))?);
    }
    let added = median(&mut served).saturating_sub(median(&mut plain));
    println!(
        "| `exec --server` adds to `exec`, median of {runs} | {} | {} |",
        milliseconds(added),
        milliseconds(ADDED_LIMIT)
    );
    Ok(())
}

/// A running `hatbox serve`, which ends when this is dropped.
struct Running(Child);

/// A server whose address is known.
struct Server {
    process: Running,
    host: String,
    request: Arc<str>,
    closing: Arc<str>,
}

/// The results of many requests.
struct Load {
    times: Vec<Duration>,
    refused: usize,
    taken: Duration,
}

impl Load {
    fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.times.len()).unwrap_or(u32::MAX)) / self.taken.as_secs_f64()
    }

    fn percentile(&self, percent: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() * percent / 100).copied().unwrap_or_default()
    }
}

impl Server {
    fn start(scene: &Scene) -> Result<Self, Problem> {
        let mut command = scene.hatbox(&["serve", PROFILE]);
        let mut server = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
        let stdout = server.0.stdout.take().ok_or("the server has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        // The lines are for a shell, which first unsets what programs would read instead.
        let mut value_of = |name: &str| -> Result<String, Problem> {
            for line in &mut lines {
                let line = line?;
                let value =
                    line.strip_prefix("export ").and_then(|line| line.strip_prefix(name)?.strip_prefix('='));
                if let Some(value) = value {
                    return Ok(value.trim_matches('\'').to_owned());
                }
            }
            Err(format!("the server ended without {name}").into())
        };
        let uri = value_of("AWS_CONTAINER_CREDENTIALS_FULL_URI")?;
        let token = std::fs::read_to_string(value_of("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")?)?;
        let rest = uri.strip_prefix("http://").ok_or("the address is not http")?;
        let (host, path) = rest.split_once('/').ok_or("the address has no path")?;
        let head = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n");
        Ok(Self {
            process: server,
            host: host.to_owned(),
            request: format!("{head}\r\n").into(),
            closing: format!("{head}Connection: close\r\n\r\n").into(),
        })
    }

    /// Starts `clients` clients at once, which send `requests` requests each.
    fn load(&self, clients: usize, requests: usize, connections: Connections) -> Result<Load, Problem> {
        let barrier = Arc::new(Barrier::new(clients + 1));
        let mut threads = Vec::with_capacity(clients);
        for _ in 0..clients {
            let (barrier, host) = (Arc::clone(&barrier), self.host.clone());
            let request = match connections {
                Connections::One => Arc::clone(&self.request),
                Connections::OneForEachRequest => Arc::clone(&self.closing),
            };
            threads.push(Builder::new().stack_size(STACK).spawn(move || {
                barrier.wait();
                ask(&host, &request, requests, connections)
            })?);
        }
        barrier.wait();
        let start = Instant::now();
        let mut load = Load { times: Vec::new(), refused: 0, taken: Duration::ZERO };
        for thread in threads {
            let times = thread.join().map_err(|_| "a client panicked")?;
            load.refused += requests - times.len();
            load.times.extend(times);
        }
        load.taken = start.elapsed();
        Ok(load)
    }

    fn resident(&self) -> Result<u64, Problem> {
        self.kibibytes("VmRSS:")
    }

    fn peak(&self) -> Result<u64, Problem> {
        self.kibibytes("VmHWM:")
    }

    fn kibibytes(&self, name: &str) -> Result<u64, Problem> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()).ok_or("no such line")?;
        Ok(number.parse()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Sends the requests and returns the times of those that received credentials.
fn ask(host: &str, request: &str, requests: usize, connections: Connections) -> Vec<Duration> {
    let mut times = Vec::with_capacity(requests);
    let mut open = None;
    for _ in 0..requests {
        let start = Instant::now();
        let connection = match open.take() {
            Some(connection) => Ok(connection),
            None => TcpStream::connect(host),
        };
        let Ok(mut connection) = connection else { continue };
        connection.set_nodelay(true).ok();
        if connection.write_all(request.as_bytes()).is_ok() && has_credentials(&mut connection) {
            times.push(start.elapsed());
        }
        if connections == Connections::One {
            open = Some(connection);
        }
    }
    times
}

/// Reads one response, whose body ends with its only closing brace, and returns whether its status is 200.
fn has_credentials(connection: &mut TcpStream) -> bool {
    let mut bytes = Vec::with_capacity(1024);
    let mut buffer = [0; 2048];
    while bytes.last() != Some(&b'}') {
        match connection.read(&mut buffer) {
            Ok(count @ 1..) => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            _ => return false,
        }
    }
    bytes.starts_with(b"HTTP/1.1 200")
}
