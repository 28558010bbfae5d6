//! The allowed values of STS parameters. The limits are those of AWS's published model of the service.

use std::collections::BTreeMap;

use crate::rules::{DIGITS, Kind, LATIN, NAME, Pattern, Rule, SERIAL, is_text_of, is_word, optional};

pub(super) const EXTERNAL: Pattern =
    Pattern { text: r"[\w+=,.@:\/-]*", is_allowed: |c| is_word(c) || "+=,.@:/-".contains(c) };
const TAG: Pattern = Pattern {
    text: r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+",
    is_allowed: |c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c),
};
const TAG_VALUE: Pattern = Pattern { text: r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", is_allowed: TAG.is_allowed };

pub(super) const ARN: Kind = Kind::Text(20, 2048, Some(LATIN));
pub(super) const POLICY: Kind = Kind::Text(1, 2048, Some(LATIN));
pub(super) const POLICY_ARNS: Kind = Kind::List(10, &[("arn", ARN)]);
pub(super) const SESSION_NAME: Kind = Kind::Text(2, 64, Some(NAME));
pub(super) const MFA_SERIAL: Kind = Kind::Text(9, 256, Some(SERIAL));
pub(super) const MFA_CODE: Kind = Kind::Text(6, 6, Some(DIGITS));
pub(super) const TAG_KEY: Kind = Kind::Text(1, 128, Some(TAG));
const TAG_TEXT: Kind = Kind::Text(0, 256, Some(TAG_VALUE));
pub(super) const TAG_COUNT: usize = 50;
pub(super) const TAGS: Kind = Kind::List(TAG_COUNT, &[("Key", TAG_KEY), ("Value", TAG_TEXT)]);
/// Accepted by every call that returns credentials.
pub(super) const TOKEN_SIZE: Rule = optional("MinimumSessionTokenSize", Kind::Number(0, 4096));
pub(super) const ROLE_SECONDS: Kind = Kind::Number(900, 43_200);
pub(super) const TOKEN_SECONDS: Kind = Kind::Number(900, 129_600);

/// Returns whether tags from a token would also be valid as the parameter `Tags`.
pub(super) fn are_valid_tags(tags: &BTreeMap<String, String>) -> bool {
    let is_valid = |(key, value): (&String, &String)| is_text_of(key, TAG_KEY) && is_text_of(value, TAG_TEXT);
    tags.len() <= TAG_COUNT && tags.iter().all(is_valid)
}

/// Returns whether a source identity from a token would also be valid as the parameter `SourceIdentity`.
pub(super) fn is_valid_source_identity(identity: &str) -> bool {
    is_text_of(identity, SESSION_NAME)
}
