//! The HTTP client of all services: its proxy and certificates, and what is known about the last request.

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::TlsContext;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http::Uri;
use http::uri::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;

use super::endpoint::EndpointUrl;
use super::proxy::Proxy;
use super::tls::{TlsError, load_trust_roots};
use crate::sys::name_service;

/// Time limits for the parts of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeLimits {
    /// For the connection, including TLS and the proxy.
    pub(super) connect: Duration,
    /// For the answer, after the connection was made.
    pub(super) read: Duration,
    /// For all tries of a call.
    pub(super) operation: Duration,
}

impl TimeLimits {
    /// Returns the default limits, each changed by `change`.
    pub(crate) fn usual(change: impl Fn(Duration) -> Duration) -> Self {
        Self {
            connect: change(Duration::from_secs(5)),
            read: change(Duration::from_secs(20)),
            operation: change(Duration::from_mins(1)),
        }
    }
}

/// How much of an answer to read. A longer one is an error, so an endpoint cannot fill the memory. (The HTTP library
/// limits the headers itself, to about 400 KiB.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerLimit {
    /// 1 MB. Answers of STS, and of IAM about one role, have a few KiB.
    Usual,
    /// 64 MB. A page of an account's policies may have a thousand of them, with five versions of 6,144 characters each,
    /// of which each may take three bytes in the answer.
    #[cfg_attr(not(feature = "trust"), expect(dead_code, reason = "for the client of IAM"))]
    Page,
}

impl AnswerLimit {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Usual => 1_000_000,
            Self::Page => 64_000_000,
        }
    }
}

/// How requests to one endpoint are sent.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    /// `None` for plain http.
    roots: Option<TlsContext>,
    proxy: Option<Proxy>,
    trace: Trace,
}

impl Transport {
    /// For `endpoint`, or for AWS itself. The certificates are loaded only for https.
    pub(super) fn new(
        endpoint: Option<&EndpointUrl>,
        ca_bundle: Option<&Path>,
        proxy: Option<Proxy>,
    ) -> Result<Self, TlsError> {
        name_service::use_own_services();
        let is_https = endpoint.is_none_or(EndpointUrl::is_https);
        // Never send a request for this machine to a proxy.
        let is_loopback = endpoint.is_some_and(EndpointUrl::is_loopback);
        Ok(Self {
            roots: if is_https { Some(load_trust_roots(ca_bundle)?) } else { None },
            proxy: proxy.filter(|_| !is_loopback),
            trace: Trace::default(),
        })
    }

    /// What is known about the requests.
    pub(super) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// For the SDK's clients.
    pub(super) fn client(self, limit: AnswerLimit) -> SharedHttpClient {
        http_client_fn(move |settings, _| self.connector(Some(settings.clone()), limit))
    }

    /// For a single request.
    pub(super) fn connector(
        &self,
        settings: Option<HttpConnectorSettings>,
        limit: AnswerLimit,
    ) -> SharedHttpConnector {
        let proxy = self.proxy.as_ref().map_or_else(ProxyConfig::disabled, Proxy::config);
        let mut builder = Connector::builder().proxy_config(proxy);
        builder.set_connector_settings(settings);
        let connector = match &self.roots {
            None => builder.build_http(),
            Some(roots) => builder
                .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
                .tls_context(roots.clone())
                .build(),
        };
        SharedHttpConnector::new(Watched {
            connector,
            limit,
            proxy: self.proxy.clone(),
            trace: self.trace.clone(),
        })
    }
}

/// What is known about the last request, even if the SDK gave up on it or did not return its answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// The request's origin: `https://HOST[:PORT]`.
    endpoint: String,
    /// The proxy of the request, for display.
    proxy: Option<String>,
    /// The connection, once it was made.
    connection: Option<CaptureSmithyConnection>,
    /// The endpoint's time.
    date: Option<Timestamp>,
    /// The number of bytes of all answers.
    received: usize,
}

impl Trace {
    /// What is seen of a request to `url`.
    #[cfg(test)]
    pub(super) fn of_request(url: &str, has_connected: bool) -> Self {
        use aws_smithy_runtime_api::client::connection::ConnectionMetadata;
        let (trace, connection) = (Self::default(), CaptureSmithyConnection::new());
        if has_connected {
            connection.set_connection_retriever(|| {
                Some(ConnectionMetadata::builder().proxied(false).poison_fn(|| ()).build())
            });
        }
        trace.see(|seen| {
            *seen = Seen { endpoint: endpoint_of(url), connection: Some(connection), ..Seen::default() }
        });
        trace
    }

