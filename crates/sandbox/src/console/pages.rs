//! The pages of the console: who is signed in, in which account, and when the session expires.

use super::cookies::{find_sessions, is_multi_session, with_multi_session};
use super::{CONSOLE, MULTI_SESSION, bad_request};
use crate::clock;
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Reply};

/// Handles GET `/console/ID/PATH`: shows the session `ID`, or without one, the list of sessions in the browser.
pub(super) fn show_console(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let held = find_sessions(context.request, context.world, context.now);
    let rest = context.request.path.strip_prefix(CONSOLE).unwrap_or_default().trim_start_matches('/');
    let (id, path) = rest.split_once('/').unwrap_or((rest, ""));
    let Some(found) = held.iter().find(|held| held.id == id) else {
        let text = "Your session has ended, or this browser has not signed in.";
        return Err(ErrorResponse::new(403, "SignedOut", text)
            .because("no session of the browser is that of the page"));
    };
    let principal = &found.session.principal;
    context.entry.caller = Some(principal.arn(context.world));
    let query = Params::parse(&context.request.query);
    let rows = [
        ("who", "Signed in as", principal.arn(context.world)),
        ("account", "Account", principal.account().to_owned()),
        ("region", "Region", query.get("region").unwrap_or("global").to_owned()),
        ("path", "Page", format!("/{path}")),
        ("until", "Until", clock::render_iso(found.session.expires_at)),
        ("sessions", "Sessions in this browser", held.len().to_string()),
    ];
    let rows: String = rows
        .iter()
        .map(|(id, name, value)| format!("<dt>{name}</dt><dd id={id}>{}</dd>", escape(value)))
        .collect();
    let (mode, next) = if is_multi_session(context.request) { ("on", "off") } else { ("off", "on") };
    let body = format!(
        "<dl>{rows}</dl><form method=post action=\"{MULTI_SESSION}\"><p>Multi-session support is \
         <span id=multi>{mode}</span>. <button id=switch name=mode value={next}>Turn {next}</button></p></form>"
    );
    Ok(render_page(200, "Console", &body, None))
}

/// Handles POST: turns multi-session support on or off in this browser.
pub(super) fn set_multi_session(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    match context.params.get("mode") {
        Some(mode @ ("on" | "off")) => Ok(with_multi_session(
            render_message(200, "Console", &format!("Multi-session support is {mode}.")),
            mode,
        )),
        _ => Err(bad_request("expected `on` or `off`", "the form was changed")),
    }
}

/// Renders a page with a single text.
pub(super) fn render_message(status: u16, title: &str, text: &str) -> Reply {
    render_page(status, title, &format!("<p id=message>{}</p>", escape(text)), None)
}

/// Renders a page. No script may run on it except `script`.
pub(super) fn render_page(status: u16, title: &str, body: &str, script: Option<&Script>) -> Reply {
    let code = script.map(|script| format!("<script nonce={}>{}</script>", script.nonce, script.text));
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>\
         <style>body{{font:1.1em system-ui;margin:10vh auto;max-width:44em;padding:0 1em;color-scheme:light dark}}\
         dd{{overflow-wrap:anywhere}}</style><h1>{title}</h1>{body}\
         <p><small>This is a hatbox sandbox, not AWS.</small></p>{}</html>",
        code.unwrap_or_default()
    );
    let scripts = script.map(|script| format!(" script-src 'nonce-{}';", script.nonce)).unwrap_or_default();
    Reply { body: html.into(), ..Reply::empty(status) }
        .with("content-type", "text/html; charset=utf-8")
        .with("cache-control", "no-store")
        .with("referrer-policy", "same-origin")
        .with("x-content-type-options", "nosniff")
        .with(
            "content-security-policy",
            format!("default-src 'none'; style-src 'unsafe-inline';{scripts} form-action 'self'; frame-ancestors 'none'"),
        )
}

/// A script for a page.
pub(super) struct Script {
    pub(super) nonce: String,
    pub(super) text: &'static str,
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
