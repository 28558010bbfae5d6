//! Checks the temporary credentials in a service's answer before they are used.

use std::time::Duration;

use hatbox_types::duration::render_duration;
use hatbox_types::name::{AccessKeyId, NameError};
use hatbox_types::secret::{SecretString, SessionCredentials};
use jiff::Timestamp;

/// Why the credentials in an answer are rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum IssuedError {
    /// The access key id is malformed.
    #[error("invalid access key id in the response: {0}")]
    Id(NameError),
    /// The secret or the token is empty.
    #[error("the response has no {0}")]
    Absent(&'static str),
    /// The secret or the token contains a blank, a control character or a non-ASCII character.
    #[error("invalid {0} in the response: a character is not allowed")]
    Character(&'static str),
    /// They have already expired, by this machine's clock.
    #[error("the credentials in the response expired {ago} ago, at {at:.0}")]
    Expired { at: Timestamp, ago: String },
}

/// Checks that the credentials in an answer have AWS's format and are valid at `now`.
pub(super) fn check_issued(
    id: &str,
    secret_access_key: SecretString,
    session_token: SecretString,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<SessionCredentials, IssuedError> {
    let access_key_id = AccessKeyId::parse(id).map_err(IssuedError::Id)?;
    for (what, text) in [("secret access key", &secret_access_key), ("session token", &session_token)] {
        if text.expose().is_empty() {
            return Err(IssuedError::Absent(what));
        }
        if !text.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(IssuedError::Character(what));
        }
    }
    if expires_at <= now {
        let ago = Duration::try_from(now.duration_since(expires_at)).unwrap_or_default();
        return Err(IssuedError::Expired { at: expires_at, ago: render_duration(ago) });
    }
    Ok(SessionCredentials { access_key_id, secret_access_key, session_token, expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_credentials_of_aws_s_form_that_work_now_are_handed_over() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let check = |id: &str, secret: &str, token: &str, left: i64| {
            let secret_of = |text: &str| SecretString::new(text.to_owned());
            let end = Timestamp::from_second(1_000_000 + left).unwrap();
            check_issued(id, secret_of(secret), secret_of(token), end, now).map(|_| ())
        };
        let id = "ASIAIOSFODNN7EXAMPLE";
        assert_eq!(check(id, "s/+=", "t", 1), Ok(()));
        assert!(matches!(check("no", "s", "t", 1), Err(IssuedError::Id(_))));
        assert_eq!(check(id, "", "t", 1), Err(IssuedError::Absent("secret access key")));
        assert_eq!(check(id, "s", "", 1), Err(IssuedError::Absent("session token")));
        for bad in ["a b", "a\n", "\u{202e}a", "a\u{200b}", "\u{e9}"] {
            assert_eq!(check(id, bad, "t", 1), Err(IssuedError::Character("secret access key")), "{bad:?}");
            assert_eq!(check(id, "s", bad, 1), Err(IssuedError::Character("session token")), "{bad:?}");
        }
        for left in [0, -1, -1_000_000] {
            assert!(matches!(check(id, "s", "t", left), Err(IssuedError::Expired { .. })), "{left}");
        }
    }
}
