//! What each parameter of STS may be. The bounds are those of the service's published model.

use std::collections::BTreeMap;

use crate::rules::{
    DIGITS, Kind, LATIN, NAME, Pattern, Rule, SERIAL, WORD, is_text_of, is_word, optional, required,
};

const EXTERNAL: Pattern =
    Pattern { text: r"[\w+=,.@:\/-]*", is_allowed: |c| is_word(c) || "+=,.@:/-".contains(c) };
const TAG: Pattern = Pattern {
    text: r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+",
    is_allowed: |c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c),
};
const TAG_VALUE: Pattern = Pattern { text: r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", is_allowed: TAG.is_allowed };

const ARN: Kind = Kind::Text(20, 2048, Some(LATIN));
const POLICY: Kind = Kind::Text(1, 2048, Some(LATIN));
const POLICY_ARNS: Kind = Kind::List(10, &[("arn", ARN)]);
const SESSION_NAME: Kind = Kind::Text(2, 64, Some(NAME));
const MFA_SERIAL: Kind = Kind::Text(9, 256, Some(SERIAL));
const MFA_CODE: Kind = Kind::Text(6, 6, Some(DIGITS));
const TAG_KEY: Kind = Kind::Text(1, 128, Some(TAG));
const TAG_TEXT: Kind = Kind::Text(0, 256, Some(TAG_VALUE));
const TAG_COUNT: usize = 50;
const TAGS: Kind = Kind::List(TAG_COUNT, &[("Key", TAG_KEY), ("Value", TAG_TEXT)]);
/// Of every call that gives credentials.
const TOKEN_SIZE: Rule = optional("MinimumSessionTokenSize", Kind::Number(0, 4096));
const ROLE_SECONDS: Kind = Kind::Number(900, 43_200);
const TOKEN_SECONDS: Kind = Kind::Number(900, 129_600);

/// The rules of a call; none for calls without parameters.
pub(super) fn rules_of(action: &str) -> Vec<Rule> {
    match action {
        "AssumeRole" => vec![
            required("RoleArn", ARN),
            required("RoleSessionName", SESSION_NAME),
            optional("DurationSeconds", ROLE_SECONDS),
            optional("ExternalId", Kind::Text(2, 1224, Some(EXTERNAL))),
            optional("SerialNumber", MFA_SERIAL),
            optional("TokenCode", MFA_CODE),
            optional("SourceIdentity", SESSION_NAME),
            optional("Policy", POLICY),
            optional("PolicyArns", POLICY_ARNS),
            optional("Tags", TAGS),
            optional("TransitiveTagKeys", Kind::List(TAG_COUNT, &[("", TAG_KEY)])),
            optional("ProvidedContexts", Kind::List(5, &[("ProviderArn", ARN)])),
            TOKEN_SIZE,
        ],
        "AssumeRoleWithSAML" => vec![
            required("RoleArn", ARN),
            required("PrincipalArn", ARN),
            required("SAMLAssertion", Kind::Text(4, 100_000, None)),
            optional("DurationSeconds", ROLE_SECONDS),
            optional("Policy", POLICY),
            optional("PolicyArns", POLICY_ARNS),
            TOKEN_SIZE,
        ],
        "AssumeRoleWithWebIdentity" => vec![
            required("RoleArn", ARN),
            required("RoleSessionName", SESSION_NAME),
            required("WebIdentityToken", Kind::Text(4, 20_000, None)),
            optional("ProviderId", Kind::Text(4, 2048, None)),
            optional("DurationSeconds", ROLE_SECONDS),
            optional("Policy", POLICY),
            optional("PolicyArns", POLICY_ARNS),
            TOKEN_SIZE,
        ],
        "AssumeRoot" => vec![
            required("TargetPrincipal", Kind::Text(12, 2048, None)),
            required("TaskPolicyArn.arn", ARN),
            optional("DurationSeconds", Kind::Number(0, 900)),
            TOKEN_SIZE,
        ],
        "GetSessionToken" => vec![
            optional("DurationSeconds", TOKEN_SECONDS),
            optional("SerialNumber", MFA_SERIAL),
            optional("TokenCode", MFA_CODE),
            TOKEN_SIZE,
        ],
        "GetFederationToken" => vec![
            required("Name", Kind::Text(2, 32, Some(NAME))),
            optional("DurationSeconds", TOKEN_SECONDS),
            optional("Policy", POLICY),
            optional("PolicyArns", POLICY_ARNS),
            optional("Tags", TAGS),
            TOKEN_SIZE,
        ],
        "GetDelegatedAccessToken" => vec![required("TradeInToken", Kind::Text(0, usize::MAX, None))],
        "GetWebIdentityToken" => vec![
            required("Audience", Kind::List(10, &[("", Kind::Text(1, 1000, None))])),
            optional("DurationSeconds", Kind::Number(60, 3600)),
            required("SigningAlgorithm", Kind::Text(5, 5, None)),
            optional("Tags", TAGS),
        ],
        "GetAccessKeyInfo" => vec![required("AccessKeyId", Kind::Text(16, 128, Some(WORD)))],
        "DecodeAuthorizationMessage" => vec![required("EncodedMessage", Kind::Text(1, 10_240, None))],
        _ => Vec::new(),
    }
}

/// Whether tags that come in a token could have come as the parameter `Tags`.
pub(super) fn are_valid_tags(tags: &BTreeMap<String, String>) -> bool {
    let is_valid = |(key, value): (&String, &String)| is_text_of(key, TAG_KEY) && is_text_of(value, TAG_TEXT);
    tags.len() <= TAG_COUNT && tags.iter().all(is_valid)
}

/// Whether a source identity that comes in a token could have come as the parameter `SourceIdentity`.
pub(super) fn is_valid_source_identity(identity: &str) -> bool {
    is_text_of(identity, SESSION_NAME)
}
