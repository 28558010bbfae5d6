//! A request as bytes on the wire: finds its parts, changes one byte, sends it again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::time::Duration;

/// A whole request.
#[derive(Clone)]
pub(crate) struct Wire {
    bytes: Vec<u8>,
    /// Where the body starts.
    body: usize,
}

/// A part of a request that its signature covers, or the signature itself.
pub(crate) struct Part {
    /// The name for messages: `path`, `value of x-amz-date`.
    pub(crate) name: String,
    range: Range<usize>,
    /// Whether it says how long the body is.
    is_framing: bool,
}

/// The HTTP status of the response; 0 if the connection was closed without one.
pub(crate) type Status = u16;

impl Wire {
    /// Splits the bytes of one connection into requests. An incomplete request is left out.
    pub(crate) fn split(mut stream: &[u8]) -> Vec<Self> {
        let mut requests = Vec::new();
        while let Some(end) = find(stream, b"\r\n\r\n") {
            let head = Self { bytes: stream[..end + 4].to_vec(), body: end + 4 };
            assert_eq!(head.header("transfer-encoding"), None, "requests have a content-length");
            let length: usize = head.header("content-length").map_or(0, |length| length.parse().unwrap());
            let whole = Some(head.body + length).filter(|whole| *whole <= stream.len());
            let Some(whole) = whole else { break };
            requests.push(Self { bytes: stream[..whole].to_vec(), body: head.body });
            stream = &stream[whole..];
        }
        requests
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, range)| self.text(range))
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.body..]
    }

    /// The parts that must not change: method, path, query, each signed header's name and value, the header with the
    /// signature, and the body.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let part = |name: String, range: Range<usize>, is_framing| Part { name, range, is_framing };
        let line = self.text(0..self.end_of_line(0));
        let target = line.find(' ').unwrap() + 1;
        let end = line.rfind(' ').unwrap();
        let path = line[target..end].find('?').map_or(end, |at| target + at);
        let mut parts = vec![
            part("method".to_owned(), 0..target - 1, false),
            part("path".to_owned(), target..path, false),
            part("query".to_owned(), (path + 1).min(end)..end, false),
        ];
        let authorization = self.header("authorization").unwrap_or_default();
        let signed = authorization.split_once("SignedHeaders=").map_or("", |(_, rest)| rest);
        let signed: Vec<&str> = signed.split(',').next().unwrap_or_default().split(';').collect();
        for (name, value) in self.headers() {
            let lower = name.to_ascii_lowercase();
            if lower != "authorization" && !signed.contains(&lower.as_str()) {
                continue;
            }
            let start = name.as_ptr() as usize - self.bytes.as_ptr() as usize;
            let is_framing = lower == "content-length";
            parts.push(part(format!("name of {lower}"), start..start + name.len(), is_framing));
            parts.push(part(format!("value of {lower}"), value, is_framing));
        }
        parts.push(part("body".to_owned(), self.body..self.bytes.len(), false));
        parts.retain(|part| !part.range.is_empty());
        parts
    }

    /// Sends it unchanged.
    pub(crate) fn send(&self, to: SocketAddr) -> Status {
        send(&self.bytes, to, false)
    }

    /// Sends it with the byte at `at` of `part` changed.
    pub(crate) fn send_changed(&self, part: &Part, at: usize, to: SocketAddr) -> Status {
        let mut bytes = self.bytes.clone();
        let byte = &mut bytes[part.range.start + at];
        // A neighbour in the alphabet: printable stays printable, and a letter changes more than its case.
        *byte = if *byte == b'~' { b'}' } else { *byte ^ 1 };
        send(&bytes, to, part.is_framing)
    }

    fn text(&self, range: Range<usize>) -> &str {
        std::str::from_utf8(&self.bytes[range]).unwrap()
    }

    fn end_of_line(&self, start: usize) -> usize {
        start + find(&self.bytes[start..], b"\r\n").unwrap()
    }

    /// Header names, and where their values are.
    fn headers(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let mut start = self.end_of_line(0) + 2;
        std::iter::from_fn(move || {
            let end = self.end_of_line(start);
            let line = self.text(start..end);
            let (name, value) = line.split_once(':')?;
            let value = start + name.len() + 1 + (value.len() - value.trim_start().len());
            start = end + 2;
            Some((name, value..end))
        })
    }
}

impl Part {
    /// Up to `count` positions in it: the first, the last, and others evenly spaced.
    pub(crate) fn positions(&self, count: usize) -> Vec<usize> {
        let last = self.range.len() - 1;
        let mut positions: Vec<usize> = match count {
            1 => vec![last],
            _ => (0..count).map(|n| n * last / (count - 1)).collect(),
        };
        positions.dedup();
        positions
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn send(bytes: &[u8], to: SocketAddr, then_end: bool) -> Status {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may reject it and close the connection before it has read everything.
    drop(stream.write_all(bytes));
    if then_end {
        // Shows a server that waits for more of the body that nothing follows.
        drop(stream.shutdown(Shutdown::Write));
    }
    let mut answer = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if answer.read_line(&mut line).is_err() || line.is_empty() {
            return 0;
        }
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            if answer.read_line(&mut line).is_err() || line.is_empty() {
                return status;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        if status >= 200 {
            // Lets the server send everything before this side closes. A response to HEAD has no body, so the
            // rest is not read: only the status matters.
            if !bytes.starts_with(b"HEAD ") {
                let mut body = Vec::new();
                drop(answer.take(length).read_to_end(&mut body));
            }
            return status;
        }
    }
}
