//! The form of AWS's access keys, to avoid storing a temporary key, a token or swapped halves as a long-lived key.
//!
//! | id | meaning | source |
//! |---|---|---|
//! | `AKIA...` | a long-lived access key | IAM, "Understanding unique ID prefixes" |
//! | `ASIA...` | a temporary access key from STS | the same |
//! | `ABIA`, `ACCA`, `AGPA`, `AIDA`, `AIPA`, `ANPA`, `ANVA`, `APKA`, `AROA`, `ASCA` | the id of something else | the same |
//! | other 16 to 128 of `A-Z0-9` | a long-lived access key from AWS's first years | `GetAccessKeyInfo` |
//!
//! A secret access key has 40 characters of the base64 alphabet. Other services may use other forms: see
//! [`KeyOrigin::Any`].

use crate::secret::{AccessKey, AccessKeyError};

/// Which keys to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// Only AWS's.
    Aws,
    /// Keys of any service, in any form.
    Any,
}

/// Why two texts are not accepted as a long-lived access key. Contains no part of either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyShapeError {
    /// The two halves are swapped.
    #[error("the access key id and the secret access key are swapped")]
    Swapped,
    /// The id looks like a secret.
    #[error("the access key id looks like a secret access key")]
    IdIsSecret,
    /// The id belongs to a temporary key.
    #[error("the access key id is that of a temporary key (ASIA...), which expires")]
    Temporary,
    /// The id belongs to something other than a key.
    #[error("the access key id looks like the id of {0}")]
    IdOfOther(&'static str),
    /// There is no id.
    #[error("the access key id is empty")]
    IdEmpty,
    /// The id contains characters that ids do not have.
    #[error("the access key id has characters other than A-Z and 0-9")]
    IdCharacter,
    /// The id is too short or too long.
    #[error("the access key id has {}: expected 16 to 128", crate::text::count(*.0, "character"))]
    IdLength(usize),
    /// The secret looks like an id.
    #[error("the secret access key looks like an access key id")]
    SecretIsId,
    /// The secret is much longer than secrets are.
    #[error("the secret access key looks like a session token")]
    SecretIsToken,
    /// The secret has the wrong length.
    #[error("the secret access key has {}: expected 40", crate::text::count(*.0, "character"))]
    SecretLength(usize),
    /// The secret contains characters that AWS's secrets do not have.
    #[error("the secret access key has characters other than A-Z, a-z, 0-9, `/`, `+` and `=`")]
    SecretCharacter,
    /// It is not a key of any service.
    #[error(transparent)]
    Key(#[from] AccessKeyError),
}

impl KeyShapeError {
    /// Returns a hint for the user.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Swapped | Self::IdIsSecret | Self::IdEmpty | Self::SecretIsId | Self::Key(_) => {
                "the access key id comes first (AKIA...), then the secret access key"
            }
            Self::Temporary => {
                "store a long-lived access key (AKIA...); in a shell of `exec`, leave it first, or use \
                 `exec --no-session`"
            }
            _ => "for a key of another service than AWS, add --any-key",
        }
    }
}

/// Parses a long-lived access key. Rejects swapped halves for every `origin`, as the secret would be sent as an id.
///
/// # Errors
/// If it is not a long-lived access key.
pub fn parse_long_lived_key(id: &str, secret: &str, origin: KeyOrigin) -> Result<AccessKey, KeyShapeError> {
    if is_id(secret) && is_secret(id) {
        return Err(KeyShapeError::Swapped);
    }
    if origin == KeyOrigin::Aws {
        check_id(id)?;
        check_secret(secret)?;
    }
    Ok(AccessKey::parse(id, secret)?)
}

/// Checks that `id` looks like the id of AWS's long-lived access keys.
///
/// # Errors
/// If it does not.
pub fn check_id(id: &str) -> Result<(), KeyShapeError> {
    if id.is_empty() {
        return Err(KeyShapeError::IdEmpty);
    }
    if is_secret(id) && !is_of_capitals(id) {
        return Err(KeyShapeError::IdIsSecret);
    }
    if !is_of_capitals(id) {
        return Err(KeyShapeError::IdCharacter);
    }
    let other = match id.get(..4).unwrap_or_default() {
        "ASIA" => return Err(KeyShapeError::Temporary),
        "ABIA" => "a bearer token of STS",
        "ACCA" => "a context-specific credential",
        "AGPA" => "a user group",
        "AIDA" => "a user",
        "AIPA" => "an instance profile",
        "ANPA" | "ANVA" => "a policy",
        "APKA" => "a public key",
        "AROA" => "a role",
        "ASCA" => "a certificate",
        _ if !(16..=128).contains(&id.len()) => return Err(KeyShapeError::IdLength(id.len())),
        _ => return Ok(()),
    };
    Err(KeyShapeError::IdOfOther(other))
}

