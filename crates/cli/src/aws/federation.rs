//! The federation endpoint of AWS's sign-in service: temporary credentials for a sign-in token.

use std::time::Duration;

use hatbox_core::console::link::render_token_target;
use hatbox_types::secret::SecretString;

use super::client::{ClientError, ServiceSettings};
use super::endpoint::EndpointUrl;
use super::json::{CallError, JsonAnswer, JsonClient, JsonRequest};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often a fault of the service is tried.
const TRIES: u32 = 3;
/// No sign-in token is longer: it goes into an address.
const MOST_TOKEN: usize = 8192;

/// Temporary credentials, as the endpoint takes them.
pub(crate) struct TemporaryKeys<'a> {
    pub(crate) key_id: &'a str,
    pub(crate) secret: &'a SecretString,
    pub(crate) token: &'a SecretString,
}

/// Why there is no sign-in token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FederationError {
    /// No answer, or one of another form.
    #[error(transparent)]
    Call(#[from] CallError),
    /// 400: the endpoint does not say more than that.
    #[error("the federation endpoint does not accept the credentials (HTTP 400)")]
    Refused,
    /// Any other status.
    #[error("the federation endpoint returned HTTP {0}")]
    Status(u16),
    /// An answer without a token, or with one that cannot be a part of an address.
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

    /// The endpoint's address, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        self.client.base()
    }

    /// Exchanges credentials for a sign-in token, which is good for 15 minutes. Without `duration`, the session of the
    /// console lasts as long as they.
    pub(crate) fn fetch_sign_in_token(
        &self,
        keys: &TemporaryKeys<'_>,
        duration: Option<Duration>,
    ) -> Result<SecretString, FederationError> {
        // Security: the address holds the credentials. It is never shown, and a redirect is not followed.
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
