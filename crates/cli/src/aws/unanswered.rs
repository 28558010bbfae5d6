//! Calls that failed: with an error of the service, or because of the network.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use hatbox_types::text::printable_start;
use jiff::Timestamp;
use rustls::CertificateError;

use super::endpoint::EndpointUrl;
use super::transport::{TimeLimits, Trace, is_too_long, parse_date};

/// The problem with a certificate, as far as the hint depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateProblem {
    /// No trusted authority signed it.
    UnknownIssuer,
    /// It has expired or is not valid yet, by this machine's clock.
    Time,
    /// Any other problem with the certificate.
    Other,
}

/// The problem with a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyProblem {
    /// It requires a user name and password.
    Unauthorized,
    /// Anything else.
    Other,
}

/// Why a service did not answer, as far as the hint depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkProblem {
    /// It could not be reached.
    Unreachable,
    /// The request was sent, but no answer arrived in time.
    NoAnswer,
    /// Its certificate is not trusted.
    Certificate(CertificateProblem),
    /// The proxy could not connect.
    Proxy(ProxyProblem),
    /// Something other than the service answered.
    NotTheService,
}

impl NetworkProblem {
    /// Returns a hint, if there is one, for a call to `service`: at `endpoint` or AWS's own, with the certificates in
    /// `ca_bundle` or the system's.
    pub(crate) fn hint(
        self,
        service: &str,
        endpoint: Option<&EndpointUrl>,
        ca_bundle: Option<&Path>,
    ) -> Option<String> {
        let hint = match self {
            Self::Unreachable => match endpoint {
                Some(endpoint) => {
                    return Some(format!(
                        "check that the endpoint {} is correct and running",
                        endpoint.as_str()
                    ));
                }
                None => "check the network, and set HTTPS_PROXY if you are behind a proxy",
            },
            Self::NoAnswer => "try again",
            Self::Proxy(ProxyProblem::Unauthorized) => {
                "add them to the variable: http://USER:PASSWORD@HOST:PORT"
            }
            Self::Proxy(ProxyProblem::Other) => {
                "check the variable, or add the host to NO_PROXY to connect without the proxy"
            }
            Self::Certificate(CertificateProblem::UnknownIssuer) => match ca_bundle {
                Some(bundle) => {
                    return Some(format!(
                        "only the certificates in `{}` are trusted: add that of the authority to the file",
                        bundle.display()
                    ));
                }
                None => "if a corporate proxy intercepts TLS, set AWS_CA_BUNDLE to its certificates",
            },
            Self::Certificate(CertificateProblem::Time) => {
                "check this machine's clock: hatbox doctor --online"
            }
            Self::Certificate(CertificateProblem::Other) => return None,
            Self::NotTheService => {
                return Some(format!(
                    "the server that responded is not {service}: check the endpoint, HTTPS_PROXY and NO_PROXY"
                ));
            }
        };
        Some(hint.to_owned())
    }
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The service returned an error.
    ErrorResponse {
        /// Its code.
        code: String,
        /// Its text.
        message: String,
        /// When it happened, by the service's clock: the answer's `Date`.
        date: Option<Timestamp>,
    },
    /// Something other than the service answered: a proxy, a captive portal, or a wrong port.
    NotTheService(u16),
    /// A success with an unexpected content; with a description.
    Unreadable(String),
    /// The answer is longer than allowed; with the endpoint.
    TooLong(String),
    /// The request was sent, but no answer arrived in time; with what was expected.
    NoAnswer(String),
    /// The certificate is not trusted.
    Certificate {
        kind: CertificateProblem,
        /// A description.
        text: String,
    },
    /// The proxy could not connect.
    Proxy {
        kind: ProxyProblem,
        /// A description that names the proxy.
        text: String,
    },
    /// There was no connection, or it ended without an answer.
    Unreachable(String),
    /// Anything else.
    Other(String),
}

