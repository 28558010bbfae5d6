//! Resolves the endpoint and network settings of each service of a plan, and checks whether its keys may be sent there.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hatbox_core::config::profile::{Endpoint, Sso, StsRegional};
use hatbox_core::console::place::ConsolePlace;
use hatbox_core::login::address::render_sign_in_url;
use hatbox_core::plan::{Plan, Step};
use hatbox_types::name::{AccessKeyId, ProfileName, Region};
use hatbox_types::partition::Partition;
use hatbox_types::sandbox_key::{is_minted_by, is_sandbox_issuer};
use hatbox_types::secret::SecretString;
use zeroize::Zeroizing;

use crate::aws::client::{ServiceSettings, TimeLimits};
use crate::aws::endpoint::EndpointUrl;
use crate::aws::proxy::Proxy;
use crate::env_names;
use crate::errors::{Failure, FailureKind};
use crate::world::clock::shortened;
use crate::world::environment::Environment;

/// Regions for which `sts_regional_endpoints = legacy` selects the global endpoint (AWS SDKs reference guide).
const LEGACY_REGIONS: [&str; 16] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "aws-global",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Resolves the settings for STS in a partition, in its default region unless the profile sets one.
pub(super) fn resolve_sts_settings(
    plan: &Plan,
    partition: Partition,
    environment: &Environment,
) -> Result<ServiceSettings, Failure> {
    let asked = &plan.endpoint;
    let region = match &plan.region {
        Some(region) => region.value.as_str().to_owned(),
        None => partition.usual_region().to_owned(),
    };
    let is_global = asked.sts_regional.as_ref().is_some_and(|said| said.value == StsRegional::Legacy)
        && LEGACY_REGIONS.contains(&region.as_str());
    let url = match &asked.sts_url {
        Some(url) => Some(url.value.as_str()),
        None => is_global.then_some("https://sts.amazonaws.com"),
    };
    let region = if is_global && asked.sts_url.is_none() { "us-east-1".to_owned() } else { region };
    resolve_settings(&plan.endpoint, url, region, environment)
}

/// The two services of Identity Center.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SsoService {
    /// Registers clients and issues tokens.
    Oidc,
    /// Exchanges tokens for credentials.
    Portal,
}

/// Resolves the settings for a service of Identity Center in `region`. `asked` are the profile's general endpoint
/// settings.
pub(super) fn resolve_sso_settings(
    service: SsoService,
    sso: &Sso,
    asked: &Endpoint,
    region: &Region,
    environment: &Environment,
) -> Result<(EndpointUrl, ServiceSettings), Failure> {
    let named = match service {
        SsoService::Oidc => sso.urls.oidc.as_deref(),
        SsoService::Portal => sso.urls.portal.as_deref(),
    };
    let settings = resolve_settings(asked, named, region.as_str().to_owned(), environment)?;
    let of_aws = || sso_url(service, region, settings.use_fips, settings.use_dualstack);
    let endpoint = match &settings.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => EndpointUrl::parse(&sso_url_of_test(environment).unwrap_or_else(of_aws))
            .map_err(|error| Failure::of_error(FailureKind::Refused, &error))?,
    };
    Ok((endpoint, settings))
}

/// The endpoint that tests substitute for AWS's.
#[cfg(feature = "test-clock")]
fn sso_url_of_test(environment: &Environment) -> Option<String> {
    environment.text(env_names::TEST_SSO_URL)
}

#[cfg(not(feature = "test-clock"))]
fn sso_url_of_test(_: &Environment) -> Option<String> {
    None
}

/// Resolves the settings for a web server that is not AWS's.
pub(super) fn resolve_web_settings(
    asked: &Endpoint,
    endpoint: &EndpointUrl,
    environment: &Environment,
) -> Result<ServiceSettings, Failure> {
    resolve_settings(asked, Some(endpoint.as_str()), String::new(), environment)
}

/// Returns AWS's own URL, by the endpoint rules of the services' models.
fn sso_url(service: SsoService, region: &Region, use_fips: bool, use_dualstack: bool) -> String {
    let partition = region.partition();
    let host = match (service, use_fips) {
        // GovCloud has no separate FIPS hosts.
        (SsoService::Oidc, true) if partition != Partition::UsGov || use_dualstack => "oidc-fips",
        (SsoService::Oidc, _) => "oidc",
        (SsoService::Portal, true) if partition != Partition::UsGov || use_dualstack => "portal.sso-fips",
        (SsoService::Portal, _) => "portal.sso",
    };
    let suffix = if use_dualstack { partition.dual_stack_suffix() } else { partition.dns_suffix() };
    format!("https://{host}.{region}.{suffix}")
}

/// Resolves the settings for the sign-in service in `region`. `asked` are the profile's endpoint settings.
pub(crate) fn resolve_sign_in_settings(
    asked: &Endpoint,
    region: &Region,
    environment: &Environment,
) -> Result<(EndpointUrl, ServiceSettings), Failure> {
    let url = asked.signin_url.as_ref().map(|url| url.value.as_str());
    let settings = resolve_settings(asked, url, region.as_str().to_owned(), environment)?;
    let endpoint = match &settings.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => EndpointUrl::parse(&render_sign_in_url(region, settings.use_fips))
            .map_err(|error| Failure::of_error(FailureKind::Refused, &error))?,
    };
    Ok((endpoint, settings))
}

