//! The JSON formats of `export`.

use super::credentials::{Handover, render_time};
use super::format::FormatError;

/// Appends the output of a `credential_process`.
pub(super) fn push_process(text: &mut String, handover: Handover<'_>) {
    text.push_str("{\n  \"Version\": 1");
    push_members(text, handover, ",\n  \"");
    if let Some(account) = handover.account {
        text.push_str(",\n  \"AccountId\": ");
        push_string(text, account);
    }
    text.push_str("\n}\n");
}

/// Appends the credentials as `aws sts assume-role` prints them.
pub(super) fn push_sts(text: &mut String, handover: Handover<'_>) -> Result<(), FormatError> {
    if handover.credentials.session().is_none() {
        return Err(FormatError::LongLived);
    }
    text.push_str("{\n  \"Credentials\": {");
    push_members(text, handover, ",\n    \"");
    text.push_str("\n  }\n}\n");
    Ok(())
}

/// Appends the members with the credentials, each after `separator`, whose comma is omitted for the first member.
fn push_members(text: &mut String, handover: Handover<'_>, separator: &str) {
    let mut push = |name: &str, value: &str| {
        let separator = if text.ends_with('{') { separator.trim_start_matches(',') } else { separator };
        text.push_str(separator);
        text.push_str(name);
        text.push_str("\": ");
        push_string(text, value);
    };
    let credentials = handover.credentials;
    push("AccessKeyId", credentials.id().as_str());
    push("SecretAccessKey", credentials.secret().expose());
    if let Some((token, expires_at)) = credentials.session() {
        push("SessionToken", token.expose());
        if let Some(end) = expires_at {
            push("Expiration", &render_time(end));
        }
    }
}

/// Appends a JSON string. The value has no control characters, so only `"` and `\` need escapes.
pub(super) fn push_string(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
}