impl Unanswered {
    /// Interprets `error`, given the trace of the call and its time limits.
    pub(super) fn of_sdk<E>(error: &SdkError<E, HttpResponse>, trace: &Trace, limits: TimeLimits) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            error if is_too_long(error) => Self::TooLong(trace.endpoint()),
            SdkError::ServiceError(service) => match service.err().code() {
                Some(code) => Self::ErrorResponse {
                    code: code.to_owned(),
                    message: service.err().message().unwrap_or("no text").trim().to_owned(),
                    date: service.raw().headers().get("date").and_then(parse_date),
                },
                None if service.raw().status().is_success() => Self::Unreadable(innermost(service.err())),
                None => Self::NotTheService(service.raw().status().as_u16()),
            },
            SdkError::TimeoutError(_) => Self::of_time(trace, limits.operation),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::of_time(trace, if trace.may_have_sent() { limits.read } else { limits.connect })
            }
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(error) => Self::of_transport(error, trace),
                None => Self::Unreachable(format!("no connection to {}", trace.endpoint())),
            },
            other => Self::Other(innermost(other)),
        }
    }

    /// A request that exceeded `limit`.
    pub(super) fn of_time(trace: &Trace, limit: Duration) -> Self {
        let (endpoint, seconds) = (trace.endpoint(), limit.as_secs());
        if trace.may_have_sent() {
            return Self::NoAnswer(format!(
                "the request was sent to {endpoint}, but no response came within {seconds} s"
            ));
        }
        match trace.proxy() {
            Some(proxy) => Self::Proxy {
                kind: ProxyProblem::Other,
                text: format!("no connection to {endpoint} through the proxy {proxy} within {seconds} s"),
            },
            None => Self::Unreachable(format!("no connection to {endpoint} within {seconds} s")),
        }
    }

    /// A connection that failed.
    pub(super) fn of_transport(error: &(dyn Error + 'static), trace: &Trace) -> Self {
        let endpoint = trace.endpoint();
        let last = innermost(error);
        if let Some(certificate) = find_certificate_error(error) {
            let (kind, what) = render_certificate(certificate);
            return Self::Certificate { kind, text: format!("the certificate of {endpoint} {what}") };
        }
        if trace.may_have_sent() {
            return Self::Unreachable(format!("{endpoint} closed the connection without a response: {last}"));
        }
        let is_dns = chain(error).any(|error| error.to_string() == "dns error");
        // `failed to lookup address information: Name or service not known`
        let last = last.rsplit_once("information: ").map_or(last.as_str(), |(_, reason)| reason).to_owned();
        let Some(proxy) = trace.proxy() else {
            return Self::Unreachable(match trace.host() {
                Some(host) if is_dns => format!("the host `{host}` was not found: {last}"),
                _ => format!("no connection to {endpoint}: {last}"),
            });
        };
        // How hyper-util reports a failed tunnel.
        let tunnel = chain(error).map(ToString::to_string).find(|text| text.starts_with("tunnel error: "));
        let (kind, what) = match tunnel.as_deref() {
            Some("tunnel error: proxy authorization required") => {
                (ProxyProblem::Unauthorized, "requires a user name and a password (407)".to_owned())
            }
            Some("tunnel error: unsuccessful") => {
                (ProxyProblem::Other, format!("refused to connect to {endpoint}"))
            }
            Some("tunnel error: unexpected end of file" | "tunnel error: io error establishing tunnel") => {
                (ProxyProblem::Other, "closed the connection".to_owned())
            }
            _ if is_dns => (ProxyProblem::Other, format!("was not found: {last}")),
            _ => (ProxyProblem::Other, format!("did not connect to {endpoint}: {last}")),
        };
        Self::Proxy { kind, text: format!("the proxy {proxy} {what}") }
    }

    /// Returns the network problem; `None` if the service itself answered, or the problem is unknown.
    pub(super) fn network_problem(&self) -> Option<NetworkProblem> {
        match self {
            Self::NotTheService(_) | Self::Unreadable(_) | Self::TooLong(_) => {
                Some(NetworkProblem::NotTheService)
            }
            Self::NoAnswer(_) => Some(NetworkProblem::NoAnswer),
            Self::Certificate { kind, .. } => Some(NetworkProblem::Certificate(*kind)),
            Self::Proxy { kind, .. } => Some(NetworkProblem::Proxy(*kind)),
            Self::Unreachable(_) => Some(NetworkProblem::Unreachable),
            Self::ErrorResponse { .. } | Self::Other(_) => None,
        }
    }

    /// Renders the failure for display; `service` is the service that was called.
    pub(super) fn render(&self, service: &str) -> String {
        match self {
            Self::ErrorResponse { code, message, .. } => clean(&format!("{code}: {message}")),
            Self::NotTheService(status) => format!("HTTP {status}, and not a response of {service}"),
            Self::Unreadable(text) => clean(&format!("the response cannot be read: {text}")),
            Self::TooLong(endpoint) => {
                format!("the response of {endpoint} is too long for {service}")
            }
            Self::NoAnswer(text)
            | Self::Certificate { text, .. }
            | Self::Proxy { text, .. }
            | Self::Unreachable(text)
            | Self::Other(text) => clean(text),
        }
    }
}

/// Cleans the service's text for display: one line of limited length, without control characters.
pub(super) fn clean(text: &str) -> String {
    const SHOWN: usize = 600;
    // Security: the long message about a wrong signature quotes the request, including the session token.
    let text = text.split("The Canonical String").next().unwrap_or_default();
    printable_start(text.trim_end(), SHOWN)
}

/// Returns the last cause, which describes what happened; those above it only name layers.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// An error and its causes. `io::Error::source` skips the error that it wraps, so this takes that one instead.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<std::io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

fn find_certificate_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e CertificateError> {
    chain(error).find_map(|error| match error.downcast_ref::<rustls::Error>() {
        Some(rustls::Error::InvalidCertificate(certificate)) => Some(certificate),
        _ => None,
    })
}

/// Renders a text to continue "the certificate of ...".
fn render_certificate(error: &CertificateError) -> (CertificateProblem, String) {
    use CertificateProblem::{Other, Time, UnknownIssuer};
    let (kind, text) = match error {
        CertificateError::UnknownIssuer => (UnknownIssuer, "is not signed by a trusted authority"),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (Time, "has expired"),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            (Time, "is not valid yet")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (Other, "is for another host")
        }
        CertificateError::Revoked => (Other, "was revoked"),
        CertificateError::BadSignature => (Other, "has a signature that is not its issuer's"),
        // webpki's errors are only available as text.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => (
            Other,
            "is a CA certificate, and not that of a server: create one with `CA:FALSE`, signed by the CA",
        ),
        other => return (Other, format!("cannot be used: {other}")),
    };
    (kind, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_and_not_answered_differs_from_what_was_not_sent() {
        let limit = Duration::from_secs(20);
        let sent = Trace::of_request("https://sts.example/", true);
        let text = Unanswered::of_time(&sent, limit).render("STS");
        assert_eq!(text, "the request was sent to https://sts.example, but no response came within 20 s");
        let not_sent = Trace::of_request("https://sts.example/", false);
        let text = Unanswered::of_time(&not_sent, limit).render("STS");
        assert_eq!(text, "no connection to https://sts.example within 20 s");
    }

    #[test]
    fn a_services_text_shows_no_request_and_moves_no_cursor() {
        assert_eq!(
            clean("A: b\u{1b}[2Jc\nThe Canonical String for this request should have been 'x'"),
            r"A: b\u001b[2Jc"
        );
        assert_eq!(clean(&"x".repeat(5000)).len(), 603);
    }
}
