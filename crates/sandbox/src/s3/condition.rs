//! Conditional requests (`If-Match`, `If-None-Match`) and byte ranges.

use super::call::no_such_key;
use crate::error_response::ErrorResponse;
use crate::http::Received;
use crate::world::Object;

fn failed() -> ErrorResponse {
    ErrorResponse::new(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

fn names(header: &str, etag: &str) -> bool {
    header.split(',').map(str::trim).any(|one| one == "*" || one.trim_matches('"') == etag)
}

/// Checks whether the request may overwrite `there`, the existing object.
pub(super) fn check_write(request: &Received, there: Option<&Object>) -> Result<(), ErrorResponse> {
    if let Some(header) = request.header("if-none-match")
        && there.is_some_and(|object| names(header, &object.etag))
    {
        return Err(failed());
    }
    if let Some(header) = request.header("if-match") {
        match there {
            Some(object) if names(header, &object.etag) => {}
            Some(_) => return Err(failed()),
            None => return Err(no_such_key()),
        }
    }
    Ok(())
}

/// What to return for a conditional read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The object.
    Yes,
    /// Status 304: the client already has this version.
    NotModified,
}

/// Evaluates the conditions of a read.
pub(super) fn check_read(request: &Received, object: &Object) -> Result<Reading, ErrorResponse> {
    if request.header("if-match").is_some_and(|header| !names(header, &object.etag)) {
        return Err(failed());
    }
    if request.header("if-none-match").is_some_and(|header| names(header, &object.etag)) {
        return Ok(Reading::NotModified);
    }
    Ok(Reading::Yes)
}

/// Parses a `Range` header with one range into the bytes `start..=end`; `None` without such a header.
pub(super) fn parse_range(request: &Received, size: u64) -> Result<Option<(u64, u64)>, ErrorResponse> {
    parse_byte_range(request.header("range").unwrap_or_default(), size)
}

/// Like [`parse_range`], but takes the text of the header.
pub(super) fn parse_byte_range(header: &str, size: u64) -> Result<Option<(u64, u64)>, ErrorResponse> {
    let Some(range) = header.strip_prefix("bytes=") else { return Ok(None) };
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else { return Ok(None) };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
        (Ok(first), Err(_)) if last.is_empty() => (first, size.saturating_sub(1)),
        (Err(_), Ok(length)) if first.is_empty() && length > 0 => {
            (size.saturating_sub(length), size.saturating_sub(1))
        }
        _ => return Ok(None),
    };
    if start >= size {
        return Err(ErrorResponse::new(416, "InvalidRange", "The requested range is not satisfiable"));
    }
    Ok(Some((start, end)))
}

/// Returns the bytes `start..=end`, as far as they exist.
pub(super) fn slice(bytes: &[u8], start: u64, end: u64) -> &[u8] {
    let index = |at| usize::try_from(at).unwrap_or(usize::MAX);
    bytes.get(index(start)..=index(end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Received {
        Received {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![(name.to_owned(), value.to_owned())],
            body: hyper::body::Bytes::new(),
        }
    }

    #[test]
    fn ranges_are_those_of_rfc_9110() {
        for (header, range) in [
            ("bytes=0-3", Some((0, 3))),
            ("bytes=4-", Some((4, 9))),
            ("bytes=-2", Some((8, 9))),
            ("bytes=0-99", Some((0, 9))),
            ("bytes=-99", Some((0, 9))),
            ("bytes=3-1", None),
            ("bytes=0-1,4-5", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(parse_range(&with("range", header), 10).unwrap(), range, "{header}");
        }
        assert_eq!(parse_range(&with("range", "bytes=10-"), 10).unwrap_err().code, "InvalidRange");
        assert_eq!(parse_range(&with("range", "bytes=0-"), 0).unwrap_err().code, "InvalidRange");
    }
}
