//! A sign-in as the config describes it, and what obtaining its token needs.

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

/// Where a person may be asked to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// On a terminal: for a command that needs credentials.
    OnTerminal,
    /// Also without one: `hatbox sso login`.
    Anywhere,
}

/// How a person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The browser is redirected to this machine (RFC 7636).
    Redirect,
    /// The person compares a code in any browser (RFC 8628).
    DeviceCode,
}

/// What was said about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignInOptions {
    /// `--pkce`, `--device`.
    pub(crate) flow: Option<Flow>,
    /// `--redirect-port`.
    pub(crate) redirect_port: Option<u16>,
    /// `--no-browser`.
    pub(crate) is_browser_left_alone: bool,
    /// `--share-sso-cache`.
    pub(crate) is_shared: bool,
}

/// A sign-in: one for all profiles that have the same session.
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
    /// The sign-in of `sso`, with the settings of `endpoint` for the network. Nothing is read yet.
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

    /// How a person signs in, where one must.
    pub(crate) fn with_options(self, asking: Asking, options: SignInOptions) -> Self {
        Self { asking, options, ..self }
    }

    /// Its name to a person: that of the session, else the start URL.
    pub(crate) fn name(&self) -> &str {
        name_of(&self.sso)
    }

    /// The command that signs in.
    pub(crate) fn login_command(&self) -> String {
        login_command(self.name())
    }

    /// The portal that `token` was given for.
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

    /// The service that signs in, in `region`.
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

    /// How the server of a start URL is reached.
    pub(super) fn vanity_settings(&self, endpoint: &EndpointUrl) -> Result<ServiceSettings, Failure> {
        resolve_web_settings(&self.endpoint, endpoint, &self.world.environment)
    }

    /// The start URL of the config.
    pub(super) fn start_url(&self) -> Result<StartUrl, Failure> {
        let text = &self.sso.start_url.value;
        StartUrl::parse(text).map_err(|error| {
            Failure::new(FailureKind::Usage, format!("invalid `sso_start_url` `{text}`")).caused_by(&error)
        })
    }
}

/// The name of a sign-in to a person: that of the session, else the start URL.
pub(crate) fn name_of(sso: &Sso) -> &str {
    sso.session.as_deref().unwrap_or(&sso.start_url.value)
}

/// The command that signs in to it.
pub(super) fn login_command(name: &str) -> String {
    format!("hatbox sso login {}", quote_word(name))
}
