//! The errors of both services, and what they mean for the caller.

use crate::aws::json::{CallError, JsonAnswer};

/// What an error of Identity Center means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SsoRefusal {
    /// The user has not answered yet: ask again.
    Pending,
    /// Ask less often: increase the interval by five seconds from now on.
    SlowDown,
    /// The device code, the authorization code or the refresh token is spent, expired or revoked: sign in again.
    SignInAgain,
    /// The user denied the request.
    Denied,
    /// The registration is unknown: register again, once.
    ClientUnknown,
    /// The start URL is unknown in this region.
    WrongRegion,
    /// The access token was rejected.
    TokenRefused,
    /// The role is not, or no longer, assigned to the user.
    NotAssigned,
    /// Too many calls: wait and retry.
    Throttled,
    /// The service has a fault: retry a few times.
    Fault,
    /// Anything else: an error of the config or of hatbox.
    Other,
}

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SsoError {
    /// Identity Center returned an error.
    #[error("{text}")]
    Refused {
        /// The meaning of the error.
        refusal: SsoRefusal,
        /// The code and text, cleaned for display.
        text: String,
    },
    /// There was no answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SsoError {
    /// Returns the meaning of the error, if the service returned one.
    pub(crate) fn refusal(&self) -> Option<SsoRefusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            Self::Call(_) => None,
        }
    }

    /// Returns a hint, if the service did not answer.
    pub(crate) fn network_hint(&self) -> Option<String> {
        match self {
            Self::Refused { .. } => None,
            Self::Call(error) => error.hint(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Oidc,
    Portal,
}

pub(super) fn refused(answer: &JsonAnswer, side: Side) -> SsoError {
    let kind = answer.error_type.as_deref().unwrap_or_default();
    let code = answer.field("error").unwrap_or_default();
    let refusal = classify(side, answer.status, kind, &code);
    let shown = [kind, code.as_str()].into_iter().find(|text| !text.is_empty()).map(str::to_owned);
    let message = answer.field("error_description").or_else(|| answer.field("message"));
    let text = match (shown, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code,
        (None, Some(message)) => format!("HTTP {}: {message}", answer.status),
        (None, None) => format!("HTTP {}", answer.status),
    };
    SsoError::Refused { refusal, text }
}

/// | side | status, class or code | meaning |
/// |---|---|---|
/// | OIDC | `authorization_pending`, `slow_down` | ask again, or ask less often |
/// | OIDC | `expired_token`, `invalid_grant` | sign in again |
/// | OIDC | `access_denied` | the user denied the request |
/// | OIDC | `invalid_client` | register again |
/// | OIDC | `invalid_client_metadata` | wrong region or start URL |
/// | portal | 401 | the token was rejected |
/// | portal | 403 | the role is not, or no longer, assigned |
/// | both | 429; 5xx | wait and retry; a fault |
fn classify(side: Side, status: u16, kind: &str, code: &str) -> SsoRefusal {
    let is = |class: &str, word: &str| kind == class || code == word;
    match (side, status) {
        (_, 429) => SsoRefusal::Throttled,
        (_, 500..=599) => SsoRefusal::Fault,
        (Side::Portal, 401) => SsoRefusal::TokenRefused,
        (Side::Portal, 403) => SsoRefusal::NotAssigned,
        (Side::Oidc, _) if is("AuthorizationPendingException", "authorization_pending") => {
            SsoRefusal::Pending
        }
        (Side::Oidc, _) if is("SlowDownException", "slow_down") => SsoRefusal::SlowDown,
        (Side::Oidc, _) if is("ExpiredTokenException", "expired_token") => SsoRefusal::SignInAgain,
        (Side::Oidc, _) if is("InvalidGrantException", "invalid_grant") => SsoRefusal::SignInAgain,
        (Side::Oidc, _) if is("AccessDeniedException", "access_denied") => SsoRefusal::Denied,
        (Side::Oidc, _) if is("InvalidClientException", "invalid_client") => SsoRefusal::ClientUnknown,
        (Side::Oidc, _) if is("InvalidClientMetadataException", "invalid_client_metadata") => {
            SsoRefusal::WrongRegion
        }
        _ => SsoRefusal::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do_next() {
        use SsoRefusal as R;
        for (side, status, kind, code, refusal) in [
            (Side::Oidc, 400, "AuthorizationPendingException", "authorization_pending", R::Pending),
            (Side::Oidc, 400, "", "slow_down", R::SlowDown),
            (Side::Oidc, 400, "ExpiredTokenException", "", R::SignInAgain),
            (Side::Oidc, 400, "InvalidGrantException", "invalid_grant", R::SignInAgain),
            (Side::Oidc, 400, "AccessDeniedException", "access_denied", R::Denied),
            (Side::Oidc, 401, "InvalidClientException", "invalid_client", R::ClientUnknown),
            (Side::Oidc, 400, "InvalidClientMetadataException", "invalid_client_metadata", R::WrongRegion),
            (Side::Oidc, 400, "InvalidScopeException", "invalid_scope", R::Other),
            (Side::Oidc, 500, "InternalServerException", "server_error", R::Fault),
            (Side::Oidc, 429, "", "", R::Throttled),
            (Side::Portal, 401, "UnauthorizedException", "", R::TokenRefused),
            (Side::Portal, 403, "ForbiddenException", "", R::NotAssigned),
            (Side::Portal, 404, "ResourceNotFoundException", "", R::Other),
            (Side::Portal, 429, "TooManyRequestsException", "", R::Throttled),
            (Side::Portal, 503, "", "", R::Fault),
        ] {
            assert_eq!(classify(side, status, kind, code), refusal, "{side:?} {status} {kind} {code}");
        }
    }
}
