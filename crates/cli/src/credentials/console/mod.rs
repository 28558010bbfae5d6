//! Obtains the link that opens the console for a profile: with a sign-in token for its temporary credentials or, for a
//! permission set, through the Identity Center portal.

mod environment;
mod exchange;
mod link;

use std::time::Duration;

use hatbox_types::name::ProfileName;
use hatbox_types::secret::SecretString;

pub(crate) use self::link::obtain_console_link;

/// A link that opens the console.
pub(crate) struct ConsoleLink {
    /// The profile, or the one whose shell's credentials are used.
    pub(crate) profile: ProfileName,
    pub(crate) url: LinkUrl,
    /// The endpoint that signs in and out, without a trailing slash.
    pub(crate) sign_in_base: String,
    /// How long the console session will last, if known.
    pub(crate) lasts: Option<Duration>,
}

/// The URL, by what it grants.
pub(crate) enum LinkUrl {
    /// Grants nothing itself: the browser has to be signed in to the portal.
    Portal(String),
    /// Opens a console session for anyone who has the link.
    SignIn(SecretString),
}
