//! The protocol of EC2 instance metadata, version 2: a token by `PUT`, and everything else with that token.
//!
//! | path | answer |
//! |---|---|
//! | `PUT /latest/api/token` | a token, valid for as long as the client requests, at most 6 hours |
//! | `/latest/meta-data/iam/security-credentials/` | the only name below it |
//! | `/latest/meta-data/iam/security-credentials/hatbox` | the credentials |
//! | `/latest/meta-data/placement/region`, `.../availability-zone` | the region, if the profile has one |
//! | `/latest/dynamic/instance-identity/document` | the region as JSON |
//!
//! Version 1, a `GET` without a token, is refused: it would give the credentials to any program that can be tricked
//! into a plain `GET`.

use hatbox_types::name::Region;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::identity::Token;
use super::request::Request;

const TOKEN_PATH: &str = "/latest/api/token";
pub(super) const LIFE_HEADER: &str = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds";
const TOKEN_HEADER: &str = "X-Aws-Ec2-Metadata-Token";
/// The limit in AWS.
const MOST_SECONDS: u32 = 21_600;
const ROLES: &str = "/latest/meta-data/iam/security-credentials";
/// A fixed role name: the SDKs encode some characters of profile names differently.
const ROLE: &str = "hatbox";
/// The number of hexadecimal digits of a token's expiry, which precede its MAC.
const END_DIGITS: usize = 16;

/// What a client requests.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A token, and its lifetime in seconds.
    Token(Zeroizing<String>, u32),
    Credentials,
    Text(String),
    Json(String),
    /// The status, and the reason.
    Refused(&'static str, &'static str),
}

/// Determines what a client requests. `key` is what tokens are made with, and unknown to clients.
pub(super) fn resolve_asked(
    request: &Request<'_, '_>,
    key: &Token,
    region: Option<&Region>,
    now: Timestamp,
) -> Asked {
    if request.method == "PUT" {
        return resolve_token(request, key, now);
    }
    let token = request.header(TOKEN_HEADER).unwrap_or_default();
    if !is_token(token, key, now) {
        return Asked::Refused("401 Unauthorized", "the metadata token is missing, wrong or expired");
    }
    let path = request.path;
    match (path.strip_suffix('/').unwrap_or(path), region) {
        (ROLES, _) => Asked::Text(ROLE.to_owned()),
        ("/latest/meta-data/placement/region", Some(region)) => Asked::Text(region.to_string()),
        ("/latest/meta-data/placement/availability-zone", Some(region)) => Asked::Text(format!("{region}a")),
        ("/latest/dynamic/instance-identity/document", Some(region)) => {
            Asked::Json(json!({ "region": region.as_str() }).to_string())
        }
        _ if path.strip_prefix(ROLES).and_then(|rest| rest.strip_prefix('/')) == Some(ROLE) => {
            Asked::Credentials
        }
        _ => Asked::Refused("404 Not Found", "not found"),
    }
}

fn resolve_token(request: &Request<'_, '_>, key: &Token, now: Timestamp) -> Asked {
    if request.path != TOKEN_PATH {
        return Asked::Refused("404 Not Found", "not found");
    }
    // Security: a proxy adds this header to requests of others, which a web server can be tricked into forwarding.
    if request.has_header("x-forwarded-for") {
        return Asked::Refused("403 Forbidden", "requests through a proxy are refused");
    }
    let life = request.header(LIFE_HEADER).and_then(|life| std::str::from_utf8(life).ok());
    let digits = life.filter(|life| life.bytes().all(|b| b.is_ascii_digit()));
    match digits.and_then(|life| life.parse().ok()) {
        Some(seconds @ 1..=MOST_SECONDS) => {
            Asked::Token(render_token(key, now + SignedDuration::from_secs(seconds.into())), seconds)
        }
        _ => Asked::Refused(
            "400 Bad Request",
            "invalid lifetime of the metadata token: expected 1 to 21600 seconds",
        ),
    }
}

/// Renders a token. It contains its expiry, so the server stores none, and clients may request any number of them.
fn render_token(key: &Token, expires_at: Timestamp) -> Zeroizing<String> {
    let end = expires_at.as_second();
    // HMAC accepts keys of any length.
    let mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).map(|mac| {
        hex::encode(
            mac.chain_update(b"metadata token").chain_update(end.to_be_bytes()).finalize().into_bytes(),
        )
    });
    Zeroizing::new(format!("{end:0END_DIGITS$x}{}", mac.unwrap_or_default()))
}

fn is_token(sent: &[u8], key: &Token, now: Timestamp) -> bool {
    let end = sent.get(..END_DIGITS).and_then(|digits| std::str::from_utf8(digits).ok());
    let end = end.and_then(|digits| i64::from_str_radix(digits, 16).ok());
    let Some(expires_at) = end.and_then(|end| Timestamp::from_second(end).ok()) else { return false };
    // Security: compare in constant time.
    let is_ours: bool = render_token(key, expires_at).as_bytes().ct_eq(sent).into();
    // If the clock was set back, a token must not live longer than requested.
    let left = expires_at.duration_since(now);
    is_ours && left.is_positive() && left <= SignedDuration::from_secs(MOST_SECONDS.into())
}

