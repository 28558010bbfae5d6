//! Unsigned calls with JSON bodies: Identity Center, its portal, and the sign-in service.
//!
//! These are a few unsigned calls, for which the SDK's HTTP client is enough.

use std::path::PathBuf;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::client::{ClientError, ServiceSettings};
use super::endpoint::EndpointUrl;
use super::transport::{AnswerLimit, Transport, is_too_long};
use super::unanswered::{NetworkProblem, Unanswered, clean};
use crate::wait_line::await_with_line;

/// A request of a service. Messages never show any part of it.
#[derive(Default)]
pub(crate) struct JsonRequest<'a> {
    /// `GET`, `POST`, `PUT`.
    pub(crate) method: &'a str,
    /// The path after the endpoint, with its query: `/token`.
    pub(crate) target: &'a str,
    /// Header names and values.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// The body; none if `Null`.
    pub(crate) body: Value,
}

/// The answer of a service.
pub(crate) struct JsonAnswer {
    pub(crate) status: u16,
    /// `x-amzn-ErrorType`, up to a colon.
    pub(crate) error_type: Option<String>,
    /// `Location`; redirects are not followed.
    pub(crate) location: Option<String>,
    /// The body, which may contain a secret.
    pub(crate) text: Zeroizing<String>,
}

impl CallError {
    /// Returns a hint, if there is one.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { hint, .. } => hint.clone(),
            Self::Unreadable(_) => None,
        }
    }
}

impl JsonAnswer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Parses the body of a success. The error contains no part of it.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_str(&self.text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            CallError::Unreadable(format!("unexpected response ({place})"))
        })
    }

    /// Returns a text member of the body's top level, cleaned for display.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let value: Value = serde_json::from_str(&self.text).ok()?;
        Some(clean(value.get(name)?.as_str()?))
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// The service could not be reached, or the answer came too late or was too long.
    #[error("{text}")]
    Unreachable {
        /// A description.
        text: String,
        /// A hint, if there is one.
        hint: Option<String>,
    },
    /// A success with an unexpected body.
    #[error("{0}")]
    Unreadable(String),
}

/// Sends requests to one endpoint, one at a time.
pub(crate) struct JsonClient {
    base: String,
    transport: Transport,
    runtime: tokio::runtime::Runtime,
    service: &'static str,
    /// The endpoint in the config, if it is not AWS's own.
    endpoint: Option<EndpointUrl>,
    ca_bundle: Option<PathBuf>,
    timeout: Duration,
    connect_timeout: Duration,
    has_wait_line: bool,
}

impl JsonClient {
    /// Creates a client for `service`, such as `Identity Center`, at `endpoint`. `timeout` limits an answer.
    pub(crate) fn new(
        service: &'static str,
        endpoint: &EndpointUrl,
        settings: &ServiceSettings,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        let transport =
            Transport::new(Some(endpoint), settings.ca_bundle.as_deref(), settings.proxy.clone())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            base: endpoint.as_str().trim_end_matches('/').to_owned(),
            transport,
            runtime: runtime.map_err(ClientError::Runtime)?,
            service,
            endpoint: settings.endpoint.clone(),
            ca_bundle: settings.ca_bundle.clone(),
            timeout: timeout.min(settings.limits.operation),
            connect_timeout: timeout.min(settings.limits.connect),
            has_wait_line: true,
        })
    }

    /// Shows no line while it waits, for callers that show something else on the terminal.
    pub(crate) fn without_wait_line(self) -> Self {
        Self { has_wait_line: false, ..self }
    }

    /// The endpoint, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The time limit of an answer.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The service's time when it last answered.
    pub(crate) fn date(&self) -> Option<Timestamp> {
        self.transport.trace().date()
    }

    /// Sends a request once. Does not follow redirects.
    ///
    /// # Errors
    /// If there is no answer, or it is longer than any of the service's answers.
    pub(crate) fn send(&self, request: &JsonRequest<'_>) -> Result<JsonAnswer, CallError> {
        let trace = self.transport.trace().clone();
        // The time limit of the answer applies to the whole exchange, below.
        let settings = HttpConnectorSettings::builder().connect_timeout(self.connect_timeout).build();
        let connector = self.transport.connector(Some(settings), AnswerLimit::Usual);
        let http = self.http_request(request)?;
        let exchange = async {
            tokio::time::timeout(self.timeout, async {
                let of_way = |error: &(dyn std::error::Error + 'static)| {
                    self.unanswered(&Unanswered::of_transport(error, &trace))
                };
                let answer = connector.call(http).await.map_err(|error| of_way(&error))?;
                let status = answer.status().as_u16();
                let header = |name: &str| answer.headers().get(name).map(str::to_owned);
                let error_type = header("x-amzn-errortype")
                    .map(|kind| kind.split(':').next().unwrap_or_default().to_owned());
                let location = header("location");
                let body = answer.into_body().collect().await.map_err(|error| {
                    if is_too_long(error.as_ref()) {
                        self.unanswered(&Unanswered::TooLong(trace.endpoint()))
                    } else {
                        of_way(error.as_ref())
                    }
                })?;
                let text = String::from_utf8(body.to_bytes().to_vec())
                    .map_err(|_| CallError::Unreadable("the response is not UTF-8".to_owned()))?;
                Ok(JsonAnswer { status, error_type, location, text: Zeroizing::new(text) })
            })
            .await
        };
        let shown = trace.clone();
        let answered = self.runtime.block_on(async {
            if self.has_wait_line {
                await_with_line(exchange, self.timeout, move || shown.render_waiting()).await
            } else {
                exchange.await
            }
        });
        match answered {
            Ok(answer) => answer,
            Err(_) => Err(self.unanswered(&Unanswered::of_time(&trace, self.timeout))),
        }
    }

    fn http_request(&self, request: &JsonRequest<'_>) -> Result<HttpRequest, CallError> {
        let bad = |what: &str| CallError::Unreadable(format!("the request has an invalid {what}"));
        let mut http = HttpRequest::new(match &request.body {
            Value::Null => SdkBody::empty(),
            body => SdkBody::from(body.to_string()),
        });
        http.set_method(request.method).map_err(|_| bad("method"))?;
        http.set_uri(format!("{}{}", self.base, request.target)).map_err(|_| bad("address"))?;
        if !request.body.is_null() {
            http.headers_mut().insert("content-type", "application/json");
        }
        for (name, value) in request.headers {
            http.headers_mut()
                .try_insert((*name).to_owned(), (*value).to_owned())
                .map_err(|_| bad("header"))?;
        }
        Ok(http)
    }

    fn unanswered(&self, unanswered: &Unanswered) -> CallError {
        let problem = unanswered.network_problem();
        let hint = |problem: NetworkProblem| {
            problem.hint(self.service, self.endpoint.as_ref(), self.ca_bundle.as_deref())
        };
        CallError::Unreachable { text: unanswered.render(self.service), hint: problem.and_then(hint) }
    }
}
