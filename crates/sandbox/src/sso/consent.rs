//! The user's answer to a client that asks for access, and the check that the user gave it.

use serde::{Deserialize, Serialize};

use super::oauth_error::OauthError;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Received};

/// The user's answer to a client that asks for access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// Grant access.
    Allow,
    /// Refuse access.
    Deny,
}

/// Parses the user's answer.
pub(super) fn parse_consent(params: &Params) -> Result<Consent, ErrorResponse> {
    match params.get("answer") {
        Some("allow") => Ok(Consent::Allow),
        Some("deny") => Ok(Consent::Deny),
        _ => Err(OauthError::InvalidRequest.because("the form has no answer")),
    }
}

/// Security: another site's form must not answer for the user. Browsers send the origin of a form.
pub(super) fn check_origin(request: &Received) -> Result<(), ErrorResponse> {
    let host = request.header("host").unwrap_or_default();
    match request.header("origin") {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => {
            Err(OauthError::InvalidRequest.because("the form was sent from another site"))
        }
        _ => Ok(()),
    }
}
