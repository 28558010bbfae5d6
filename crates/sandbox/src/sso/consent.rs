//! What the user answers to a client that asks for access, and whether it is the user who answers.

use serde::{Deserialize, Serialize};

use super::oauth_error::OauthError;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Received};

/// What the user answers to a client that asks for access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// Yes.
    Allow,
    /// No.
    Deny,
}

/// Whether the user allows or denies.
pub(super) fn parse_consent(params: &Params) -> Result<Consent, ErrorResponse> {
    match params.get("answer") {
        Some("allow") => Ok(Consent::Allow),
        Some("deny") => Ok(Consent::Deny),
        _ => Err(OauthError::InvalidRequest.because("the form has no answer")),
    }
}

/// Security: a form of another site may not answer for the user. A browser names the site that a form is of.
pub(super) fn check_origin(request: &Received) -> Result<(), ErrorResponse> {
    let host = request.header("host").unwrap_or_default();
    match request.header("origin") {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => {
            Err(OauthError::InvalidRequest.because("the form was sent from another site"))
        }
        _ => Ok(()),
    }
}
