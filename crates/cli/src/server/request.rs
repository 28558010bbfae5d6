//! Parses the head of a request and checks whether it may be answered. All of hatbox's loopback servers use these
//! checks.

use std::fmt;

/// In bytes. The head of an SDK's request has about 600.
pub(super) const MOST_BYTES: usize = 8 << 10;
/// An SDK sends about ten.
pub(super) const MOST_HEADERS: usize = 64;

/// Which requests a server answers.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) methods: &'static [&'static str],
    pub(crate) hosts: Hosts,
}

/// The allowed values of `Host`.
#[derive(Debug, Clone)]
pub(crate) enum Hosts {
    /// Only these, which clients derive from the given URL.
    Exactly(Vec<String>),
    /// Any loopback name of this machine with any port: the socket is reached through another program's port.
    #[cfg(unix)]
    AnyLoopback,
}

/// The hosts that the SDKs call over plain HTTP.
#[cfg(unix)]
const LOOPBACK: [&str; 4] = ["127.0.0.1", "localhost", "[::1]", "169.254.170.2"];

impl Hosts {
    fn admits(&self, host: &[u8]) -> bool {
        match self {
            Self::Exactly(all) => all.iter().any(|one| host.eq_ignore_ascii_case(one.as_bytes())),
            #[cfg(unix)]
            Self::AnyLoopback => LOOPBACK.iter().any(|name| match host.strip_prefix(name.as_bytes()) {
                Some([]) => true,
                Some([b':', port @ ..]) => !port.is_empty() && port.iter().all(u8::is_ascii_digit),
                _ => false,
            }),
        }
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not HTTP/1, or a unique header occurs twice.
    Malformed,
    /// It has more bytes or headers than an SDK sends.
    TooLarge,
    /// It has a body.
    Body,
    /// `Host` is wrong, as for a page whose name resolves to this address (DNS rebinding).
    Host,
    /// A browser sent it.
    Browser,
    /// The method is not allowed.
    Method,
}

impl Refusal {
    /// The status code and its text.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Malformed | Self::Body => "400 Bad Request",
            Self::TooLarge => "431 Request Header Fields Too Large",
            Self::Host | Self::Browser => "403 Forbidden",
            Self::Method => "405 Method Not Allowed",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "invalid request",
            Self::TooLarge => "the request header is too large",
            Self::Body => "a request body is not supported",
            Self::Host => "invalid Host header",
            Self::Browser => "requests from browsers are refused",
            Self::Method => "method not allowed",
        })
    }
}

/// A request that passed the checks.
pub(crate) struct Request<'head, 'bytes> {
    pub(crate) method: &'bytes str,
    pub(crate) path: &'bytes str,
    headers: &'head [httparse::Header<'bytes>],
    /// Whether the client may send another request on the same connection.
    pub(crate) keeps_open: bool,
    /// The length of its head in bytes.
    pub(crate) length: usize,
}

impl<'bytes> Request<'_, 'bytes> {
    /// Returns the value of a header; `None` if it is absent or occurs twice.
    pub(crate) fn header(&self, name: &str) -> Option<&'bytes [u8]> {
        let mut values = values_of(self.headers, name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether the request has this header.
    pub(crate) fn has_header(&self, name: &str) -> bool {
        values_of(self.headers, name).next().is_some()
    }
}

/// The state of the bytes received so far.
pub(crate) enum Head<'head, 'bytes> {
    /// A part of a request.
    Part,
    /// A complete request.
    Whole(Request<'head, 'bytes>),
    /// A request that is refused.
    Refused(Refusal),
}

