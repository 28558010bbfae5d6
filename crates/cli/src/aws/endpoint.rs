//! Endpoint URLs that the user named: which may be talked to, and how.

/// A checked URL of an endpoint that is not AWS's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointUrl {
    url: String,
    host: String,
    is_https: bool,
}

/// Why a URL is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
    /// Not a URL of the form that is asked for.
    #[error("the endpoint `{0}` is no URL of the form https://HOST[:PORT]")]
    Form(String),
    /// Plain http to another machine.
    #[error(
        "the endpoint `{0}` is plain http to another machine: anybody between could read the credentials"
    )]
    PlainHttp(String),
    /// A user name or password in it.
    #[error("the endpoint of host `{0}` has a user name or password in it")]
    UserInfo(String),
}

impl EndpointUrl {
    /// Checks a URL: https to anywhere, http to loopback only.
    pub(crate) fn parse(url: &str) -> Result<Self, EndpointError> {
        let form = || EndpointError::Form(url.to_owned());
        if !url.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(form());
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(form)?;
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(form()),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((_, host)) = authority.rsplit_once('@') {
            return Err(EndpointError::UserInfo(host.to_owned()));
        }
        let host = match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        if host.is_empty() {
            return Err(form());
        }
        let endpoint = Self { url: url.to_owned(), host: host.to_ascii_lowercase(), is_https };
        if !is_https && !endpoint.is_loopback() {
            return Err(EndpointError::PlainHttp(url.to_owned()));
        }
        Ok(endpoint)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.url
    }

    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether it is this machine: then no proxy is used either.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether it is one of the service's own hosts, which need no word on stderr. `service` is `sts` or `iam`.
    pub(crate) fn is_of_aws(&self, service: &str) -> bool {
        // Many hosts under these suffixes are customers' own; a service's begin with its name.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_goes_to_loopback_only() {
        for good in [
            "http://127.0.0.1:5555",
            "http://localhost",
            "http://[::1]:1/",
            "https://sts.example.com/x",
            "HTTP://127.9.9.9",
        ] {
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
    fn what_is_no_plain_url_is_refused() {
        for bad in ["", "sts.amazonaws.com", "ftp://x", "https://", "https://a b", "https://\u{e9}"] {
            assert!(matches!(EndpointUrl::parse(bad), Err(EndpointError::Form(_))), "{bad}");
        }
        assert_eq!(
            EndpointUrl::parse("http://127.0.0.1@evil.example"),
            Err(EndpointError::UserInfo("evil.example".to_owned()))
        );
    }

    #[test]
    fn a_host_of_a_service_is_known_by_both_ends() {
        assert!(EndpointUrl::parse("https://sts.eu-west-1.amazonaws.com").unwrap().is_of_aws("sts"));
        assert!(EndpointUrl::parse("https://iam-fips.amazonaws.com").unwrap().is_of_aws("iam"));
        assert!(!EndpointUrl::parse("https://iam.amazonaws.com").unwrap().is_of_aws("sts"));
        assert!(!EndpointUrl::parse("https://stsx.amazonaws.com").unwrap().is_of_aws("sts"));
        assert!(!EndpointUrl::parse("https://amazonaws.com.evil.example").unwrap().is_of_aws("sts"));
        assert!(!EndpointUrl::parse("https://evilamazonaws.com").unwrap().is_of_aws("sts"));
        assert!(
            !EndpointUrl::parse("https://x.execute-api.us-east-1.amazonaws.com").unwrap().is_of_aws("sts")
        );
    }
}
