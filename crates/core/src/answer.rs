//! Parses credentials from other programs and services: the JSON of a `credential_process`, of a container's endpoint,
//! and of the instance metadata service.
//!
//! | member | `credential_process` | container | instance |
//! |---|---|---|---|
//! | `Version` | 1 | | |
//! | `Code` | | | `Success` |
//! | `AccessKeyId`, `SecretAccessKey` | required | required | required |
//! | `SessionToken` | may be absent: a long-lived key | | |
//! | `Token` | | required | required |
//! | `Expiration` | may be absent | required | required |
//! | `AccountId` | may be absent | may be absent | may be absent |
//!
//! Other members are ignored, as AWS's tools ignore them.

use hatbox_types::duration::render_duration;
use hatbox_types::name::{AccountId, NameError};
use hatbox_types::secret::{AccessKey, AccessKeyError, SecretString};
use hatbox_types::text::printable_start;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::time::Duration;
use zeroize::Zeroizing;

/// Checked credentials from an answer.
#[derive(Debug, Clone)]
pub struct GivenCredentials {
    /// The access key.
    pub key: AccessKey,
    /// The session token of temporary credentials.
    pub session_token: Option<SecretString>,
    /// When they expire, if the answer contains that. Later than the `now` they were parsed with.
    pub expires_at: Option<Timestamp>,
    /// Their account, if the answer contains it.
    pub account: Option<AccountId>,
}

/// Why an answer contains no usable credentials. Contains no part of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The output is empty or blank.
    #[error("the output is empty")]
    Empty,
    /// It is not JSON, or a member has an unexpected type.
    // Security: serde_json's message may quote a value, so it is dropped.
    #[error("invalid credentials JSON (line {line}, column {column})")]
    Form {
        /// The line of the text, from 1.
        line: usize,
        /// The column in the line, from 1.
        column: usize,
    },
    /// A required member is missing.
    #[error("the JSON has no `{0}`")]
    Missing(&'static str),
    /// Another version of the format.
    #[error("invalid `Version` {0}: expected 1")]
    Version(String),
    /// The service reports an error.
    #[error("{code}: {message}")]
    Service {
        /// Its code.
        code: String,
        /// Its text.
        message: String,
    },
    /// The access key is malformed.
    #[error("{0}")]
    Key(AccessKeyError),
    /// The session token contains an invalid character.
    #[error("the session token has a blank or a character outside printable ASCII")]
    Token,
    /// The account id is malformed.
    #[error("invalid `AccountId`: {0}")]
    Account(NameError),
    /// The time is invalid.
    #[error("invalid `Expiration`: expected a time such as `2026-11-29T10:00:00Z`")]
    Expiration,
    /// The credentials have expired.
    #[error("the credentials expired {} ago, at {at:.0}", render_duration(*.ago))]
    Expired {
        /// When they expired.
        at: Timestamp,
        /// How long ago.
        ago: Duration,
    },
}

/// Parses the output of a `credential_process`.
///
/// # Errors
/// If it has another form, or the credentials have expired at `now`.
pub fn parse_process_answer(bytes: &[u8], now: Timestamp) -> Result<GivenCredentials, AnswerError> {
    let repr = parse_repr(bytes)?;
    match &repr.version {
        Some(Value::Number(version)) if version.as_u64() == Some(1) => {}
        None | Some(Value::Null) => return Err(AnswerError::Missing("Version")),
        Some(other) => return Err(AnswerError::Version(printable_start(&other.to_string(), 20))),
    }
    repr.check(TokenMember::SessionToken, now)
}

/// Parses the answer of a container's endpoint or of the instance metadata service.
///
/// # Errors
/// If it has another form or reports an error, or the credentials have expired at `now`.
pub fn parse_service_answer(bytes: &[u8], now: Timestamp) -> Result<GivenCredentials, AnswerError> {
    let repr = parse_repr(bytes)?;
    if let Some(code) = repr.code.as_ref().filter(|code| *code != "Success") {
        let message = repr.message.as_deref().unwrap_or("no text");
        return Err(AnswerError::Service {
            code: printable_start(code, 100),
            message: printable_start(message, 400),
        });
    }
    let given = repr.check(TokenMember::Token, now)?;
    match (&given.session_token, given.expires_at) {
        (None, _) => Err(AnswerError::Missing("Token")),
        (_, None) => Err(AnswerError::Missing("Expiration")),
        _ => Ok(given),
    }
}

/// The name of the session token's member.
#[derive(Clone, Copy)]
enum TokenMember {
    SessionToken,
    Token,
}

/// A text that is wiped when dropped.
struct Wiped(Zeroizing<String>);

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Repr {
    version: Option<Value>,
    code: Option<String>,
    message: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<Wiped>,
    session_token: Option<Wiped>,
    token: Option<Wiped>,
    expiration: Option<String>,
    account_id: Option<String>,
}

fn parse_repr(bytes: &[u8]) -> Result<Repr, AnswerError> {
    if bytes.trim_ascii().is_empty() {
        return Err(AnswerError::Empty);
    }
    serde_json::from_slice(bytes)
        .map_err(|error| AnswerError::Form { line: error.line(), column: error.column() })
}

