//! The console: sign-in tokens for temporary credentials, and a page that shows who is signed in.
//!
//! A sign-in has three steps: [`federation`] exchanges temporary credentials for a sign-in token, the browser exchanges
//! the token for a session cookie, and [`pages`] shows that session. The portal of Identity Center creates a session
//! without a token.

mod actions;
mod cookies;
mod federation;
mod pages;
mod portal;

pub(crate) use actions::ACTIONS;

use crate::error_response::ErrorResponse;
use crate::http::{Received, Reply};

/// The path that issues and accepts sign-in tokens.
const FEDERATION: &str = "/federation";
/// The path that signs the browser out.
const OAUTH: &str = "/oauth";
/// The path of the console's pages.
const CONSOLE: &str = "/console";
/// The path that turns multi-session support on or off.
const MULTI_SESSION: &str = "/console/multi-session";
/// The paths of Identity Center's portal and of the page that its script opens.
const PORTAL: &str = "/start/";
const PORTAL_CONSOLE: &str = "/start/console";

/// Returns the action of a request, or `None` if it is not for the console. A signed request is for a bucket whose name
/// happens to match a path here.
pub(crate) fn find_action(request: &Received) -> Option<&'static str> {
    let path = request.path.as_str();
    let is_page = path == CONSOLE || path.strip_prefix(CONSOLE).is_some_and(|rest| rest.starts_with('/'));
    if !is_page && ![FEDERATION, OAUTH, "/start", PORTAL, PORTAL_CONSOLE].contains(&path) {
        return None;
    }
    let params = request.query_params();
    if request.header("authorization").is_some() || params.has("X-Amz-Signature") {
        return None;
    }
    Some(match (request.method.as_str(), path, params.get("Action")) {
        ("GET", FEDERATION, Some("getSigninToken")) => "GetSigninToken",
        ("GET", FEDERATION, Some("login")) => "ConsoleLogin",
        ("GET", OAUTH, Some("logout")) => "Logout",
        ("POST", MULTI_SESSION, _) => "SetMultiSession",
        ("GET", "/start" | PORTAL, _) => "ShowPortal",
        ("GET", PORTAL_CONSOLE, _) => "ShowPortalConsole",
        ("POST", PORTAL_CONSOLE, _) => "PortalLogin",
        ("GET", _, _) if is_page => "ShowConsole",
        _ => "Unknown",
    })
}

/// Renders an error as a page, also for programs: AWS has no other form here.
pub(crate) fn render_error(error: &ErrorResponse) -> Reply {
    pages::render_message(error.status, "Cannot sign in", &error.message)
}

/// Returns status 400 with AWS's general message for invalid credentials or tokens.
fn bad_request(message: &str, why: impl Into<String>) -> ErrorResponse {
    ErrorResponse::new(400, "BadRequest", message).because(why)
}
