//! The sign-in service behind `aws login`: exchanges an authorization code or a refresh token.
//!
//! Source: the service's published model, and the behavior of the AWS CLI.

use std::thread::sleep;
use std::time::{Duration, Instant};

use hatbox_core::login::dpop::DpopKey;
use hatbox_types::name::AccessKeyId;
use hatbox_types::secret::{SecretString, SessionCredentials};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::client::{ClientError, ServiceSettings};
use super::endpoint::EndpointUrl;
use super::json::{CallError, JsonAnswer, JsonClient, JsonRequest};

/// The time limit of one answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often to send a call that can be repeated.
const TRIES: u32 = 3;
/// The first pause; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(400);
/// The service accepts proofs whose time is off by a few minutes.
const SKEW: SignedDuration = SignedDuration::from_mins(2);
/// In seconds. The service's credentials last 15 minutes; more than any session lasts is not plausible.
const LONGEST_LIFE: i64 = 43_200;

/// What the service's error means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginRefusal {
    /// The session has expired: sign in again.
    Ended,
    /// The user's password was changed: sign in again.
    CredentialsChanged,
    /// The code was used or is too old: start again.
    CodeExpired,
    /// No policy allows the user to sign in.
    NotAllowed,
    /// The request or the region is wrong.
    Invalid,
    /// Too many calls: wait and retry.
    Throttled,
    /// The service has a fault: retry a few times.
    Fault,
    /// Anything else.
    Other,
}

/// Why a call returned no tokens.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LoginError {
    /// The service returned an error.
    #[error("{text}")]
    Refused {
        /// The meaning of the error.
        refusal: LoginRefusal,
        /// The service's code and text, cleaned for display.
        text: String,
        /// How many seconds this machine's clock is ahead of the service's, if that may be the cause.
        clock_ahead: Option<i64>,
    },
    /// There was no answer, or it could not be parsed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The system provided no random bytes for a proof.
    #[error("the operating system returned no random bytes")]
    Random,
}

impl LoginError {
    /// Returns the meaning of the error, if the service returned one.
    pub(crate) fn refusal(&self) -> Option<LoginRefusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            Self::Call(_) | Self::Random => None,
        }
    }

    /// How many seconds this machine's clock is ahead of the service's, if the service rejected the request for that.
    pub(crate) fn clock_ahead(&self) -> Option<i64> {
        match self {
            Self::Refused { clock_ahead, .. } => *clock_ahead,
            Self::Call(_) | Self::Random => None,
        }
    }

    /// Returns a hint, if the service did not answer.
    pub(crate) fn network_hint(&self) -> Option<String> {
        match self {
            Self::Call(error) => error.hint(),
            Self::Refused { .. } | Self::Random => None,
        }
    }

    /// Whether the same call may succeed in a moment.
    fn is_passing(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => {
                matches!(refusal, LoginRefusal::Throttled | LoginRefusal::Fault)
            }
            Self::Call(CallError::Unreachable { .. }) => true,
            Self::Call(CallError::Unreadable(_)) | Self::Random => false,
        }
    }
}

