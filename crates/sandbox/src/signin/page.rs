//! The pages of the sign-in.

use super::{AUTHORIZE, invalid};
use crate::context::RequestContext;
use crate::encoding::{render_base64, render_percent};
use crate::error_response::ErrorResponse;
use crate::http::Reply;

/// Renders the page on which the user chooses an identity and allows or denies the sign-in.
pub(super) fn render_sign_in(identities: &[String], hidden: &[(&str, &str)], is_remote: bool) -> Reply {
    let options: String = identities.iter().map(|arn| format!("<option>{}</option>", escape(arn))).collect();
    let fields: String = hidden
        .iter()
        .map(|(name, value)| {
            format!("<input type=hidden name=\"{}\" value=\"{}\">", escape(name), escape(value))
        })
        .collect();
    let place = if is_remote {
        "A program on another machine asks for your credentials. You will get a text to paste there."
    } else {
        "A program on this machine asks for your credentials."
    };
    let body = format!(
        "<p>{place}</p><form method=post action=\"{AUTHORIZE}\">{fields}\
         <p><label>Sign in as <select name=identity>{options}</select></label></p>\
         <p><button name=decision value=allow>Allow</button> <button name=decision value=deny>Deny</button></p></form>"
    );
    render_page(200, "Sign in to the sandbox", &body)
}

/// Shows the text to paste on the other machine.
pub(super) fn show_confirmation(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let param = |name: &str| context.params.get(name).map(|value| render_percent(value.as_bytes()));
    let state = param("state").unwrap_or_default();
    let answer = match (param("code"), param("error")) {
        (Some(code), None) => format!("state={state}&code={code}"),
        (None, Some(error)) => format!("state={state}&error={error}"),
        _ => return Err(invalid("expected a code or an error")),
    };
    let text = render_base64(answer.as_bytes());
    let body =
        format!("<p>Paste this into the program on the other machine:</p><p><code id=code>{text}</code></p>");
    Ok(render_page(200, "Signed in", &body))
}

/// Renders a page with a single text.
pub(super) fn render_message(status: u16, title: &str, text: &str) -> Reply {
    render_page(status, title, &format!("<p>{}</p>", escape(text)))
}

fn render_page(status: u16, title: &str, body: &str) -> Reply {
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>\
         <style>body{{font:1.1em system-ui;margin:10vh auto;max-width:44em;padding:0 1em;color-scheme:light dark}}\
         code{{overflow-wrap:anywhere}}</style><h1>{title}</h1>{body}\
         <p><small>This is a hatbox sandbox, not AWS.</small></p></html>"
    );
    // Not `no-referrer`, with which browsers send `Origin: null` for forms.
    Reply { body: html.into(), ..Reply::empty(status) }
        .with("content-type", "text/html; charset=utf-8")
        .with("cache-control", "no-store")
        .with("referrer-policy", "same-origin")
        .with("x-content-type-options", "nosniff")
        .with(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
