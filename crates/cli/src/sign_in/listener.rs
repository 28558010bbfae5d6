//! The loopback address that the browser is redirected to at the end of a sign-in.
//!
//! It is bound before the browser opens, on 127.0.0.1 only, and takes the one answer with this sign-in's state. Whatever
//! else comes is answered and forgotten: a page of another origin can neither end the sign-in nor answer it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use hatbox_core::sso::authorize::{CALLBACK_PATH, Redirect, parse_redirect};

use crate::sys::peer::find_peer;

/// How long one connection may take to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A redirect's head has a code of some KiB at most.
const MOST_BYTES: usize = 32 * 1024;
/// How many connections are read at a time. Browsers open some ahead.
const MOST_CONNECTIONS: usize = 32;
/// How often to look for a connection, and for an end.
const PAUSE: Duration = Duration::from_millis(50);

/// Why the address could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// Another program has the port.
    #[error("port {port} of 127.0.0.1 is in use")]
    InUse {
        /// The port.
        port: u16,
    },
    /// Anything else.
    #[error("could not listen on 127.0.0.1")]
    Io(#[source] io::Error),
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WaitError {
    /// The time is over.
    #[error("no answer came from the browser in time")]
    Timeout,
    /// It is not wanted any more.
    #[error("the sign-in was stopped")]
    Stopped,
}

/// The address, bound.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    port: u16,
}

impl Listener {
    /// Binds it: to `port`, else to one that is free.
    pub(crate) fn bind(port: Option<u16>) -> Result<Self, BindError> {
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

    /// `http://127.0.0.1:PORT/oauth/callback`.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}{CALLBACK_PATH}", self.port)
    }

