//! Types for secrets: wiped on drop, redacted when printed, and serializable only on purpose.

use std::fmt;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::name::{AccessKeyId, NameError};

/// A text that must not be shown: a secret access key, a session token, a passphrase, an MFA code.
///
/// `Debug` prints `[redacted]`; there is no `Display`, no `Serialize` and no `PartialEq`.
#[derive(Clone)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Takes ownership of the text. The caller has to wipe its own copies, if any.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Returns the text, for the code that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> serde::Deserialize<'de> for SecretString {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A long-lived key pair of a user.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// The access key id.
    pub id: AccessKeyId,
    /// The secret access key: 1..=256 characters, without blanks and control characters.
    pub secret: SecretString,
}

impl AccessKey {
    /// Checks the form of both halves, but not the prefix or exact length, as stand-ins use their own.
    ///
    /// # Errors
    /// If the id is invalid, or the secret is empty, longer than 256 characters, or contains a character that is not
    /// printable ASCII. The error never contains the secret.
    pub fn parse(id: &str, secret: &str) -> Result<Self, AccessKeyError> {
        let id = AccessKeyId::parse(id).map_err(AccessKeyError::Id)?;
        if secret.is_empty() {
            return Err(AccessKeyError::EmptySecret);
        }
        if secret.len() > 256 {
            return Err(AccessKeyError::LongSecret { length: secret.len() });
        }
        if !secret.chars().all(|c| c.is_ascii_graphic()) {
            return Err(AccessKeyError::SecretCharacter);
        }
        Ok(Self { id, secret: SecretString::new(secret.to_owned()) })
    }
}

/// Why two texts are not an access key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessKeyError {
    /// The access key id is malformed.
    #[error("invalid access key id: {0}")]
    Id(NameError),
    /// The secret is empty.
    #[error("the secret access key is empty")]
    EmptySecret,
    /// The secret is longer than any secret of AWS.
    #[error("the secret access key has {length} characters: expected at most 256")]
    LongSecret {
        /// Its length in bytes.
        length: usize,
    },
    /// The secret contains a blank, a control character or a non-ASCII character.
    #[error("the secret access key has a blank or a character outside printable ASCII")]
    SecretCharacter,
}

/// Temporary credentials, as STS and similar services return them.
#[derive(Debug, Clone)]
pub struct SessionCredentials {
    /// The id of the temporary key.
    pub access_key_id: AccessKeyId,
    /// The secret access key.
    pub secret_access_key: SecretString,
    /// The session token, which is opaque and may have any length.
    pub session_token: SecretString,
    /// When AWS stops accepting them, in whole seconds.
    pub expires_at: Timestamp,
}

/// A one-time code of an MFA device: exactly six digits (STS `TokenCode`).
#[derive(Debug, Clone)]
pub struct MfaCode(SecretString);

impl MfaCode {
    /// Parses a code. Removes blanks around it, and blanks and hyphens between its digits, as authenticators show `163
    /// 518`.
    ///
    /// # Errors
    /// If it is not exactly six digits. The error does not contain the text.
    pub fn parse(text: &str) -> Result<Self, MfaCodeError> {
        let text = text.trim();
        // Line ends are not removed: two lines are not one code.
        let is_separator = |c: char| matches!(c, ' ' | '\t' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '-');
        let is_inside = !text.starts_with(is_separator) && !text.ends_with(is_separator);
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        digits.extend(text.chars().filter(|c| !is_separator(*c)));
        if is_inside && digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(SecretString(digits)))
        } else {
            Err(MfaCodeError)
        }
    }

    /// Returns the code for the last six digits of a number.
    pub fn of_number(number: u32) -> Self {
        Self(SecretString::new(format!("{:06}", number % 1_000_000)))
    }

    /// Returns the six digits, for the request.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The text is not six digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected six digits")]
pub struct MfaCodeError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_no_secret() {
        let key = AccessKey::parse("AKIAIOSFODNN7EXAMPLE", "canary-secret").unwrap();
        let session = SessionCredentials {
            access_key_id: key.id.clone(),
            secret_access_key: key.secret.clone(),
            session_token: SecretString::new("canary-token".to_owned()),
            expires_at: Timestamp::UNIX_EPOCH,
        };
        let code = MfaCode::parse("123456").unwrap();
        let shown = format!("{key:?} {session:?} {code:?}");
        assert!(!shown.contains("canary") && !shown.contains("123456") && !shown.contains("AKIA"), "{shown}");
    }

    #[test]
    fn an_access_key_is_judged_by_shape() {
        let id = "AKIAIOSFODNN7EXAMPLE";
        assert!(AccessKey::parse(id, "short-is-fine").is_ok());
        assert_eq!(AccessKey::parse(id, "").unwrap_err(), AccessKeyError::EmptySecret);
        assert_eq!(AccessKey::parse(id, "a b").unwrap_err(), AccessKeyError::SecretCharacter);
        assert_eq!(
            AccessKey::parse(id, &"x".repeat(257)).unwrap_err(),
            AccessKeyError::LongSecret { length: 257 }
        );
        assert!(matches!(AccessKey::parse("AKIA", "x").unwrap_err(), AccessKeyError::Id(_)));
    }

    #[test]
    fn an_mfa_code_is_six_ascii_digits_as_they_are_shown() {
        for good in [
            " 654321 \n",
            "654 321",
            "654-321",
            "65 43 21",
            "6 5 4 3 2 1",
            "654\u{a0}321",
            "654\u{202f}321\t",
        ] {
            assert_eq!(MfaCode::parse(good).unwrap().expose(), "654321", "{good:?}");
        }
        for bad in [
            "12345",
            "1234567",
            "12345a",
            "١٢٣٤٥٦",
            "",
            "123\n456",
            "-123456",
            "123456-",
            "123.456",
            "123 4567",
            "--",
            "123,456",
        ] {
            assert_eq!(MfaCode::parse(bad).unwrap_err(), MfaCodeError, "{bad:?}");
        }
    }
}
