//! The grammar of AWS's errors: code and text in, what they mean out.
//!
//! ```text
//! User: A is not authorized to perform: X on resource: R
//!   [ because no T policy allows the X action | with an explicit deny in a T policy [: ARN] ]
//!   [ ... authorization id: ID ]
//! ```
//!
//! The reason is often missing (AWS names it where caller and resource are of one organization, and seldom for
//! AssumeRole). A layer that is named is certain; of those that are not, nothing follows.
//! Source: "Troubleshoot access denied error messages" of the IAM user guide.

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

/// The parts of `User: A is not authorized to perform: X on resource: R ...`, as far as they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denial {
    /// Who asked: the ARN of a user or of a session.
    pub caller: Option<String>,
    /// `sts:AssumeRole`, `sts:TagSession`, ...
    pub action: Option<String>,
    /// The ARN asked for.
    pub resource: Option<String>,
    /// The layer that AWS names.
    pub reason: Option<Reason>,
    /// For GetRequestAuthorizationDetails.
    pub authorization_id: Option<String>,
}

/// The layer that AWS names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// By a Deny, or for want of an Allow. For a service control policy AWS may say the former for the latter.
    pub is_explicit: bool,
    /// Which.
    pub layer: PolicyType,
    /// The policy; only told within the account or the organization.
    pub policy: Option<String>,
}

/// The types of policies that an AccessDenied text can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyType {
    /// `identity-based policy`.
    Identity,
    /// `role trust policy`, `resource-based policy`.
    Trust,
    /// `permissions boundary`.
    Boundary,
    /// `session policy`.
    Session,
    /// `service control policy`.
    ServiceControl,
    /// `resource control policy`.
    ResourceControl,
    /// `VPC endpoint policy`.
    VpcEndpoint,
}

