//! The differences between S3 and the other services, and what they share.

use crate::service::{Protocol, Service};

/// The maximum difference between the clocks.
pub(super) const SKEW_SECONDS: i64 = 15 * 60;

/// The differences between S3 and the other services: canonical form and error messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// STS and IAM: the path is normalized and encoded twice; the scope has the service's name.
    Query(&'static str),
    /// S3: the path is encoded once and not normalized; the payload hash is in a header.
    S3,
}

impl Dialect {
    /// Returns the dialect of a service.
    pub(crate) fn of(service: Service) -> Self {
        match service.protocol() {
            Protocol::Query { .. } | Protocol::Json => Self::Query(service.name()),
            Protocol::S3 => Self::S3,
        }
    }

    /// Returns the service's name in the scope.
    pub(super) fn service(self) -> &'static str {
        match self {
            Self::Query(service) => service,
            Self::S3 => "s3",
        }
    }
}
