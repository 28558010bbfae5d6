//! The differences between the two kinds of server.

use std::time::Duration;

use hatbox_core::cache::DEFAULT_MIN_TTL;
use hatbox_types::name::Region;

use crate::sys::peer::UnknownPeers;

/// The protocol of a server's clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Container credentials: with a token that the client reads from a file.
    Container,
    /// Instance metadata, version 2: with a token that any client can request.
    Metadata {
        /// The region of the instance.
        region: Option<Region>,
    },
}

/// The SDKs ignore the expiry of credentials from instance metadata: boto3 uses them for 17 to 25 minutes after it got
/// them, the SDK for Rust for 15, and those for JavaScript and Go continue to use expired ones.
const LEAST_OF_METADATA: Duration = Duration::from_mins(25);

impl Protocol {
    pub(super) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Container => &["GET"],
            Self::Metadata { .. } => &["GET", "PUT"],
        }
    }

    /// Whether to accept connections whose user the system does not provide.
    pub(super) fn unknown_peers(&self) -> UnknownPeers {
        match self {
            Self::Container => UnknownPeers::Admitted,
            // Security: nothing else keeps other users out.
            Self::Metadata { .. } => UnknownPeers::Refused,
        }
    }

    /// Credentials with less than this left are not given to clients.
    pub(crate) fn least_left(&self) -> Duration {
        match self {
            Self::Container => Duration::ZERO,
            Self::Metadata { .. } => LEAST_OF_METADATA,
        }
    }

    /// Cached sessions with less than this left are not used, whatever the settings allow.
    pub(crate) fn min_ttl(&self) -> Duration {
        match self {
            Self::Container => Duration::ZERO,
            Self::Metadata { .. } => LEAST_OF_METADATA + DEFAULT_MIN_TTL,
        }
    }

    /// The flag of `exec` for this protocol.
    pub(super) fn flag(&self) -> &'static str {
        match self {
            Self::Container => "--server",
            Self::Metadata { .. } => "--imds",
        }
    }
}
