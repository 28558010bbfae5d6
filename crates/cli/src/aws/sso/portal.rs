//! The portal, which lists accounts and roles, and returns the credentials of a role.

use hatbox_core::sso::authorize::render_query;
use hatbox_types::name::AccountId;
use hatbox_types::secret::{SecretString, SessionCredentials};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::TIMEOUT;
use super::refusal::{Side, SsoError, refused};
use crate::aws::client::{ClientError, ServiceSettings};
use crate::aws::endpoint::EndpointUrl;
use crate::aws::issued::check_issued;
use crate::aws::json::{CallError, JsonAnswer, JsonClient, JsonRequest};

/// An account in which the user has a role.
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

    /// Shows no line while it waits.
    pub(crate) fn without_wait_line(self) -> Self {
        Self(self.0.without_wait_line())
    }

    /// GetRoleCredentials, which has no parameters for duration and policies.
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
        // Truncated to whole seconds, so it is never after the real expiry.
        let expires_at = Timestamp::from_second(found.expiration.div_euclid(1000))
            .map_err(|_| bad("the response has an invalid expiration".to_owned()))?;
        let (secret, token) = (found.secret_access_key, found.session_token);
        check_issued(&found.access_key_id, secret, token, expires_at, now)
            .map_err(|error| bad(error.to_string()))
    }

    /// ListAccounts: returns one page.
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

    /// ListAccountRoles: returns one page of names.
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
        self.call("GET", token, &format!("{path}?{}", render_query(query)))
    }

    fn call(&self, method: &str, token: &SecretString, target: &str) -> Result<JsonAnswer, SsoError> {
        let headers = [("x-amz-sso_bearer_token", token.expose())];
        let answer = self.0.send(&JsonRequest { method, target, headers: &headers, body: Value::Null })?;
        if answer.is_success() { Ok(answer) } else { Err(refused(&answer, Side::Portal)) }
    }
}
