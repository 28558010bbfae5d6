//! The URLs of services in the config.

use super::checked::{parse_plain, parse_with};
use super::error::ConfigError;
use super::files::Config;
use super::header::SectionKind;
use super::layers::{Layers, read_part};
use super::origin::{FileKind, Sourced};
use super::overrides::Overrides;
use super::profile::SsoUrls;
use super::value::parse_bool;

/// Returns the URLs of Identity Center's two services, in the SDKs' order of precedence. Does not parse them.
pub(super) fn find_sso_urls(
    config: &Config,
    layers: &Layers<'_>,
    overrides: &Overrides,
) -> Result<SsoUrls, ConfigError> {
    const IGNORE: &str = "ignore_configured_endpoint_urls";
    let env = &overrides.endpoint;
    let is_ignored = env.ignore_configured.clone().or_else(|| layers.find(IGNORE));
    if parse_with(IGNORE, is_ignored, parse_bool)?.is_some_and(|said| said.value) {
        return Ok(SsoUrls::default());
    }
    let of_service = |service, own: &Option<Sourced<String>>| match own.clone().or_else(|| env.url.clone()) {
        Some(said) => Ok(Some(said)),
        None => find_services_url(config, layers, service)
            .map(|found| found.or_else(|| layers.find("endpoint_url"))),
    };
    let text = |said: Option<Sourced<String>>| said.map(|url| url.value);
    Ok(SsoUrls {
        oidc: text(of_service("sso_oidc", &env.sso_oidc_url)?),
        portal: text(of_service("sso", &env.sso_url)?),
    })
}

/// Returns `endpoint_url` under `SERVICE =` in the `[services]` section that the profile names.
pub(super) fn find_services_url(
    config: &Config,
    layers: &Layers<'_>,
    service: &str,
) -> Result<Option<Sourced<String>>, ConfigError> {
    let Some(name) = parse_with("services", layers.find("services"), parse_plain)? else { return Ok(None) };
    let part = match read_part(config, FileKind::Config, SectionKind::Services, &name.value) {
        Some((part, None)) => part,
        Some((_, Some(bad))) => return Err(bad),
        None => {
            return Err(ConfigError::MissingSection {
                key: "services",
                word: "services",
                nearest: config.nearest_section(SectionKind::Services, &name.value),
                name: name.value,
                origin: name.origin,
            });
        }
    };
    let nested = part.entry(service).and_then(|entry| {
        entry.nested.iter().rev().find(|n| n.key.eq_ignore_ascii_case("endpoint_url") && !n.value.is_empty())
    });
    Ok(nested.map(|n| Sourced { value: n.value.to_owned(), origin: part.origin(n.line) }))
}
