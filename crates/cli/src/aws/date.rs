//! The time by an endpoint's clock: the `Date` of whatever it answers to a request without a signature.

use std::path::Path;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jiff::Timestamp;

use super::endpoint::EndpointUrl;
use super::proxy::Proxy;
use super::tls::TlsError;
use super::transport::{AnswerLimit, Transport, parse_date};
use super::unanswered::Unanswered;
use crate::wait_line::{Company, WaitLine};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Why the time is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DateError {
    /// No trust roots.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system gave no event loop.
    #[error("could not start the network runtime")]
    Runtime(#[source] std::io::Error),
    /// It could not be reached; the text says how.
    #[error("{0}")]
    Unreachable(String),
    /// It answered without a time, or with none that is one.
    #[error("its answer has no `Date`")]
    NoDate,
}

/// Asks `endpoint` for the time. Nothing about the user goes there: no key, no account, no profile.
pub(crate) fn fetch_date(
    endpoint: &EndpointUrl,
    ca_bundle: Option<&Path>,
    proxy: Option<Proxy>,
) -> Result<Timestamp, DateError> {
    let transport = Transport::new(Some(endpoint), ca_bundle, proxy)?;
    let unreachable = |error: &(dyn std::error::Error + 'static)| {
        DateError::Unreachable(Unanswered::of_transport(error, transport.trace()).render("STS"))
    };
    let request = HttpRequest::get(endpoint.as_str()).map_err(|error| unreachable(&error))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DateError::Runtime)?;
    let connector = transport.connector(None, AnswerLimit::Usual);
    let trace = transport.trace().clone();
    let _line = WaitLine::start(TIMEOUT, Company::None, move || trace.render_waiting());
    let answer = runtime.block_on(async { tokio::time::timeout(TIMEOUT, connector.call(request)).await });
    let answer = answer
        .map_err(|_| DateError::Unreachable("no answer in time".to_owned()))?
        .map_err(|error| unreachable(&error))?;
    answer.headers().get("date").and_then(parse_date).ok_or(DateError::NoDate)
}
