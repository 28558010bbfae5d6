//! Endpoint URLs: accepts only those that all programs parse in the same way.
//!
//! The URL that hatbox checks is parsed again by the HTTP client, by the child's SDK, and by other programs. If they
//! parse a different host or port, the signed request goes to a place that was not checked. So only a small, plain part
//! of RFC 3986 is accepted:
//!
//! | part | accepted | rejected, for example |
//! |---|---|---|
//! | scheme | `https`, `http` | `HTTPS`, `ftp`, none |
//! | user | | `me@`, `me:password@` |
//! | host | names of letters, digits, `-`, `_`; IPv4 in four decimal numbers; IPv6 in brackets, in its shortest form | `127.1`, `0x7f.1`, `2130706433`, `0177.0.0.1`, `localhost.`, `[::ffff:127.0.0.1]`, `[0:0:0:0:0:0:0:1]` |
//! | port | 1 to 65535 in decimal, or none with its colon | `:`, `:0`, `:080`, `:+80`, `:99999`, `:http` |
//! | path | letters, digits, `-`, `_`, `~`, `.` in segments that are not `.` or `..` | `\`, `%2e`, `?x`, `#x`, `//` |

use std::net::{Ipv4Addr, Ipv6Addr};

/// The parts of an endpoint URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointParts<'a> {
    /// Whether it is `https`.
    pub is_https: bool,
    /// A host name, or an address without brackets.
    pub host: &'a str,
    /// The port, if the URL has one.
    pub port: Option<u16>,
}

impl EndpointParts<'_> {
    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// Why a text is not accepted as an endpoint URL. The message continues after the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It does not begin with `https://` or `http://`.
    #[error("expected `https://` or `http://` at the start")]
    Scheme,
    /// It contains a user name or password. (The caller omits that when it shows the URL.)
    #[error("a URL with a user name or password is not allowed")]
    UserInfo,
    /// The host is missing, or programs parse it differently.
    #[error("expected a host name, an IPv4 address such as `127.0.0.1` or an IPv6 address such as `[::1]`")]
    Host,
    /// The port is missing, or programs parse it differently.
    #[error("expected a port from 1 to 65535")]
    Port,
    /// It has a query or a fragment.
    #[error("a URL with a query or a fragment is not allowed")]
    Query,
    /// Programs parse the path differently.
    #[error("expected a path of letters, digits, `-`, `_`, `~` and `.` between single slashes")]
    Path,
}

/// Parses an endpoint URL.
///
/// # Errors
/// If programs may parse it differently.
pub fn parse_endpoint(text: &str) -> Result<EndpointParts<'_>, EndpointError> {
    let (is_https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(EndpointError::Scheme),
    };
    // Some programs end the host at a backslash, and some search for the user name in everything after it.
    if rest.contains('@') {
        return Err(EndpointError::UserInfo);
    }
    if rest.contains(['?', '#']) {
        return Err(EndpointError::Query);
    }
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let (host, port) = split_port(authority)?;
    check_path(path)?;
    Ok(EndpointParts { is_https, host, port })
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), EndpointError> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(EndpointError::Host)?;
        check_ipv6(address)?;
        (address, port)
    } else {
        let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        check_name(name)?;
        (name, port)
    };
    if port.is_empty() {
        return Ok((host, None));
    }
    let digits = port.strip_prefix(':').ok_or(EndpointError::Host)?;
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let number = digits.parse().ok().filter(|_| is_plain).ok_or(EndpointError::Port)?;
    Ok((host, Some(number)))
}

/// Rejects IPv4 addresses within IPv6, which are other notations of the same host.
fn check_ipv6(address: &str) -> Result<(), EndpointError> {
    let parsed: Ipv6Addr = address.parse().map_err(|_| EndpointError::Host)?;
    let is_shortest = parsed.to_string() == address.to_ascii_lowercase();
    let has_ipv4 = address.contains('.') || parsed.to_ipv4_mapped().is_some();
    if is_shortest && !has_ipv4 { Ok(()) } else { Err(EndpointError::Host) }
}

fn check_name(name: &str) -> Result<(), EndpointError> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    // The URL standard and the C library parse a host that ends in a number as an IPv4 address, in many notations.
    let last = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_number = match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => last.bytes().all(|b| b.is_ascii_digit()),
    };
    let is_address = name.parse::<Ipv4Addr>().is_ok_and(|address| address.to_string() == name);
    if is_name && (!is_number || is_address) { Ok(()) } else { Err(EndpointError::Host) }
}

