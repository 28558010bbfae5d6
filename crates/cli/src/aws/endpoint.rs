//! Endpoint URLs from the user: which are accepted, and how they are reached.

use hatbox_core::config::endpoint;
use hatbox_core::login::address::render_sign_in_url;
use hatbox_types::name::Region;

/// Addresses of AWS services that are on the machine itself: instance metadata by IPv4 and IPv6, ECS tasks, EKS pods by
/// IPv4 and IPv6.
const MACHINE_ADDRESSES: [&str; 5] =
    ["169.254.169.254", "fd00:ec2::254", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

/// A checked URL of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointUrl {
    url: String,
    host: String,
    port: u16,
    is_https: bool,
    is_loopback: bool,
}

/// Why a URL is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
    /// It is not a URL that all programs parse in the same way.
    #[error("invalid endpoint `{url}`: {reason}")]
    Form {
        /// The URL without user name and password.
        url: String,
        /// The reason.
        reason: endpoint::EndpointError,
    },
    /// The HTTP client parses another host out of it.
    #[error("invalid endpoint `{0}`: different programs read it differently")]
    Ambiguous(String),
    /// Plain HTTP to another machine.
    #[error("invalid endpoint `{0}`: plain http to another machine would expose the credentials")]
    PlainHttp(String),
}

impl EndpointUrl {
    /// Parses a URL: https to any host, http only to loopback.
    pub(crate) fn parse(url: &str) -> Result<Self, EndpointError> {
        Self::parse_for(url, |_| false)
    }

    /// Parses the URL of a service that provides a machine's or container's role: also allows http to AWS's addresses
    /// for these services, which are on the machine itself.
    pub(crate) fn parse_of_machine(url: &str) -> Result<Self, EndpointError> {
        Self::parse_for(url, |host| MACHINE_ADDRESSES.contains(&host))
    }

    fn parse_for(url: &str, is_on_machine: fn(&str) -> bool) -> Result<Self, EndpointError> {
        let parts = endpoint::parse_endpoint(url).map_err(|reason| {
            let shown = url.rsplit_once('@').map_or(url.to_owned(), |(_, host)| format!("...@{host}"));
            EndpointError::Form { url: shown.escape_debug().to_string(), reason }
        })?;
        let endpoint = Self {
            url: url.to_owned(),
            host: parts.host.to_ascii_lowercase(),
            port: parts.port.unwrap_or(if parts.is_https { 443 } else { 80 }),
            is_https: parts.is_https,
            is_loopback: parts.is_loopback(),
        };
        // Security: the request must go to the host that was checked.
        if endpoint.client_reads() != Some((endpoint.is_https, endpoint.host.clone(), endpoint.port)) {
            return Err(EndpointError::Ambiguous(url.to_owned()));
        }
        if !endpoint.is_https && !endpoint.is_loopback && !is_on_machine(&endpoint.host) {
            return Err(EndpointError::PlainHttp(url.to_owned()));
        }
        Ok(endpoint)
    }

    /// Returns the scheme, host and port that the SDK's HTTP client parses out of the URL.
    fn client_reads(&self) -> Option<(bool, String, u16)> {
        let uri: http::Uri = self.url.parse().ok()?;
        let is_https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        Some((is_https, host, uri.port_u16().unwrap_or(if is_https { 443 } else { 80 })))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.url
    }

    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether this is the local machine, for which no proxy is used.
    pub(crate) fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// The host name or address, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether this is one of AWS's addresses on the machine itself.
    pub(crate) fn is_on_machine(&self) -> bool {
        MACHINE_ADDRESSES.contains(&self.host())
    }

    /// Whether this is one of the service's own hosts, which are not announced on stderr. `service` is `sts` or `iam`.
    pub(crate) fn is_of_aws(&self, service: &str) -> bool {
        let service = match service {
            "sign-in" => return self.is_of_sign_in_service(),
            "sso" => "portal.sso",
            "sso oidc" => "oidc",
            name => name,
        };
        // Customers own many hosts under these suffixes; a service's host begins with its name.
        let rest = self.host.strip_prefix(service);
        rest.is_some_and(|rest| rest.starts_with('.') || rest.starts_with("-fips."))
            && self.is_https
            && [
                ".amazonaws.com",
                ".amazonaws.com.cn",
                ".api.aws",
                ".amazonaws.eu",
                ".api.amazonwebservices.com.cn",
            ]
            .iter()
            .any(|suffix| self.host.ends_with(suffix))
    }

