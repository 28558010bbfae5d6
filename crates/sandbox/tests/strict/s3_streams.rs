//! Payloads of S3: hashes, chunks, trailers. The tests compute the chunk signatures themselves.

use hatbox_sandbox::world::MFA_SERIAL;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::client::{ADMIN, Keys, Raw, Sandbox, Signing};

const TARGET: &str = "/work-logs/stream";

fn admin(sandbox: &mut Sandbox) -> Keys {
    let code = sandbox.fresh_code();
    sandbox.assume(&sandbox.jan, ADMIN, &[("SerialNumber", MFA_SERIAL), ("TokenCode", &code)]).keys()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().concat()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Returns a signed request whose body is `chunks` in aws-chunked framing, each signed.
fn signed_chunks(sandbox: &Sandbox, keys: &Keys, chunks: &[&[u8]]) -> Raw {
    const KIND: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    let length = chunks.iter().map(|chunk| chunk.len()).sum::<usize>().to_string();
    let headers = [("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", length.as_str())];
    let raw = sandbox.s3_raw("PUT", TARGET, &headers, b"");
    let mut raw = sandbox.sign(keys, "s3", raw, Signing { precomputed: Some(KIND), ..Signing::default() });
    let authorization = raw.header_mut("authorization").clone();
    let mut previous = authorization.rsplit("Signature=").next().unwrap().to_owned();
    let stamp = raw.header_mut("x-amz-date").clone();
    let scope = format!("{}/us-east-1/s3/aws4_request", &stamp[..8]);
    let start = format!("AWS4{}", keys.secret).into_bytes();
    let key = scope.split('/').fold(start, |key, part| hmac(&key, part));
    for chunk in chunks.iter().chain([&&b""[..]]) {
        let empty = hex(&Sha256::digest(b""));
        let hash = hex(&Sha256::digest(chunk));
        let text = format!("AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{scope}\n{previous}\n{empty}\n{hash}");
        previous = hex(&hmac(&key, &text));
        raw.body.extend(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).bytes());
        raw.body.extend(*chunk);
        raw.body.extend(b"\r\n");
    }
    raw
}

#[test]
fn signed_chunks_are_checked_one_by_one() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    let raw = signed_chunks(&sandbox, &keys, &[b"hello ", b"world"]);
    sandbox.send(&raw).ok();
    let got = sandbox.s3(&keys, "GET", TARGET, &[], b"");
    assert_eq!((got.body.as_str(), got.header("content-encoding").as_str()), ("hello world", ""));
    for needle in ["hello", "world", ";chunk-signature="] {
        let mut spoilt = raw.clone();
        let text = String::from_utf8(spoilt.body.clone()).unwrap();
        let at = text.rfind(needle).unwrap() + needle.len() - usize::from(needle.len() < 6);
        spoilt.body[at] = if spoilt.body[at] == b'0' { b'1' } else { b'0' };
        let answer = sandbox.send(&spoilt);
        assert_eq!((answer.status, answer.text("Code").as_str()), (403, "SignatureDoesNotMatch"), "{needle}");
    }
    // Missing chunks, then reordered ones.
    let mut short = raw.clone();
    short.body.truncate(raw.body.len() / 3);
    assert_eq!(sandbox.send(&short).status, 400);
    let swapped = signed_chunks(&sandbox, &keys, &[b"aaaaa", b"bbbbb"]);
    let text = String::from_utf8(swapped.body.clone()).unwrap();
    let text = text.replace("aaaaa", "x").replace("bbbbb", "aaaaa").replace('x', "bbbbb");
    let answer = sandbox.send(&Raw { body: text.into_bytes(), ..swapped });
    assert_eq!(answer.text("Code"), "SignatureDoesNotMatch");
}

fn trailer(sandbox: &Sandbox, keys: &Keys, body: &str) -> Raw {
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "9"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let signing = Signing { precomputed: Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ..Signing::default() };
    sandbox.sign(keys, "s3", sandbox.s3_raw("PUT", TARGET, &headers, body.as_bytes()), signing)
}

#[test]
fn a_trailing_checksum_must_be_there_and_right() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    let right = "9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
    sandbox.send(&trailer(&sandbox, &keys, right)).ok();
    assert_eq!(sandbox.s3(&keys, "GET", TARGET, &[], b"").body, "123456789");
    for (body, code) in [
        (right.replace("12345", "12346"), "BadDigest"),
        ("9\r\n123456789\r\n0\r\n\r\n".to_owned(), "MalformedTrailerError"),
        (right.replace("9\r\n123456789", "8\r\n12345678"), "BadDigest"),
        ("a\r\n123456789\r\n0\r\n\r\n".to_owned(), "IncompleteBody"),
        ("zz\r\n".to_owned(), "IncompleteBody"),
        (String::new(), "IncompleteBody"),
    ] {
        assert_eq!(sandbox.send(&trailer(&sandbox, &keys, &body)).text("Code"), code, "{body:?}");
    }
}

#[test]
fn a_payload_hash_must_be_there_and_right() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    let raw = sandbox.s3_raw("PUT", TARGET, &[], b"payload");
    let hash = hex(&Sha256::digest(b"payload"));
    for (precomputed, code) in [
        (hash.as_str(), ""),
        ("UNSIGNED-PAYLOAD", ""),
        (&hex(&Sha256::digest(b"other")), "XAmzContentSHA256Mismatch"),
        ("STREAMING-SOMETHING-ELSE", "NotImplemented"),
    ] {
        let signing = Signing { precomputed: Some(precomputed), ..Signing::default() };
        assert_eq!(sandbox.send(&sandbox.sign(&keys, "s3", raw.clone(), signing)).text("Code"), code);
    }
    let mut without = sandbox.sign(&keys, "s3", raw, Signing::default());
    without.headers.retain(|(name, _)| name != "x-amz-content-sha256");
    let value = without.header_mut("authorization");
    *value = value.replace("x-amz-content-sha256;", "");
    assert_eq!(sandbox.send(&without).text("Code"), "InvalidRequest");
}

#[test]
fn a_checksum_header_must_fit() {
    let mut sandbox = Sandbox::start();
    let keys = admin(&mut sandbox);
    for (value, status) in [("y/Q5Jg==", 200), ("y/Q5Jw==", 400)] {
        let headers = [("x-amz-checksum-crc32", value)];
        assert_eq!(sandbox.s3(&keys, "PUT", TARGET, &headers, b"123456789").status, status, "{value}");
    }
}
