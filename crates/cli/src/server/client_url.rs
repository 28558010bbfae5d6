//! The URL for clients, if something forwards their requests to the server: another host or port, or https.

use hatbox_core::config::endpoint::{EndpointError, parse_endpoint};

use super::request::Hosts;
use crate::errors::{Failure, FailureKind};

/// The hosts that all AWS SDKs call over plain HTTP. Most SDKs accept any loopback address too.
const PLAIN_HTTP: [&str; 6] =
    ["127.0.0.1", "localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

/// A URL without a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientUrl {
    text: String,
    /// The values of `Host` that clients may send.
    hosts: Vec<String>,
}

/// Why clients cannot use a URL.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientUrlError {
    /// It is not a URL that all programs parse in the same way.
    #[error(transparent)]
    Form(#[from] EndpointError),
    /// The server chooses the paths.
    #[error("a path is not allowed")]
    Path,
    /// No SDK would call it.
    #[error("the AWS SDKs refuse plain http at this host")]
    PlainHttp,
}

impl ClientUrl {
    /// Parses the URL that the user gives.
    pub(crate) fn parse(text: &str) -> Result<Self, ClientUrlError> {
        let parts = parse_endpoint(text)?;
        let (scheme, usual) = if parts.is_https { ("https", 443) } else { ("http", 80) };
        let host = if parts.host.contains(':') { format!("[{}]", parts.host) } else { parts.host.to_owned() };
        let port = parts.port.map(|port| format!(":{port}")).unwrap_or_default();
        let url = format!("{scheme}://{host}{port}");
        if text.strip_suffix('/').unwrap_or(text) != url {
            return Err(ClientUrlError::Path);
        }
        if !parts.is_https && !PLAIN_HTTP.iter().any(|plain| plain.eq_ignore_ascii_case(parts.host)) {
            return Err(ClientUrlError::PlainHttp);
        }
        let number = parts.port.unwrap_or(usual);
        let mut hosts = vec![format!("{host}:{number}")];
        if number == usual {
            hosts.push(host);
        }
        Ok(Self { text: url, hosts })
    }

    /// Without a trailing slash.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The allowed values of `Host` in requests to it.
    pub(super) fn hosts(&self) -> Hosts {
        Hosts::Exactly(self.hosts.clone())
    }
}

impl From<(&str, ClientUrlError)> for Failure {
    fn from((text, error): (&str, ClientUrlError)) -> Self {
        // Security: do not show a password in the URL.
        let shown = text.rsplit_once('@').map_or(text.to_owned(), |(_, host)| format!("...@{host}"));
        let failure = Self::new(FailureKind::Usage, format!("invalid URL `{shown}` in --url: {error}"));
        match error {
            ClientUrlError::PlainHttp => failure.hint(
                "use https, or one of 127.0.0.1, localhost, [::1], 169.254.170.2, 169.254.170.23 and [fd00:ec2::23]",
            ),
            ClientUrlError::Form(_) | ClientUrlError::Path => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_may_leave_out_the_usual_port_and_no_other() {
        for (text, url, hosts) in [
            ("https://h.example", "https://h.example", vec!["h.example:443", "h.example"]),
            ("https://h.example:443/", "https://h.example:443", vec!["h.example:443", "h.example"]),
            ("https://h.example:8443", "https://h.example:8443", vec!["h.example:8443"]),
            ("https://10.0.0.1:8443", "https://10.0.0.1:8443", vec!["10.0.0.1:8443"]),
            ("http://169.254.170.2", "http://169.254.170.2", vec!["169.254.170.2:80", "169.254.170.2"]),
            ("http://[::1]:9911", "http://[::1]:9911", vec!["[::1]:9911"]),
            ("http://localhost:443", "http://localhost:443", vec!["localhost:443"]),
        ] {
            let parsed = ClientUrl::parse(text).unwrap();
            assert_eq!(parsed.text(), url);
            assert_eq!(parsed.hosts, hosts);
        }
    }

    #[test]
    fn a_url_that_the_sdks_refuse_or_that_has_more_than_a_host_is_none() {
        for (text, error) in [
            ("http://host.docker.internal:80", ClientUrlError::PlainHttp),
            ("http://172.17.0.1", ClientUrlError::PlainHttp),
            ("http://127.0.0.1.evil.example", ClientUrlError::PlainHttp),
            ("https://h.example/credentials", ClientUrlError::Path),
            ("h.example:8443", ClientUrlError::Form(EndpointError::Scheme)),
            ("https://me:canary@h.example", ClientUrlError::Form(EndpointError::UserInfo)),
            ("https://h.example?x", ClientUrlError::Form(EndpointError::Query)),
        ] {
            assert_eq!(ClientUrl::parse(text), Err(error), "{text}");
        }
        let failure = Failure::from(("https://me:canary@h", ClientUrlError::Form(EndpointError::UserInfo)));
        assert!(!failure.error.contains("canary"), "{}", failure.error);
    }
}