    /// The endpoint's time when it last answered.
    pub(super) fn date(&self) -> Option<Timestamp> {
        self.see(|seen| seen.date)
    }

    /// The origin of the last request: `https://HOST[:PORT]`.
    pub(super) fn endpoint(&self) -> String {
        self.see(|seen| seen.endpoint.clone())
    }

    /// Describes what the call waits for.
    pub(super) fn render_waiting(&self) -> String {
        match self.proxy() {
            Some(proxy) => format!("waiting for {} through the proxy {proxy}", self.endpoint()),
            None => format!("waiting for {}", self.endpoint()),
        }
    }

    /// The host of [`Self::endpoint`].
    pub(super) fn host(&self) -> Option<String> {
        Some(self.endpoint().parse::<Uri>().ok()?.host()?.to_owned())
    }

    /// The proxy of the last request, for display.
    pub(super) fn proxy(&self) -> Option<String> {
        self.see(|seen| seen.proxy.clone())
    }

    /// Whether the last request may have left this machine: whether there was a connection to the endpoint, including
    /// TLS and the proxy.
    pub(super) fn may_have_sent(&self) -> bool {
        self.see(|seen| seen.connection.as_ref().is_some_and(|connection| connection.get().is_some()))
    }

    /// The number of bytes of all answers.
    #[cfg_attr(not(feature = "trust"), expect(dead_code, reason = "for the client of IAM"))]
    pub(super) fn received(&self) -> usize {
        self.see(|seen| seen.received)
    }

    fn see<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connector that records a trace of its requests.
#[derive(Debug)]
struct Watched {
    connector: Connector,
    limit: AnswerLimit,
    proxy: Option<Proxy>,
    trace: Trace,
}

impl HttpConnector for Watched {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (trace, limit) = (self.trace.clone(), self.limit);
        // The SDK may have asked for the connection itself.
        let connection = request.extension::<CaptureSmithyConnection>().cloned().unwrap_or_else(|| {
            let capture = CaptureSmithyConnection::new();
            request.add_extension(capture.clone());
            capture
        });
        trace.see(|seen| {
            seen.endpoint = endpoint_of(request.uri());
            seen.proxy = self.proxy.as_ref().and_then(|proxy| proxy.shown_for(request.uri()));
            seen.connection = Some(connection);
        });
        let answer = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            let date = answer.headers().get("date").and_then(parse_date);
            trace.see(|seen| seen.date = date);
            Ok(answer.map(|body| limited(body, limit, trace.clone())))
        })
    }
}

fn limited(body: SdkBody, limit: AnswerLimit, trace: Trace) -> SdkBody {
    let counted = body.map_frame(move |frame| {
        let length = frame.data_ref().map_or(0, |data| data.as_ref().len());
        trace.see(|seen| seen.received = seen.received.saturating_add(length));
        frame
    });
    SdkBody::from_body_1_x(Limited::new(counted, limit.bytes()))
}

/// Whether an answer exceeded its limit.
pub(super) fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    // The second is hyper's error about the headers.
    std::iter::successors(Some(error), |&error| error.source())
        .any(|error| error.is::<LengthLimitError>() || error.to_string() == "message head is too large")
}

/// Returns the origin of a URL: `https://HOST[:PORT]`.
fn endpoint_of(url: &str) -> String {
    match url.parse::<Uri>().map(Uri::into_parts) {
        Ok(Parts { scheme: Some(scheme), authority: Some(authority), .. }) => {
            format!("{scheme}://{authority}")
        }
        _ => String::new(),
    }
}

/// Parses the date of a header: `Tue, 15 Nov 1994 08:12:31 GMT` (RFC 9110 section 5.6.7).
pub(super) fn parse_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text.trim()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_http_is_read_and_nothing_else() {
        let seconds = |text| parse_date(text).map(Timestamp::as_second);
        assert_eq!(seconds("Tue, 15 Nov 1994 08:12:31 GMT"), Some(784_887_151));
        for bad in ["", "yesterday", "1994-11-15T08:12:31Z", "Tue, 15 Nov 1994 25:12:31 GMT"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
