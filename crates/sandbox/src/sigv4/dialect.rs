//! What differs between S3 and the others, and what does not.

use crate::service::{Protocol, Service};

/// How far the clocks may be apart.
pub(super) const SKEW_SECONDS: i64 = 15 * 60;

/// What differs between S3 and the others: canonical form and words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// STS and IAM: path normalised and encoded twice; service by its name in the scope.
    Query(&'static str),
    /// S3: path as it is, encoded once; payload hash in a header.
    S3,
}

impl Dialect {
    /// The dialect of a service.
    pub(crate) fn of(service: Service) -> Self {
        match service.protocol() {
            Protocol::Query { .. } | Protocol::Json => Self::Query(service.name()),
            Protocol::S3 => Self::S3,
        }
    }

    /// The service's name in the scope.
    pub(super) fn service(self) -> &'static str {
        match self {
            Self::Query(service) => service,
            Self::S3 => "s3",
        }
    }
}
