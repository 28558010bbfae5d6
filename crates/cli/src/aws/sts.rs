//! GetSessionToken and AssumeRole.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sts::config::{AppName, BehaviorVersion, Region, SharedHttpClient};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types::Tag;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use hatbox_core::name::{AccessKeyId, MfaSerial, RoleArn};
use hatbox_core::secret::{AccessKey, MfaCode, SecretString, SessionCredentials};
use jiff::Timestamp;

use super::endpoint::EndpointUrl;
use super::sts_error::{StsError, StsProblem, classify};
use super::tls::{TlsError, load_trust_roots};

/// Where STS is, and how to reach it.
#[derive(Debug, Clone)]
pub(crate) struct StsSettings {
    /// Another endpoint than AWS's own.
    pub(crate) endpoint: Option<EndpointUrl>,
    pub(crate) region: String,
    pub(crate) use_fips: bool,
    pub(crate) use_dualstack: bool,
    /// A PEM file to trust instead of the system's.
    pub(crate) ca_bundle: Option<PathBuf>,
}

/// What signs a call.
#[derive(Debug, Clone)]
pub(crate) enum Signer {
    /// A user's long-lived key.
    Key(AccessKey),
    /// Temporary credentials.
    Session(SessionCredentials),
    /// Temporary credentials of which nobody knows the end.
    Found { key: AccessKey, session_token: SecretString },
}

/// A device and a code of it.
#[derive(Debug, Clone)]
pub(crate) struct MfaProof {
    pub(crate) serial: MfaSerial,
    pub(crate) code: MfaCode,
}

/// The parameters of AssumeRole.
#[derive(Debug, Clone)]
pub(crate) struct AssumeRoleCall {
    pub(crate) role: RoleArn,
    pub(crate) session_name: String,
    pub(crate) duration: Duration,
    pub(crate) external_id: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) transitive_tags: Vec<String>,
    pub(crate) source_identity: Option<String>,
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// No trust roots.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system gave no event loop.
    #[error("could not start the network runtime")]
    Runtime(#[source] std::io::Error),
}

/// A client for one signer.
pub(crate) struct Sts {
    client: aws_sdk_sts::Client,
    runtime: tokio::runtime::Runtime,
}

impl Sts {
    /// Makes the client. Calls that carry an MFA code are sent once: neither a retry nor a correction of clock
    /// skew sends them again, as a second use of a code is refused.
    pub(crate) fn new(
        settings: &StsSettings,
        signer: &Signer,
        clock: SharedTimeSource,
        sending: Sending,
    ) -> Result<Self, ClientError> {
        let is_https = settings.endpoint.as_ref().is_none_or(EndpointUrl::is_https);
        let is_loopback = settings.endpoint.as_ref().is_some_and(EndpointUrl::is_loopback);
        let mut config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .credentials_provider(credentials(signer))
            .time_source(clock)
            .http_client(http_client(settings, is_https, is_loopback)?)
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(5))
                    .read_timeout(Duration::from_secs(20))
                    .operation_timeout(Duration::from_mins(1))
                    .build(),
            )
            .retry_config(match sending {
                Sending::Once => RetryConfig::disabled(),
                Sending::WithRetries => RetryConfig::standard().with_max_attempts(3),
            })
            .disable_clock_skew_correction(sending == Sending::Once)
            .use_fips(settings.use_fips)
            .use_dual_stack(settings.use_dualstack);
        if let Ok(name) = AppName::new("hatbox") {
            config = config.app_name(name);
        }
        if let Some(endpoint) = &settings.endpoint {
            config = config.endpoint_url(endpoint.as_str());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ClientError::Runtime)?;
        Ok(Self { client: aws_sdk_sts::Client::from_conf(config.build()), runtime })
    }

    /// GetSessionToken.
    pub(crate) fn fetch_session_token(
        &self,
        duration: Duration,
        mfa: Option<&MfaProof>,
    ) -> Result<SessionCredentials, StsError> {
        let call = self
            .client
            .get_session_token()
            .duration_seconds(seconds(duration))
            .set_serial_number(mfa.map(|m| m.serial.as_str().to_owned()))
            .set_token_code(mfa.map(|m| m.code.expose().to_owned()));
        let answer = self.runtime.block_on(call.send()).map_err(|error| of_sdk_error(&error))?;
        parse_credentials(answer.credentials)
    }

    /// AssumeRole.
    pub(crate) fn fetch_role(
        &self,
        call: &AssumeRoleCall,
        mfa: Option<&MfaProof>,
    ) -> Result<SessionCredentials, StsError> {
        let tags = call
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| StsError { problem: StsProblem::Invalid, text: error.to_string() })?;
        let request = self
            .client
            .assume_role()
            .role_arn(call.role.as_str())
            .role_session_name(&call.session_name)
            .duration_seconds(seconds(call.duration))
            .set_external_id(call.external_id.clone())
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys((!call.transitive_tags.is_empty()).then(|| call.transitive_tags.clone()))
            .set_source_identity(call.source_identity.clone())
            .set_serial_number(mfa.map(|m| m.serial.as_str().to_owned()))
            .set_token_code(mfa.map(|m| m.code.expose().to_owned()));
        let answer = self.runtime.block_on(request.send()).map_err(|error| of_sdk_error(&error))?;
        let user = answer.assumed_role_user.as_ref().map_or("nobody", |user| user.arn());
        // Security: the right credentials or none. An endpoint that gives another role's is not believed.
        if !is_session_of(user, &call.role) {
            let text = format!("the answer is for `{user}`, not for the role asked for");
            return Err(StsError { problem: StsProblem::Other, text });
        }
        parse_credentials(answer.credentials)
    }
}