impl PolicyType {
    /// By AWS's words for it, in lower case; the longer ones first, as "session" is in more than one.
    const WORDS: [(&'static str, Self); 8] = [
        ("service control", Self::ServiceControl),
        ("resource control", Self::ResourceControl),
        ("permissions boundary", Self::Boundary),
        ("vpc endpoint", Self::VpcEndpoint),
        ("identity-based", Self::Identity),
        ("resource-based", Self::Trust),
        ("trust", Self::Trust),
        ("session", Self::Session),
    ];

    fn parse(words: &str) -> Option<Self> {
        let words = words.to_ascii_lowercase();
        Self::WORDS.iter().find(|(name, _)| words.contains(name)).map(|(_, layer)| *layer)
    }
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

/// Reads `User: A is not authorized to perform: X on resource: R ...`; what is not there is `None`.
fn parse_denial(message: &str) -> Denial {
    let Some((before, after)) = message.split_once("is not authorized to perform:") else {
        return Denial { authorization_id: parse_authorization_id(message), ..Denial::default() };
    };
    let caller = before.rsplit_once("User:").map_or(before, |(_, caller)| caller).trim();
    let action = after.split_whitespace().next().map(trim_word);
    let resource = after.split_once("on resource:").and_then(|(_, rest)| rest.split_whitespace().next());
    Denial {
        caller: non_empty(caller),
        action: action.and_then(non_empty),
        resource: resource.map(trim_word).and_then(non_empty),
        reason: parse_reason(after),
        authorization_id: parse_authorization_id(after),
    }
}

fn parse_reason(text: &str) -> Option<Reason> {
    let (is_explicit, words) = match text.split_once("with an explicit deny") {
        Some((_, words)) => (true, words),
        None => (false, text.split_once("because no ")?.1),
    };
    // What comes before the colon or the action is AWS's; an ARN or an action could hold any word.
    let end = words.find([':', '\n']).unwrap_or(words.len());
    let (layer, rest) = words.split_at(end);
    let layer = PolicyType::parse(layer.split(" allows ").next().unwrap_or_default())?;
    let policy = rest.trim_start_matches(':').split_whitespace().next().map(trim_word);
    Some(Reason {
        is_explicit,
        layer,
        policy: policy.filter(|policy| is_explicit && policy.starts_with("arn:")).map(str::to_owned),
    })
}

fn parse_authorization_id(text: &str) -> Option<String> {
    const NAME: &str = "authorization id:";
    let at = text.to_ascii_lowercase().find(NAME)?;
    text.get(at + NAME.len()..)?.split_whitespace().next().map(trim_word).and_then(non_empty)
}

fn trim_word(word: &str) -> &str {
    word.trim_matches(['"', '\'', '`', ',', '(', ')']).trim_end_matches('.')
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
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

    const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
    const OPS: &str = "arn:aws:iam::444455556666:role/Ops";

    fn denial(rest: &str) -> Denial {
        let text =
            format!("User: {ALICE} is not authorized to perform: sts:AssumeRole on resource: {OPS}{rest}");
        let AwsError::NotAuthorized(denial) = parse_aws_error("AccessDenied", &text) else { unreachable!() };
        assert_eq!(denial.caller.as_deref(), Some(ALICE));
        assert_eq!(denial.action.as_deref(), Some("sts:AssumeRole"));
        assert_eq!(denial.resource.as_deref(), Some(OPS));
        *denial
    }

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
    fn a_named_layer_is_read_in_every_wording() {
        use PolicyType::{Boundary, Identity, ResourceControl, ServiceControl, Session, Trust, VpcEndpoint};
        for (rest, is_explicit, layer) in [
            (" because no identity-based policy allows the sts:AssumeRole action", false, Identity),
            (" because no role trust policy allows the sts:AssumeRole action", false, Trust),
            (" because no resource-based policy allows the sts:AssumeRole action", false, Trust),
            (" because no permissions boundary allows the sts:AssumeRole action", false, Boundary),
            (" because no session policy allows the sts:AssumeRole action", false, Session),
            (" because no service control policy allows the sts:AssumeRole action", false, ServiceControl),
            (" because no resource control policy allows the sts:AssumeRole action", false, ResourceControl),
            (" because no VPC endpoint policy allows the sts:AssumeRole action", false, VpcEndpoint),
            (" with an explicit deny in an identity-based policy", true, Identity),
            (" with an explicit deny in the role trust policy", true, Trust),
            (" with an explicit deny in a resource-based policy", true, Trust),
            (" with an explicit deny in a permissions boundary", true, Boundary),
            (" with an explicit deny in a session policy", true, Session),
            (" with an explicit deny in a VPC endpoint policy", true, VpcEndpoint),
        ] {
            assert_eq!(denial(rest).reason, Some(Reason { is_explicit, layer, policy: None }), "{rest}");
        }
        assert_eq!(denial("").reason, None);
        assert_eq!(denial(" with an explicit deny").reason, None, "the layer is not named");
    }

    #[test]
    fn the_policys_arn_names_no_layer_and_the_authorization_id_is_read() {
        let policy = "arn:aws:organizations::999999999999:policy/o-ab/service_control_policy/p-session";
        let found = denial(&format!(
            " with an explicit deny in a service control policy: {policy}. Use authorization ID: abc-123 for more."
        ));
        assert_eq!(
            found.reason,
            Some(Reason {
                is_explicit: true,
                layer: PolicyType::ServiceControl,
                policy: Some(policy.to_owned())
            })
        );
        assert_eq!(found.authorization_id.as_deref(), Some("abc-123"));
    }

    #[test]
    fn other_actions_and_missing_resources_are_read() {
        let text = format!(
            "User: {ALICE} is not authorized to perform: sts:TagSession because no identity-based policy allows the sts:TagSession action"
        );
        let AwsError::NotAuthorized(denial) = parse_aws_error("AccessDenied", &text) else { unreachable!() };
        assert_eq!(denial.action.as_deref(), Some("sts:TagSession"));
        assert_eq!(denial.resource, None);
        assert_eq!(denial.reason.map(|reason| reason.layer), Some(PolicyType::Identity));
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
