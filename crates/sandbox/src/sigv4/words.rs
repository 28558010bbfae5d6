//! The messages with which STS, IAM and S3 reject a signature.

use jiff::Timestamp;

use super::dialect::{Dialect, SKEW_SECONDS};
use crate::clock;
use crate::error_response::ErrorResponse;

const INVALID_TOKEN: &str = "The security token included in the request is invalid.";

pub(super) fn missing(dialect: Dialect) -> ErrorResponse {
    match dialect {
        Dialect::Query(_) => {
            ErrorResponse::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        }
        Dialect::S3 => ErrorResponse::denied("Access Denied"),
    }
    .because("the request is not signed")
}

/// Rejects Signature Version 2, which AWS accepts only in its oldest regions.
pub(super) fn old_version() -> ErrorResponse {
    ErrorResponse::new(
        400,
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
}

pub(super) fn incomplete(dialect: Dialect, message: &str) -> ErrorResponse {
    match dialect {
        Dialect::Query(_) => ErrorResponse::new(400, "IncompleteSignature", message),
        Dialect::S3 => ErrorResponse::new(
            400,
            "AuthorizationHeaderMalformed",
            format!("The authorization header is malformed; {message}"),
        ),
    }
}

pub(super) fn wrong_scope(dialect: Dialect, message: &str) -> ErrorResponse {
    match dialect {
        Dialect::Query(_) => ErrorResponse::new(403, "SignatureDoesNotMatch", message),
        Dialect::S3 => incomplete(dialect, message),
    }
}

pub(super) fn unsigned_header(dialect: Dialect, name: &str) -> ErrorResponse {
    match dialect {
        Dialect::Query(_) => ErrorResponse::new(
            403,
            "SignatureDoesNotMatch",
            format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."),
        ),
        Dialect::S3 => {
            ErrorResponse::denied("There were headers present in the request which were not signed")
                .because(format!("`{name}` is not signed"))
        }
    }
}

pub(super) fn unknown_key(dialect: Dialect) -> ErrorResponse {
    match dialect {
        Dialect::Query(_) => ErrorResponse::new(403, "InvalidClientTokenId", INVALID_TOKEN),
        Dialect::S3 => ErrorResponse::new(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
    }
}

pub(super) fn wrong_token(dialect: Dialect) -> ErrorResponse {
    match dialect {
        Dialect::Query(_) => ErrorResponse::new(403, "InvalidClientTokenId", INVALID_TOKEN),
        Dialect::S3 => {
            ErrorResponse::new(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        }
    }
}

pub(super) fn expired(dialect: Dialect) -> ErrorResponse {
    match dialect {
        Dialect::Query(_) => {
            ErrorResponse::new(403, "ExpiredToken", "The security token included in the request is expired")
        }
        Dialect::S3 => ErrorResponse::new(400, "ExpiredToken", "The provided token has expired."),
    }
}

pub(super) fn wrong_signature(dialect: Dialect) -> ErrorResponse {
    let message = match dialect {
        Dialect::Query(_) => {
            "The request signature we calculated does not match the signature you provided. Check your \
             AWS Secret Access Key and signing method. Consult the service documentation for details."
        }
        Dialect::S3 => {
            "The request signature we calculated does not match the signature you provided. Check your \
             key and signing method."
        }
    };
    ErrorResponse::new(403, "SignatureDoesNotMatch", message)
        .because("another secret access key signed, or the request was changed on its way")
}

fn skewed() -> ErrorResponse {
    ErrorResponse::new(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    )
}

pub(super) fn too_early(dialect: Dialect, stamp: &str, now: Timestamp) -> ErrorResponse {
    if dialect == Dialect::S3 {
        return skewed();
    }
    let (limit, now) = limits(now, SKEW_SECONDS);
    ErrorResponse::new(
        403,
        "SignatureDoesNotMatch",
        format!("Signature not yet current: {stamp} is still later than {limit} ({now} + 15 min.)"),
    )
}

pub(super) fn too_late(dialect: Dialect, stamp: &str, now: Timestamp, seconds: i64) -> ErrorResponse {
    if dialect == Dialect::S3 {
        return skewed();
    }
    let (limit, now) = limits(now, -seconds);
    let length = if seconds % 60 == 0 { format!("{} min.", seconds / 60) } else { format!("{seconds} sec.") };
    ErrorResponse::new(
        403,
        "SignatureDoesNotMatch",
        format!("Signature expired: {stamp} is now earlier than {limit} ({now} - {length})"),
    )
}

/// Renders, for messages, the earliest or latest acceptable time and the current time.
fn limits(now: Timestamp, seconds: i64) -> (String, String) {
    (clock::render_basic(clock::later(now, seconds)), clock::render_basic(now))
}
