//! A sign-in as the config describes it, with what is needed to obtain its token.

use std::sync::Arc;

use hatbox_core::config::profile::{Endpoint, Sso};
use hatbox_core::sso::sign_in::{SignInKey, resolve_sign_in_key};
use hatbox_core::sso::start_url::StartUrl;
use hatbox_core::sso::token_file::SsoToken;
use hatbox_types::name::Region;
use hatbox_types::text::shell::quote_word;

use crate::aws::client::ServiceSettings;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::sso::{SsoOidc, SsoPortal};
use crate::credentials::service::{SsoService, resolve_sso_settings, resolve_web_settings};
use crate::errors::{Failure, FailureKind};
use crate::store::sign_ins::SignIns;
use crate::world::World;
use crate::world::settings::Settings;

/// Where the user may be asked to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// Only on a terminal: for commands that need credentials.
    OnTerminal,
    /// Also without a terminal: for `hatbox sso login`.
    Anywhere,
}

/// How the user signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The browser is redirected to this machine (authorization code with PKCE, RFC 7636).
    Redirect,
    /// The user compares a code in any browser (RFC 8628).
    DeviceCode,
}

/// The flags about the sign-in.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignInOptions {
    /// `--pkce` or `--device`.
    pub(crate) flow: Option<Flow>,
    /// `--redirect-port`.
    pub(crate) redirect_port: Option<u16>,
    /// `--no-browser`.
    pub(crate) is_browser_left_alone: bool,
    /// `--share-sso-cache`.
    pub(crate) is_shared: bool,
}

/// A sign-in, shared by all profiles of the same session.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(super) world: World,
    pub(super) settings: Arc<Settings>,
    pub(super) sso: Sso,
    endpoint: Endpoint,
    pub(super) key: SignInKey,
    pub(super) files: SignIns,
    pub(super) asking: Asking,
    pub(super) options: SignInOptions,
}

impl SignIn {
    /// Creates the sign-in of `sso`, with the network settings of `endpoint`. Reads nothing yet.
    pub(crate) fn new(
        world: &World,
        settings: &Arc<Settings>,
        sso: &Sso,
        endpoint: &Endpoint,
        files: SignIns,
    ) -> Self {
        Self {
            world: world.clone(),
            settings: settings.clone(),
            key: resolve_sign_in_key(sso),
            sso: sso.clone(),
            endpoint: endpoint.clone(),
            files,
            asking: Asking::OnTerminal,
            options: SignInOptions::default(),
        }
    }

    /// Sets how the user signs in, if that is needed.
    pub(crate) fn with_options(self, asking: Asking, options: SignInOptions) -> Self {
        Self { asking, options, ..self }
    }

    /// The name shown to the user: the session's, or else the start URL.
    pub(crate) fn name(&self) -> &str {
        name_of(&self.sso)
    }

    /// The command that signs in.
    pub(crate) fn login_command(&self) -> String {
        login_command(self.name())
    }

    /// Returns a client for the portal that issued `token`.
    pub(crate) fn portal(&self, token: &SsoToken) -> Result<SsoPortal, Failure> {
        let (url, settings) = resolve_sso_settings(
            SsoService::Portal,
            &self.sso,
            &self.endpoint,
            &token.region,
            &self.world.environment,
        )?;
        self.world.announce_endpoint("SSO", settings.endpoint.as_ref());
        Ok(SsoPortal::new(&url, &settings)?)
    }

    /// Returns a client for the service that signs in, in `region`.
    pub(super) fn oidc(&self, region: &Region) -> Result<SsoOidc, Failure> {
        let (url, settings) = resolve_sso_settings(
            SsoService::Oidc,
            &self.sso,
            &self.endpoint,
            region,
            &self.world.environment,
        )?;
        self.world.announce_endpoint("SSO OIDC", settings.endpoint.as_ref());
        Ok(SsoOidc::new(&url, &settings)?)
    }

    /// Resolves the network settings for the server of a start URL.
    pub(super) fn vanity_settings(&self, endpoint: &EndpointUrl) -> Result<ServiceSettings, Failure> {
        resolve_web_settings(&self.endpoint, endpoint, &self.world.environment)
    }

    /// The start URL in the config.
    pub(super) fn start_url(&self) -> Result<StartUrl, Failure> {
        let text = &self.sso.start_url.value;
        StartUrl::parse(text).map_err(|error| {
            Failure::new(FailureKind::Usage, format!("invalid `sso_start_url` `{text}`")).caused_by(&error)
        })
    }
}

/// The name of a sign-in shown to the user: the session's, or else the start URL.
pub(crate) fn name_of(sso: &Sso) -> &str {
    sso.session.as_deref().unwrap_or(&sso.start_url.value)
}

/// The command that signs in to `name`.
pub(super) fn login_command(name: &str) -> String {
    format!("hatbox sso login {}", quote_word(name))
}
