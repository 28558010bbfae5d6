//! Requests to services that provide the role of a machine or container: plain HTTP, unsigned, without a proxy.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use super::client::ClientError;
use super::endpoint::EndpointUrl;
use super::transport::{AnswerLimit, Transport, is_too_long};
use super::unanswered::Unanswered;
use crate::wait_line::await_with_line;

/// How often to send a request if the answer says to retry.
const TRIES: u32 = 3;
/// The first pause; the second is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// A request. Security: no `Debug`, which would show the tokens in its headers.
pub(crate) struct MachineRequest<'a> {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    /// Names and values. A value may be a secret.
    pub(crate) headers: &'a [(&'static str, &'a str)],
}

/// A complete answer.
pub(crate) struct MachineAnswer {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachineError {
    /// The request could not be sent.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A header contains a character that HTTP does not allow.
    #[error("the request cannot be sent: a token or a URL has a character that HTTP does not allow")]
    Request,
    /// No connection, no answer in time, or a long answer; the text describes which.
    #[error("{0}")]
    Unanswered(String),
}

/// One of the services, for one or more requests.
pub(crate) struct MachineService {
    name: &'static str,
    transport: Transport,
    runtime: Runtime,
    timeout: Duration,
}

impl MachineService {
    /// `name` is the service's name in messages, and `timeout` the limit of one request.
    pub(crate) fn open(
        name: &'static str,
        endpoint: &EndpointUrl,
        timeout: Duration,
    ) -> Result<Self, MachineError> {
        let transport = Transport::new(Some(endpoint), None, None).map_err(ClientError::from)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { name, transport, runtime: runtime.map_err(ClientError::Runtime)?, timeout })
    }

    /// Sends a request, and repeats it if the service is overloaded or has a fault.
    pub(crate) fn send(&self, request: &MachineRequest<'_>) -> Result<MachineAnswer, MachineError> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            let answer = self.send_once(request)?;
            if answer.status < 500 && answer.status != 429 {
                return Ok(answer);
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        self.send_once(request)
    }

    fn send_once(&self, request: &MachineRequest<'_>) -> Result<MachineAnswer, MachineError> {
        let mut http = HttpRequest::new(SdkBody::empty());
        http.set_method(request.method).map_err(|_| MachineError::Request)?;
        http.set_uri(request.url.as_str()).map_err(|_| MachineError::Request)?;
        for (name, value) in request.headers {
            http.headers_mut().try_insert(*name, (*value).to_owned()).map_err(|_| MachineError::Request)?;
        }
        let connector = self.transport.connector(None, AnswerLimit::Usual);
        let trace = self.transport.trace();
        let waiting = trace.clone();
        let unanswered = |error: Unanswered| MachineError::Unanswered(error.render(self.name));
        let in_time = async {
            let exchange = async {
                let answer = connector
                    .call(http)
                    .await
                    .map_err(|error| unanswered(Unanswered::of_transport(&error, trace)))?;
                let status = answer.status().as_u16();
                let body = answer.into_body().collect().await.map_err(|error| {
                    let error = &*error;
                    unanswered(if is_too_long(error) {
                        Unanswered::TooLong(trace.endpoint())
                    } else {
                        Unanswered::of_transport(error, trace)
                    })
                })?;
                Ok(MachineAnswer { status, body: Zeroizing::new(body.to_bytes().to_vec()) })
            };
            tokio::time::timeout(self.timeout, exchange)
                .await
                .unwrap_or_else(|_| Err(unanswered(Unanswered::of_time(trace, self.timeout))))
        };
        self.runtime.block_on(await_with_line(in_time, self.timeout, move || waiting.render_waiting()))
    }
}
