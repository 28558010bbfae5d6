//! A profile that the server provides: its path, its token and its current answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hatbox_core::handover::{FormatError, render_container_answer, render_metadata_answer};
use hatbox_types::name::ProfileName;
use hatbox_types::secret::SessionCredentials;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::protocol::Protocol;
use crate::errors::{Failure, FailureKind};
use crate::sys::boot_clock;

/// The path before the profile's name.
const PATH: &str = "/credentials/";
const TOKEN_BYTES: usize = 32;

/// A profile, with what clients need to get its credentials.
#[derive(Debug)]
pub(crate) struct Identity {
    profile: ProfileName,
    protocol: Protocol,
    path: String,
    token: Token,
    state: Mutex<State>,
}

/// The secret that clients of a container credential server send. For instance metadata, the key that tokens are made
/// with, which no client has.
pub(crate) struct Token(Zeroizing<String>);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    pub(super) fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        getrandom::getrandom(&mut *bytes)?;
        Ok(Self(Zeroizing::new(hex::encode(bytes.as_slice()))))
    }

    /// Returns the token as clients send it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    fn is(&self, sent: &[u8]) -> bool {
        // Security: compare in constant time.
        self.0.as_bytes().ct_eq(sent).into()
    }
}

#[derive(Debug, Default)]
struct State {
    answer: Option<Answer>,
    /// By the clock, and in nanoseconds since boot.
    due_at: Option<(Timestamp, u128)>,
    trouble: Option<String>,
}

#[derive(Debug, Clone)]
struct Answer {
    body: Arc<Zeroizing<String>>,
    /// Not given to clients after this time.
    given_until: Timestamp,
    /// The same by the clock that cannot be set, in nanoseconds since boot.
    given_until_since_boot: u128,
}

/// The answer to a client.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The credentials.
    Credentials(Arc<Zeroizing<String>>),
    /// No credentials at the moment: they are being obtained.
    Later,
    /// No credentials: the user has to do something first.
    Never(String),
}

impl Identity {
    /// Creates an identity with a new random token.
    pub(crate) fn new(profile: ProfileName, protocol: Protocol) -> Result<Self, Failure> {
        const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
        let path = format!("{PATH}{}", utf8_percent_encode(profile.as_str(), KEPT));
        let token = Token::generate().map_err(|error| {
            Failure::new(FailureKind::Failed, "the operating system returned no random bytes")
                .caused_by(&error)
        })?;
        Ok(Self { path, profile, protocol, token, state: Mutex::default() })
    }

    pub(crate) fn profile(&self) -> &ProfileName {
        &self.profile
    }

    pub(crate) fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// The path in the server's URLs.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// Whether path and token are the right ones.
    pub(super) fn admits(&self, path: &str, token: &[u8]) -> bool {
        // The path is not secret.
        self.token.is(token) && path == self.path
    }

    /// Sets new credentials, which are given from `now` on until too little of their time is left.
    pub(crate) fn set(
        &self,
        credentials: &SessionCredentials,
        account: Option<&str>,
        now: Timestamp,
    ) -> Result<(), FormatError> {
        let body = match &self.protocol {
            Protocol::Container => render_container_answer(credentials, account)?,
            Protocol::Metadata { .. } => render_metadata_answer(credentials, account, now)?,
        };
        let given_until = credentials.expires_at - self.protocol.least_left();
        let given_for = given_until.duration_since(now).unsigned_abs();
        let given_until_since_boot = boot_clock::now() + given_for.as_nanos();
        let mut state = self.state();
        state.answer = Some(Answer { body: Arc::new(body), given_until, given_until_since_boot });
        state.trouble = None;
        Ok(())
    }

    /// Sets the reason why there are no new credentials, for clients that ask after the current ones end.
    pub(crate) fn set_trouble(&self, trouble: String) {
        self.state().trouble = Some(trouble);
    }

    /// Sets when the renewal has something to do next, also in nanoseconds since boot.
    pub(crate) fn set_due(&self, at: Timestamp, since_boot: u128) {
        self.state().due_at = Some((at, since_boot));
    }

    /// Whether the renewal should have done something by now, as after the machine slept, or was never asked to.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.state().due_at.is_none_or(|(at, since_boot)| at <= now || since_boot <= boot_clock::now())
    }

    /// Returns the current answer.
    pub(super) fn reply(&self, now: Timestamp) -> Reply {
        let state = self.state();
        // Security: clients never get credentials that have expired, or that they would use after their expiry,
        // whatever the renewal does, and also if the clock was set back.
        let is_given =
            |answer: &Answer| now < answer.given_until && boot_clock::now() < answer.given_until_since_boot;
        match (&state.answer, &state.trouble) {
            (Some(answer), _) if is_given(answer) => Reply::Credentials(Arc::clone(&answer.body)),
            (_, Some(trouble)) => Reply::Never(trouble.clone()),
            (_, None) => Reply::Later,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use hatbox_types::name::AccessKeyId;
    use hatbox_types::secret::SecretString;

    use super::*;

    fn identity(name: &str) -> Identity {
        Identity::new(ProfileName::parse(name).unwrap(), Protocol::Container).unwrap()
    }

    #[test]
    fn a_token_is_good_for_its_own_path_and_as_it_is_written() {
        let (a, b) = (identity("a"), identity("b c/ü"));
        assert_eq!((a.path(), b.path()), ("/credentials/a", "/credentials/b%20c%2F%C3%BC"));
        let token = a.token().expose();
        assert_eq!(token.len(), 64);
        assert!(a.admits(a.path(), token.as_bytes()));
        assert!(!b.admits(b.path(), token.as_bytes()) && !a.admits(b.path(), token.as_bytes()));
        let upper = token.to_ascii_uppercase();
        for wrong in ["", &upper, &token[1..], &format!("{token} "), &format!("Bearer {token}")] {
            assert!(!a.admits(a.path(), wrong.as_bytes()), "{wrong}");
        }
        assert!(!format!("{a:?}").contains(token));
    }

    #[test]
    fn credentials_are_given_until_they_end_and_then_the_reason() {
        let identity = identity("a");
        let now = Timestamp::UNIX_EPOCH;
        let second = |second| Timestamp::from_second(second).unwrap();
        assert!(matches!(identity.reply(now), Reply::Later));
        let credentials = SessionCredentials {
            access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").unwrap(),
            secret_access_key: SecretString::new("s".to_owned()),
            session_token: SecretString::new("t".to_owned()),
            expires_at: second(100),
        };
        assert!(identity.is_due(now), "never obtained");
        identity.set(&credentials, None, now).unwrap();
        identity.set_due(second(50), u128::MAX);
        assert!(!identity.is_due(second(49)) && identity.is_due(second(50)));
        identity.set_due(second(50), 0);
        assert!(identity.is_due(second(1)), "the clock was set back");
        identity.set_trouble("sign in again".to_owned());
        assert!(matches!(identity.reply(second(99)), Reply::Credentials(_)));
        assert!(matches!(identity.reply(second(100)), Reply::Never(why) if why == "sign in again"));
    }
}