fn check_path(path: &str) -> Result<(), EndpointError> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let is_plain =
            segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~' | b'.'));
        if !is_plain || matches!(segment, "." | "..") || (segment.is_empty() && !is_last) {
            return Err(EndpointError::Path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD_HOSTS: &[&str] = &[
        "https://",
        "https:///x",
        "https://:80",
        "http://127.1",
        "http://127.0.1",
        "http://2130706433",
        "http://0x7f.1",
        "http://0x7f000001",
        "http://0x",
        "http://0177.0.0.1",
        "http://127.0.0.01",
        "http://127.0.0.1.",
        "http://localhost.",
        "http://.localhost",
        "http://a..b",
        "http://-a",
        "http://a-",
        "http://[::ffff:127.0.0.1]",
        "http://[::ffff:7f00:1]",
        "http://[::127.0.0.1]",
        "http://[0:0:0:0:0:0:0:1]",
        "http://[::01]",
        "http://[::1",
        "http://::1",
        "http://[::1%25lo]",
        "http://[::1]x",
        "http://[]",
        "http://[127.0.0.1]",
        "https://h\\x",
        "https://a b",
        "https://h\t",
        "https://h\n",
        "https://h\r\n.x",
        "https://h\u{0}",
        "https://\u{e9}",
        "https://\u{ff41}",
        "https://a\u{3002}b",
        "https://a%2eb",
        "https://a,b",
        "https://a;b",
        "https://256.0.0.1",
        "https://1.2.3.4.5",
        "https://a.1",
    ];

    const BAD_PORTS: &[&str] = &[
        "http://127.0.0.1:",
        "http://127.0.0.1:/x",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:abc",
        "http://127.0.0.1:-1",
        "http://127.0.0.1:+80",
        "http://127.0.0.1:080",
        "http://127.0.0.1:80 ",
        "http://127.0.0.1:80:80",
        "http://[::1]:",
        "http://127.0.0.1:\u{0661}",
        "http://127.0.0.1:8\u{0}0",
        "http://127.0.0.1:0x50",
        "http://127.0.0.1:99999999999999999999",
    ];

    #[test]
    fn what_is_taken_is_what_every_program_reads_alike() {
        for (text, host, port) in [
            ("https://sts.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com", None),
            ("https://STS.example", "STS.example", None),
            ("http://localhost:4566/", "localhost", Some(4566)),
            ("http://127.0.0.1:1", "127.0.0.1", Some(1)),
            ("http://[::1]:65535/x/y.z/", "::1", Some(65535)),
            ("https://[2001:DB8::1]", "2001:DB8::1", None),
            ("https://my_host.a-b.3com.example/_/~me", "my_host.a-b.3com.example", None),
            ("https://0xg.example", "0xg.example", None),
        ] {
            let parts = parse_endpoint(text).unwrap();
            assert_eq!((parts.host, parts.port), (host, port), "{text}");
            assert_eq!(parts.is_https, text.starts_with("https"), "{text}");
        }
    }

    #[test]
    fn what_two_programs_may_read_differently_is_refused() {
        let long_label = format!("https://{}.example", "a".repeat(64));
        assert_eq!(parse_endpoint(&long_label), Err(EndpointError::Host));
        let table: [(EndpointError, &[&str]); 6] = [
            (
                EndpointError::Scheme,
                &[
                    "",
                    "x",
                    "//h",
                    "ftp://h",
                    "HTTP://127.0.0.1",
                    "Https://h",
                    " https://h",
                    "https:/h",
                    "https:h",
                ],
            ),
            (
                EndpointError::UserInfo,
                &[
                    "https://me@h",
                    "https://me:pw@h",
                    "https://@h",
                    "http://127.0.0.1\\@evil.example",
                    "https://h/@x",
                ],
            ),
            (EndpointError::Host, BAD_HOSTS),
            (EndpointError::Port, BAD_PORTS),
            (EndpointError::Query, &["https://h?x", "https://h/?x=1", "https://h#x", "https://h/#"]),
            (
                EndpointError::Path,
                &[
                    "https://h//x",
                    "https://h/./x",
                    "https://h/..",
                    "https://h/a\\b",
                    "https://h/%2e%2e/x",
                    "https://h/a b",
                    "https://h/\u{e9}",
                    "https://h/a\n",
                    "https://h/a:b;c",
                ],
            ),
        ];
        for (error, texts) in table {
            for text in texts {
                assert_eq!(parse_endpoint(text), Err(error), "{text:?}");
            }
        }
    }

    #[test]
    fn loopback_is_known_by_its_plain_names_alone() {
        for (text, expected) in [
            ("http://localhost", true),
            ("http://LOCALHOST:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]", true),
            ("http://10.0.0.1", false),
            ("http://localhost.evil.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://[::2]", false),
        ] {
            assert_eq!(parse_endpoint(text).unwrap().is_loopback(), expected, "{text}");
        }
    }
}
