//! Errors of IAM, and what they mean.

use crate::aws::unanswered::Unanswered;

/// Why a call to IAM failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IamProblem {
    /// The caller's policies do not allow the call.
    Denied,
    /// There is no such user or role.
    NoSuchEntity,
    /// AWS protects this role.
    Protected,
    /// The name is taken.
    AlreadyExists,
    /// The codes are wrong for the MFA device.
    WrongCode,
    /// The limit on a length or a number is exceeded.
    OverQuota,
    /// IAM does not accept the policy.
    Malformed,
    /// The credentials are unknown or expired, or IAM does not accept this kind.
    Credentials,
    /// Too many calls.
    Throttled,
    /// The service could not be reached, or something else answered.
    Unreachable,
    /// Anything else.
    Other,
}

/// A failed call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct IamError {
    /// The meaning of the error.
    pub(crate) problem: IamProblem,
    /// The service's code and text, or the problem on the way; without secrets.
    pub(crate) text: String,
}

impl IamError {
    /// An answer that is implausible.
    pub(super) fn unusable(text: &str) -> Self {
        Self { problem: IamProblem::Other, text: text.to_owned() }
    }
}

impl From<Unanswered> for IamError {
    fn from(unanswered: Unanswered) -> Self {
        let problem = match &unanswered {
            Unanswered::ErrorResponse { code, .. } => classify(code),
            Unanswered::Other(_) => IamProblem::Other,
            _ => IamProblem::Unreachable,
        };
        Self { problem, text: unanswered.render("IAM") }
    }
}

fn classify(code: &str) -> IamProblem {
    match code {
        "AccessDenied" | "AccessDeniedException" => IamProblem::Denied,
        "NoSuchEntity" => IamProblem::NoSuchEntity,
        "EntityAlreadyExists" => IamProblem::AlreadyExists,
        "InvalidAuthenticationCode" => IamProblem::WrongCode,
        "UnmodifiableEntity" => IamProblem::Protected,
        "LimitExceeded" => IamProblem::OverQuota,
        "MalformedPolicyDocument" => IamProblem::Malformed,
        "InvalidClientTokenId" | "ExpiredToken" | "SignatureDoesNotMatch" | "UnrecognizedClientException" => {
            IamProblem::Credentials
        }
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => IamProblem::Throttled,
        _ => IamProblem::Other,
    }
}
