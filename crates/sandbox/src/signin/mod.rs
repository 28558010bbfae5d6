//! The sign-in service behind `aws login`: a page for the browser, and tokens that are bound to a key.
//!
//! The way of a sign-in: the browser shows [`page`] and sends what the person chose, [`authorize`] gives a code for it,
//! [`token`] exchanges the code, and later the refresh token, for credentials of 15 minutes. Each call to the latter
//! carries a [`proof`] of the key that the session is bound to.

mod actions;
mod authorize;
mod page;
mod proof;
mod token;

use serde_json::json;

pub(crate) use actions::ACTIONS;

use crate::error_response::ErrorResponse;
use crate::http::{Received, Reply};

const AUTHORIZE: &str = "/v1/authorize";
const CONFIRMATION: &str = "/v1/sessions/confirmation";
const TOKEN: &str = "/v1/token";

/// The client of a sign-in by a browser on the same machine.
const SAME_DEVICE: &str = "arn:aws:signin:::devtools/same-device";
/// The client of a sign-in by a browser on another one.
const CROSS_DEVICE: &str = "arn:aws:signin:::devtools/cross-device";

/// The action that a request asks for; `None` for what is not the service's. No bucket has the name `v1`.
pub(crate) fn find_action(request: &Received) -> Option<&'static str> {
    if !request.path.starts_with("/v1/") {
        return None;
    }
    Some(match (request.method.as_str(), request.path.as_str()) {
        ("GET", AUTHORIZE) => "ShowSignIn",
        ("POST", AUTHORIZE) => "AuthorizeOAuth2Access",
        ("GET", CONFIRMATION) => "ShowConfirmation",
        ("POST", TOKEN) => "CreateOAuth2Token",
        _ => "Unknown",
    })
}

/// An error in the form of the service: a page for a browser, else JSON.
pub(crate) fn render_error(error: &ErrorResponse, action: &str) -> Reply {
    if action != "CreateOAuth2Token" {
        return page::render_message(error.status, "Cannot sign in", &error.message);
    }
    let (class, code) = match error.status {
        400 | 404 => ("ValidationException", "INVALID_REQUEST"),
        403 => ("AccessDeniedException", error.code.as_str()),
        429 => ("TooManyRequestsError", "rate_exceeded"),
        _ => ("InternalServerException", "server_error"),
    };
    let reply = Reply::json(&json!({ "error": code, "message": error.message }));
    Reply { status: error.status, ..reply }.with("x-amzn-errortype", class)
}

/// 400 INVALID_REQUEST.
fn invalid(message: &str) -> ErrorResponse {
    ErrorResponse::new(400, "INVALID_REQUEST", message)
}

/// The region that the host names: `REGION.signin.localhost`. The address alone names none.
fn region_of_host(request: &Received) -> Option<String> {
    let (name, _) = request.header("host")?.split_once(".signin.localhost")?;
    Some(name.to_owned())
}
