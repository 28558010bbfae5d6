//! The sign-in service behind `aws login`: a page for the browser, and tokens bound to a key.
//!
//! A sign-in has three steps: the browser shows [`page`] and sends the user's choice, [`authorize`] returns a code for
//! it, and [`token`] exchanges the code, and later the refresh token, for credentials that last 15 minutes. Each token
//! request carries a [`proof`] of possession of the key that the session is bound to.

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

/// The client id for a browser on the same machine.
const SAME_DEVICE: &str = "arn:aws:signin:::devtools/same-device";
/// The client id for a browser on another machine.
const CROSS_DEVICE: &str = "arn:aws:signin:::devtools/cross-device";

/// Returns the action of a request, or `None` if it is for another service. No bucket can be named `v1`.
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

/// Renders an error in the form of the service: a page for browsers, JSON otherwise.
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

/// Returns status 400 with INVALID_REQUEST.
fn invalid(message: &str) -> ErrorResponse {
    ErrorResponse::new(400, "INVALID_REQUEST", message)
}

/// Returns the region in a host such as `REGION.signin.localhost`; `None` for the plain address.
fn region_of_host(request: &Received) -> Option<String> {
    let (name, _) = request.header("host")?.split_once(".signin.localhost")?;
    Some(name.to_owned())
}