/// Resolves the settings for the console's federation endpoint at `place`, which is part of the sign-in service.
pub(super) fn resolve_federation_settings(
    asked: &Endpoint,
    place: &ConsolePlace,
    environment: &Environment,
) -> Result<(EndpointUrl, ServiceSettings), Failure> {
    let url = asked.signin_url.as_ref().map(|url| url.value.as_str());
    let region = place.region().map(|region| region.as_str().to_owned()).unwrap_or_default();
    let settings = resolve_settings(asked, url, region, environment)?;
    let endpoint = match &settings.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => EndpointUrl::parse(&place.sign_in_url())
            .map_err(|error| Failure::of_error(FailureKind::Refused, &error))?,
    };
    Ok((endpoint, settings))
}

/// Resolves the settings for IAM, which has one endpoint and one signing region per partition.
#[cfg(feature = "iam")]
pub(crate) fn resolve_iam_settings(
    plan: &Plan,
    environment: &Environment,
) -> Result<ServiceSettings, Failure> {
    let partition = match &plan.region {
        Some(region) => region.value.partition(),
        None => plan.steps.last().map_or(Partition::Aws, partition_of),
    };
    let url = plan.endpoint.iam_url.as_ref().map(|url| url.value.as_str());
    resolve_settings(&plan.endpoint, url, partition.usual_region().to_owned(), environment)
}

fn resolve_settings(
    asked: &Endpoint,
    url: Option<&str>,
    region: String,
    environment: &Environment,
) -> Result<ServiceSettings, Failure> {
    let endpoint = url
        .map(EndpointUrl::parse)
        .transpose()
        .map_err(|error| Failure::of_error(FailureKind::Refused, &error))?;
    // Never send a request for this machine to a proxy, whatever the variables contain.
    let proxy = if endpoint.as_ref().is_some_and(EndpointUrl::is_loopback) {
        None
    } else {
        Proxy::of_variables(|name| environment.text(name))
            .map_err(|error| Failure::of_error(FailureKind::Usage, &error))?
    };
    Ok(ServiceSettings {
        endpoint,
        proxy,
        region,
        use_fips: asked.use_fips.as_ref().is_some_and(|said| said.value),
        use_dualstack: asked.use_dualstack.as_ref().is_some_and(|said| said.value),
        ca_bundle: asked
            .ca_bundle
            .as_ref()
            .map(|path| path.value.clone())
            .or_else(|| environment.text("SSL_CERT_FILE"))
            .map(PathBuf::from),
        limits: TimeLimits::usual(|limit| shortened(environment, limit)),
    })
}

/// Returns the partition of a step, as far as its ARNs reveal it.
pub(super) fn partition_of(step: &Step) -> Partition {
    let arn = match step {
        Step::AssumeRole(step) => Some(step.role.value.partition()),
        Step::GetFederationToken(_) => None,
        Step::GetSessionToken(step) => {
            step.mfa.as_ref().and_then(|mfa| mfa.serial.value.arn()).map(|arn| arn.partition)
        }
    };
    arn.and_then(Partition::parse).unwrap_or(Partition::Aws)
}

/// Checks that a sandbox's environment is only used with keys that the sandbox issued, so that no signature or code of
/// a real key is sent to a forgotten sandbox.
pub(crate) fn check_sandbox(
    environment: &Environment,
    id: &AccessKeyId,
    profile: &ProfileName,
) -> Result<(), Failure> {
    let Some(sandbox) = environment.text(env_names::SANDBOX) else { return Ok(()) };
    if is_minted_by(id, &sandbox) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Refused,
        format!("the access key of `{profile}` was not created by this sandbox"),
    )
    .hint(format!("leave the sandbox's shell, or unset {}", env_names::SANDBOX)))
}

/// Checks the same for a web identity token, which is sent without a signature: a sandbox's environment accepts only
/// tokens of the sandbox's identity provider.
pub(super) fn check_sandbox_token(
    environment: &Environment,
    token: &SecretString,
    profile: &ProfileName,
) -> Result<(), Failure> {
    if environment.text(env_names::SANDBOX).is_none()
        || parse_issuer(token).is_some_and(|issuer| is_sandbox_issuer(&issuer))
    {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Refused,
        format!(
            "the web identity token of `{profile}` was not issued by the sandbox, which accepts only its own"
        ),
    )
    .hint(format!("leave the sandbox's shell, or unset {}", env_names::SANDBOX)))
}

/// Returns the `iss` claim of a JWT. The signature is not verified, as the claim only decides where the token may be
/// sent.
fn parse_issuer(token: &SecretString) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Claims {
        iss: String,
    }
    let claims = token.expose().split('.').nth(1)?;
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.iss)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_center_is_at_the_addresses_of_its_models() {
        use SsoService::{Oidc, Portal};
        for (service, region, use_fips, use_dualstack, url) in [
            (Oidc, "eu-west-1", false, false, "https://oidc.eu-west-1.amazonaws.com"),
            (Oidc, "us-east-1", true, false, "https://oidc-fips.us-east-1.amazonaws.com"),
            (Oidc, "us-gov-west-1", true, false, "https://oidc.us-gov-west-1.amazonaws.com"),
            (Oidc, "eu-west-1", false, true, "https://oidc.eu-west-1.api.aws"),
            (Oidc, "cn-north-1", false, false, "https://oidc.cn-north-1.amazonaws.com.cn"),
            (Portal, "eu-west-1", false, false, "https://portal.sso.eu-west-1.amazonaws.com"),
            (Portal, "us-east-1", true, false, "https://portal.sso-fips.us-east-1.amazonaws.com"),
            (Portal, "eusc-de-east-1", false, false, "https://portal.sso.eusc-de-east-1.amazonaws.eu"),
        ] {
            let found = sso_url(service, &region.parse().unwrap(), use_fips, use_dualstack);
            assert_eq!(found, url);
            assert!(EndpointUrl::parse(&found).unwrap().is_https());
        }
    }
}