impl Repr {
    fn check(self, member: TokenMember, now: Timestamp) -> Result<GivenCredentials, AnswerError> {
        let id = self.access_key_id.ok_or(AnswerError::Missing("AccessKeyId"))?;
        let secret = self.secret_access_key.ok_or(AnswerError::Missing("SecretAccessKey"))?;
        let key = AccessKey::parse(&id, &secret.0).map_err(AnswerError::Key)?;
        let token = match member {
            TokenMember::SessionToken => self.session_token,
            TokenMember::Token => self.token,
        };
        let session_token = match token.filter(|token| !token.0.is_empty()) {
            Some(token) if !token.0.chars().all(|c| c.is_ascii_graphic()) => return Err(AnswerError::Token),
            token => token.map(|token| SecretString::new(token.0.to_string())),
        };
        let expires_at = match self.expiration.as_deref().map(str::parse::<Timestamp>) {
            None => None,
            Some(Err(_)) => return Err(AnswerError::Expiration),
            Some(Ok(at)) if at <= now => {
                let ago = Duration::try_from(now.duration_since(at)).unwrap_or_default();
                return Err(AnswerError::Expired { at, ago: Duration::from_secs(ago.as_secs()) });
            }
            // Truncated to whole seconds, so it is never after the real expiry.
            Some(Ok(at)) => Some(Timestamp::from_second(at.as_second()).unwrap_or(at)),
        };
        let account = match self.account_id.as_deref() {
            None | Some("") => None,
            Some(account) => Some(AccountId::parse(account).map_err(AnswerError::Account)?),
        };
        Ok(GivenCredentials { key, session_token, expires_at, account })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-15T10:00:00Z";

    fn process(text: &str) -> Result<GivenCredentials, AnswerError> {
        parse_process_answer(text.as_bytes(), NOW.parse().unwrap())
    }

    fn service(text: &str) -> Result<GivenCredentials, AnswerError> {
        parse_service_answer(text.as_bytes(), NOW.parse().unwrap())
    }

    const PROCESS: &str = r#"{"Version":1,"AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"canary-secret",
        "SessionToken":"canary-token","Expiration":"2026-01-15T11:00:00.9Z","AccountId":"111122223333","More":[1]}"#;
    const SERVICE: &str = r#"{"Code":"Success","AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"canary-secret",
        "Token":"canary-token","Expiration":"2026-01-15T11:00:00Z","RoleArn":"x"}"#;

    #[test]
    fn what_is_whole_is_taken_whole() {
        let given = process(PROCESS).unwrap();
        assert_eq!(given.key.secret.expose(), "canary-secret");
        assert_eq!(given.session_token.unwrap().expose(), "canary-token");
        assert_eq!(given.expires_at.unwrap().to_string(), "2026-01-15T11:00:00Z");
        assert_eq!(given.account.unwrap().as_str(), "111122223333");
        let given = service(SERVICE).unwrap();
        assert_eq!(given.session_token.unwrap().expose(), "canary-token");
        assert_eq!(given.account, None);
    }

    #[test]
    fn a_process_may_leave_out_token_end_and_account() {
        let text =
            r#"{"Version":1,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"s","SessionToken":null}"#;
        let given = process(text).unwrap();
        assert!(given.session_token.is_none() && given.expires_at.is_none() && given.account.is_none());
        let empty = text.replace("null", "\"\"");
        assert!(process(&empty).unwrap().session_token.is_none());
    }

    #[test]
    fn what_is_broken_is_named_and_no_secret_is_shown() {
        for (from, to, expected) in [
            ("\"Version\":1,", "", "the JSON has no `Version`"),
            ("\"Version\":1", "\"Version\":2", "invalid `Version` 2: expected 1"),
            ("\"Version\":1", "\"Version\":\"1\"", "invalid `Version` \"1\": expected 1"),
            ("AccessKeyId", "X", "the JSON has no `AccessKeyId`"),
            ("SecretAccessKey", "X", "the JSON has no `SecretAccessKey`"),
            ("\"canary-secret\"", "7", "invalid credentials JSON (line 1, column 69)"),
            ("canary-secret", "canary secret", "the secret access key has a blank"),
            ("canary-token", "canary\\ntoken", "the session token has a blank"),
            ("2026-01-15T11", "soon", "invalid `Expiration`"),
            ("2026-01-15T11", "2026-01-15T08", "the credentials expired 59m59s ago, at 2026-01-15T09:00:01Z"),
            ("111122223333", "1", "invalid `AccountId`: expected 12 digits"),
        ] {
            let bad = PROCESS.replace(from, to).replace("T08:00:00.9Z", "T09:00:01Z");
            assert_ne!(bad, PROCESS, "{from}");
            let error = process(&bad).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{expected}: {error}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
        for (text, expected) in [
            ("", AnswerError::Empty),
            (" \n", AnswerError::Empty),
            ("no", AnswerError::Form { line: 1, column: 2 }),
            ("[]", AnswerError::Form { line: 1, column: 0 }),
        ] {
            let error = process(text).unwrap_err();
            assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_service_says_why_it_gives_nothing_and_must_give_everything() {
        let error =
            service(r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"no\u001b[2J trust"}"#).unwrap_err();
        assert_eq!(error.to_string(), r"AssumeRoleUnauthorizedAccess: no\u001b[2J trust");
        for (member, expected) in [("Token", "Token"), ("Expiration", "Expiration")] {
            let error = service(&SERVICE.replace(&format!("\"{member}\""), "\"X\"")).unwrap_err();
            assert_eq!(error, AnswerError::Missing(expected));
        }
    }
}
