//! The proxy in the environment: checked before anything is sent, as an invalid variable would otherwise be ignored.

use std::sync::Arc;

use aws_smithy_http_client::proxy::ProxyConfig;
use hatbox_core::config::endpoint::parse_endpoint;
use hyper_util::client::proxy::matcher::Matcher;

/// A proxy for https, and the hosts to reach without it.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    config: ProxyConfig,
    matcher: Arc<Matcher>,
    /// `http://HOST:PORT (HTTPS_PROXY)`, without user name and password.
    shown: String,
}

/// A variable contains no usable proxy. Its value is not shown, as it may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProxyError {
    /// It is not the URL of a proxy.
    #[error("invalid proxy URL in {0}: expected `http://[USER:PASSWORD@]HOST[:PORT]`")]
    Form(&'static str),
    /// The proxy uses another protocol than HTTP.
    #[error(
        "{variable} is set to a proxy of the kind `{scheme}`: only `http` and `https` proxies are supported"
    )]
    Scheme { variable: &'static str, scheme: String },
}

/// Each variable in both spellings. As in curl, the first one that is set counts.
const VARIABLES: [[&str; 2]; 3] =
    [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"], ["HTTP_PROXY", "http_proxy"]];

impl Proxy {
    /// Reads the variables through `value`, which returns `None` for a variable that is unset or empty.
    ///
    /// Plain HTTP is only used for this machine and never through a proxy, so HTTP_PROXY is only checked.
    pub(crate) fn of_variables(value: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ProxyError> {
        let mut found = None;
        for names in VARIABLES {
            let Some((name, url)) = names.into_iter().find_map(|name| Some((name, value(name)?))) else {
                continue;
            };
            let shown = check(name, &url)?;
            if found.is_none() && !name.eq_ignore_ascii_case("HTTP_PROXY") {
                found = Some((name, url, shown));
            }
        }
        let Some((name, url, shown)) = found else { return Ok(None) };
        let url = if url.contains("://") { url } else { format!("http://{url}") };
        let no_proxy = ["NO_PROXY", "no_proxy"].into_iter().find_map(value).unwrap_or_default();
        let config = ProxyConfig::https(url.as_str()).map_err(|_| ProxyError::Form(name))?;
        Ok(Some(Self {
            config: config.no_proxy(&no_proxy),
            matcher: Arc::new(Matcher::builder().https(url).no(no_proxy).build()),
            shown: format!("{shown} ({name})"),
        }))
    }

    /// For the HTTP client.
    pub(super) fn config(&self) -> ProxyConfig {
        self.config.clone()
    }

    /// Returns the proxy for display, if a request to `url` uses it.
    pub(super) fn shown_for(&self, url: &str) -> Option<String> {
        let url = url.parse().ok()?;
        self.matcher.intercept(&url).map(|_| self.shown.clone())
    }
}

/// Returns `http://HOST:PORT` of a proxy's URL.
fn check(name: &'static str, url: &str) -> Result<String, ProxyError> {
    let form = || ProxyError::Form(name);
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = scheme.to_ascii_lowercase();
    if matches!(scheme.as_str(), "socks" | "socks4" | "socks4a" | "socks5" | "socks5h") {
        return Err(ProxyError::Scheme { variable: name, scheme });
    }
    if !matches!(scheme.as_str(), "http" | "https") || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(form());
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if authority.contains(['/', '?', '#', '\\']) {
        return Err(form());
    }
    let shown = format!("{scheme}://{host}");
    parse_endpoint(&shown).map_err(|_| form())?;
    // Security: the HTTP client ignores a proxy that its own parser rejects.
    let whole = format!("{scheme}://{rest}");
    let target = http::Uri::from_static("https://sts.amazonaws.com/");
    let read = Matcher::builder().https(whole).build().intercept(&target).ok_or_else(form)?;
    let is_same = read.uri().authority().is_some_and(|authority| authority.as_str() == host);
    if is_same { Ok(shown) } else { Err(form()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<String>, ProxyError> {
        let find = |name: &str| {
            let found = variables.iter().find(|(other, value)| *other == name && !value.is_empty());
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxy = Proxy::of_variables(find)?;
        Ok(proxy.and_then(|proxy| proxy.shown_for("https://sts.eu-west-1.amazonaws.com/")))
    }

    #[test]
    fn the_variables_are_read_as_curl_reads_them() {
        let shown = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[("HTTPS_PROXY", "")]), Ok(None));
        assert_eq!(of(&[("https_proxy", "http://p:3128")]), shown("http://p:3128 (https_proxy)"));
        assert_eq!(of(&[("HTTPS_PROXY", "p:3128")]), shown("http://p:3128 (HTTPS_PROXY)"));
        assert_eq!(of(&[("ALL_PROXY", "https://me:pw@p/")]), shown("https://p (ALL_PROXY)"));
        assert_eq!(of(&[("HTTP_PROXY", "http://p:1")]), Ok(None));
        let both = [("ALL_PROXY", "http://a:1"), ("HTTPS_PROXY", "http://h:2")];
        assert_eq!(of(&both), shown("http://h:2 (HTTPS_PROXY)"));
        for (no_proxy, is_used) in [("*", false), ("amazonaws.com", false), ("example.com", true)] {
            let proxy = of(&[("HTTPS_PROXY", "http://p:1"), ("no_proxy", no_proxy)]).unwrap();
            assert_eq!(proxy.is_some(), is_used, "{no_proxy}");
        }
    }

    #[test]
    fn what_is_not_a_proxy_is_an_error_that_names_the_variable_alone() {
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"] {
            for bad in [
                "http://[",
                "http://",
                "://p",
                "http://canary@",
                "http://me:canary@p:99999",
                "p:canary",
                "http://p:0",
                "http://p:",
                "ftp://p",
                "http://p/canary",
                "http://p?x",
                "http://a b",
                "http://p\\x",
                "http://\u{e9}",
                "http://127.1:3128",
                "http:p",
                "http://me:can@ary@p:x",
                "//p",
            ] {
                let error = of(&[(name, bad)]).unwrap_err();
                assert_eq!(error, ProxyError::Form(name), "{bad}");
                assert!(!error.to_string().contains("canary"), "{error}");
            }
            for scheme in ["socks5", "socks5h", "SOCKS4"] {
                let error = of(&[(name, &format!("{scheme}://me:canary@p:1080"))]).unwrap_err();
                assert!(
                    matches!(&error, ProxyError::Scheme { variable, .. } if *variable == name),
                    "{error}"
                );
                assert!(!error.to_string().contains("canary"), "{error}");
            }
        }
    }
}
