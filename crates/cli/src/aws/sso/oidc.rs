//! The OIDC service, which registers clients and issues tokens.

use hatbox_core::sso::token_file::Client;
use hatbox_types::secret::SecretString;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::TIMEOUT;
use super::refusal::{Side, SsoError, refused};
use crate::aws::client::{ClientError, ServiceSettings};
use crate::aws::endpoint::EndpointUrl;
use crate::aws::json::{CallError, JsonAnswer, JsonClient, JsonRequest};

/// How to register a client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Registration<'a> {
    /// For a redirect of the browser (RFC 7636), with this issuer.
    Redirect { issuer: &'a str, redirect: &'a str },
    /// For a device code (RFC 8628).
    Device,
}

/// The code that the user types in the browser, and the page for it.
#[expect(clippy::struct_field_names, reason = "the names are the API's")]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceCode {
    pub(crate) device_code: SecretString,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    pub(crate) verification_uri_complete: Option<String>,
    /// Its lifetime in seconds.
    pub(crate) expires_in: u64,
    /// The polling interval in seconds.
    #[serde(default = "default_interval")]
    pub(crate) interval: u64,
}

fn default_interval() -> u64 {
    5
}

/// What to exchange for a token. Without `Debug`: a code and its verifier are secrets.
#[derive(Clone, Copy)]
pub(crate) enum Grant<'a> {
    Code { code: &'a str, redirect: &'a str, verifier: &'a str },
    Device { code: &'a SecretString },
    Refresh { token: &'a SecretString },
}

/// A new access token.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access_token: SecretString,
    pub(crate) expires_at: Timestamp,
    pub(crate) refresh_token: Option<SecretString>,
}

/// The OIDC service: `https://oidc.REGION.SUFFIX`.
pub(crate) struct SsoOidc(JsonClient);

impl SsoOidc {
    pub(crate) fn new(endpoint: &EndpointUrl, settings: &ServiceSettings) -> Result<Self, ClientError> {
        Ok(Self(JsonClient::new("Identity Center", endpoint, settings, TIMEOUT)?))
    }

    /// Shows no line while it waits.
    pub(crate) fn without_wait_line(self) -> Self {
        Self(self.0.without_wait_line())
    }

    /// The endpoint of the sign-in page, without a trailing slash.
    pub(crate) fn base(&self) -> &str {
        self.0.base()
    }

    /// RegisterClient.
    pub(crate) fn register(
        &self,
        name: &str,
        scopes: &[&str],
        registration: Registration<'_>,
    ) -> Result<Client, SsoError> {
        #[derive(Deserialize)]
        struct Registered {
            #[serde(rename = "clientId")]
            id: String,
            #[serde(rename = "clientSecret")]
            secret: SecretString,
            #[serde(rename = "clientSecretExpiresAt")]
            expires_at: i64,
        }
        let mut body = json!({"clientName": name, "clientType": "public"});
        let mut set = |name: &str, value: Value| {
            if let Value::Object(fields) = &mut body {
                fields.insert(name.to_owned(), value);
            }
        };
        if !scopes.is_empty() {
            set("scopes", json!(scopes));
        }
        if let Registration::Redirect { issuer, redirect } = registration {
            set("grantTypes", json!(["authorization_code", "refresh_token"]));
            set("redirectUris", json!([redirect]));
            set("issuerUrl", json!(issuer));
        }
        let registered: Registered = self.call("/client/register", body)?.parse()?;
        let expires_at = Timestamp::from_second(registered.expires_at)
            .map_err(|_| CallError::Unreadable("the registration has an invalid expiration".to_owned()))?;
        Ok(Client { id: registered.id, secret: registered.secret, expires_at })
    }

    /// StartDeviceAuthorization.
    pub(crate) fn start_device(&self, client: &Client, start_url: &str) -> Result<DeviceCode, SsoError> {
        let body = json!({
            "clientId": client.id, "clientSecret": client.secret.expose(), "startUrl": start_url,
        });
        Ok(self.call("/device_authorization", body)?.parse()?)
    }

    /// CreateToken.
    pub(crate) fn create_token(
        &self,
        client: &Client,
        grant: Grant<'_>,
        now: Timestamp,
    ) -> Result<Tokens, SsoError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Created {
            access_token: SecretString,
            expires_in: i64,
            refresh_token: Option<SecretString>,
        }
        let mut body = json!({"clientId": client.id, "clientSecret": client.secret.expose()});
        let fields = match grant {
            Grant::Code { code, redirect, verifier } => json!({
                "grantType": "authorization_code", "code": code, "redirectUri": redirect, "codeVerifier": verifier,
            }),
            Grant::Device { code } => json!({
                "grantType": "urn:ietf:params:oauth:grant-type:device_code", "deviceCode": code.expose(),
            }),
            Grant::Refresh { token } => json!({"grantType": "refresh_token", "refreshToken": token.expose()}),
        };
        if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
            body.extend(fields);
        }
        let created: Created = self.call("/token", body)?.parse()?;
        let expires_at = now.as_second().saturating_add(created.expires_in.max(0));
        Ok(Tokens {
            access_token: created.access_token,
            expires_at: Timestamp::from_second(expires_at).unwrap_or(now),
            refresh_token: created.refresh_token.filter(|token| !token.expose().is_empty()),
        })
    }

    fn call(&self, target: &str, body: Value) -> Result<JsonAnswer, SsoError> {
        let answer = self.0.send(&JsonRequest { method: "POST", target, headers: &[], body })?;
        if answer.is_success() { Ok(answer) } else { Err(refused(&answer, Side::Oidc)) }
    }
}
