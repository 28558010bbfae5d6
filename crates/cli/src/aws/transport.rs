//! The HTTP client under all services: its proxy and trust roots, and what is seen of a request on its way.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::TlsContext;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jiff::Timestamp;

use super::date::parse_date;
use super::endpoint::EndpointUrl;
use super::tls::{TlsError, load_trust_roots};

/// How requests to one endpoint travel.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    /// `None` for plain http.
    roots: Option<TlsContext>,
    proxy: ProxyConfig,
    trace: Trace,
}

impl Transport {
    /// To `endpoint`, or to AWS itself. The trust roots are read for https only.
    pub(super) fn new(endpoint: Option<&EndpointUrl>, ca_bundle: Option<&Path>) -> Result<Self, TlsError> {
        let is_https = endpoint.is_none_or(EndpointUrl::is_https);
        // Nothing that is meant for this machine goes out to a proxy.
        let is_loopback = endpoint.is_some_and(EndpointUrl::is_loopback);
        Ok(Self {
            roots: if is_https { Some(load_trust_roots(ca_bundle)?) } else { None },
            proxy: if is_loopback { ProxyConfig::disabled() } else { ProxyConfig::from_env() },
            trace: Trace::default(),
        })
    }

    /// What is seen of the requests.
    pub(super) fn trace(&self) -> Trace {
        self.trace.clone()
    }

    /// For the SDK's clients.
    pub(super) fn client(self) -> SharedHttpClient {
        http_client_fn(move |settings, _| self.connector(Some(settings.clone())))
    }

    /// For a single request.
    pub(super) fn connector(&self, settings: Option<HttpConnectorSettings>) -> SharedHttpConnector {
        let mut builder = Connector::builder().proxy_config(self.proxy.clone());
        builder.set_connector_settings(settings);
        let connector = match &self.roots {
            None => builder.build_http(),
            Some(roots) => builder
                .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
                .tls_context(roots.clone())
                .build(),
        };
        SharedHttpConnector::new(Watched { connector, trace: self.trace.clone() })
    }
}

/// What was seen of the last request: also where the SDK gave up on it, or kept its answer to itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// The time by the endpoint's clock.
    date: Option<Timestamp>,
}

impl Trace {
    /// The time by the endpoint's clock, when it answered last.
    pub(super) fn date(&self) -> Option<Timestamp> {
        self.see(|seen| seen.date)
    }

    fn see<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connector whose requests leave a trace.
#[derive(Debug)]
struct Watched {
    connector: Connector,
    trace: Trace,
}

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let trace = self.trace.clone();
        let answer = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            let date = answer.headers().get("date").and_then(parse_date);
            trace.see(|seen| seen.date = date);
            Ok(answer)
        })
    }
}
