//! Custom start URLs of an organization: follows the one redirect to the portal.
//!
//! The rules of the AWS CLI (2.35.13): https only, one redirect, and the target must be one of AWS's hosts.

use std::time::Duration;

use hatbox_core::sso::start_url::StartUrl;
use hatbox_types::name::Region;

use super::sign_in::SignIn;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::json::{CallError, JsonClient, JsonRequest};
use crate::errors::{Failure, FailureKind};

const TIMEOUT: Duration = Duration::from_secs(10);
/// HTTP statuses of servers that do not support `HEAD`.
const NO_HEAD: [u16; 2] = [405, 501];

/// Why a start URL leads to no portal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum VanityError {
    /// An answer without a redirect.
    #[error("it returns HTTP {0}, not a redirect to a portal of AWS")]
    NotRedirected(u16),
    /// A redirect to anything but a portal.
    #[error("it redirects to a place that is not a portal of AWS")]
    NotAws,
}

impl SignIn {
    /// Returns the sign-in address and its region: those of the config, or those that a vanity address redirects to.
    pub(super) fn resolve_portal(&self) -> Result<(StartUrl, Region), Failure> {
        let configured = self.start_url()?;
        let region = self.sso.region.clone();
        // An Identity Center stand-in accepts the address as it is.
        if configured.is_owned_by_aws() || configured.is_on_loopback() || self.is_signed_in_on_loopback() {
            return Ok((configured, region));
        }
        let portal = self.follow(&configured)?;
        let of_host = portal.region().unwrap_or_else(|| region.clone());
        if of_host != region {
            self.world.output.note(&format!("`{}` is in the region {of_host}", self.name()));
        }
        Ok((portal, of_host))
    }

    fn is_signed_in_on_loopback(&self) -> bool {
        let url = self.sso.urls.oidc.as_deref().and_then(|url| EndpointUrl::parse(url).ok());
        url.is_some_and(|url| url.is_loopback())
    }

    fn follow(&self, configured: &StartUrl) -> Result<StartUrl, Failure> {
        let failure = || {
            let text = format!("could not find the portal behind the start URL `{}`", configured.as_str());
            Failure::new(FailureKind::Failed, text)
        };
        let endpoint =
            EndpointUrl::parse(configured.as_str()).map_err(|error| failure().caused_by(&error))?;
        let settings = self.vanity_settings(&endpoint)?;
        let client = JsonClient::new("a start URL", &endpoint, &settings, TIMEOUT)?;
        let ask = |method| client.send(&JsonRequest { method, ..JsonRequest::default() });
        let unanswered = |error: CallError| failure().caused_by(&error).hints(error.hint());
        let mut answer = ask("HEAD").map_err(unanswered)?;
        if NO_HEAD.contains(&answer.status) {
            answer = ask("GET").map_err(unanswered)?;
        }
        read_redirect(answer.status, answer.location.as_deref()).map_err(|error| {
            failure()
                .caused_by(&error)
                .hint("set `sso_start_url` to the address that ends in `.awsapps.com/start` or `.app.aws`")
        })
    }
}

/// Returns the target of a redirect.
fn read_redirect(status: u16, location: Option<&str>) -> Result<StartUrl, VanityError> {
    let location = location.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
    let location = location.ok_or(VanityError::NotRedirected(status))?;
    StartUrl::parse(location).ok().filter(StartUrl::is_owned_by_aws).ok_or(VanityError::NotAws)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_redirect_to_a_portal_of_aws_is_followed() {
        let read = |status, location| read_redirect(status, location).map(|url| url.as_str().to_owned());
        let portal = "https://d-1.awsapps.com/start";
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(read(status, Some("https://d-1.awsapps.com/start/#/")), Ok(portal.to_owned()));
        }
        for (status, location, error) in [
            (200, Some(portal), VanityError::NotRedirected(200)),
            (302, None, VanityError::NotRedirected(302)),
            (404, None, VanityError::NotRedirected(404)),
            (302, Some("http://d-1.awsapps.com/start"), VanityError::NotAws),
            (302, Some("https://d-1.awsapps.com.evil.example/start"), VanityError::NotAws),
            (302, Some("https://sso.example.com/again"), VanityError::NotAws),
            (302, Some("http://127.0.0.1/start"), VanityError::NotAws),
            (302, Some("/start"), VanityError::NotAws),
        ] {
            assert_eq!(read(status, location), Err(error), "{status} {location:?}");
        }
    }
}
