//! Start URLs: which hosts belong to AWS, and the region in a host.
//!
//! A URL with another host is a vanity URL, which its owner redirects, once, to the portal. The rules are those of the
//! AWS CLI since 2.35.13.

use hatbox_types::name::Region;

/// Suffixes of AWS's hosts.
const OWNED_ENDS: [&str; 8] = [
    ".app.aws",
    ".portal.amazonaws.com",
    ".portal.amazonaws.com.cn",
    ".app.amazonwebservices.com.cn",
    ".portal.amazonaws.eu",
    ".api.amazonwebservices.eu",
    ".awsapps.com",
    ".awsapps.cn",
];

/// Complete names of AWS's hosts.
const OWNED: [&str; 4] = [
    "identitycenter.amazonaws.com",
    "identitycenter.amazonaws.com.cn",
    "identitycenter.amazonaws.eu",
    "identitycenter.us-gov.amazonaws.com",
];

/// The forms of a portal's host with a region: the text between the first label and the region, and the text after it.
const REGIONAL: [(&str, &str); 6] = [
    ("portal.", ".app.aws"),
    ("", ".portal.amazonaws.com"),
    ("", ".portal.amazonaws.com.cn"),
    ("portal.", ".app.amazonwebservices.com.cn"),
    ("", ".portal.amazonaws.eu"),
    ("portal.", ".api.amazonwebservices.eu"),
];

/// Why a text is not a start URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartUrlError {
    /// The scheme is not https, which is required except for loopback hosts.
    #[error("expected an https:// URL")]
    Scheme,
    /// There is no host, a user name, or a control character.
    #[error("expected a URL such as `https://d-1234567890.awsapps.com/start`")]
    Form,
}

/// A start URL: scheme, host, a port other than the default, and the path without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StartUrl {
    text: String,
    host: String,
}

impl StartUrl {
    /// Parses a start URL. Accepts plain HTTP only for loopback hosts. Drops query and fragment, as the AWS CLI does.
    ///
    /// # Errors
    /// If it has another form.
    pub fn parse(text: &str) -> Result<Self, StartUrlError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(StartUrlError::Form)?;
        let scheme = scheme.to_ascii_lowercase();
        let is_foreign =
            |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '"' | '<' | '>' | '@');
        if !rest.is_ascii() || rest.contains(is_foreign) {
            return Err(StartUrlError::Form);
        }
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let host = host.to_ascii_lowercase();
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(StartUrlError::Form);
        }
        let port = match port {
            None => None,
            Some(port) => Some(port.parse::<u16>().map_err(|_| StartUrlError::Form)?),
        };
        let usual = match scheme.as_str() {
            "https" => 443,
            "http" if is_loopback(&host) => 80,
            _ => return Err(StartUrlError::Scheme),
        };
        let port = port.filter(|&port| port != usual).map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("{scheme}://{host}{port}{}", path.trim_end_matches('/'));
        Ok(Self { text, host })
    }

    /// Returns the URL as it is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the host belongs to AWS. Any other URL is a vanity URL, which is followed to the portal first.
    pub fn is_owned_by_aws(&self) -> bool {
        self.text.starts_with("https://")
            && (OWNED.contains(&self.host.as_str())
                || OWNED_ENDS.iter().any(|end| self.host.len() > end.len() && self.host.ends_with(end)))
    }

    /// Whether the host is this machine: a stand-in for tests, never a vanity URL.
    pub fn is_on_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Returns the region in the portal's host: `https://ssoins-x.portal.eu-west-1.app.aws`. `*.awsapps.com` has none.
    pub fn region(&self) -> Option<Region> {
        let (_, rest) = self.host.split_once('.')?;
        let label =
            REGIONAL.iter().find_map(|(before, after)| rest.strip_prefix(before)?.strip_suffix(after))?;
        Region::parse(label).ok()
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host == "[::1]"
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_brought_into_one_form() {
        for (text, form) in [
            ("https://d-1.awsapps.com/start", "https://d-1.awsapps.com/start"),
            ("https://d-1.awsapps.com/start/", "https://d-1.awsapps.com/start"),
            ("HTTPS://D-1.AWSAPPS.COM:443/start#/", "https://d-1.awsapps.com/start"),
            ("https://sso.example.com", "https://sso.example.com"),
            ("https://sso.example.com:8443/?x=1", "https://sso.example.com:8443"),
            ("http://127.0.0.1:9000/start", "http://127.0.0.1:9000/start"),
            ("http://[::1]:9000/start", "http://[::1]:9000/start"),
        ] {
            assert_eq!(StartUrl::parse(text).unwrap().as_str(), form, "{text}");
        }
        for text in [
            "",
            "d-1.awsapps.com/start",
            "http://d-1.awsapps.com/start",
            "ftp://x/",
            "https://",
            "https:///start",
            "https://a b/start",
            "https://user@d-1.awsapps.com/",
            "https://x\\@d-1.awsapps.com/",
            "https://d-1:99999/",
            "https://x\n/",
            "file:///etc/passwd",
            "https://\u{e9}.example.com/",
        ] {
            assert!(StartUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_of_aws_are_known_by_their_ends() {
        for (text, is_owned) in [
            ("https://d-1.awsapps.com/start", true),
            ("https://x.portal.eu-west-1.app.aws", true),
            ("https://identitycenter.amazonaws.com/ssoins-1", true),
            ("https://awsapps.com", false),
            ("https://.awsapps.com", false),
            ("https://evil-awsapps.com", false),
            ("https://d-1.awsapps.com.evil.example", false),
            ("https://sso.example.com", false),
        ] {
            assert_eq!(StartUrl::parse(text).unwrap().is_owned_by_aws(), is_owned, "{text}");
        }
    }

    #[test]
    fn a_portals_host_names_its_region() {
        for (text, region) in [
            ("https://ssoins-1.portal.eu-west-1.app.aws", Some("eu-west-1")),
            ("https://ssoins-1.eu-central-1.portal.amazonaws.com", Some("eu-central-1")),
            ("https://ssoins-1.cn-north-1.portal.amazonaws.com.cn", Some("cn-north-1")),
            ("https://x.portal.cn-north-1.app.amazonwebservices.com.cn", Some("cn-north-1")),
            ("https://x.eusc-de-east-1.portal.amazonaws.eu", Some("eusc-de-east-1")),
            ("https://x.portal.eusc-de-east-1.api.amazonwebservices.eu", Some("eusc-de-east-1")),
            ("https://d-1.awsapps.com/start", None),
            ("https://a.b.eu-west-1.portal.amazonaws.com", None),
        ] {
            let found = StartUrl::parse(text).unwrap().region();
            assert_eq!(found.as_ref().map(Region::as_str), region, "{text}");
        }
    }
}
