//! An error as AWS returns it (status, code, message), with additional reasons for the log.

use hatbox_iam::policy::evaluate::Judgement;
use serde_json::json;

use crate::error::Error;
use crate::http::Reply;
use crate::xml::Xml;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Reasons for the log, which the caller does not see.
    pub(crate) because: Vec<String>,
}

impl ErrorResponse {
    /// Creates an error without additional reasons.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), because: Vec::new() }
    }

    /// Returns status 400 with ValidationError.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    /// Returns status 403 with AccessDenied.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    /// Adds a reason for the log.
    pub(crate) fn because(mut self, reason: impl Into<String>) -> Self {
        self.because.push(reason.into());
        self
    }

    /// Adds the evaluator's reasons for the log.
    pub(crate) fn judged(mut self, judgement: Judgement) -> Self {
        self.because.extend(judgement.because);
        self
    }

    /// Renders the error in the form of the query protocol (STS, IAM).
    pub(crate) fn render_query(&self, namespace: &str, request_id: &str) -> Reply {
        let mut xml = Xml::document();
        xml.nest_ns("ErrorResponse", namespace, |xml| {
            xml.nest("Error", |xml| {
                let kind = if self.status >= 500 { "Receiver" } else { "Sender" };
                xml.element("Type", kind).element("Code", &self.code).element("Message", &self.message);
            });
            xml.element("RequestId", request_id);
        });
        Reply::xml(self.status, "text/xml", xml.finish())
    }

    /// Renders the error in the form of instance metadata and the container endpoint.
    pub(crate) fn render_json(&self) -> Reply {
        let body = json!({ "Code": self.code, "Message": self.message });
        Reply { status: self.status, ..Reply::json(&body) }
    }

    /// Renders the error in the form of S3. `resource` is the requested path.
    pub(crate) fn render_s3(&self, resource: &str, request_id: &str) -> Reply {
        let mut xml = Xml::document();
        xml.nest("Error", |xml| {
            xml.element("Code", &self.code).element("Message", &self.message);
            xml.element("Resource", resource).element("RequestId", request_id).element("HostId", request_id);
        });
        Reply::xml(self.status, "application/xml", xml.finish())
    }
}

impl From<Error> for ErrorResponse {
    fn from(error: Error) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let error_response =
            Self::new(500, "InternalFailure", "The sandbox could not carry out the request.");
        let error_response = error_response.because(error.to_string());
        cause.into_iter().fold(error_response, ErrorResponse::because)
    }
}
