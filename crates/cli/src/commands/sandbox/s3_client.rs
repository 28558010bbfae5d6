//! Sends signed S3 requests to a sandbox on 127.0.0.1, with credentials from the environment only.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use hatbox_types::name::AccessKeyId;
use hatbox_types::sandbox_key::is_minted_by;
use hatbox_types::secret::SecretString;

use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::world::World;

use super::s3_answer::{AnswerError, element, split_answer};

/// The sandbox's limit for one request, in bytes.
pub(super) const BODY_LIMIT: usize = 64 << 20;
const ANSWER_LIMIT: u64 = (BODY_LIMIT + (64 << 10)) as u64;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_mins(1);

/// The endpoint and credentials of the S3 client.
pub(super) struct S3Client<'w> {
    world: &'w World,
    address: SocketAddr,
    region: String,
    key_id: AccessKeyId,
    secret: SecretString,
    token: Option<SecretString>,
}

/// A request. `path` is bucket and key, unescaped, separated by `/`.
pub(super) struct Ask<'a> {
    /// The operation's name in S3, such as `ListBuckets`.
    pub(super) operation: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum S3Error {
    /// The sandbox returned an error.
    #[error("An error occurred ({code}) when calling the {operation} operation: {message}")]
    ErrorResponse { operation: &'static str, code: String, message: String },
    /// The request could not be signed.
    #[error("the request could not be signed")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection failed.
    #[error("the sandbox at {address} does not respond")]
    Exchange {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    /// The answer is not one of the sandbox's.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

impl<'w> S3Client<'w> {
    /// Reads the endpoint and credentials from the environment.
    ///
    /// | variable | must be |
    /// |---|---|
    /// | `HATBOX_SANDBOX` | the sandbox's id |
    /// | `AWS_ENDPOINT_URL` | `http://127.0.0.1:PORT` |
    /// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | a key that this sandbox minted |
    /// | `AWS_SESSION_TOKEN` | the token of temporary credentials, if the key is temporary |
    pub(super) fn of_environment(world: &'w World) -> Result<Self, Failure> {
        let text = |name: &str| world.environment.text(name);
        let outside = || {
            Failure::new(
                FailureKind::Refused,
                format!(
                    "`hatbox sandbox s3` works only in a sandbox's environment: {} is not set",
                    env_names::SANDBOX
                ),
            )
            .hint("hatbox sandbox shell")
        };
        let sandbox = text(env_names::SANDBOX).ok_or_else(outside)?;
        let url = text("AWS_ENDPOINT_URL").unwrap_or_default();
        // Security: this client uses plain HTTP, and trusts the form of the key to be the sandbox's.
        let address = parse_loopback_url(&url).ok_or_else(|| {
            Failure::new(
                FailureKind::Refused,
                format!(
                    "AWS_ENDPOINT_URL is `{}`, and a sandbox is at http://127.0.0.1:PORT",
                    url.escape_debug()
                ),
            )
            .hint("hatbox sandbox shell")
        })?;
        let no_credentials = || {
            Failure::new(FailureKind::Usage, "there are no credentials in the environment")
                .hint("hatbox exec security-auditor -- hatbox sandbox s3 ls")
        };
        let id = text("AWS_ACCESS_KEY_ID").ok_or_else(no_credentials)?;
        let secret = SecretString::new(text("AWS_SECRET_ACCESS_KEY").ok_or_else(no_credentials)?);
        let not_minted = || {
            Failure::new(
                FailureKind::Refused,
                "the access key in the environment is not one of the sandbox's: nothing was sent",
            )
            .hint("this client accepts only the sandbox's keys; use `aws s3` for AWS")
        };
        let key_id =
            AccessKeyId::parse(&id).ok().filter(|id| is_minted_by(id, &sandbox)).ok_or_else(not_minted)?;
        Ok(Self {
            world,
            address,
            region: text("AWS_REGION")
                .or_else(|| text("AWS_DEFAULT_REGION"))
                .unwrap_or_else(|| hatbox_sandbox::world::REGION.to_owned()),
            key_id,
            secret,
            token: text("AWS_SESSION_TOKEN").map(SecretString::new),
        })
    }

    /// Sends a request and returns the body of the response.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Result<Vec<u8>, S3Error> {
        let target = render_target(ask.path, ask.query);
        let mut head = format!("{} {target} HTTP/1.1\r\nhost: {}\r\n", ask.method, self.address);
        let headers = self.signed_headers(ask, &target)?;
        head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
        head.extend([format!("content-length: {}\r\nconnection: close\r\n\r\n", ask.body.len())]);
        let answer = self
            .exchange(head.as_bytes(), ask.body)
            .map_err(|source| S3Error::Exchange { address: self.address, source })?;
        let (status, body) = split_answer(&answer)?;
        if (200..300).contains(&status) {
            return Ok(body.to_vec());
        }
        let text = String::from_utf8_lossy(body);
        Err(S3Error::ErrorResponse {
            operation: ask.operation,
            code: element(&text, "Code").unwrap_or_else(|| status.to_string()),
            message: element(&text, "Message").unwrap_or_default(),
        })
    }

    fn signed_headers(&self, ask: &Ask<'_>, target: &str) -> Result<Vec<(String, String)>, S3Error> {
        let credentials = Credentials::new(
            self.key_id.as_str(),
            self.secret.expose(),
            self.token.as_ref().map(|token| token.expose().to_owned()),
            None,
            "environment",
        );
        let identity = credentials.into();
        let mut settings = SigningSettings::default();
        // S3 signs the path as it is sent, and takes the body's digest from a header.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::from(self.world.clock.now()))
            .settings(settings)
            .build()
            .map_err(|error| S3Error::Sign(error.into()))?
            .into();
        let url = format!("http://{}{target}", self.address);
        let request =
            SignableRequest::new(ask.method, url, std::iter::empty(), SignableBody::Bytes(ask.body))
                .map_err(|error| S3Error::Sign(error.into()))?;
        let (instructions, _) =
            sign(request, &params).map_err(|error| S3Error::Sign(error.into()))?.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn exchange(&self, head: &[u8], body: &[u8]) -> std::io::Result<Vec<u8>> {
        let until = Instant::now() + TIMEOUT;
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT_TIMEOUT)?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.write_all(head)?;
        // A server that rejects the request may close the connection early; its response counts, not the broken pipe.
        let sent = stream.write_all(body);
        let mut answer = Vec::new();
        let mut buffer = [0; 16 << 10];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => answer.extend_from_slice(buffer.get(..length).unwrap_or_default()),
                Err(_) if !answer.is_empty() => break,
                Err(error) => return sent.and(Err(error)),
            }
            if answer.len() as u64 > ANSWER_LIMIT {
                return Err(std::io::Error::other("the response is longer than 64 MiB"));
            }
        }
        if answer.is_empty() { sent.and(Err(std::io::ErrorKind::UnexpectedEof.into())) } else { Ok(answer) }
    }
}

