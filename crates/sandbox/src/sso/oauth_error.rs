//! Errors of the OIDC service and of the portal in their own formats.

use serde_json::{Value, json};

use super::page;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::service::Service;

/// The suffix of the portal's error classes.
const PORTAL_SUFFIX: &str = ":http://internal.amazon.com/coral/com.amazonaws.switchboard.portal/";
const PORTAL_TYPE: &str = "com.amazonaws.switchboard.portal#";

/// The operations that a browser requests.
const PAGES: [&str; 4] = ["Authorize", "AnswerAuthorize", "VerifyDevice", "AnswerVerifyDevice"];

/// An error of the OIDC service. The name is that of the class without `Exception`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OauthError {
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidClient,
    InvalidClientMetadata,
    InvalidGrant,
    InvalidRedirectUri,
    InvalidRequest,
    InvalidScope,
    SlowDown,
    UnauthorizedClient,
    UnsupportedGrantType,
}

impl OauthError {
    /// Returns the error with a reason that only the log shows.
    pub(super) fn because(self, reason: &str) -> ErrorResponse {
        let status = if self == Self::InvalidClient { 401 } else { 400 };
        ErrorResponse::new(status, &format!("{self:?}Exception"), self.description()).because(reason)
    }

    fn description(self) -> &'static str {
        match self {
            Self::AccessDenied => "Access denied",
            Self::AuthorizationPending => "Authorization is pending",
            Self::ExpiredToken => "Expired device code",
            Self::InvalidClient => "Invalid client provided",
            Self::InvalidClientMetadata => "Invalid client metadata",
            Self::InvalidGrant => "Invalid grant provided",
            Self::InvalidRedirectUri => "Invalid redirect URI",
            Self::InvalidRequest => "Invalid request",
            Self::InvalidScope => "Invalid scope",
            Self::SlowDown => "Slow down",
            Self::UnauthorizedClient => "Client is not authorized for this grant type",
            Self::UnsupportedGrantType => "Unsupported grant type",
        }
    }
}

/// Returns the OAuth code of an error class: `invalid_grant` for `InvalidGrantException`.
pub(super) fn oauth_code(class: &str) -> String {
    let name = class.strip_suffix("Exception").unwrap_or(class);
    if name == "InternalServer" {
        return "server_error".to_owned();
    }
    let mut code = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.push(c.to_ascii_lowercase());
    }
    code
}

/// Renders the error of a refused call to `operation` in the format of `service`; a page if a browser sent it.
pub(crate) fn render_error(service: Service, operation: &str, error: &ErrorResponse) -> Reply {
    if PAGES.contains(&operation) {
        return page::render_message(error.status, "Request refused", &error.message);
    }
    // Neither service has a class for errors of the sandbox itself.
    let class = if error.code == "InternalFailure" { "InternalServerException" } else { &error.code };
    let (body, class) = if service == Service::SsoOidc {
        let code = oauth_code(class);
        (json!({ "error": code, "error_description": error.message }), class.to_owned())
    } else {
        let body = json!({ "message": error.message, "__type": format!("{PORTAL_TYPE}{class}") });
        (body, format!("{class}{PORTAL_SUFFIX}"))
    };
    json_reply(error.status, &body).with("x-amzn-errortype", class)
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply { status, ..Reply::json(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_and_its_code_are_two_spellings_of_one_name() {
        for (error, class, code) in [
            (OauthError::InvalidGrant, "InvalidGrantException", "invalid_grant"),
            (OauthError::SlowDown, "SlowDownException", "slow_down"),
            (OauthError::InvalidRedirectUri, "InvalidRedirectUriException", "invalid_redirect_uri"),
            (OauthError::UnsupportedGrantType, "UnsupportedGrantTypeException", "unsupported_grant_type"),
        ] {
            let error = error.because("a test");
            assert_eq!((error.code.as_str(), oauth_code(&error.code).as_str()), (class, code));
        }
        assert_eq!(oauth_code("InternalServerException"), "server_error");
    }
}
