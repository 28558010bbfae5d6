//! The body of a signed request: its hash, and the aws-chunked framing of S3 with signed chunks.
//!
//! | `x-amz-content-sha256` | body | checked |
//! |---|---|---|
//! | 64 hex digits | as it is | its hash |
//! | `UNSIGNED-PAYLOAD` | as it is | nothing |
//! | `STREAMING-UNSIGNED-PAYLOAD-TRAILER` | chunks, trailer | the trailer's checksum |
//! | `STREAMING-AWS4-HMAC-SHA256-PAYLOAD` | signed chunks | each chunk's signature |
//! | `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER` | signed chunks, signed trailer | signatures and checksum |
//!
//! Source: Amazon S3 API, "Signature calculations: transferring payload in multiple chunks".

use hyper::body::Bytes;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::claim::{Claim, Form};
use super::dialect::Dialect;
use super::signing_key::SigningKey;
use super::words;
use crate::checksum;
use crate::error_response::ErrorResponse;
use crate::http::Received;

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const STREAMING: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const STREAMING_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// Returns the payload hash of the canonical request.
pub(super) fn payload_hash(
    request: &Received,
    claim: &Claim,
    dialect: Dialect,
) -> Result<String, ErrorResponse> {
    if dialect != Dialect::S3 {
        return Ok(hex::encode(Sha256::digest(&request.body)));
    }
    match (request.header("x-amz-content-sha256"), claim.form) {
        (Some(text), _) => Ok(text.to_owned()),
        (None, Form::Presigned { .. }) => Ok(UNSIGNED.to_owned()),
        (None, Form::Header) => Err(ErrorResponse::new(
            400,
            "InvalidRequest",
            "Missing required header for this request: x-amz-content-sha256",
        )),
    }
}

/// Checks the body against `hash` and removes its framing. The signature of the request must already be verified.
pub(super) fn open_payload(
    request: &Received,
    claim: &Claim,
    hash: &str,
    key: &SigningKey,
) -> Result<Bytes, ErrorResponse> {
    let payload = match hash {
        UNSIGNED => request.body.clone(),
        STREAMING | STREAMING_TRAILER => open_chunks(request, Some(&Chain { claim, key }))?,
        UNSIGNED_TRAILER => open_chunks(request, None)?,
        hash if bool::from(hex::encode(Sha256::digest(&request.body)).as_bytes().ct_eq(hash.as_bytes())) => {
            request.body.clone()
        }
        hash if hash.starts_with("STREAMING-") => {
            return Err(ErrorResponse::new(
                501,
                "NotImplemented",
                format!("The sandbox does not know `{hash}`."),
            ));
        }
        _ => {
            return Err(ErrorResponse::new(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
    };
    for (name, value) in &request.headers {
        check_checksum(name, value, &payload)?;
    }
    Ok(payload)
}

/// The inputs of chunk signatures, apart from the previous signature.
struct Chain<'a> {
    claim: &'a Claim,
    key: &'a SigningKey,
}

impl Chain<'_> {
    fn sign(&self, kind: &str, previous: &str, parts: &[&str]) -> String {
        let scope = self.claim.scope();
        let mut lines = vec![kind, &self.claim.stamp, &scope, previous];
        lines.extend(parts);
        self.key.sign(&lines)
    }
}

fn malformed(why: &str) -> ErrorResponse {
    ErrorResponse::new(400, "IncompleteBody", "The request body terminated unexpectedly").because(why)
}

fn open_chunks(request: &Received, chain: Option<&Chain>) -> Result<Bytes, ErrorResponse> {
    let mut rest: &[u8] = &request.body;
    let mut payload: Vec<u8> = Vec::with_capacity(rest.len());
    let mut previous = chain.map(|chain| chain.claim.signature.clone()).unwrap_or_default();
    loop {
        let line = take_line(&mut rest).ok_or_else(|| malformed("a chunk has no head"))?;
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| malformed("invalid chunk size"))?;
        let chunk = rest.get(..size).ok_or_else(|| malformed("a chunk is shorter than its head says"))?;
        rest = rest.get(size..).unwrap_or_default();
        if let Some(chain) = chain {
            let given = extension.strip_prefix("chunk-signature=").unwrap_or_default();
            let hashes = (hex::encode(Sha256::digest(b"")), hex::encode(Sha256::digest(chunk)));
            let right = chain.sign("AWS4-HMAC-SHA256-PAYLOAD", &previous, &[&hashes.0, &hashes.1]);
            if !bool::from(right.as_bytes().ct_eq(given.as_bytes())) {
                return Err(words::wrong_signature(Dialect::S3).because("a chunk's signature is wrong"));
            }
            previous = right;
        }
        payload.extend_from_slice(chunk);
        if size == 0 {
            break;
        }
        if take_line(&mut rest) != Some("") {
            return Err(malformed("a chunk does not end where its head says"));
        }
    }
    check_trailer(request, &mut rest, &payload, chain, &previous)?;
    let announced = request.header("x-amz-decoded-content-length").and_then(|text| text.parse().ok());
    if announced != Some(payload.len()) {
        return Err(malformed("`x-amz-decoded-content-length` is not the length of the chunks"));
    }
    Ok(payload.into())
}

fn check_trailer(
    request: &Received,
    rest: &mut &[u8],
    payload: &[u8],
    chain: Option<&Chain>,
    previous: &str,
) -> Result<(), ErrorResponse> {
    let mut signed = String::new();
    let mut seen = Vec::new();
    let mut signature = None;
    while let Some(line) = take_line(rest) {
        if line.is_empty() {
            continue;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("invalid trailer"))?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name == "x-amz-trailer-signature" {
            signature = Some(value.to_owned());
            continue;
        }
        signed.extend([&name, ":", value, "\n"]);
        check_checksum(&name, value, payload)?;
        seen.push(name);
    }
    let announced = request.header("x-amz-trailer").unwrap_or_default().split(',').map(str::trim);
    for name in announced.filter(|name| !name.is_empty()) {
        if !seen.iter().any(|seen| seen.eq_ignore_ascii_case(name)) {
            return Err(ErrorResponse::new(
                400,
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            ));
        }
    }
    if let Some(chain) = chain.filter(|_| !seen.is_empty()) {
        let hash = hex::encode(Sha256::digest(signed.as_bytes()));
        let right = chain.sign("AWS4-HMAC-SHA256-TRAILER", previous, &[&hash]);
        let given = signature.unwrap_or_default();
        if !bool::from(right.as_bytes().ct_eq(given.as_bytes())) {
            return Err(words::wrong_signature(Dialect::S3).because("the trailer's signature is wrong"));
        }
    }
    Ok(())
}

fn check_checksum(name: &str, value: &str, payload: &[u8]) -> Result<(), ErrorResponse> {
    let Some(algorithm) = name.strip_prefix("x-amz-checksum-") else { return Ok(()) };
    match checksum::render_checksum(algorithm, payload) {
        Some(right) if right != value => Err(ErrorResponse::new(
            400,
            "BadDigest",
            format!(
                "The {} you specified did not match the calculated checksum.",
                algorithm.to_ascii_uppercase()
            ),
        )),
        _ => Ok(()),
    }
}

/// Removes the text up to the next CRLF from `rest` and returns it. `None` if there is no complete line.
fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(rest.get(..end)?).ok()?;
    *rest = rest.get(end + 2..)?;
    Some(line)
}