/// Parses `http://127.0.0.1:PORT`, with or without a trailing slash, and nothing else.
fn parse_loopback_url(url: &str) -> Option<SocketAddr> {
    let rest = url.strip_prefix("http://127.0.0.1:")?;
    let port = rest.strip_suffix('/').unwrap_or(rest);
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    port.parse().ok().filter(|port| *port != 0).map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// Renders the path and query of the request line, percent-encoded once (RFC 3986, section 2.3).
fn render_target(path: &str, query: &[(&str, &str)]) -> String {
    let mut target = String::from("/");
    encode(path, "-._~/", &mut target);
    for (number, (name, value)) in query.iter().enumerate() {
        target.push(if number == 0 { '?' } else { '&' });
        encode(name, "-._~", &mut target);
        target.push('=');
        encode(value, "-._~", &mut target);
    }
    target
}

fn encode(text: &str, plain: &str, into: &mut String) {
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || plain.contains(c) {
            into.push(c);
        } else {
            into.extend([format!("%{byte:02X}")]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_address_is_a_sandbox() {
        let table = [
            ("http://127.0.0.1:4566", true, "as `sandbox up` prints it"),
            ("http://127.0.0.1:4566/", true, "the same"),
            ("https://127.0.0.1:4566", false, "the sandbox speaks no TLS"),
            ("http://localhost:4566", false, "a name can be made to mean anything"),
            ("http://127.0.0.1", false, "no port"),
            ("http://127.0.0.1:0", false, "no port"),
            ("http://127.0.0.1:70000", false, "no port"),
            ("http://127.0.0.1:80@evil.example", false, "a user name before another host"),
            ("http://127.0.0.1.evil.example:80", false, "another host"),
            ("http://127.0.0.1:80/path", false, "a sandbox is at the root"),
            ("", false, "not set"),
        ];
        for (url, is_taken, why) in table {
            assert_eq!(parse_loopback_url(url).is_some(), is_taken, "{url}: {why}");
        }
    }

    #[test]
    fn each_byte_of_a_target_is_encoded_once() {
        assert_eq!(render_target("b/a b/ü%20+", &[]), "/b/a%20b/%C3%BC%2520%2B");
        assert_eq!(
            render_target("b", &[("list-type", "2"), ("prefix", "a/b&c")]),
            "/b?list-type=2&prefix=a%2Fb%26c"
        );
    }
}
