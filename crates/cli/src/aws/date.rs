//! Fetches the time of an endpoint: the `Date` of its answer to an unsigned request.

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
use crate::wait_line::await_with_line;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Why the time is unknown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DateError {
    /// There are no trusted certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system provided no event loop.
    #[error("could not start the network runtime")]
    Runtime(#[source] std::io::Error),
    /// The endpoint could not be reached; the text describes why.
    #[error("{0}")]
    Unreachable(String),
    /// The answer has no `Date`, or an invalid one.
    #[error("its response has no `Date` header")]
    NoDate,
}

/// Asks `endpoint` for the time. Sends nothing about the user: no key, account or profile.
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
    let exchange = async { tokio::time::timeout(TIMEOUT, connector.call(request)).await };
    let answer = runtime.block_on(await_with_line(exchange, TIMEOUT, move || trace.render_waiting()));
    let answer = answer
        .map_err(|_| DateError::Unreachable("no response in time".to_owned()))?
        .map_err(|error| unreachable(&error))?;
    answer.headers().get("date").and_then(parse_date).ok_or(DateError::NoDate)
}