    /// Whether it is a host of the sign-in service, which begins with the region.
    fn is_of_sign_in_service(&self) -> bool {
        let region = self.host.split('.').next().and_then(|name| Region::parse(name).ok());
        let url = format!("https://{}", self.host);
        self.is_https
            && region.is_some_and(|region| {
                [false, true].iter().any(|&fips| render_sign_in_url(&region, fips) == url)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn http_goes_to_loopback_only() {
        for good in
            ["http://127.0.0.1:5555", "http://localhost", "http://[::1]:1/", "https://sts.example.com/x"]
        {
            assert!(EndpointUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1",
            "http://example.com",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil/",
        ] {
            assert_eq!(EndpointUrl::parse(bad), Err(EndpointError::PlainHttp(bad.to_owned())));
        }
    }

    #[test]
    fn the_services_of_a_machine_are_reached_by_http_too() {
        for good in [
            "http://169.254.169.254",
            "http://[fd00:ec2::254]",
            "http://169.254.170.2/v2/credentials/x",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://127.0.0.1:9/",
            "https://credentials.corp.example/x",
        ] {
            assert!(EndpointUrl::parse_of_machine(good).is_ok(), "{good}");
        }
        for bad in
            ["http://169.254.169.253", "http://10.0.0.1", "http://metadata.example", "http://[fd00:ec2::1]"]
        {
            assert_eq!(EndpointUrl::parse_of_machine(bad), Err(EndpointError::PlainHttp(bad.to_owned())));
        }
        assert!(EndpointUrl::parse("http://169.254.169.254").is_err(), "no STS is there");
    }

    #[test]
    fn a_refusal_shows_no_password_and_no_control_character() {
        let shown = |url| EndpointUrl::parse(url).unwrap_err().to_string();
        let text = shown("https://me:canary@sts.example");
        assert!(
            text.contains("`...@sts.example`: a URL with a user name") && !text.contains("canary"),
            "{text}"
        );
        assert!(!shown("https://h\u{1b}[2J").contains('\u{1b}'));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_accepted_is_what_the_client_reads(
            url in prop_oneof![
                "(https?|HTTP|ftp)://[a-zA-Z0-9._@:\\[\\]%/?#\\\\ -]{0,24}",
                "https?://(127\\.0\\.0\\.1|localhost|\\[::1\\]|[0-9.x]{1,12}|h)(:[0-9+-]{0,6})?(/[a-z.%]{0,6}){0,2}",
                "https?://\\PC{0,20}",
            ]
        ) {
            if let Ok(endpoint) = EndpointUrl::parse(&url) {
                let uri: http::Uri = url.parse().unwrap();
                let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
                let host = uri.host().unwrap().trim_matches(['[', ']']).to_ascii_lowercase();
                prop_assert_eq!((endpoint.host(), endpoint.port()), (host.as_str(), uri.port_u16().unwrap_or(usual)));
                // An authority that was not parsed to its end would be longer.
                let authority = uri.authority().unwrap().as_str().len();
                prop_assert_eq!(&url[url.find("://").unwrap() + 3..][..authority], uri.authority().unwrap().as_str());
                prop_assert!(endpoint.is_https() || endpoint.is_loopback());
            }
        }

        #[test]
        fn every_port_that_is_one_is_talked_to(port in 1..=u16::MAX) {
            let endpoint = EndpointUrl::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
            prop_assert_eq!(endpoint.port(), port);
        }
    }

    #[test]
    fn a_host_of_a_service_is_known_by_both_ends() {
        assert!(EndpointUrl::parse("https://sts.eu-west-1.amazonaws.com").unwrap().is_of_aws("sts"));
        assert!(EndpointUrl::parse("https://iam-fips.amazonaws.com").unwrap().is_of_aws("iam"));
        assert!(!EndpointUrl::parse("https://iam.amazonaws.com").unwrap().is_of_aws("sts"));
        for (service, url) in [
            ("sign-in", "https://eu-west-1.signin.aws.amazon.com"),
            ("sign-in", "https://us-gov-west-1.signin-fips.amazonaws-us-gov.com"),
            ("sso", "https://portal.sso.eu-west-1.amazonaws.com"),
            ("sso oidc", "https://oidc-fips.us-east-1.amazonaws.com"),
        ] {
            assert!(EndpointUrl::parse(url).unwrap().is_of_aws(service), "{url}");
        }
        for (service, url) in [
            ("sign-in", "https://eu-west-1.signin.aws.amazon.com.evil.example"),
            ("sign-in", "https://sign-in.x.amazonaws.com"),
            ("sso", "https://sso.eu-west-1.amazonaws.com"),
            ("sso oidc", "https://portal.sso.eu-west-1.amazonaws.com"),
        ] {
            assert!(!EndpointUrl::parse(url).unwrap().is_of_aws(service), "{url}");
        }
        assert!(!EndpointUrl::parse("https://stsx.amazonaws.com").unwrap().is_of_aws("sts"));
        assert!(!EndpointUrl::parse("https://amazonaws.com.evil.example").unwrap().is_of_aws("sts"));
        assert!(!EndpointUrl::parse("https://evilamazonaws.com").unwrap().is_of_aws("sts"));
        assert!(
            !EndpointUrl::parse("https://x.execute-api.us-east-1.amazonaws.com").unwrap().is_of_aws("sts")
        );
    }
}