/// Parses and checks the head of a request.
pub(crate) fn parse_head<'head, 'bytes>(
    bytes: &'bytes [u8],
    headers: &'head mut [httparse::Header<'bytes>; MOST_HEADERS],
    rules: &Rules,
) -> Head<'head, 'bytes> {
    let mut parsed = httparse::Request::new(headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= MOST_BYTES => length,
        Ok(httparse::Status::Partial) if bytes.len() < MOST_BYTES => return Head::Part,
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Head::Refused(Refusal::TooLarge),
        Err(_) => return Head::Refused(Refusal::Malformed),
    };
    let (Some(method), Some(path), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
        return Head::Refused(Refusal::Malformed);
    };
    let headers: &'head [httparse::Header<'bytes>] = parsed.headers;
    if let Some(refusal) = find_refusal(method, headers, rules) {
        return Head::Refused(refusal);
    }
    let asks_for = |word: &str| {
        values_of(headers, "connection").any(|value| {
            value.split(|&b| b == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    let keeps_open = if version == 0 { asks_for("keep-alive") } else { !asks_for("close") };
    Head::Whole(Request { method, path, headers, keeps_open, length })
}

fn find_refusal(method: &str, headers: &[httparse::Header<'_>], rules: &Rules) -> Option<Refusal> {
    // Security: a page of another origin can make a browser send requests here, but these have one of the headers
    // below. If the page's own name resolves to this address, `Host` is wrong.
    let is_of_browser = |header: &httparse::Header<'_>| {
        let begins = |prefix: &str| {
            header.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        header.name.eq_ignore_ascii_case("origin") || begins("sec-fetch-")
    };
    let mut hosts = values_of(headers, "host");
    let is_host_right = hosts.next().is_some_and(|host| rules.hosts.admits(host)) && hosts.next().is_none();
    let has_body = values_of(headers, "transfer-encoding").next().is_some()
        || values_of(headers, "content-length").any(|length| length != b"0");
    if !is_host_right {
        Some(Refusal::Host)
    } else if headers.iter().any(is_of_browser) {
        Some(Refusal::Browser)
    } else if !rules.methods.contains(&method) {
        Some(Refusal::Method)
    } else if has_body {
        Some(Refusal::Body)
    } else {
        None
    }
}

fn values_of<'a, 'bytes>(
    headers: &'a [httparse::Header<'bytes>],
    name: &'a str,
) -> impl Iterator<Item = &'bytes [u8]> + 'a {
    headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: &[u8]) -> String {
        let rules = Rules { methods: &["GET"], hosts: Hosts::Exactly(vec!["127.0.0.1:80".to_owned()]) };
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        match parse_head(bytes, &mut headers, &rules) {
            Head::Part => "part".to_owned(),
            Head::Refused(refusal) => format!("{refusal:?}"),
            Head::Whole(request) => format!(
                "{} {:?} {}",
                request.path,
                request.header("authorization").map(|value| String::from_utf8_lossy(value).into_owned()),
                if request.keeps_open { "open" } else { "close" }
            ),
        }
    }

    #[test]
    fn only_a_plain_request_of_a_program_passes() {
        let host = "Host: 127.0.0.1:80\r\n";
        for (start, headers, expected) in [
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\nauthorization: t\r\n", "/a Some(\"t\") open"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\nConnection: x, Close\r\n", "/a None close"),
            ("GET /a HTTP/1.0", host, "/a None close"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\nContent-Length: 0\r\n", "/a None open"),
            (
                "GET /a HTTP/1.1",
                "Host: 127.0.0.1:80\r\nAuthorization: t\r\nAuthorization: t\r\n",
                "/a None open",
            ),
            ("GET /a HTTP/1.1", "", "Host"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1\r\n", "Host"),
            ("GET /a HTTP/1.1", "Host: localhost:80\r\n", "Host"),
            ("GET /a HTTP/1.1", "Host: evil.example:80\r\n", "Host"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\nHost: 127.0.0.1:80\r\n", "Host"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\nOrigin: null\r\n", "Browser"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\nsec-fetch-site: same-origin\r\n", "Browser"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\nSec-Fetch-New: x\r\n", "Browser"),
            ("POST /a HTTP/1.1", host, "Method"),
            ("PUT /a HTTP/1.1", host, "Method"),
            ("OPTIONS /a HTTP/1.1", host, "Method"),
            ("HEAD /a HTTP/1.1", host, "Method"),
            ("get /a HTTP/1.1", host, "Method"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\nContent-Length: 1\r\n", "Body"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\nTransfer-Encoding: chunked\r\n", "Body"),
            ("GET /a HTTP/2.0", host, "Malformed"),
            ("GET /a", host, "Malformed"),
            ("GET /a HTTP/1.1", "Host: 127.0.0.1:80\r\n folded\r\n", "Malformed"),
        ] {
            assert_eq!(check(format!("{start}\r\n{headers}\r\n").as_bytes()), expected, "{start} {headers}");
        }
    }

    #[test]
    fn a_head_has_a_limit_whether_it_ends_or_not() {
        assert_eq!(check(b"GET /a HTTP/1.1\r\nHost: 127"), "part");
        let long = format!("GET /a HTTP/1.1\r\nHost: 127.0.0.1:80\r\nx: {}", "a".repeat(MOST_BYTES));
        assert_eq!(check(long.as_bytes()), "TooLarge");
        assert_eq!(check(format!("{long}\r\n\r\n").as_bytes()), "TooLarge");
        let many = "x: y\r\n".repeat(MOST_HEADERS + 1);
        assert_eq!(check(format!("GET /a HTTP/1.1\r\n{many}\r\n").as_bytes()), "TooLarge");
    }

    #[cfg(unix)]
    #[test]
    fn a_forwarded_port_has_a_name_of_loopback() {
        for (host, is) in [
            ("127.0.0.1:9911", true),
            ("localhost", true),
            ("[::1]:80", true),
            ("169.254.170.2", true),
            ("127.0.0.1.evil.example", false),
            ("127.0.0.1:", false),
            ("127.0.0.1:80.evil.example", false),
            ("evil.example", false),
            ("", false),
        ] {
            assert_eq!(Hosts::AnyLoopback.admits(host.as_bytes()), is, "{host}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_stop_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            check(&bytes);
        }
    }
}