/// What to exchange for tokens. Without `Debug`: a code and its verifier are secrets.
#[derive(Clone, Copy)]
pub(crate) enum LoginGrant<'a> {
    /// A code, which works once.
    Code { code: &'a str, redirect: &'a str, verifier: &'a str },
    /// A refresh token, which works several times within a short time.
    Refresh { token: &'a SecretString },
}

/// The result of an exchange.
#[derive(Debug, Clone)]
pub(crate) struct LoginTokens {
    pub(crate) credentials: SessionCredentials,
    pub(crate) refresh_token: SecretString,
    /// Only in the first exchange.
    pub(crate) id_token: Option<SecretString>,
}

/// The client of one region.
pub(crate) struct LoginService {
    client: JsonClient,
    /// The URL in the proofs.
    url: String,
}

impl LoginService {
    pub(crate) fn new(endpoint: &EndpointUrl, settings: &ServiceSettings) -> Result<Self, ClientError> {
        let base = endpoint.as_str().trim_end_matches('/');
        Ok(Self {
            client: JsonClient::new("the sign-in service", endpoint, settings, TIMEOUT)?,
            url: format!("{base}/v1/token"),
        })
    }

    /// CreateOAuth2Token.
    pub(crate) fn create_token(
        &self,
        client_id: &str,
        grant: LoginGrant<'_>,
        key: &DpopKey,
        now: impl Fn() -> Timestamp,
    ) -> Result<LoginTokens, LoginError> {
        let started = Instant::now();
        let mut tries = 0;
        let mut correction = SignedDuration::ZERO;
        let mut first_error = None;
        loop {
            tries += 1;
            let asked_at = now();
            let signed_at = asked_at.checked_add(correction).unwrap_or(asked_at);
            let result = self.send(client_id, grant, key, signed_at);
            let error = match result {
                Ok(answer) if answer.is_success() => return parse_tokens(&answer, asked_at),
                Ok(answer) => {
                    // A proof contains a time. If this machine's clock is wrong, use the service's.
                    let off = self.client.date().map(|date| date.duration_since(signed_at));
                    let off = off.filter(|off| off.abs() > SKEW);
                    let error = refused(&answer, off.map(|off| -off.as_secs()));
                    if let (Some(LoginRefusal::Invalid), Some(off)) = (error.refusal(), off)
                        && correction.is_zero()
                    {
                        correction = off;
                        first_error = Some(error);
                        continue;
                    }
                    error
                }
                Err(error) => error,
            };
            // The first try may have spent the code; then the first error is more informative.
            let error = match grant {
                LoginGrant::Code { .. } => first_error.take().unwrap_or(error),
                LoginGrant::Refresh { .. } => error,
            };
            let may_repeat = match grant {
                LoginGrant::Refresh { .. } => error.is_passing(),
                LoginGrant::Code { .. } => error.refusal() == Some(LoginRefusal::Throttled),
            };
            // Do not retry after half the time limit, as the user is waiting.
            if !may_repeat || tries >= TRIES || started.elapsed() > self.client.timeout() / 2 {
                return Err(error);
            }
            sleep(PAUSE.saturating_mul(1 << (tries - 1)).saturating_add(jitter()?));
        }
    }

    fn send(
        &self,
        client_id: &str,
        grant: LoginGrant<'_>,
        key: &DpopKey,
        now: Timestamp,
    ) -> Result<JsonAnswer, LoginError> {
        let body = match grant {
            LoginGrant::Code { code, redirect, verifier } => json!({
                "clientId": client_id, "grantType": "authorization_code", "code": code, "redirectUri": redirect,
                "codeVerifier": verifier,
            }),
            LoginGrant::Refresh { token } => json!({
                "clientId": client_id, "grantType": "refresh_token", "refreshToken": token.expose(),
            }),
        };
        let proof = key.render_proof(&self.url, &random_id()?, now);
        let headers = [("DPoP", proof.as_str())];
        let request = JsonRequest { method: "POST", target: "/v1/token", headers: &headers, body };
        Ok(self.client.send(&request)?)
    }
}

/// Returns a random UUID (version 4), which identifies a proof or a question.
pub(crate) fn random_id() -> Result<String, LoginError> {
    let mut bytes = [0; 16];
    getrandom::getrandom(&mut bytes).map_err(|_| LoginError::Random)?;
    let [.., six, _, eight, _, _, _, _, _, _, _] = &mut bytes;
    *six = *six & 0x0f | 0x40;
    *eight = *eight & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    let part = |range| hex.get(range).unwrap_or_default();
    Ok(format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)))
}

fn jitter() -> Result<Duration, LoginError> {
    let mut byte = [0];
    getrandom::getrandom(&mut byte).map_err(|_| LoginError::Random)?;
    Ok(Duration::from_millis(u64::from(byte[0])))
}

