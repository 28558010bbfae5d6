//! The content of a cached session's file, as it is sealed.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::plan::Call;
use hatbox_types::name::{AccessKeyId, AccountId, NameError, ProfileName};
use hatbox_types::secret::{SecretString, SessionCredentials};

const VERSION: u32 = 1;

/// Saved temporary credentials.
#[derive(Debug, Clone)]
pub struct CachedSession {
    /// The credentials, with their expiry.
    pub credentials: SessionCredentials,
    /// The call that returned them.
    pub call: Call,
    /// The profile that they were obtained for. Other profiles with the same identity use them too.
    pub profile: ProfileName,
    /// When they were obtained, by this machine's clock, in whole seconds.
    pub obtained_at: Timestamp,
    /// The requested duration; `None` if the call takes none.
    pub asked: Option<Duration>,
    /// The account of the credentials, if the source named it.
    pub account: Option<AccountId>,
}

impl CachedSession {
    /// Returns the granted duration: the time from obtaining the credentials to their expiry, but at most the requested
    /// duration, as AWS's clock sets the expiry and this machine's clock may be behind.
    pub fn granted(&self) -> Duration {
        let measured = self.credentials.expires_at.duration_since(self.obtained_at);
        let measured = Duration::try_from(measured).unwrap_or_default();
        self.asked.map_or(measured, |asked| asked.min(measured))
    }

    /// Returns how much time is left at `now`, or zero.
    ///
    /// This is the smaller of two values: the time to the expiry by this machine's clock; and the granted duration
    /// minus the time since then, which is right even if this machine's clock is behind AWS's.
    pub fn left(&self, now: Timestamp) -> Duration {
        let to_end = self.credentials.expires_at.duration_since(now);
        let Ok(to_end) = Duration::try_from(to_end) else { return Duration::ZERO };
        let passed = Duration::try_from(now.duration_since(self.obtained_at)).unwrap_or_default();
        to_end.min(self.granted().saturating_sub(passed))
    }
}

/// Why bytes are not a cached session, which then counts as absent.
#[derive(Debug, thiserror::Error)]
pub enum CachedSessionError {
    /// Anything but the format that [`render_cached_session`] writes.
    // Security: serde_json's message may quote a value, so it is dropped.
    #[error("the cached session is not of the form that hatbox writes (line {line}, column {column})")]
    Form {
        /// The line in the JSON text, from 1.
        line: usize,
        /// The column in the line, from 1.
        column: usize,
    },
    /// A version that no hatbox writes.
    #[error("the cached session has the unknown version {0}")]
    Version(u32),
    /// Written by a newer version of hatbox.
    #[error("the cached session has version {0}, and this hatbox reads version {VERSION}")]
    Newer(u32),
    /// An invalid name.
    #[error("the cached session has an invalid {what}: {source}")]
    Name {
        /// The kind of name.
        what: &'static str,
        /// Why it is invalid.
        source: NameError,
    },
    /// A call that this version does not know.
    #[error("the cached session is of an unknown kind")]
    Call,
    /// A time out of range.
    #[error("a time of the cached session is out of range")]
    Time,
}

/// The format of the file. Borrows its values, so serializing makes no second copy of a secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repr<'a> {
    version: u32,
    #[serde(borrow)]
    call: Cow<'a, str>,
    #[serde(borrow)]
    profile: Cow<'a, str>,
    #[serde(borrow)]
    access_key_id: Cow<'a, str>,
    #[serde(borrow)]
    secret_access_key: Cow<'a, str>,
    #[serde(borrow)]
    session_token: Cow<'a, str>,
    expires_at: i64,
    obtained_at: i64,
    asked: Option<u64>,
    // Unknown accounts are omitted, as in files of older versions.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
}

/// Only the version, as the other fields depend on it.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// Renders a session as the bytes to seal, which are wiped when dropped.
pub fn render_cached_session(session: &CachedSession) -> Zeroizing<Vec<u8>> {
    let credentials = &session.credentials;
    let repr = Repr {
        version: VERSION,
        call: session.call.label().into(),
        profile: session.profile.as_str().into(),
        access_key_id: credentials.access_key_id.as_str().into(),
        secret_access_key: credentials.secret_access_key.expose().into(),
        session_token: credentials.session_token.expose().into(),
        expires_at: credentials.expires_at.as_second(),
        obtained_at: session.obtained_at.as_second(),
        asked: session.asked.map(|length| length.as_secs()),
        account: session.account.as_ref().map(AccountId::as_str),
    };
    // Security: reserve enough for any escaping (at most six bytes), as a buffer that grows leaves an unwiped copy
    // behind.
    let texts = [&repr.profile, &repr.access_key_id, &repr.secret_access_key, &repr.session_token];
    let room = 512 + 6 * texts.iter().map(|text| text.len()).sum::<usize>();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    // Writing strings and numbers to memory cannot fail.
    serde_json::to_writer(&mut *bytes, &repr).ok();
    bytes
}

