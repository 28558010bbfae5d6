//! A server in place of STS that returns whatever a test needs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::Timestamp;

/// A server that runs until the test process ends.
pub(crate) struct Stub {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// Starts a server. `answer` gets each request, head and body, and the connection to answer on.
    pub(crate) fn start(answer: impl Fn(&str, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut client = client.unwrap();
                    if let Some(request) = read_request(&mut client) {
                        seen.lock().unwrap().push(request.clone());
                        answer(&request, client);
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// Starts a server that answers each call with `body` and the `Date` header `date`.
    pub(crate) fn answering(
        body: impl Fn() -> String + Send + Sync + 'static,
        date: Option<Timestamp>,
    ) -> Self {
        Self::start(move |_, mut client| {
            let body = body();
            let date = date.map(|date| format!("Date: {}\r\n", render_date(date))).unwrap_or_default();
            let head = format!(
                "HTTP/1.1 200 OK\r\n{date}Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // The client may already have closed the connection.
            client.write_all(format!("{head}{body}").as_bytes()).ok();
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads the head of a request and its body. Returns `None` if the client closed the connection.
fn read_request(client: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        match client.read(&mut buffer) {
            Ok(length @ 1..) => bytes.extend_from_slice(&buffer[..length]),
            _ => return None,
        }
    }
}

fn render_date(date: Timestamp) -> String {
    date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Credentials in an answer of STS, which tests can change.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) token: &'static str,
    /// The whole XML element, so that it can be left out.
    pub(crate) expiration: String,
}

impl Granted {
    /// Returns valid credentials that expire in `seconds`.
    pub(crate) fn until(seconds: i64) -> Self {
        let end = Timestamp::from_second(Timestamp::now().as_second() + seconds).unwrap();
        Self {
            id: "ASIAIOSFODNN7EXAMPLE",
            secret: "canary-secret-of-the-stub",
            token: "canary-token-of-the-stub",
            expiration: format!("<Expiration>{end}</Expiration>"),
        }
    }

    /// Returns the answer to AssumeRole of `arn:aws:iam::444455556666:role/ROLE`.
    pub(crate) fn of_role(&self, role: &str) -> String {
        let Self { id, secret, token, expiration } = self;
        format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
             <AssumedRoleUser><AssumedRoleId>AROAIOSFODNN7EXAMPLE:s</AssumedRoleId>\
             <Arn>arn:aws:sts::444455556666:assumed-role/{role}/s</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
             <SessionToken>{token}</SessionToken>{expiration}</Credentials>\
             </AssumeRoleResult></AssumeRoleResponse>"
        )
    }

    /// Returns the answer to GetSessionToken.
    pub(crate) fn of_session(&self) -> String {
        let Self { id, secret, token, expiration } = self;
        format!(
            "<GetSessionTokenResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetSessionTokenResult>\
             <Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
             <SessionToken>{token}</SessionToken>{expiration}</Credentials>\
             </GetSessionTokenResult></GetSessionTokenResponse>"
        )
    }
}