#[cfg(test)]
mod tests {
    use super::super::request::{Head, Hosts, MOST_HEADERS, Rules, parse_head};
    use super::*;

    fn ask(request: &str, key: &Token, region: Option<&str>, now: Timestamp) -> Asked {
        let rules =
            Rules { methods: &["GET", "PUT"], hosts: Hosts::Exactly(vec!["127.0.0.1:80".to_owned()]) };
        let bytes = format!(
            "{} HTTP/1.1\r\nHost: 127.0.0.1:80\r\n{}\r\n",
            request.lines().next().unwrap(),
            request.lines().skip(1).map(|line| format!("{line}\r\n")).collect::<String>()
        );
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let Head::Whole(request) = parse_head(bytes.as_bytes(), &mut headers, &rules) else {
            panic!("{bytes}")
        };
        let region = region.map(|region| Region::parse(region).unwrap());
        resolve_asked(&request, key, region.as_ref(), now)
    }

    #[test]
    fn a_token_is_good_until_its_end_for_its_own_server() {
        let (key, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        let second = |second| Timestamp::from_second(second).unwrap();
        let now = second(1_000_000);
        let token = render_token(&key, second(1_000_100));
        assert_eq!(token.len(), END_DIGITS + 64);
        let is = |token: &str, now| is_token(token.as_bytes(), &key, now);
        assert!(is(&token, now) && is(&token, second(1_000_099)));
        assert!(!is(&token, second(1_000_100)), "expired");
        assert!(!is(&token, second(1_000_100 - 21_601)), "the clock was set back");
        assert!(!is_token(token.as_bytes(), &other, now), "another server's");
        let later = format!("{:016x}{}", 1_000_200, &token[END_DIGITS..]);
        for wrong in [
            "",
            "0",
            &token[..END_DIGITS],
            &token[1..],
            &token.to_uppercase(),
            &later,
            &format!("{} ", &*token),
            "ü",
        ] {
            assert!(!is(wrong, now), "{wrong}");
        }
        assert!(!is_token(key.expose().as_bytes(), &key, now), "the key itself");
    }

    #[test]
    fn each_request_has_its_answer() {
        let key = Token::generate().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let status = |request: &str| match ask(request, &key, Some("eu-west-1"), now) {
            Asked::Refused(status, _) => status[..3].to_owned(),
            Asked::Token(token, seconds) => {
                assert!(is_token(token.as_bytes(), &key, now));
                seconds.to_string()
            }
            other => format!("{other:?}"),
        };
        for (request, expected) in [
            ("PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 21600", "21600"),
            ("PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 1", "1"),
            ("PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 0", "400"),
            ("PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 21601", "400"),
            ("PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: -1", "400"),
            ("PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: +1", "400"),
            ("PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 99999999999999999999", "400"),
            (
                "PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 5\nx-aws-ec2-metadata-token-ttl-seconds: 5",
                "400",
            ),
            ("PUT /latest/api/token", "400"),
            ("PUT /latest/api/token/\nx-aws-ec2-metadata-token-ttl-seconds: 5", "404"),
            ("PUT /latest/meta-data/iam/security-credentials/hatbox", "404"),
            (
                "PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 5\nX-Forwarded-For: 10.0.0.1",
                "403",
            ),
            (
                "PUT /latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 5\nX-Forwarded-For:\nX-Forwarded-For:",
                "403",
            ),
            ("GET /latest/meta-data/iam/security-credentials/", "401"),
            ("GET /no-such-path", "401"),
        ] {
            assert_eq!(status(request), expected, "{request}");
        }
        let token = render_token(&key, Timestamp::from_second(5).unwrap());
        let get = |path: &str, region| {
            ask(&format!("GET {path}\nX-aws-ec2-metadata-token: {}", &*token), &key, region, now)
        };
        let roles = "/latest/meta-data/iam/security-credentials";
        assert_eq!(get(&format!("{roles}/"), None), Asked::Text("hatbox".to_owned()));
        assert_eq!(get(roles, None), Asked::Text("hatbox".to_owned()));
        assert_eq!(get(&format!("{roles}/hatbox"), None), Asked::Credentials);
        let zone = "/latest/meta-data/placement/availability-zone";
        let document = "/latest/dynamic/instance-identity/document";
        for (path, answer) in [
            ("/latest/meta-data/placement/region", Asked::Text("eu-west-1".to_owned())),
            (zone, Asked::Text("eu-west-1a".to_owned())),
            (&format!("{zone}/"), Asked::Text("eu-west-1a".to_owned())),
            (document, Asked::Json("{\"region\":\"eu-west-1\"}".to_owned())),
        ] {
            assert_eq!(get(path, Some("eu-west-1")), answer, "{path}");
            assert!(matches!(get(path, None), Asked::Refused("404 Not Found", _)), "{path} without a region");
        }
        for path in [
            "/",
            "/latest/user-data",
            "/latest/api/token",
            &format!("{roles}/other"),
            &format!("{roles}//hatbox"),
            &format!("{roles}/hatbox?x"),
        ] {
            assert!(matches!(get(path, Some("eu-west-1")), Asked::Refused("404 Not Found", _)), "{path}");
        }
    }
}
