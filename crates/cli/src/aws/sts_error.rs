//! What an error of STS means. The texts are those that AWS answers with.

use jiff::Timestamp;

use super::unanswered::Unanswered;

/// Why a call to STS gave no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StsProblem {
    /// The MFA code is wrong, too old, or was used already.
    WrongCode,
    /// The MFA device is unknown, another user's, out of step, or throttled.
    WrongDevice,
    /// No such key, or it is inactive.
    UnknownKey,
    /// The secret is not that of the key.
    WrongSecret,
    /// This machine's clock is off: positive when it is ahead, in seconds.
    ClockSkew(i64),
    /// The source's temporary credentials have ended.
    Expired,
    /// AssumeRole is not allowed, by whichever side.
    NotAuthorized,
    /// The root user may not assume roles.
    Root,
    /// GetSessionToken was signed with temporary credentials.
    SessionCannot,
    /// More than the role's own maximum was asked for.
    OverRoleMaximum,
    /// More than one hour was asked for when chaining.
    OverChainMaximum,
    /// A parameter was not taken; AWS's text says which.
    Invalid,
    /// The region is not enabled in the account.
    RegionDisabled,
    /// Too many calls.
    Throttled,
    /// The service could not be reached; the text says how.
    Unreachable,
    /// The service showed a certificate that is not trusted; the text says why.
    Certificate,
    /// What answered is not STS.
    NotSts,
    /// The service did not answer in time.
    TimedOut,
    /// Anything else.
    Other,
}

/// A failed call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct StsError {
    /// What it means.
    pub(crate) problem: StsProblem,
    /// The service's code and text, or what went wrong on the way; without secrets.
    pub(crate) text: String,
}

impl From<Unanswered> for StsError {
    fn from(unanswered: Unanswered) -> Self {
        let problem = match &unanswered {
            Unanswered::Refused { code, message } => classify(code, message),
            Unanswered::NotTheService(_) => StsProblem::NotSts,
            Unanswered::TimedOut(_) => StsProblem::TimedOut,
            Unanswered::Certificate(_) => StsProblem::Certificate,
            Unanswered::Unreachable(_) => StsProblem::Unreachable,
            Unanswered::Other(_) => StsProblem::Other,
        };
        Self { problem, text: unanswered.render("STS") }
    }
}

/// Classifies an answer with an error.
fn classify(code: &str, message: &str) -> StsProblem {
    let has = |part: &str| message.contains(part);
    match code {
        "AccessDenied" if has("invalid MFA one time pass code") => StsProblem::WrongCode,
        "AccessDenied" if has("MultiFactorAuthentication failed") => StsProblem::WrongDevice,
        "AccessDenied" if has("Roles may not be assumed by root") => StsProblem::Root,
        "AccessDenied" if has("with session credentials") => StsProblem::SessionCannot,
        "AccessDenied" => StsProblem::NotAuthorized,
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => {
            StsProblem::UnknownKey
        }
        "SignatureDoesNotMatch" => parse_skew(message).map_or(StsProblem::WrongSecret, StsProblem::ClockSkew),
        "ExpiredToken" | "ExpiredTokenException" => StsProblem::Expired,
        "ValidationError" if has("MaxSessionDuration") => StsProblem::OverRoleMaximum,
        "ValidationError" if has("role chaining") => StsProblem::OverChainMaximum,
        "ValidationError" | "PackedPolicyTooLarge" | "MalformedPolicyDocument" => StsProblem::Invalid,
        "RegionDisabledException" => StsProblem::RegionDisabled,
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => StsProblem::Throttled,
        _ => StsProblem::Other,
    }
}

/// How far this machine's clock is ahead, in seconds, from the text of a refused signature:
/// `Signature expired: OURS is now earlier than LIMIT (THEIRS - 15 min.)`.
fn parse_skew(message: &str) -> Option<i64> {
    let (ours, rest) = if let Some(rest) = message.split_once("Signature expired: ") {
        rest.1.split_once(" is now earlier than ")?
    } else {
        message.split_once("Signature not yet current: ")?.1.split_once(" is still later than ")?
    };
    let theirs = rest.split_once('(')?.1.split_whitespace().next()?;
    Some(parse_time(ours)?.as_second() - parse_time(theirs)?.as_second())
}

/// `YYYYMMDDTHHMMSSZ`, as in signatures.
fn parse_time(text: &str) -> Option<Timestamp> {
    jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text.trim())
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_aws_are_told_apart() {
        for (code, message, problem) in [
            (
                "AccessDenied",
                "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
                StsProblem::WrongCode,
            ),
            (
                "AccessDenied",
                "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
                StsProblem::WrongDevice,
            ),
            (
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/jan is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/x",
                StsProblem::NotAuthorized,
            ),
            ("AccessDenied", "Roles may not be assumed by root accounts.", StsProblem::Root),
            (
                "AccessDenied",
                "Cannot call GetSessionToken with session credentials",
                StsProblem::SessionCannot,
            ),
            (
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
                StsProblem::UnknownKey,
            ),
            (
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
                StsProblem::OverRoleMaximum,
            ),
            (
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
                StsProblem::OverChainMaximum,
            ),
            (
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match",
                StsProblem::WrongSecret,
            ),
            ("Throttling", "Rate exceeded", StsProblem::Throttled),
            ("InternalFailure", "", StsProblem::Other),
        ] {
            assert_eq!(classify(code, message), problem, "{message}");
        }
    }

    #[test]
    fn clock_skew_is_read_from_the_refusal_in_both_directions() {
        assert_eq!(
            classify(
                "SignatureDoesNotMatch",
                "Signature expired: 20260115T094000Z is now earlier than 20260115T094500Z (20260115T100000Z - 15 min.)"
            ),
            StsProblem::ClockSkew(-1200)
        );
        assert_eq!(
            classify(
                "SignatureDoesNotMatch",
                "Signature not yet current: 20260115T102000Z is still later than 20260115T101500Z (20260115T100000Z + 15 min.)"
            ),
            StsProblem::ClockSkew(1200)
        );
    }
}
