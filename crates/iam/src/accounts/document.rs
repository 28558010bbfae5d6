//! The text of a policy from a source, parsed on first use.

use std::borrow::Cow;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;

use super::origin::OriginId;
use crate::policy::document::{Policy, PolicyError};
use crate::policy::node::{Node, Value};

/// The text of a policy with its name and origin. Invalid text is an error only when the policy is used.
#[derive(Debug, Clone)]
pub struct Document {
    /// The policy's name: `AssumeOps`. For a trust policy, the role's name.
    pub name: String,
    /// The policy as JSON, without URL encoding.
    pub text: String,
    /// The source of the policy.
    pub origin: OriginId,
    parsed: OnceLock<Result<Policy, PolicyError>>,
}

impl Document {
    /// Creates a document from JSON text.
    pub fn new(name: impl Into<String>, text: impl Into<String>, origin: OriginId) -> Self {
        Self { name: name.into(), text: text.into(), origin, parsed: OnceLock::new() }
    }

    /// Returns the parsed policy.
    ///
    /// # Errors
    /// If the text is not a valid policy; the position is within the text.
    pub fn policy(&self) -> Result<&Policy, &PolicyError> {
        self.parsed.get_or_init(|| Policy::parse(&self.text)).as_ref()
    }

    /// Whether both have the same JSON, ignoring whitespace.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        self.text == other.text || parse(&self.text).is_some_and(|json| Some(json) == parse(&other.text))
    }

    /// Reads a policy in any form that sources use: text, URL-encoded text, or a JSON object.
    pub(super) fn read(name: &str, node: &Node, origin: OriginId) -> Self {
        let text = match &node.value {
            Value::String(text) => decode_text(text),
            Value::Unprintable(text) => decode_text(&text.raw),
            _ => node.render(),
        };
        Self::new(name, text, origin)
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.text, self.origin) == (&other.name, &other.text, other.origin)
    }
}

impl Eq for Document {}

/// IAM's API returns policies URL-encoded (RFC 3986); the AWS CLI decodes them. JSON never starts with `%`.
fn decode_text(text: &str) -> String {
    if !text.trim_start().starts_with('%') {
        return text.to_owned();
    }
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_may_be_url_encoded_or_not() {
        for (given, decoded) in [
            ("%7B%22Statement%22%3A%5B%5D%7D", r#"{"Statement":[]}"#),
            (r#"{"Statement":"100%25"}"#, r#"{"Statement":"100%25"}"#),
            ("%7B%C3%A9%7D", "{é}"),
            ("%7B%zz%4", "{%zz%4"),
            ("%FF", "%FF"),
        ] {
            assert_eq!(decode_text(given), decoded);
        }
    }

    #[test]
    fn a_text_that_is_not_a_policy_is_an_error_only_when_asked_for() {
        let document = Document::new("Ops", "{", OriginId(0));
        assert_eq!(document.policy().unwrap_err().line, 1);
    }
}
