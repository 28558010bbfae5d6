//! AWS's errors: code and text in, what they mean out.

use super::access_denied::{Denial, parse_denial};
use jiff::Timestamp;

/// What an error of AWS means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsError {
    /// The MFA code is wrong, too old, or was used already.
    WrongCode,
    /// The MFA device is unknown, another user's, out of step, or throttled.
    WrongDevice,
    /// A serial number without a code, or the other way round.
    HalfMfa,
    /// No such key, or it is inactive.
    UnknownKey,
    /// The secret is not that of the key.
    WrongSecret,
    /// The caller's clock is off: positive when it is ahead, in seconds.
    ClockSkew(i64),
    /// The temporary credentials that signed have ended.
    Expired,
    /// Not allowed, by one side or another.
    NotAuthorized(Box<Denial>),
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
    /// STS is not active in the region, for the account.
    RegionDisabled,
    /// Too many calls.
    Throttled,
    /// Anything else.
    Other,
}

/// Reads the code and the text of an error.
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

/// How far the caller's clock is ahead, in seconds, from the text about a rejected signature:
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
