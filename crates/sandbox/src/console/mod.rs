//! The console: sign-in tokens for temporary credentials, and a page that shows who is signed in.
//!
//! The way of a sign-in: [`federation`] exchanges temporary credentials for a sign-in token, the browser brings the token
//! and gets a session in a cookie, and [`pages`] shows that session. The portal of Identity Center leads there without
//! a token.

mod actions;
mod cookies;
mod federation;
mod pages;
mod portal;

pub(crate) use actions::ACTIONS;

use crate::error_response::ErrorResponse;
use crate::http::{Received, Reply};

/// Where tokens are asked for and brought.
const FEDERATION: &str = "/federation";
/// Where the browser signs out.
const OAUTH: &str = "/oauth";
/// Where the pages of the console are.
const CONSOLE: &str = "/console";
/// Where the browser chooses whether it keeps several sessions.
const MULTI_SESSION: &str = "/console/multi-session";
/// The page of Identity Center's portal, and where its script leads.
const PORTAL: &str = "/start/";
const PORTAL_CONSOLE: &str = "/start/console";

/// The action that a request asks for; `None` for what is not the console's. A signed request is one to a bucket whose
/// name happens to be that of a path here.
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

/// An error: a page, for programs too. AWS has nothing else here.
pub(crate) fn render_error(error: &ErrorResponse) -> Reply {
    pages::render_message(error.status, "Cannot sign in", &error.message)
}

/// 400, in the words that AWS has for whatever is wrong with credentials or a token.
fn bad_request(message: &str, why: impl Into<String>) -> ErrorResponse {
    ErrorResponse::new(400, "BadRequest", message).because(why)
}
