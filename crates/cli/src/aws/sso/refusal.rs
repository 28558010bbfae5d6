//! IAM Identity Center: registering a client, tokens, the portal.
//!
//! Source: the API references of *IAM Identity Center OIDC* and of the *IAM Identity Center Portal*.

use std::time::Duration;

use hatbox_core::sso::token_file::Client;
use hatbox_types::name::AccountId;
use hatbox_types::secret::{SecretString, SessionCredentials};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{ClientError, ServiceSettings};
use super::endpoint::EndpointUrl;
use super::issued::check_issued;
use super::json::{CallError, JsonAnswer, JsonClient, JsonRequest};

/// Identity Center answers in well under a second; a portal that is busy takes some.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What Identity Center's refusal means for the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SsoRefusal {
    /// The person has not answered yet: ask again.
    Pending,
    /// Ask less often: five seconds more, for good.
    SlowDown,
    /// The device code, the authorization code or the refresh token is spent, expired or revoked: sign in again.
    SignInAgain,
    /// The person said no.
    Denied,
    /// The registration is not known any more: register again, once.
    ClientUnknown,
    /// The start URL is not known in this region.
    WrongRegion,
    /// The access token is not taken.
    TokenRefused,
    /// The role is not assigned to the user, or not any more.
    NotAssigned,
    /// Too many calls: wait, and ask again.
    Throttled,
    /// The service has a fault: ask again, a few times.
    Fault,
    /// Anything else: an error of the config or of hatbox.
    Other,
}

/// Why a call gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SsoError {
    /// Identity Center answered, and refused.
    #[error("{text}")]
    Refused {
        /// What it means.
        refusal: SsoRefusal,
        /// Its code and text, as they may be shown.
        text: String,
    },
    /// No answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SsoError {
    /// What the refusal means, where there was one.
    pub(crate) fn refusal(&self) -> Option<SsoRefusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            Self::Call(_) => None,
        }
    }

    /// The way out, where the service did not answer.
    pub(crate) fn network_hint(&self) -> Option<String> {
        match self {
            Self::Refused { .. } => None,
            Self::Call(error) => error.hint(),
        }
    }
}

/// How a client is registered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Registration<'a> {
    /// For the browser's redirect (RFC 7636), at this issuer.
    Redirect { issuer: &'a str, redirect: &'a str },
    /// For a device code (RFC 8628).
    Device,
}

/// What a person types in the browser, and where.
#[expect(clippy::struct_field_names, reason = "the names are the API's")]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceCode {
    pub(crate) device_code: SecretString,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    pub(crate) verification_uri_complete: Option<String>,
    /// How long it lives, in seconds.
    pub(crate) expires_in: u64,
    /// How often to ask, in seconds.
    #[serde(default = "default_interval")]
    pub(crate) interval: u64,
}

fn default_interval() -> u64 {
    5
}

/// What a token is obtained with. Without `Debug`: a code and its verifier are secrets.
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

/// The OIDC side: `https://oidc.REGION.SUFFIX`.
pub(crate) struct SsoOidc(JsonClient);

impl SsoOidc {
    pub(crate) fn new(endpoint: &EndpointUrl, settings: &ServiceSettings) -> Result<Self, ClientError> {
        Ok(Self(JsonClient::new("Identity Center", endpoint, settings, TIMEOUT)?))
    }

    /// The same without a line for the person while an answer is waited for.
    pub(crate) fn without_wait_line(self) -> Self {
        Self(self.0.without_wait_line())
    }

    /// The endpoint, without a slash at its end: of the page to sign in at.
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
            .map_err(|_| CallError::Unreadable("the registration has an invalid end".to_owned()))?;
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

/// An account that the user has a role in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssignedAccount {
    pub(crate) account_id: String,
    #[serde(default)]
    pub(crate) account_name: String,
}

/// One page of a list.
#[derive(Debug, Clone)]
pub(crate) struct PageOf<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// The portal: `https://portal.sso.REGION.SUFFIX`.
pub(crate) struct SsoPortal(JsonClient);