/// Whether `arn:PARTITION:sts::ACCOUNT:assumed-role/NAME/SESSION` is a session of `role`.
fn is_session_of(arn: &str, role: &RoleArn) -> bool {
    let prefix =
        format!("arn:{}:sts::{}:assumed-role/{}/", role.partition(), role.account(), role.role_name());
    arn.starts_with(&prefix)
}

/// How often a request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Once: it carries a code that is good for one use.
    Once,
    /// Up to three times.
    WithRetries,
}

fn http_client(
    settings: &StsSettings,
    is_https: bool,
    is_loopback: bool,
) -> Result<SharedHttpClient, ClientError> {
    // Nothing that is meant for this machine goes out to a proxy.
    let proxy = move || if is_loopback { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
    if !is_https {
        return Ok(http_client_fn(move |settings, _| {
            let mut builder = Connector::builder().proxy_config(proxy());
            builder.set_connector_settings(Some(settings.clone()));
            SharedHttpConnector::new(builder.build_http())
        }));
    }
    let roots = load_trust_roots(settings.ca_bundle.as_deref())?;
    Ok(http_client_fn(move |settings, components| {
        let mut builder = Connector::builder()
            .proxy_config(proxy())
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .tls_context(roots.clone());
        builder.set_connector_settings(Some(settings.clone()));
        builder.set_sleep_impl(components.sleep_impl());
        SharedHttpConnector::new(builder.build())
    }))
}

fn credentials(signer: &Signer) -> Credentials {
    let (id, secret, token) = match signer {
        Signer::Key(key) => (&key.id, &key.secret, None),
        Signer::Session(session) => {
            (&session.access_key_id, &session.secret_access_key, Some(&session.session_token))
        }
        Signer::Found { key, session_token } => (&key.id, &key.secret, Some(session_token)),
    };
    let token = token.map(|token| token.expose().to_owned());
    Credentials::new(id.as_str(), secret.expose(), token, None, "hatbox")
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

fn parse_credentials(
    credentials: Option<aws_sdk_sts::types::Credentials>,
) -> Result<SessionCredentials, StsError> {
    let bad = |text: &str| StsError { problem: StsProblem::Other, text: text.to_owned() };
    let credentials = credentials.ok_or_else(|| bad("the answer holds no credentials"))?;
    Ok(SessionCredentials {
        access_key_id: AccessKeyId::parse(credentials.access_key_id())
            .map_err(|error| bad(&format!("the answer's access key id {error}")))?,
        secret_access_key: SecretString::new(credentials.secret_access_key),
        session_token: SecretString::new(credentials.session_token),
        expires_at: Timestamp::from_second(credentials.expiration.secs())
            .map_err(|_| bad("the answer's expiration is no time"))?,
    })
}

fn of_sdk_error<E>(error: &SdkError<E, HttpResponse>) -> StsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let Some(code) = service.err().code() else {
                // A proxy, a captive portal, the wrong port.
                let text = format!("HTTP {}, and not in the form of STS", service.raw().status().as_u16());
                return StsError { problem: StsProblem::NotSts, text };
            };
            let message = service.err().message().unwrap_or("no text").trim();
            StsError { problem: classify(code, message), text: clean(&format!("{code}: {message}")) }
        }
        SdkError::TimeoutError(_) => {
            StsError { problem: StsProblem::TimedOut, text: "no answer in time".to_owned() }
        }
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            StsError { problem: StsProblem::TimedOut, text: "no connection in time".to_owned() }
        }
        SdkError::DispatchFailure(failure) => {
            let text =
                failure.as_connector_error().map_or_else(|| "no connection".to_owned(), |e| innermost(e));
            // The names of rustls's errors, which are all that reaches us as text.
            let problem =
                if text.contains("certificate") { StsProblem::Certificate } else { StsProblem::Unreachable };
            StsError { problem, text }
        }
        other => StsError { problem: StsProblem::Other, text: innermost(other) },
    }
}

/// The service's text as it may be shown: one line, no more than a few, nothing that a terminal obeys.
fn clean(text: &str) -> String {
    const SHOWN: usize = 600;
    // Security: the long form of a refused signature quotes the request, session token and all.
    let text = text.split("The Canonical String").next().unwrap_or_default();
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// The last cause says what happened; those above say only through which layers it came.
fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_text_shows_no_request_and_moves_no_cursor() {
        assert_eq!(
            clean("A: b\u{1b}[2Jc\nThe Canonical String for this request should have been 'x'"),
            "A: b [2Jc"
        );
        assert_eq!(clean(&"x".repeat(5000)).len(), 600);
    }

    #[test]
    fn an_answer_for_another_role_is_told_apart() {
        let role = RoleArn::parse("arn:aws:iam::444455556666:role/team/Ops").unwrap();
        assert!(is_session_of("arn:aws:sts::444455556666:assumed-role/Ops/me", &role));
        for other in [
            "arn:aws:sts::444455556666:assumed-role/OpsAdmin/me",
            "arn:aws:sts::111122223333:assumed-role/Ops/me",
            "arn:aws-cn:sts::444455556666:assumed-role/Ops/me",
            "nobody",
        ] {
            assert!(!is_session_of(other, &role), "{other}");
        }
    }
}
