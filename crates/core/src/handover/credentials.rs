//! What is handed over: a long-lived key or temporary credentials, and what goes with them.

use jiff::Timestamp;

use hatbox_types::name::{AccessKeyId, ProfileName, Region};
use hatbox_types::secret::{AccessKey, SecretString, SessionCredentials};

/// What a program gets to sign with.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A long-lived key: no session token, no end.
    AccessKey(AccessKey),
    /// Temporary credentials.
    Session(SessionCredentials),
    /// Temporary credentials from a file or the environment: when they end is not known.
    Found {
        /// The temporary key.
        key: AccessKey,
        /// Its session token.
        session_token: SecretString,
    },
}

impl Credentials {
    /// The access key id.
    pub fn id(&self) -> &AccessKeyId {
        match self {
            Self::AccessKey(key) | Self::Found { key, .. } => &key.id,
            Self::Session(session) => &session.access_key_id,
        }
    }

    /// The secret access key.
    pub fn secret(&self) -> &SecretString {
        match self {
            Self::AccessKey(key) | Self::Found { key, .. } => &key.secret,
            Self::Session(session) => &session.secret_access_key,
        }
    }

    /// The session token, of temporary credentials, and when they end if that is known.
    pub fn session(&self) -> Option<(&SecretString, Option<Timestamp>)> {
        match self {
            Self::AccessKey(_) => None,
            Self::Session(session) => Some((&session.session_token, Some(session.expires_at))),
            Self::Found { session_token, .. } => Some((session_token, None)),
        }
    }
}

/// All that is handed over.
#[derive(Debug, Clone, Copy)]
pub struct Handover<'a> {
    /// The profile that was asked for.
    pub profile: &'a ProfileName,
    /// What to sign with.
    pub credentials: &'a Credentials,
    /// The account that the credentials belong to, when it is known without a call.
    pub account: Option<&'a str>,
    /// The region, when one was resolved.
    pub region: Option<&'a Region>,
    /// The service-independent endpoint, when one was resolved.
    pub endpoint_url: Option<&'a str>,
}

/// Renders a time as AWS's tools read it: RFC 3339 in UTC, whole seconds, `2009-02-05T05:00:57Z`.
pub(super) fn render_time(time: Timestamp) -> String {
    // Whole seconds, cut off rather than rounded: never later than the real end.
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
