//! What the clients of all services share: where a service is, what signs, how a request is sent.

use std::path::PathBuf;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector, http_client_fn};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;
use hatbox_core::secret::{AccessKey, SecretString, SessionCredentials};
use tokio::runtime::Runtime;

use super::endpoint::EndpointUrl;
use super::tls::{TlsError, load_trust_roots};

/// Where a service is, and how to reach it.
#[derive(Debug, Clone)]
pub(crate) struct ServiceSettings {
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

/// How often a request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Once: it carries a code that is good for one use.
    Once,
    /// Up to three times.
    WithRetries,
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

/// The config of a client for one signer.
pub(super) fn sdk_config(
    settings: &ServiceSettings,
    signer: &Signer,
    clock: SharedTimeSource,
    sending: Sending,
) -> Result<SdkConfig, ClientError> {
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials(signer)))
        .time_source(clock)
        .http_client(http_client(settings)?)
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
    Ok(config.build())
}

/// An event loop for the calls of one client.
pub(super) fn start_runtime() -> Result<Runtime, ClientError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ClientError::Runtime)
}

fn http_client(settings: &ServiceSettings) -> Result<SharedHttpClient, ClientError> {
    let is_https = settings.endpoint.as_ref().is_none_or(EndpointUrl::is_https);
    let is_loopback = settings.endpoint.as_ref().is_some_and(EndpointUrl::is_loopback);
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
