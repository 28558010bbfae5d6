//! The pages for the browser: plain HTML without scripts.

use crate::http::Reply;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:4em auto;padding:0 1em}\
    button,input{font:inherit;padding:.4em 1.2em;margin:.5em .5em 0 0}\
    small{color:#555}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}small{color:#aaa}}";

/// The buttons of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Button {
    /// Continue to the question.
    Next,
    /// Grant access.
    Allow,
    /// Refuse access.
    Deny,
}

impl Button {
    fn render(self) -> &'static str {
        match self {
            Self::Next => "<button type=\"submit\">Next</button>",
            Self::Allow => {
                "<button type=\"submit\" name=\"answer\" value=\"allow\" id=\"allow\">Allow</button>"
            }
            Self::Deny => "<button type=\"submit\" name=\"answer\" value=\"deny\" id=\"deny\">Deny</button>",
        }
    }
}

/// Renders a page with a form: lines of HTML above the fields and buttons.
pub(super) fn render_form(
    title: &str,
    lines: &[String],
    fields: &str,
    (method, target): (&str, &str),
    buttons: &[Button],
) -> Reply {
    let lines: String = lines.iter().map(|line| format!("<p>{line}</p>\n")).collect();
    let buttons: String = buttons.iter().map(|button| button.render()).collect();
    let form = format!("<form method=\"{method}\" action=\"{target}\">{fields}<div>{buttons}</div></form>\n");
    render_page(200, title, &format!("{lines}{form}"))
}

/// Renders a page with one sentence.
pub(super) fn render_message(status: u16, title: &str, text: &str) -> Reply {
    render_page(status, title, &format!("<p>{}</p>\n", escape(text)))
}

fn render_page(status: u16, title: &str, body: &str) -> Reply {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{body}\
         <p><small>This page belongs to a sandbox on this computer, not to AWS.</small></p>\n</body>\n</html>\n"
    );
    // Security: the page must not run or load anything, or be framed; the form may redirect to loopback only. Not
    // `no-referrer`, with which browsers send `Origin: null` for forms.
    Reply { body: html.into(), ..Reply::empty(status) }
        .with("content-type", "text/html; charset=utf-8")
        .with(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' http://127.0.0.1:*; frame-ancestors 'none'",
        )
        .with("referrer-policy", "same-origin")
        .with("cache-control", "no-store")
}

/// Renders a hidden field.
pub(super) fn render_hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value))
}

/// Escapes text for HTML, including attribute values.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_control() => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text() {
        assert_eq!(escape("<b a='\"'>&\u{1b}"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}");
        let page = render_message(400, "a<b", "<script>");
        let html = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(!html.contains("<script>") && html.contains("<title>a&lt;b</title>"), "{html}");
    }
}
