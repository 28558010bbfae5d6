//! The federation endpoint of AWS's sign-in service, which exchanges temporary credentials for a sign-in token.

use std::time::Duration;

use hatbox_core::console::link::render_token_target;
use hatbox_types::secret::SecretString;

use super::client::{ClientError, ServiceSettings};
use super::endpoint::EndpointUrl;
use super::json::{CallError, JsonAnswer, JsonClient, JsonRequest};

/// The time limit of one answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often to try if the service has a fault.
const TRIES: u32 = 3;
/// In bytes. A sign-in token is part of a URL, so none is longer.
const MOST_TOKEN: usize = 8192;

/// Temporary credentials as the endpoint expects them.
pub(crate) struct TemporaryKeys<'a> {
    pub(crate) key_id: &'a str,
    pub(crate) secret: &'a SecretString,
    pub(crate) token: &'a SecretString,
}

/// Why there is no sign-in token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FederationError {
    /// There was no answer, or it has another form.
    #[error(transparent)]
    Call(#[from] CallError),
    /// HTTP 400, which gives no further reason.
    #[error("the federation endpoint does not accept the credentials (HTTP 400)")]
    Refused,
    /// Any other status.
    #[error("the federation endpoint returned HTTP {0}")]
    Status(u16),
    /// The answer has no token, or one that cannot be part of a URL.
    #[error("the federation endpoint returned no sign-in token")]
    NoToken,
}

/// The endpoint.
pub(crate) struct Federation {
    client: JsonClient,
}

impl Federation {
    pub(crate) fn new(endpoint: &EndpointUrl, settings: &ServiceSettings) -> Result<Self, ClientError> {
        Ok(Self { client: JsonClient::new("the federation endpoint", endpoint, settings, TIMEOUT)? })
    }

    /// The endpoint's URL, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        self.client.base()
    }

    /// Exchanges credentials for a sign-in token, which is valid for 15 minutes. Without `duration`, the console
    /// session lasts as long as the credentials.
    pub(crate) fn fetch_sign_in_token(
        &self,
        keys: &TemporaryKeys<'_>,
        duration: Option<Duration>,
    ) -> Result<SecretString, FederationError> {
        // Security: the URL contains the credentials. It is never shown, and redirects are not followed.
        let target = render_token_target(keys.key_id, keys.secret, keys.token, duration);
        let request = JsonRequest { method: "GET", target: &target, ..JsonRequest::default() };
        let mut answer = self.client.send(&request)?;
        for _ in 1..TRIES {
            if answer.status < 500 {
                break;
            }
            answer = self.client.send(&request)?;
        }
        match answer.status {
            200 => parse_token(&answer),
            400 => Err(FederationError::Refused),
            status => Err(FederationError::Status(status)),
        }
    }
}

fn parse_token(answer: &JsonAnswer) -> Result<SecretString, FederationError> {
    #[derive(serde::Deserialize)]
    struct Body {
        #[serde(rename = "SigninToken")]
        token: String,
    }
    let token = SecretString::new(answer.parse::<Body>()?.token);
    let is_token = (1..=MOST_TOKEN).contains(&token.expose().len())
        && token.expose().bytes().all(|byte| byte.is_ascii_graphic());
    if is_token { Ok(token) } else { Err(FederationError::NoToken) }
}