    /// Waits for the browser's answer with this `state`, for `patience` at most. `is_over` is asked at short intervals.
    pub(crate) fn wait(
        self,
        state: &str,
        patience: Duration,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Redirect, WaitError> {
        let end = Instant::now() + patience;
        let (sender, answers) = mpsc::channel();
        let reader = Arc::new(Reader {
            host: format!("127.0.0.1:{}", self.port),
            state: state.to_owned(),
            sender,
            open: AtomicUsize::new(0),
        });
        loop {
            while let Ok((connection, _)) = self.socket.accept() {
                // Beyond the limit a connection is closed at once.
                if reader.open.load(Ordering::Relaxed) < MOST_CONNECTIONS {
                    reader.open.fetch_add(1, Ordering::Relaxed);
                    let reader = Arc::clone(&reader);
                    thread::spawn(move || {
                        reader.read(connection);
                        reader.open.fetch_sub(1, Ordering::Relaxed);
                    });
                }
            }
            match answers.recv_timeout(PAUSE) {
                Ok(redirect) => return Ok(redirect),
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

/// Reads requests, and finds the answer among them.
struct Reader {
    host: String,
    state: String,
    sender: Sender<Redirect>,
    open: AtomicUsize,
}

impl Reader {
    /// One connection, one request. A connection that fails is its own business.
    fn read(&self, mut connection: TcpStream) {
        let Ok(head) = read_head(&mut connection) else { return };
        // Security: the state is in the browser's command line, which all users of the machine can read. Another user
        // could bring a code of their own sign-in, and this one would be theirs. The browser waits for the answer, so
        // its socket is open.
        let (status, page, found) = if find_peer(&connection).is_refused() {
            ("403 Forbidden", render_page("Not a request of the sign-in"), None)
        } else {
            self.answer(&head)
        };
        let sent = write!(
            connection,
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\
             Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{page}",
            page.len()
        );
        // The person sees the page before the sign-in goes on, and goes on without it where it cannot be sent.
        drop(sent.and_then(|()| connection.flush()));
        if let Some(redirect) = found {
            drop(self.sender.send(redirect));
        }
    }

    fn answer(&self, head: &[u8]) -> (&'static str, String, Option<Redirect>) {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        let is_whole = matches!(request.parse(head), Ok(httparse::Status::Complete(_)));
        let (true, Some(method), Some(target)) = (is_whole, request.method, request.path) else {
            return ("400 Bad Request", render_page("Not a request of the sign-in"), None);
        };
        let values = |name: &str| {
            let name = name.to_owned();
            request
                .headers
                .iter()
                .filter(move |header| header.name.eq_ignore_ascii_case(&name))
                .map(|h| h.value)
        };
        let hosts: Vec<&[u8]> = values("host").collect();
        // Security: a name that another origin resolves to this address (DNS rebinding) is in `Host`; a script's request
        // has `Origin`, a redirect of the sign-in page has none.
        if hosts != [self.host.as_bytes()] || values("origin").next().is_some() {
            return ("403 Forbidden", render_page("Not a request of the sign-in"), None);
        }
        if method != "GET" {
            return ("405 Method Not Allowed", render_page("Not a request of the sign-in"), None);
        }
        match parse_redirect(target, &self.state) {
            Ok(Redirect::Code(code)) => {
                let page = render_page("Signed in. You can close this page and go back to the terminal.");
                ("200 OK", page, Some(Redirect::Code(code)))
            }
            Ok(denied) => {
                let page = render_page("The sign-in was denied. The terminal says more.");
                ("200 OK", page, Some(denied))
            }
            Err(hatbox_core::sso::authorize::RedirectError::Path) => {
                ("404 Not Found", render_page("Not found"), None)
            }
            Err(_) => ("400 Bad Request", render_page("Not the answer to this sign-in"), None),
        }
    }
}

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

fn render_page(text: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>hatbox</title>\
         <style>body{{font:1.2em system-ui;margin:20vh auto;max-width:32em;text-align:center;color-scheme:light dark}}</style>\
         <p>{text}</p></html>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(port: u16, request: &str) -> String {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn only_this_sign_ins_answer_ends_the_wait() {
        let listener = Listener::bind(None).unwrap();
        let port = listener.port;
        assert_eq!(listener.redirect_uri(), format!("http://127.0.0.1:{port}/oauth/callback"));
        let client = thread::spawn(move || {
            let get = |target: &str, more: &str| {
                ask(port, &format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{more}\r\n"))
            };
            for (target, more, status) in [
                ("/favicon.ico", "", "404"),
                ("/oauth/callback?code=bad&state=other", "", "400"),
                ("/oauth/callback?code=bad", "", "400"),
                ("/oauth/callback?code=bad&state=s", "Origin: http://evil.example\r\n", "403"),
                ("/oauth/callback?code=bad&state=s", "Host: evil.example\r\n", "403"),
            ] {
                assert!(get(target, more).contains(status), "{target} {more}");
            }
            let foreign = ask(
                port,
                &format!("GET /oauth/callback?code=bad&state=s HTTP/1.1\r\nHost: evil:{port}\r\n\r\n"),
            );
            assert!(foreign.contains("403"), "{foreign}");
            let posted = ask(
                port,
                &format!("POST /oauth/callback?code=bad&state=s HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            );
            assert!(posted.contains("405"), "{posted}");
            assert!(ask(port, "nonsense\r\n\r\n").contains("400"));
            assert!(get("/oauth/callback?code=good&state=s", "").contains("200"));
        });
        let found = listener.wait("s", Duration::from_secs(30), &|| false);
        assert_eq!(found, Ok(Redirect::Code("good".to_owned())));
        client.join().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_answer_of_another_user_is_refused() {
        use std::os::unix::process::CommandExt;
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can run a program as another user");
            return;
        }
        let listener = Listener::bind(None).unwrap();
        let port = listener.port;
        let client = thread::spawn(move || {
            let request = |code: &str| {
                format!("GET /oauth/callback?code={code}&state=s HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")
            };
            let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; printf %s \"$0\" >&3; cat <&3");
            let other = std::process::Command::new("bash")
                .args(["-c", &script, &request("bad")])
                .uid(61_234)
                .output()
                .unwrap();
            let answer = String::from_utf8_lossy(&other.stdout).into_owned();
            (answer, ask(port, &request("good")))
        });
        let found = listener.wait("s", Duration::from_secs(30), &|| false);
        let (other, own) = client.join().unwrap();
        assert!(other.contains("403") && own.contains("200"), "{other} {own}");
        assert_eq!(found, Ok(Redirect::Code("good".to_owned())));
    }

    #[test]
    fn a_request_without_an_end_is_not_read_to_it() {
        let listener = Listener::bind(None).unwrap();
        let port = listener.port;
        let client = thread::spawn(move || {
            let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            let mut sent = 0;
            // The other side closes at its limit, far below 1 MB and what the system buffers.
            while sent < 64 << 20 && connection.write_all(&[b'a'; 4096]).is_ok() {
                sent += 4096;
            }
            assert!(sent < 64 << 20);
            ask(
                port,
                &format!("GET /oauth/callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
            )
        });
        assert!(listener.wait("s", Duration::from_secs(30), &|| false).is_ok());
        assert!(client.join().unwrap().contains("200"));
    }

    #[test]
    fn a_port_that_is_taken_is_named_and_a_wait_can_be_stopped() {
        let listener = Listener::bind(None).unwrap();
        let taken = Listener::bind(Some(listener.port)).unwrap_err();
        assert_eq!(taken.to_string(), format!("port {} of 127.0.0.1 is in use", listener.port));
        assert_eq!(listener.wait("s", Duration::from_secs(30), &|| true), Err(WaitError::Stopped));
        let listener = Listener::bind(None).unwrap();
        assert_eq!(listener.wait("s", Duration::ZERO, &|| false), Err(WaitError::Timeout));
    }
}
