//! What the clients of all services share: endpoints, signers, and how a request is sent.

use std::error::Error;
use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;
use hatbox_types::name::AccessKeyId;
use hatbox_types::secret::{AccessKey, SecretString, SessionCredentials};
use tokio::runtime::Runtime;

use super::endpoint::EndpointUrl;
use super::proxy::Proxy;
use super::tls::TlsError;
pub(crate) use super::transport::TimeLimits;
use super::transport::{AnswerLimit, Trace, Transport};
use super::unanswered::Unanswered;
use crate::wait_line::await_with_line;

/// The endpoint of a service, and how to reach it.
#[derive(Debug, Clone)]
pub(crate) struct ServiceSettings {
    /// An endpoint that replaces AWS's own.
    pub(crate) endpoint: Option<EndpointUrl>,
    pub(crate) region: String,
    pub(crate) use_fips: bool,
    pub(crate) use_dualstack: bool,
    /// A PEM file that replaces the system's certificates.
    pub(crate) ca_bundle: Option<PathBuf>,
    /// The proxy for https requests to other machines.
    pub(crate) proxy: Option<Proxy>,
    /// How long to wait for an answer.
    pub(crate) limits: TimeLimits,
}

/// What signs a call.
#[derive(Debug, Clone)]
pub(crate) enum Signer {
    /// A user's long-lived key.
    Key(AccessKey),
    /// Temporary credentials.
    Session(SessionCredentials),
    /// Temporary credentials whose expiry is unknown.
    Found { key: AccessKey, session_token: SecretString },
}

impl Signer {
    /// Returns the access key id.
    pub(crate) fn access_key_id(&self) -> &AccessKeyId {
        match self {
            Self::Key(key) | Self::Found { key, .. } => &key.id,
            Self::Session(session) => &session.access_key_id,
        }
    }
}

/// How often a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Once, as it contains a code that works only once.
    Once,
    /// Up to three times.
    WithRetries,
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// There are no trusted certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system provided no event loop.
    #[error("could not start the network runtime")]
    Runtime(#[source] std::io::Error),
}

/// Returns the config of a client for one signer, or for unsigned calls, with the runner of its calls.
pub(super) fn sdk_config(
    settings: &ServiceSettings,
    signer: Option<&Signer>,
    clock: SharedTimeSource,
    sending: Sending,
) -> Result<(SdkConfig, Runner), ClientError> {
    let transport =
        Transport::new(settings.endpoint.as_ref(), settings.ca_bundle.as_deref(), settings.proxy.clone())?;
    let runner = Runner::new(transport.clone(), settings.limits)?;
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .time_source(clock)
        .http_client(transport.client(AnswerLimit::Usual))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(settings.limits.connect)
                .read_timeout(settings.limits.read)
                .operation_timeout(settings.limits.operation)
                .build(),
        )
        .retry_config(match sending {
            Sending::Once => RetryConfig::disabled(),
            Sending::WithRetries => RetryConfig::standard().with_max_attempts(3),
        })
        .disable_clock_skew_correction(sending == Sending::Once)
        .use_fips(settings.use_fips)
        .use_dual_stack(settings.use_dualstack);
    if let Some(signer) = signer {
        config = config.credentials_provider(SharedCredentialsProvider::new(credentials(signer)));
    }
    if let Ok(name) = AppName::new("hatbox") {
        config = config.app_name(name);
    }
    if let Some(endpoint) = &settings.endpoint {
        config = config.endpoint_url(endpoint.as_str());
    }
    Ok((config.build(), runner))
}

/// Runs the calls of a client, one at a time.
pub(super) struct Runner {
    runtime: Runtime,
    transport: Transport,
    limits: TimeLimits,
}

impl Runner {
    fn new(transport: Transport, limits: TimeLimits) -> Result<Self, ClientError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { runtime: runtime.map_err(ClientError::Runtime)?, transport, limits })
    }

    pub(super) fn run<T, E>(
        &self,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Unanswered>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let trace = self.transport.trace().clone();
        let call = await_with_line(call, self.limits.operation, move || trace.render_waiting());
        let result = self.runtime.block_on(call);
        result.map_err(|error| Unanswered::of_sdk(&error, self.transport.trace(), self.limits))
    }

    /// For calls with longer answers than usual.
    #[cfg_attr(not(feature = "trust"), expect(dead_code, reason = "for the client of IAM"))]
    pub(super) fn http_client(&self, limit: AnswerLimit) -> SharedHttpClient {
        self.transport.clone().client(limit)
    }

    /// What is known about the last request.
    pub(super) fn trace(&self) -> &Trace {
        self.transport.trace()
    }
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