fn parse_tokens(answer: &JsonAnswer, asked_at: Timestamp) -> Result<LoginTokens, LoginError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Created {
        access_token: AccessToken,
        token_type: String,
        expires_in: i64,
        refresh_token: SecretString,
        id_token: Option<SecretString>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct AccessToken {
        access_key_id: String,
        secret_access_key: SecretString,
        session_token: SecretString,
    }
    let created: Created = answer.parse()?;
    let token = created.access_token;
    let bad =
        |what: &str| LoginError::from(CallError::Unreadable(format!("the response has an invalid {what}")));
    if created.token_type != "aws_sigv4" {
        return Err(bad("token type"));
    }
    let is_word = |secret: &SecretString| {
        let text = secret.expose();
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
    };
    if !is_word(&token.secret_access_key) || !is_word(&token.session_token) {
        return Err(bad("secret or session token"));
    }
    if !is_word(&created.refresh_token) {
        return Err(bad("refresh token"));
    }
    if !(1..=LONGEST_LIFE).contains(&created.expires_in) {
        return Err(bad("end"));
    }
    let expires_at = Timestamp::from_second(asked_at.as_second().saturating_add(created.expires_in));
    Ok(LoginTokens {
        credentials: SessionCredentials {
            access_key_id: AccessKeyId::parse(&token.access_key_id).map_err(|_| bad("access key id"))?,
            secret_access_key: token.secret_access_key,
            session_token: token.session_token,
            expires_at: expires_at.map_err(|_| bad("end"))?,
        },
        refresh_token: created.refresh_token,
        id_token: created.id_token,
    })
}

fn refused(answer: &JsonAnswer, clock_ahead: Option<i64>) -> LoginError {
    let kind = answer.error_type.as_deref().unwrap_or_default();
    let code = answer.field("error").unwrap_or_default();
    let refusal = classify(answer.status, kind, &code);
    let shown = [code.as_str(), kind].into_iter().find(|text| !text.is_empty()).map(str::to_owned);
    let text = match (shown, answer.field("message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code,
        (None, Some(message)) => format!("HTTP {}: {message}", answer.status),
        (None, None) => format!("HTTP {}", answer.status),
    };
    let clock_ahead = clock_ahead.filter(|_| refusal == LoginRefusal::Invalid);
    LoginError::Refused { refusal, text, clock_ahead }
}

/// | status, class or code | meaning |
/// |---|---|
/// | `TOKEN_EXPIRED` | the session has expired |
/// | `USER_CREDENTIALS_CHANGED` | the same, as the password was changed |
/// | `AUTHCODE_EXPIRED` | start again |
/// | `INSUFFICIENT_PERMISSIONS` | no policy allows it |
/// | 400, `ValidationException` | the request or the region is wrong |
/// | 429; 5xx | wait; a fault |
fn classify(status: u16, kind: &str, code: &str) -> LoginRefusal {
    match (status, code) {
        (429, _) => LoginRefusal::Throttled,
        (500..=599, _) => LoginRefusal::Fault,
        (_, "TOKEN_EXPIRED") => LoginRefusal::Ended,
        (_, "USER_CREDENTIALS_CHANGED") => LoginRefusal::CredentialsChanged,
        (_, "AUTHCODE_EXPIRED") => LoginRefusal::CodeExpired,
        (_, "INSUFFICIENT_PERMISSIONS") => LoginRefusal::NotAllowed,
        (400, _) if kind == "ValidationException" || code == "INVALID_REQUEST" => LoginRefusal::Invalid,
        _ => LoginRefusal::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do_next() {
        use LoginRefusal as R;
        for (status, kind, code, refusal) in [
            (403, "AccessDeniedException", "TOKEN_EXPIRED", R::Ended),
            (401, "AccessDeniedException", "TOKEN_EXPIRED", R::Ended),
            (403, "AccessDeniedException", "USER_CREDENTIALS_CHANGED", R::CredentialsChanged),
            (403, "AccessDeniedException", "AUTHCODE_EXPIRED", R::CodeExpired),
            (403, "AccessDeniedException", "INSUFFICIENT_PERMISSIONS", R::NotAllowed),
            (403, "AccessDeniedException", "", R::Other),
            (400, "ValidationException", "INVALID_REQUEST", R::Invalid),
            (400, "ValidationException", "", R::Invalid),
            (400, "", "", R::Other),
            (429, "TooManyRequestsError", "rate_exceeded", R::Throttled),
            (500, "InternalServerException", "server_error", R::Fault),
            (502, "", "", R::Fault),
        ] {
            assert_eq!(classify(status, kind, code), refusal, "{status} {kind} {code}");
        }
    }

    #[test]
    fn an_id_is_a_uuid_of_random_bytes() {
        let (one, other) = (random_id().unwrap(), random_id().unwrap());
        assert_ne!(one, other);
        assert_eq!((one.len(), &one[14..15]), (36, "4"), "{one}");
        assert!("89ab".contains(&one[19..20]), "{one}");
    }
}