impl SsoPortal {
    pub(crate) fn new(endpoint: &EndpointUrl, settings: &ServiceSettings) -> Result<Self, ClientError> {
        Ok(Self(JsonClient::new("the Identity Center portal", endpoint, settings, TIMEOUT)?))
    }

    /// The same without a line for the person while an answer is waited for.
    pub(crate) fn without_wait_line(self) -> Self {
        Self(self.0.without_wait_line())
    }

    /// GetRoleCredentials. Neither length nor policy can be asked for.
    pub(crate) fn fetch_role(
        &self,
        token: &SecretString,
        account: &AccountId,
        role: &str,
        now: Timestamp,
    ) -> Result<SessionCredentials, SsoError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            role_credentials: RoleCredentials,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct RoleCredentials {
            access_key_id: String,
            secret_access_key: SecretString,
            session_token: SecretString,
            /// In milliseconds since 1970.
            expiration: i64,
        }
        let query = [("account_id", account.as_str()), ("role_name", role)];
        let answer: Answer = self.get(token, "/federation/credentials", &query)?.parse()?;
        let found = answer.role_credentials;
        let bad = |text: String| SsoError::from(CallError::Unreadable(text));
        // Whole seconds, cut off rather than rounded: never later than the real end.
        let expires_at = Timestamp::from_second(found.expiration.div_euclid(1000))
            .map_err(|_| bad("the answer has an invalid end".to_owned()))?;
        let (secret, token) = (found.secret_access_key, found.session_token);
        check_issued(&found.access_key_id, secret, token, expires_at, now)
            .map_err(|error| bad(error.to_string()))
    }

    /// ListAccounts: one page.
    pub(crate) fn fetch_accounts(
        &self,
        token: &SecretString,
        next: Option<&str>,
    ) -> Result<PageOf<AssignedAccount>, SsoError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default)]
            account_list: Vec<AssignedAccount>,
            next_token: Option<String>,
        }
        let mut query = vec![("max_result", "100")];
        query.extend(next.map(|next| ("next_token", next)));
        let answer: Answer = self.get(token, "/assignment/accounts", &query)?.parse()?;
        Ok(PageOf { items: answer.account_list, next: answer.next_token.filter(|next| !next.is_empty()) })
    }

    /// ListAccountRoles: one page, of names.
    pub(crate) fn fetch_roles(
        &self,
        token: &SecretString,
        account: &str,
        next: Option<&str>,
    ) -> Result<PageOf<String>, SsoError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default)]
            role_list: Vec<Role>,
            next_token: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Role {
            role_name: String,
        }
        let mut query = vec![("account_id", account), ("max_result", "100")];
        query.extend(next.map(|next| ("next_token", next)));
        let answer: Answer = self.get(token, "/assignment/roles", &query)?.parse()?;
        let items = answer.role_list.into_iter().map(|role| role.role_name).collect();
        Ok(PageOf { items, next: answer.next_token.filter(|next| !next.is_empty()) })
    }

    /// Logout: ends the session of the token.
    pub(crate) fn log_out(&self, token: &SecretString) -> Result<(), SsoError> {
        self.call("POST", token, "/logout").map(|_| ())
    }

    fn get(&self, token: &SecretString, path: &str, query: &[(&str, &str)]) -> Result<JsonAnswer, SsoError> {
        self.call("GET", token, &format!("{path}?{}", hatbox_core::sso::authorize::render_query(query)))
    }

    fn call(&self, method: &str, token: &SecretString, target: &str) -> Result<JsonAnswer, SsoError> {
        let headers = [("x-amz-sso_bearer_token", token.expose())];
        let answer = self.0.send(&JsonRequest { method, target, headers: &headers, body: Value::Null })?;
        if answer.is_success() { Ok(answer) } else { Err(refused(&answer, Side::Portal)) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Oidc,
    Portal,
}

fn refused(answer: &JsonAnswer, side: Side) -> SsoError {
    let kind = answer.error_type.as_deref().unwrap_or_default();
    let code = answer.field("error").unwrap_or_default();
    let refusal = classify(side, answer.status, kind, &code);
    let shown = [kind, code.as_str()].into_iter().find(|text| !text.is_empty()).map(str::to_owned);
    let message = answer.field("error_description").or_else(|| answer.field("message"));
    let text = match (shown, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code,
        (None, Some(message)) => format!("HTTP {}: {message}", answer.status),
        (None, None) => format!("HTTP {}", answer.status),
    };
    SsoError::Refused { refusal, text }
}

/// | side | status, class or code | meaning |
/// |---|---|---|
/// | OIDC | `authorization_pending`, `slow_down` | ask again, slower |
/// | OIDC | `expired_token`, `invalid_grant` | sign in again |
/// | OIDC | `access_denied` | the person said no |
/// | OIDC | `invalid_client` | register again |
/// | OIDC | `invalid_client_metadata` | wrong region or start URL |
/// | portal | 401 | the token is not taken |
/// | portal | 403 | the role is not assigned (any more) |
/// | both | 429; 5xx | wait; a fault |
fn classify(side: Side, status: u16, kind: &str, code: &str) -> SsoRefusal {
    let is = |class: &str, word: &str| kind == class || code == word;
    match (side, status) {
        (_, 429) => SsoRefusal::Throttled,
        (_, 500..=599) => SsoRefusal::Fault,
        (Side::Portal, 401) => SsoRefusal::TokenRefused,
        (Side::Portal, 403) => SsoRefusal::NotAssigned,
        (Side::Oidc, _) if is("AuthorizationPendingException", "authorization_pending") => {
            SsoRefusal::Pending
        }
        (Side::Oidc, _) if is("SlowDownException", "slow_down") => SsoRefusal::SlowDown,
        (Side::Oidc, _) if is("ExpiredTokenException", "expired_token") => SsoRefusal::SignInAgain,
        (Side::Oidc, _) if is("InvalidGrantException", "invalid_grant") => SsoRefusal::SignInAgain,
        (Side::Oidc, _) if is("AccessDeniedException", "access_denied") => SsoRefusal::Denied,
        (Side::Oidc, _) if is("InvalidClientException", "invalid_client") => SsoRefusal::ClientUnknown,
        (Side::Oidc, _) if is("InvalidClientMetadataException", "invalid_client_metadata") => {
            SsoRefusal::WrongRegion
        }
        _ => SsoRefusal::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do_next() {
        use SsoRefusal as R;
        for (side, status, kind, code, refusal) in [
            (Side::Oidc, 400, "AuthorizationPendingException", "authorization_pending", R::Pending),
            (Side::Oidc, 400, "", "slow_down", R::SlowDown),
            (Side::Oidc, 400, "ExpiredTokenException", "", R::SignInAgain),
            (Side::Oidc, 400, "InvalidGrantException", "invalid_grant", R::SignInAgain),
            (Side::Oidc, 400, "AccessDeniedException", "access_denied", R::Denied),
            (Side::Oidc, 401, "InvalidClientException", "invalid_client", R::ClientUnknown),
            (Side::Oidc, 400, "InvalidClientMetadataException", "invalid_client_metadata", R::WrongRegion),
            (Side::Oidc, 400, "InvalidScopeException", "invalid_scope", R::Other),
            (Side::Oidc, 500, "InternalServerException", "server_error", R::Fault),
            (Side::Oidc, 429, "", "", R::Throttled),
            (Side::Portal, 401, "UnauthorizedException", "", R::TokenRefused),
            (Side::Portal, 403, "ForbiddenException", "", R::NotAssigned),
            (Side::Portal, 404, "ResourceNotFoundException", "", R::Other),
            (Side::Portal, 429, "TooManyRequestsException", "", R::Throttled),
            (Side::Portal, 503, "", "", R::Fault),
        ] {
            assert_eq!(classify(side, status, kind, code), refusal, "{side:?} {status} {kind} {code}");
        }
    }
}
