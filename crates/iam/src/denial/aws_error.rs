//! Classifies AWS errors by their code and message.

use super::access_denied::{Denial, parse_denial};
use jiff::Timestamp;

/// The meaning of an AWS error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsError {
    /// The MFA code is wrong, expired or already used.
    WrongCode,
    /// The MFA device is unknown, belongs to another user, is out of sync, or is throttled.
    WrongDevice,
    /// A serial number was sent without a code, or a code without a serial number.
    HalfMfa,
    /// The access key does not exist or is inactive.
    UnknownKey,
    /// The secret does not match the access key.
    WrongSecret,
    /// The caller's clock is wrong, by this many seconds; positive if it is ahead.
    ClockSkew(i64),
    /// The temporary credentials that signed the call have expired.
    Expired,
    /// A policy denies the call, or none allows it.
    NotAuthorized(Box<Denial>),
    /// The root user cannot assume roles.
    Root,
    /// GetSessionToken was signed with temporary credentials.
    SessionCannot,
    /// The requested duration exceeds the role's maximum session duration.
    OverRoleMaximum,
    /// Role chaining limits the session to 1 hour.
    OverChainMaximum,
    /// A parameter is invalid; AWS's message says which one.
    Invalid,
    /// STS is not activated in the region for the account.
    RegionDisabled,
    /// Too many calls.
    Throttled,
    /// Anything else.
    Other,
}

/// Classifies an error by its code and message.
pub fn parse_aws_error(code: &str, message: &str) -> AwsError {
    let has = |part: &str| message.contains(part);
    match code {
        "AccessDenied" | "AccessDeniedException" => match () {
            () if has("invalid MFA one time pass code") => AwsError::WrongCode,
            () if has("must provide both MFA serial number") => AwsError::HalfMfa,
            () if has("MultiFactorAuthentication failed") => AwsError::WrongDevice,
            () if has("Roles may not be assumed by root") => AwsError::Root,
            () if has("with session credentials") => AwsError::SessionCannot,
            () => AwsError::NotAuthorized(Box::new(parse_denial(message))),
        },
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => AwsError::UnknownKey,
        "SignatureDoesNotMatch" => parse_skew(message).map_or(AwsError::WrongSecret, AwsError::ClockSkew),
        "ExpiredToken" | "ExpiredTokenException" => AwsError::Expired,
        "ValidationError" if has("MaxSessionDuration") => AwsError::OverRoleMaximum,
        "ValidationError" if has("role chaining") => AwsError::OverChainMaximum,
        "ValidationError" | "PackedPolicyTooLarge" | "MalformedPolicyDocument" => AwsError::Invalid,
        "RegionDisabledException" => AwsError::RegionDisabled,
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => AwsError::Throttled,
        _ => AwsError::Other,
    }
}

/// Returns by how many seconds the caller's clock is ahead, from the message about a rejected signature:
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

/// Parses `YYYYMMDDTHHMMSSZ`, the format in signatures.
fn parse_time(text: &str) -> Option<Timestamp> {
    jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text.trim())
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_of_aws_have_their_meanings() {
        for (code, message, expected) in [
            (
                "AccessDenied",
                "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
                AwsError::WrongCode,
            ),
            (
                "AccessDenied",
                "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
                AwsError::WrongDevice,
            ),
            (
                "AccessDenied",
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
                AwsError::HalfMfa,
            ),
            ("AccessDenied", "Roles may not be assumed by root accounts.", AwsError::Root),
            ("AccessDenied", "Cannot call GetSessionToken with session credentials", AwsError::SessionCannot),
            (
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
                AwsError::UnknownKey,
            ),
            (
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
                AwsError::OverRoleMaximum,
            ),
            (
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
                AwsError::OverChainMaximum,
            ),
            (
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match",
                AwsError::WrongSecret,
            ),
            ("ExpiredToken", "The security token included in the request is expired", AwsError::Expired),
            (
                "RegionDisabledException",
                "STS is not activated in this region for account:444455556666.",
                AwsError::RegionDisabled,
            ),
            ("Throttling", "Rate exceeded", AwsError::Throttled),
            ("InternalFailure", "", AwsError::Other),
            ("AccessDenied", "Not so", AwsError::NotAuthorized(Box::default())),
        ] {
            assert_eq!(parse_aws_error(code, message), expected, "{message}");
        }
    }

    #[test]
    fn clock_skew_is_read_from_the_text_in_both_directions() {
        for (text, skew) in [
            (
                "Signature expired: 20260115T094000Z is now earlier than 20260115T094500Z (20260115T100000Z - 15 min.)",
                -1200,
            ),
            (
                "Signature not yet current: 20260115T102000Z is still later than 20260115T101500Z (20260115T100000Z + 15 min.)",
                1200,
            ),
        ] {
            assert_eq!(parse_aws_error("SignatureDoesNotMatch", text), AwsError::ClockSkew(skew));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>(), code in "AccessDenied|SignatureDoesNotMatch|x") {
            parse_aws_error(&code, &text);
            parse_aws_error(&code, &format!("User: x is not authorized to perform:{text} because no {text}"));
            parse_aws_error(&code, &format!("Signature expired: {text} is now earlier than {text} ({text}"));
        }
    }
}
