//! The loopback address that the browser is redirected to at the end of a sign-in.
//!
//! Accepts one answer, with the state of this sign-in: a page of another origin can neither end the sign-in nor answer
//! it.

use std::time::Duration;

use hatbox_core::sso::authorize::{CALLBACK_PATH, Redirect, RedirectError, parse_redirect};

pub(crate) use super::loopback::{BindError, WaitError};
use super::loopback::{Get, Loopback, Response, Site};

/// The bound address.
#[derive(Debug)]
pub(crate) struct Listener(Loopback);

impl Listener {
    /// Binds `port`, or a free one.
    pub(crate) fn bind(port: Option<u16>) -> Result<Self, BindError> {
        Loopback::bind(port).map(Self)
    }

    /// `http://127.0.0.1:PORT/oauth/callback`.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}{CALLBACK_PATH}", self.0.port)
    }

    /// Waits for the browser's answer with this `state`, at most for `patience`. Calls `is_over` at short intervals.
    pub(crate) fn wait(
        self,
        state: &str,
        patience: Duration,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Redirect, WaitError> {
        self.0.serve(Callback { state: state.to_owned() }, patience, is_over)
    }
}

/// Accepts the answer with this state.
struct Callback {
    state: String,
}

impl Site for Callback {
    type Found = Redirect;

    fn answer(&self, get: &Get<'_>) -> (Response, Option<Redirect>) {
        match parse_redirect(get.target, &self.state) {
            Ok(Redirect::Code(code)) => {
                let text = "Signed in. You can close this page and go back to the terminal.";
                (Response::page("200 OK", text), Some(Redirect::Code(code)))
            }
            Ok(denied) => {
                (Response::page("200 OK", "The sign-in was denied. The terminal says more."), Some(denied))
            }
            Err(RedirectError::Path) => (Response::page("404 Not Found", "Not found"), None),
            Err(_) => (Response::page("400 Bad Request", "Not the answer to this sign-in"), None),
        }
    }

    fn stranger(&self) -> &'static str {
        "Not a request of the sign-in"
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};
    use std::thread;

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
        let port = listener.0.port;
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
    fn connections_of_another_user_get_no_answer_and_take_no_places() {
        use std::os::unix::process::CommandExt;
        use std::process::Stdio;
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can run a program as another user");
            return;
        }
        let listener = Listener::bind(None).unwrap();
        let port = listener.0.port;
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
            // More connections than are read at a time, all of them waiting.
            let script = format!(
                "for _ in {{1..64}}; do exec {{fd}}<>/dev/tcp/127.0.0.1/{port}; done; echo open; read -r line"
            );
            let mut waiting = std::process::Command::new("bash")
                .args(["-c", &script])
                .uid(61_234)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = [0; 5];
            waiting.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
            let own = ask(port, &request("good"));
            drop(waiting.stdin.take());
            waiting.wait().unwrap();
            (answer, own)
        });
        let found = listener.wait("s", Duration::from_secs(30), &|| false);
        let (other, own) = client.join().unwrap();
        assert!(other.is_empty() && own.contains("200"), "{other} {own}");
        assert_eq!(found, Ok(Redirect::Code("good".to_owned())));
    }

    #[test]
    fn a_request_without_an_end_is_not_read_to_it() {
        let listener = Listener::bind(None).unwrap();
        let port = listener.0.port;
        let client = thread::spawn(move || {
            let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            let mut sent = 0;
            // The other side closes the connection at its limit, far below 1 MB plus the system's buffers.
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
        let taken = Listener::bind(Some(listener.0.port)).unwrap_err();
        assert_eq!(taken.to_string(), format!("port {} of 127.0.0.1 is in use", listener.0.port));
        assert_eq!(listener.wait("s", Duration::from_secs(30), &|| true), Err(WaitError::Stopped));
        let listener = Listener::bind(None).unwrap();
        assert_eq!(listener.wait("s", Duration::ZERO, &|| false), Err(WaitError::Timeout));
    }
}
