//! How a call ended that gave no answer: what the service said, or what came between.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use hatbox_core::text::printable_start;
use jiff::Timestamp;

use super::date::parse_date;
use super::transport::{Trace, is_too_long};

/// The end of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The service refused it.
    Refused {
        /// Its code.
        code: String,
        /// Its text.
        message: String,
        /// When it was, by the service's clock: the answer's `Date`.
        date: Option<Timestamp>,
    },
    /// What answered is not the service: a proxy, a captive portal, the wrong port.
    NotTheService(u16),
    /// An answer that is a success, of which a part is not what the service would send; and which.
    Unreadable(String),
    /// More than an answer may have, from this endpoint.
    TooLong(String),
    /// No answer, or no connection, in time.
    TimedOut(&'static str),
    /// A certificate that is not trusted.
    Certificate(String),
    /// No connection.
    Unreachable(String),
    /// Anything else.
    Other(String),
}

impl Unanswered {
    /// What `error` is, after what `trace` saw.
    pub(super) fn of_sdk<E>(error: &SdkError<E, HttpResponse>, trace: &Trace) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            error if is_too_long(error) => Self::TooLong(trace.endpoint()),
            SdkError::ServiceError(service) => match service.err().code() {
                Some(code) => Self::Refused {
                    code: code.to_owned(),
                    message: service.err().message().unwrap_or("no text").trim().to_owned(),
                    date: service.raw().headers().get("date").and_then(parse_date),
                },
                None if service.raw().status().is_success() => Self::Unreadable(innermost(service.err())),
                None => Self::NotTheService(service.raw().status().as_u16()),
            },
            SdkError::TimeoutError(_) => Self::TimedOut("no answer in time"),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::TimedOut("no connection in time")
            }
            SdkError::DispatchFailure(failure) => {
                let text = failure
                    .as_connector_error()
                    .map_or_else(|| "no connection".to_owned(), |error| innermost(error));
                // The names of rustls's errors, which are all that reaches us as text.
                if text.contains("certificate") { Self::Certificate(text) } else { Self::Unreachable(text) }
            }
            other => Self::Other(innermost(other)),
        }
    }

    /// What may be shown of it; `service` is the one that was called.
    pub(super) fn render(&self, service: &str) -> String {
        match self {
            Self::Refused { code, message, .. } => clean(&format!("{code}: {message}")),
            Self::NotTheService(status) => format!("HTTP {status}, and not in the form of {service}"),
            Self::Unreadable(text) => clean(&format!("the answer cannot be read: {text}")),
            Self::TooLong(endpoint) => {
                format!("the answer of {endpoint} is longer than any answer of {service}")
            }
            Self::TimedOut(text) => (*text).to_owned(),
            Self::Certificate(text) | Self::Unreachable(text) | Self::Other(text) => text.clone(),
        }
    }
}

/// The service's text as it may be shown: one line, no more than a few, nothing that a terminal obeys.
pub(super) fn clean(text: &str) -> String {
    const SHOWN: usize = 600;
    // Security: the long form of a refused signature quotes the request, session token and all.
    let text = text.split("The Canonical String").next().unwrap_or_default();
    printable_start(text.trim_end(), SHOWN)
}

/// The last cause says what happened; those above say only through which layers it came.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_text_shows_no_request_and_moves_no_cursor() {
        assert_eq!(
            clean("A: b\u{1b}[2Jc\nThe Canonical String for this request should have been 'x'"),
            r"A: b\u001b[2Jc"
        );
        assert_eq!(clean(&"x".repeat(5000)).len(), 603);
    }
}
