//! Unsigned calls with JSON bodies: Identity Center, its portal, and the sign-in service.
//!
//! A handful of calls, none of them signed: the HTTP client that the SDK's clients use is enough for them.

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
use crate::wait_line::{Company, WaitLine};

/// A request of one service. Nothing in it is shown in a message.
#[derive(Default)]
pub(crate) struct JsonRequest<'a> {
    /// `GET`, `POST`, `PUT`.
    pub(crate) method: &'a str,
    /// Behind the endpoint: `/token`, with its query.
    pub(crate) target: &'a str,
    /// Names and values of headers.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// The body; none for `Null`.
    pub(crate) body: Value,
}

/// What a service answered.
pub(crate) struct JsonAnswer {
    pub(crate) status: u16,
    /// `x-amzn-ErrorType`, without what may follow a colon.
    pub(crate) error_type: Option<String>,
    /// `Location`, which is not followed.
    pub(crate) location: Option<String>,
    /// The body. It may hold a secret.
    pub(crate) text: Zeroizing<String>,
}

impl CallError {
    /// The way out, where there is one.
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

    /// Reads the body of a success. Nothing of it is part of the error.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_str(&self.text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            CallError::Unreadable(format!("the answer is not of the expected form ({place})"))
        })
    }

    /// A text of the body's top level, as it may be shown.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let value: Value = serde_json::from_str(&self.text).ok()?;
        Some(clean(value.get(name)?.as_str()?))
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CallError {
    /// The service could not be reached, or answered too late or too long.
    #[error("{text}")]
    Unreachable {
        /// How it was.
        text: String,
        /// The way out, where there is one.
        hint: Option<String>,
    },
    /// A success that is not of the service's form.
    #[error("{0}")]
    Unreadable(String),
}

/// Sends requests to one endpoint, one at a time.
pub(crate) struct JsonClient {
    base: String,
    transport: Transport,
    runtime: tokio::runtime::Runtime,
    service: &'static str,
    /// Where the config says that it is, if not at AWS's own address.
    endpoint: Option<EndpointUrl>,
    ca_bundle: Option<PathBuf>,
    timeout: Duration,
    connect_timeout: Duration,
    has_wait_line: bool,
}

impl JsonClient {
    /// For `service`, such as `Identity Center`, at `endpoint`. An answer may take `timeout`.
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

    /// The same without a line for the person while an answer is waited for: the terminal shows something else.
    pub(crate) fn without_wait_line(self) -> Self {
        Self { has_wait_line: false, ..self }
    }

    /// The endpoint, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// How long an answer may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The time by the service's clock, when it answered last.
    pub(crate) fn date(&self) -> Option<Timestamp> {
        self.transport.trace().date()
    }

    /// Sends one request, once. Redirects are not followed.
    ///
    /// # Errors
    /// When no answer came, or one that is longer than any of the service.
    pub(crate) fn send(&self, request: &JsonRequest<'_>) -> Result<JsonAnswer, CallError> {
        let trace = self.transport.trace().clone();
        let shown = trace.clone();
        let _line = self
            .has_wait_line
            .then(|| WaitLine::start(self.timeout, Company::None, move || shown.render_waiting()));
        // The time limit of the answer is that of the exchange, below.
        let settings = HttpConnectorSettings::builder().connect_timeout(self.connect_timeout).build();
        let connector = self.transport.connector(Some(settings), AnswerLimit::Usual);
        let http = self.http_request(request)?;
        let answered = self.runtime.block_on(async {
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
                    .map_err(|_| CallError::Unreadable("the answer is not UTF-8".to_owned()))?;
                Ok(JsonAnswer { status, error_type, location, text: Zeroizing::new(text) })
            })
            .await
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
