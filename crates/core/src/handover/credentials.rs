//! The credentials to hand over: a long-lived key or temporary credentials, and what is known about them.

use jiff::Timestamp;

use hatbox_types::name::{AccessKeyId, ProfileName, Region};
use hatbox_types::secret::{AccessKey, SecretString, SessionCredentials};

/// The credentials that a program signs with.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A long-lived key, without session token or expiry.
    AccessKey(AccessKey),
    /// Temporary credentials.
    Session(SessionCredentials),
    /// Temporary credentials from a file or the environment, whose expiry is unknown.
    Found {
        /// The temporary key.
        key: AccessKey,
        /// Its session token.
        session_token: SecretString,
    },
}

impl Credentials {
    /// Returns the access key id.
    pub fn id(&self) -> &AccessKeyId {
        match self {
            Self::AccessKey(key) | Self::Found { key, .. } => &key.id,
            Self::Session(session) => &session.access_key_id,
        }
    }

    /// Returns the secret access key.
    pub fn secret(&self) -> &SecretString {
        match self {
            Self::AccessKey(key) | Self::Found { key, .. } => &key.secret,
            Self::Session(session) => &session.secret_access_key,
        }
    }

    /// Returns the session token of temporary credentials, and when they expire if that is known.
    pub fn session(&self) -> Option<(&SecretString, Option<Timestamp>)> {
        match self {
            Self::AccessKey(_) => None,
            Self::Session(session) => Some((&session.session_token, Some(session.expires_at))),
            Self::Found { session_token, .. } => Some((session_token, None)),
        }
    }
}

/// Credentials with everything else that is handed over.
#[derive(Debug, Clone, Copy)]
pub struct Handover<'a> {
    /// The profile that the user asked for.
    pub profile: &'a ProfileName,
    /// The credentials.
    pub credentials: &'a Credentials,
    /// The account of the credentials, if it is known without a call.
    pub account: Option<&'a str>,
    /// The region, if one was resolved.
    pub region: Option<&'a Region>,
    /// The endpoint for all services, if one was resolved.
    pub endpoint_url: Option<&'a str>,
}

/// Renders a time as AWS's tools parse it: RFC 3339 in UTC with whole seconds, `2009-02-05T05:00:57Z`.
pub(super) fn render_time(time: Timestamp) -> String {
    // Truncated rather than rounded, so it is never after the real expiry.
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
