//! The page of the console to open: a service's, or any other.

use super::place::ConsolePlace;

/// A page of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleTarget {
    /// The part after the host, without a leading slash. May have a query and a fragment.
    path: String,
}

/// Why a page cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is not the name of a service.
    #[error("expected the name of a service, such as `s3` or `ec2`")]
    Service,
    /// It is not a path.
    #[error("expected a path, such as `s3/buckets/logs` or `lambda/home#/functions`")]
    Path,
}

/// In bytes; no page has a longer URL.
const MAX_PATH: usize = 1500;

/// Services whose pages do not begin with the service's name.
const PAGES: [(&str, &str); 18] = [
    ("cfn", "cloudformation/home"),
    ("dynamodb", "dynamodbv2/home"),
    ("elb", "ec2/home#LoadBalancers:"),
    ("identitycenter", "singlesignon/home"),
    ("logs", "cloudwatch/home#logsV2:log-groups"),
    ("opensearch", "aos/home"),
    ("organizations", "organizations/v2/home"),
    ("parameterstore", "systems-manager/parameters"),
    ("redshift", "redshiftv2/home"),
    ("route53", "route53/v2/home"),
    ("sfn", "states/home"),
    ("sns", "sns/v3/home"),
    ("sqs", "sqs/v3/home"),
    ("ssm", "systems-manager/home"),
    ("sso", "singlesignon/home"),
    ("stepfunctions", "states/home"),
    ("vpc", "vpcconsole/home"),
    ("waf", "wafv2/homev2"),
];

impl ConsoleTarget {
    /// Returns the home page of the console.
    pub fn home() -> Self {
        Self { path: "console/home".to_owned() }
    }

    /// Returns the page of a service, by its name in the console's URLs or in the AWS CLI.
    ///
    /// # Errors
    /// If it is not a name.
    pub fn of_service(name: &str) -> Result<Self, TargetError> {
        let is_name = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !is_name {
            return Err(TargetError::Service);
        }
        let known = PAGES.iter().find(|(known, _)| *known == name).map(|(_, path)| (*path).to_owned());
        Ok(Self { path: known.unwrap_or_else(|| format!("{name}/home")) })
    }

    /// Returns the page with this path, which may have a query and a fragment.
    ///
    /// # Errors
    /// If it is not a path within the console.
    pub fn of_path(path: &str) -> Result<Self, TargetError> {
        let path = path.trim_start_matches('/');
        let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '`');
        let before_query = path.split(['?', '#']).next().unwrap_or_default();
        if path.len() > MAX_PATH || !path.chars().all(is_plain) || before_query.contains("://") {
            return Err(TargetError::Path);
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Renders its URL in the console of `place`.
    pub fn render_url(&self, place: &ConsolePlace) -> String {
        let (page, fragment) =
            self.path.split_once('#').map_or((self.path.as_str(), None), |(a, b)| (a, Some(b)));
        let mut url = format!("{}/{page}", place.console_url());
        let query = page.split_once('?').map(|(_, query)| query);
        let has_region = query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("region=")));
        if let (Some(region), false) = (place.region(), has_region) {
            url.push(if query.is_some() { '&' } else { '?' });
            url.push_str("region=");
            url.push_str(region.as_str());
        }
        if let Some(fragment) = fragment {
            url.push('#');
            url.push_str(fragment);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hatbox_types::name::Region;
    use hatbox_types::partition::Partition;

    fn ireland() -> ConsolePlace {
        ConsolePlace::new(Partition::Aws, Some(&Region::parse("eu-west-1").unwrap()))
    }

    #[test]
    fn a_page_gets_the_region_before_its_fragment() {
        let host = "https://eu-west-1.console.aws.amazon.com";
        for (path, expected) in [
            ("", "/?region=eu-west-1"),
            ("/s3/buckets/logs", "/s3/buckets/logs?region=eu-west-1"),
            ("s3/home?a=b", "/s3/home?a=b&region=eu-west-1"),
            ("s3/home?region=us-east-1", "/s3/home?region=us-east-1"),
            ("lambda/home#/functions?fo=x", "/lambda/home?region=eu-west-1#/functions?fo=x"),
            ("//evil.example/x", "/evil.example/x?region=eu-west-1"),
        ] {
            let url = ConsoleTarget::of_path(path).unwrap().render_url(&ireland());
            assert_eq!(url, format!("{host}{expected}"));
        }
        let nowhere = ConsolePlace::new(Partition::Aws, None);
        assert_eq!(ConsoleTarget::home().render_url(&nowhere), "https://console.aws.amazon.com/console/home");
    }

    #[test]
    fn a_service_has_its_page_and_what_is_no_page_is_refused() {
        let url = |name| ConsoleTarget::of_service(name).unwrap().render_url(&ireland());
        assert!(url("s3").ends_with("/s3/home?region=eu-west-1"));
        assert!(url("logs").ends_with("/cloudwatch/home?region=eu-west-1#logsV2:log-groups"));
        assert!(PAGES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(PAGES.iter().all(|(_, path)| ConsoleTarget::of_path(path).is_ok()));
        for name in ["", "S3", "s3/home", "-x", "a b", "..", "s3?x"] {
            assert_eq!(ConsoleTarget::of_service(name), Err(TargetError::Service), "{name}");
        }
        for path in ["https://evil.example/", "a b", "a\nb", "a\u{e9}", "a\"b", "\\\\evil"] {
            assert_eq!(ConsoleTarget::of_path(path), Err(TargetError::Path), "{path}");
        }
    }
}