/// Parses what [`render_cached_session`] wrote.
///
/// # Errors
/// If the bytes have another format or version. Errors contain no part of the bytes.
pub fn parse_cached_session(bytes: &[u8]) -> Result<CachedSession, CachedSessionError> {
    let form =
        |error: serde_json::Error| CachedSessionError::Form { line: error.line(), column: error.column() };
    let VersionOnly { version } = serde_json::from_slice(bytes).map_err(form)?;
    match version {
        VERSION => {}
        _ if version > VERSION => return Err(CachedSessionError::Newer(version)),
        _ => return Err(CachedSessionError::Version(version)),
    }
    let repr: Repr<'_> = serde_json::from_slice(bytes).map_err(form)?;
    let name = |what| move |source| CachedSessionError::Name { what, source };
    let time = |second| Timestamp::from_second(second).map_err(|_| CachedSessionError::Time);
    Ok(CachedSession {
        call: Call::parse_label(&repr.call).ok_or(CachedSessionError::Call)?,
        profile: ProfileName::parse(&repr.profile).map_err(name("profile"))?,
        credentials: SessionCredentials {
            access_key_id: AccessKeyId::parse(&repr.access_key_id).map_err(name("access key id"))?,
            secret_access_key: SecretString::new(repr.secret_access_key.into_owned()),
            session_token: SecretString::new(repr.session_token.into_owned()),
            expires_at: time(repr.expires_at)?,
        },
        obtained_at: time(repr.obtained_at)?,
        asked: repr.asked.map(Duration::from_secs),
        account: repr.account.map(AccountId::parse).transpose().map_err(name("account"))?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session(token: &str, expires_at: i64, asked: Option<u64>) -> CachedSession {
        CachedSession {
            credentials: SessionCredentials {
                access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").unwrap(),
                secret_access_key: SecretString::new("canary-secret".to_owned()),
                session_token: SecretString::new(token.to_owned()),
                expires_at: Timestamp::from_second(expires_at).unwrap(),
            },
            call: Call::AssumeRole,
            profile: ProfileName::parse("my \"prof\"").unwrap(),
            obtained_at: Timestamp::from_second(1_800_000_000).unwrap(),
            asked: asked.map(Duration::from_secs),
            account: None,
        }
    }

    proptest! {
        #[test]
        fn what_is_rendered_is_parsed_again(
            token in any::<String>(),
            expires_at in -377_705_023_201..253_402_207_200i64,
            asked in prop::option::of(any::<u64>()),
        ) {
            let session = session(&token, expires_at, asked);
            let bytes = render_cached_session(&session);
            let parsed = parse_cached_session(&bytes).unwrap();
            prop_assert_eq!(parsed.credentials.session_token.expose(), token);
            prop_assert_eq!(parsed.credentials.secret_access_key.expose(), "canary-secret");
            prop_assert_eq!(parsed.credentials.access_key_id, session.credentials.access_key_id);
            prop_assert_eq!(parsed.credentials.expires_at, session.credentials.expires_at);
            prop_assert_eq!(parsed.obtained_at, session.obtained_at);
            prop_assert_eq!(parsed.asked, session.asked);
            prop_assert_eq!(parsed.profile, session.profile);
            prop_assert_eq!(parsed.call, session.call);
        }

        #[test]
        fn the_buffer_never_grows(token in any::<String>()) {
            let session = session(&token, 1_800_003_600, Some(3600));
            let room = 512 + 6 * (token.len() + 20 + "canary-secret".len() + session.profile.as_str().len());
            let bytes = render_cached_session(&session);
            prop_assert!(bytes.len() <= room && bytes.capacity() >= room);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(parse_cached_session(&bytes).is_err());
        }
    }

    #[test]
    fn what_is_broken_is_refused_and_no_secret_is_shown() {
        let good =
            String::from_utf8(render_cached_session(&session("canary-token", 1_800_003_600, None)).to_vec())
                .unwrap();
        assert!(parse_cached_session(good.as_bytes()).is_ok());
        for (from, to, what) in [
            ("\"version\":1", "\"version\":2", "has version 2"),
            ("sts.AssumeRole", "sts.NewCall", "unknown kind"),
            ("ASIAIOSFODNN7EXAMPLE", "ASIA", "access key id"),
            ("1800003600", "9223372036854775807", "out of range"),
            ("\"asked\":null", "\"asked\":\"canary\"", "not of the form"),
            ("\"asked\":null", "\"more\":null", "not of the form"),
            ("}", "", "not of the form"),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good, "{from}");
            let error = parse_cached_session(bad.as_bytes()).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(error.to_string().contains(what), "{what}: {error}");
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn an_account_is_kept_and_older_files_have_none() {
        let without = session("t", 1_800_003_600, None);
        let bytes = render_cached_session(&without);
        assert!(!String::from_utf8_lossy(&bytes).contains("account"));
        assert_eq!(parse_cached_session(&bytes).unwrap().account, None);
        let account = AccountId::parse("111122223333").ok();
        let with = CachedSession { account: account.clone(), ..without };
        let bytes = render_cached_session(&with);
        assert_eq!(parse_cached_session(&bytes).unwrap().account, account);
        let bad = String::from_utf8_lossy(&bytes).replace("111122223333", "1111");
        assert!(parse_cached_session(bad.as_bytes()).is_err());
    }

    #[test]
    fn what_is_granted_is_no_more_than_was_asked_for() {
        for (asked, given, granted) in [
            (Some(3600), 3600, 3600),
            (Some(3600), 4200, 3600),
            (Some(3600), 900, 900),
            (None, 900, 900),
            (Some(3600), -5, 0),
        ] {
            let session = session("t", 1_800_000_000 + given, asked);
            assert_eq!(session.granted(), Duration::from_secs(granted), "{asked:?} {given}");
        }
    }
}
