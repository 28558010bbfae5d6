//! What the two kinds of server do differently.

use std::time::Duration;

use hatbox_core::cache::DEFAULT_MIN_TTL;
use hatbox_types::name::Region;

use crate::sys::peer::UnknownPeers;

/// How the clients of a server ask it. Those of one server all ask alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// As the credential server of a container: with a token that the client reads from a file.
    Container,
    /// As the metadata service of an instance, version 2: with a token that any client gets.
    Metadata {
        /// The region that the instance is said to be in.
        region: Option<Region>,
    },
}

/// The SDKs do not believe the end of credentials from instance metadata: boto3 uses them for 17 to 25 minutes from
/// when it got them, the Rust SDK for 15, and the SDKs for JavaScript and Go go on with expired ones.
const LEAST_OF_METADATA: Duration = Duration::from_mins(25);

impl Protocol {
    pub(super) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Container => &["GET"],
            Self::Metadata { .. } => &["GET", "PUT"],
        }
    }

    /// Who may connect where the system does not say whose a connection is.
    pub(super) fn unknown_peers(&self) -> UnknownPeers {
        match self {
            Self::Container => UnknownPeers::Admitted,
            // Security: nothing else keeps other users out.
            Self::Metadata { .. } => UnknownPeers::Refused,
        }
    }

    /// Credentials with less than this left are given to no one.
    pub(crate) fn least_left(&self) -> Duration {
        match self {
            Self::Container => Duration::ZERO,
            Self::Metadata { .. } => LEAST_OF_METADATA,
        }
    }

    /// A cached session with less than this left is not used, whatever else allows it.
    pub(crate) fn min_ttl(&self) -> Duration {
        match self {
            Self::Container => Duration::ZERO,
            Self::Metadata { .. } => LEAST_OF_METADATA + DEFAULT_MIN_TTL,
        }
    }

    /// The flag of `exec` that asks for it.
    pub(super) fn flag(&self) -> &'static str {
        match self {
            Self::Container => "--server",
            Self::Metadata { .. } => "--imds",
        }
    }
}
