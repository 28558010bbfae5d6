//! Errors of calls to STS.

use hatbox_iam::denial::aws_error::{AwsError, parse_aws_error};
use jiff::Timestamp;

pub(crate) use super::unanswered::NetworkProblem;
use super::unanswered::{Unanswered, clean};

/// Why a call to STS returned no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StsProblem {
    /// STS returned an error.
    AwsError(Box<ErrorResponse>),
    /// STS did not answer; the text says why.
    Network(NetworkProblem),
    /// The returned credentials have expired by this machine's clock.
    Expired {
        /// How many seconds this machine's clock is ahead of the endpoint's, if known.
        clock_ahead: Option<i64>,
    },
    /// Anything else.
    Other,
}

/// An error that STS returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    /// Such as `AccessDenied`.
    pub(crate) code: String,
    /// AWS's message, cleaned for display.
    pub(crate) message: String,
    /// The meaning of the error.
    pub(crate) meaning: AwsError,
    /// When it happened, by AWS's clock.
    pub(crate) date: Option<Timestamp>,
}

/// A failed call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct StsError {
    /// The meaning of the failure.
    pub(crate) problem: StsProblem,
    /// The service's code and text, or the problem on the way; without secrets.
    pub(crate) text: String,
}

impl From<Unanswered> for StsError {
    fn from(unanswered: Unanswered) -> Self {
        let text = unanswered.render("STS");
        let network = unanswered.network_problem();
        let problem = match unanswered {
            Unanswered::ErrorResponse { code, message, date } => {
                StsProblem::AwsError(Box::new(ErrorResponse {
                    meaning: parse_aws_error(&code, &message),
                    code: clean(&code),
                    message: clean(&message),
                    date,
                }))
            }
            _ => network.map_or(StsProblem::Other, StsProblem::Network),
        };
        Self { problem, text }
    }
}

impl StsError {
    /// Whether AWS does not know the access key, or its secret is wrong.
    pub(crate) fn is_bad_key(&self) -> bool {
        matches!(&self.problem, StsProblem::AwsError(answer)
            if matches!(answer.meaning, AwsError::UnknownKey | AwsError::WrongSecret))
    }

    /// Whether the MFA code was rejected, so another one may work.
    pub(crate) fn is_wrong_code(&self) -> bool {
        matches!(&self.problem, StsProblem::AwsError(answer) if answer.meaning == AwsError::WrongCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_text_has_its_meaning() {
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code.".to_owned();
        let error = Unanswered::ErrorResponse {
            code: "AccessDenied".to_owned(),
            message: message.clone(),
            date: None,
        };
        let error = StsError::from(error);
        assert!(error.is_wrong_code());
        assert_eq!(error.to_string(), format!("AccessDenied: {message}"));
        assert!(!StsError::from(Unanswered::NoAnswer("no answer".to_owned())).is_wrong_code());
    }
}
