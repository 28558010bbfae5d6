//! What an error of IAM means.

use crate::aws::unanswered::Unanswered;

/// Why a call to IAM was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IamProblem {
    /// The caller's policies do not allow it.
    Denied,
    /// There is no such user or role.
    NoSuchEntity,
    /// AWS keeps the role to itself.
    Protected,
    /// The name is taken.
    AlreadyExists,
    /// The codes are not those of the MFA device.
    WrongCode,
    /// It is too long, or too many.
    OverQuota,
    /// The policy is none that IAM takes.
    Malformed,
    /// The credentials are unknown, have ended, or are of a kind that IAM does not take.
    Credentials,
    /// Too many calls.
    Throttled,
    /// The service could not be reached, or what answered is not it.
    Unreachable,
    /// Anything else.
    Other,
}

/// A failed call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct IamError {
    /// What it means.
    pub(crate) problem: IamProblem,
    /// The service's code and text, or what went wrong on the way; without secrets.
    pub(crate) text: String,
}

impl IamError {
    /// An answer that cannot be right.
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