/// Checks that `secret` looks like one of AWS's secret access keys.
///
/// # Errors
/// If it does not.
pub fn check_secret(secret: &str) -> Result<(), KeyShapeError> {
    /// Session tokens have hundreds of characters.
    const TOKEN: usize = 100;
    if is_id(secret) {
        return Err(KeyShapeError::SecretIsId);
    }
    match secret.chars().count() {
        40 if !secret.chars().all(is_base64) => Err(KeyShapeError::SecretCharacter),
        40 => Ok(()),
        length if length >= TOKEN => Err(KeyShapeError::SecretIsToken),
        length => Err(KeyShapeError::SecretLength(length)),
    }
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '=')
}

fn is_of_capitals(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn is_secret(text: &str) -> bool {
    text.len() == 40 && text.chars().all(is_base64)
}

/// Whether this is certainly the id of an access key, long-lived or temporary.
fn is_id(text: &str) -> bool {
    is_of_capitals(text)
        && (16..40).contains(&text.len())
        && (text.starts_with("AKIA") || text.starts_with("ASIA"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    /// 28 of 100 secrets contain neither `/` nor `+`, so only characters that ids may have.
    const PLAIN: &str = "wJalrXUtnFEMIaK7MDENGabPxRfiCYEXAMPLEKEY";

    #[test]
    fn a_key_that_is_not_a_long_lived_one_of_aws_is_named_by_its_shape() {
        use KeyShapeError as E;
        let temporary = ID.replacen("AKIA", "ASIA", 1);
        let token = SECRET.repeat(10);
        for (id, secret, expected) in [
            (ID, SECRET, None),
            (ID, PLAIN, None),
            ("022QF06E7MXBSH9DHM02", SECRET, None),
            (SECRET, ID, Some(E::Swapped)),
            (PLAIN, ID, Some(E::Swapped)),
            (PLAIN, &temporary, Some(E::Swapped)),
            (SECRET, SECRET, Some(E::IdIsSecret)),
            (PLAIN, SECRET, Some(E::IdIsSecret)),
            (&temporary, SECRET, Some(E::Temporary)),
            ("AIDAIOSFODNN7EXAMPLE", SECRET, Some(E::IdOfOther("a user"))),
            ("AROAIOSFODNN7EXAMPLE", SECRET, Some(E::IdOfOther("a role"))),
            ("akiaiosfodnn7example", SECRET, Some(E::IdCharacter)),
            ("minio_access_key", SECRET, Some(E::IdCharacter)),
            ("arn:aws:iam::111122223333:user/jan", SECRET, Some(E::IdCharacter)),
            ("", SECRET, Some(E::IdEmpty)),
            ("AKIA", SECRET, Some(E::IdLength(4))),
            (ID, ID, Some(E::SecretIsId)),
            (ID, &temporary, Some(E::SecretIsId)),
            (ID, &token, Some(E::SecretIsToken)),
            (ID, "", Some(E::SecretLength(0))),
            (ID, &SECRET[1..], Some(E::SecretLength(39))),
            (ID, "wJalrXUtnFEMI_K7MDENG/bPxRfiCYEXAMPLEKEY", Some(E::SecretCharacter)),
        ] {
            assert_eq!(parse_long_lived_key(id, secret, KeyOrigin::Aws).err(), expected, "{id} {secret}");
        }
        assert!(E::IdLength(1).to_string().contains(" has 1 character: "));
        assert!(E::SecretLength(1).to_string().contains(" has 1 character: "));
    }

    #[test]
    fn another_services_keys_are_taken_where_that_is_said_but_never_swapped_halves() {
        let parse = |id, secret| parse_long_lived_key(id, secret, KeyOrigin::Any);
        for (id, secret) in [("minio_access_key", "s"), ("ASIAIOSFODNN7EXAMPLE", "s"), (ID, SECRET)] {
            assert!(parse(id, secret).is_ok(), "{id}");
        }
        assert_eq!(parse(PLAIN, ID).err(), Some(KeyShapeError::Swapped));
        assert!(matches!(parse("a/b", "s").err(), Some(KeyShapeError::Key(_))));
    }

    proptest! {
        #[test]
        fn no_message_holds_what_was_given(
            id in prop_oneof!["[A-Z0-9]{16,20}", "[A-Za-z0-9/+]{40}", "[ -~]{0,60}"],
            secret in prop_oneof!["[A-Z0-9]{16,20}", "[A-Za-z0-9/+]{40}", "[ -~]{6,400}"],
        ) {
            for origin in [KeyOrigin::Aws, KeyOrigin::Any] {
                if let Err(error) = parse_long_lived_key(&id, &secret, origin) {
                    let shown = format!("{error} {error:?} {}", error.hint());
                    for half in [&id, &secret] {
                        prop_assert!(half.len() < 6 || !shown.contains(half.as_str()), "{}", shown);
                    }
                }
            }
        }

        #[test]
        fn every_pair_of_aws_is_taken_and_every_swapped_one_refused(
            id in "AKIA[A-Z2-7]{16}",
            secret in "[A-Za-z0-9/+]{40}",
        ) {
            prop_assert!(parse_long_lived_key(&id, &secret, KeyOrigin::Aws).is_ok());
            for origin in [KeyOrigin::Aws, KeyOrigin::Any] {
                prop_assert_eq!(parse_long_lived_key(&secret, &id, origin).err(), Some(KeyShapeError::Swapped));
            }
        }
    }
}
