//! A page on 127.0.0.1 that redirects the browser to a sign-in link, once.
//!
//! The link grants a console session, and every user of the machine can read command lines. So the browser is started
//! with the random address of this page, and only the first one to open it is redirected.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hatbox_types::secret::SecretString;
use subtle::ConstantTimeEq;

use super::loopback::{BindError, Get, Loopback, POLICY, Response, Site, WaitError, render_page};

/// Where the page redirects the browser.
pub(crate) struct Onward {
    pub(crate) link: SecretString,
    /// A URL that signs the browser out first.
    pub(crate) sign_out: Option<SecretString>,
}

/// The page, bound to an address.
pub(crate) struct OneUsePage {
    loopback: Loopback,
    path: String,
    nonce: String,
}

/// Why the page could not be created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    #[error(transparent)]
    Bind(#[from] BindError),
    /// There are no random bytes.
    #[error("the operating system returned no random bytes")]
    Random,
}

impl OneUsePage {
    /// Binds a free port.
    pub(crate) fn bind() -> Result<Self, PageError> {
        let loopback = Loopback::bind(None)?;
        Ok(Self { loopback, path: format!("/{}", random_text()?), nonce: random_text()? })
    }

    /// The URL of the page.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.loopback.port, self.path)
    }

    /// Waits until a browser has opened the page, at most for `patience`.
    pub(crate) fn serve(self, onward: Onward, patience: Duration) -> Result<(), WaitError> {
        let page = Page { path: self.path, nonce: self.nonce, onward, is_used: AtomicBool::new(false) };
        self.loopback.serve(page, patience, &|| false)
    }
}

fn random_text() -> Result<String, PageError> {
    let mut bytes = [0; 24];
    getrandom::getrandom(&mut bytes).map_err(|_| PageError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

struct Page {
    path: String,
    nonce: String,
    onward: Onward,
    is_used: AtomicBool,
}

impl Site for Page {
    type Found = ();

    fn answer(&self, get: &Get<'_>) -> (Response, Option<()>) {
        let is_path = bool::from(get.target.as_bytes().ct_eq(self.path.as_bytes()));
        if !is_path {
            return (Response::page("404 Not Found", "Not found"), None);
        }
        // Security: only a page load counts, not one in a frame, a subresource or a prefetch.
        let says_else = |name: &str, expected: &[u8]| get.header(name).is_some_and(|value| value != expected);
        if says_else("sec-fetch-mode", b"navigate")
            || says_else("sec-fetch-dest", b"document")
            || get.header("sec-purpose").is_some()
        {
            return (Response::page("403 Forbidden", self.stranger()), None);
        }
        if self.is_used.swap(true, Ordering::SeqCst) {
            return (Response::page("410 Gone", "This page was opened already. Run hatbox again."), None);
        }
        (self.render_onward(), Some(()))
    }

    fn stranger(&self) -> &'static str {
        "Not a request for the console"
    }
}

impl Page {
    fn render_onward(&self) -> Response {
        let link = self.onward.link.expose();
        let Some(sign_out) = &self.onward.sign_out else {
            let page = render_page("<p>Going to the AWS console.</p>");
            return Response { status: "303 See Other", headers: vec![("Location", link.to_owned())], page };
        };
        let text = |text: &str| serde_json::Value::from(text).to_string().replace('<', "\\u003c");
        let body = format!(
            "<p id=state>Signing out of the AWS console.</p><p><button id=go hidden>Sign out and go on</button></p>\
             <script nonce={nonce}>const signOut={out},signIn={into};{SCRIPT}</script>",
            nonce = self.nonce,
            out = text(sign_out.expose()),
            into = text(link)
        );
        let policy =
            format!("default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{}'", self.nonce);
        Response { status: "200 OK", headers: vec![(POLICY, policy)], page: render_page(&body) }
    }
}

/// Signs out in a separate window and continues whatever that shows: with multi-session support, AWS's sign-out URL
/// returns 400 and never redirects. Once the window shows the answer, it has another origin, so reading its URL fails.
const SCRIPT: &str = "\
const leave=()=>{const w=open(signOut,'_blank','popup,width=480,height=320');if(!w)return false;\
const since=Date.now();const timer=setInterval(()=>{let left=w.closed||Date.now()-since>8000;\
try{w.location.href}catch{left=true}\
if(left){clearInterval(timer);w.close();location.replace(signIn)}},100);return true};\
if(!leave()){const go=document.getElementById('go');\
document.getElementById('state').textContent='Your browser blocked the window that signs you out.';\
go.hidden=false;go.onclick=()=>{if(!leave())location.replace(signIn)}}";

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    const LINK: &str = "https://signin.example/federation?SigninToken=canary";

    fn ask(port: u16, target: &str, more: &str) -> String {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        write!(connection, "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{more}\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    fn page_of(sign_out: Option<&str>) -> (u16, String, std::thread::JoinHandle<Result<(), WaitError>>) {
        let page = OneUsePage::bind().unwrap();
        let (port, path) = (page.loopback.port, page.path.clone());
        let secret = |text: &str| SecretString::new(text.to_owned());
        let onward = Onward { link: secret(LINK), sign_out: sign_out.map(secret) };
        (port, path, std::thread::spawn(move || page.serve(onward, Duration::from_secs(30))))
    }

    #[test]
    fn only_a_browser_that_goes_to_the_page_gets_the_link() {
        let (port, path, served) = page_of(None);
        for (target, more, status) in [
            ("/", "", "404"),
            ("/favicon.ico", "", "404"),
            (&format!("{path}x"), "", "404"),
            (&path, "Origin: http://evil.example\r\n", "403"),
            (&path, "Sec-Fetch-Mode: cors\r\n", "403"),
            (&path, "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n", "403"),
            (&path, "Sec-Purpose: prefetch\r\n", "403"),
            (&path, "Host: evil.example\r\n", "403"),
        ] {
            let answer = ask(port, target, more);
            assert!(answer.contains(status) && !answer.contains("canary"), "{target} {more}: {answer}");
        }
        let answer = ask(
            port,
            &path,
            "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
        );
        assert!(
            answer.starts_with("HTTP/1.1 303 ") && answer.contains(&format!("Location: {LINK}\r\n")),
            "{answer}"
        );
        assert!(
            answer.contains("Referrer-Policy: no-referrer") && answer.contains("Cache-Control: no-store")
        );
        assert_eq!(served.join().unwrap(), Ok(()));
    }

    #[test]
    fn it_is_good_once() {
        let onward = Onward { link: SecretString::new(LINK.to_owned()), sign_out: None };
        let page =
            Page { path: "/x".to_owned(), nonce: "n".to_owned(), onward, is_used: AtomicBool::new(false) };
        let statuses = [(), ()].map(|()| {
            let (response, found) = page.answer(&Get::of_target("/x"));
            (response.status, found.is_some())
        });
        assert_eq!(statuses, [("303 See Other", true), ("410 Gone", false)]);
    }

    #[test]
    fn a_sign_out_comes_first_and_nothing_else_runs_on_the_page() {
        let (port, path, served) = page_of(Some("https://signin.example/oauth?Action=logout&x=</script>"));
        let answer = ask(port, &path, "");
        assert!(answer.contains("200 OK") && answer.contains("script-src 'nonce-"), "{answer}");
        assert!(answer.contains("x=\\u003c/script>") && answer.contains("canary"), "{answer}");
        assert_eq!(answer.matches("</script>").count(), 1, "{answer}");
        assert_eq!(served.join().unwrap(), Ok(()));
    }
}
