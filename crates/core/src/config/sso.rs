//! Merges the `sso_*` keys of a profile and of its `[sso-session]`.

use super::checked::{parse_plain, parse_with};
use super::error::ConfigError;
use super::files::Config;
use super::header::SectionKind;
use super::layers::{Layers, Part, read_part};
use super::origin::{FileKind, Origin, Sourced};
use super::overrides::Overrides;
use super::problem::Warning;
use super::profile::{Sso, SsoUrls};
use super::service_url::find_sso_urls;
use super::value::parse_bool;
use hatbox_types::name::{AccountId, Region};

const DEVICE: &str = "sso_use_device_code";

/// Returns the SSO settings of the profile; `None` if there are none.
///
/// The session takes precedence. A different inline value is a warning; an inline value that the session lacks is used.
pub(super) fn resolve_sso(
    config: &Config,
    layers: &Layers<'_>,
    overrides: &Overrides,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Sourced<Sso>>, ConfigError> {
    let name = parse_with("sso_session", layers.find("sso_session"), parse_plain)?;
    let account_id = parse_with("sso_account_id", layers.find("sso_account_id"), parse_plain)?;
    let role_name = parse_with("sso_role_name", layers.find("sso_role_name"), parse_plain)?;
    let inline_url = layers.find("sso_start_url");
    let Some(origin) = [&name, &inline_url, &account_id, &role_name]
        .into_iter()
        .flatten()
        .map(|said| said.origin.clone())
        .next()
    else {
        return Ok(None);
    };
    let session = match &name {
        Some(name) => Some(read_session(config, name)?),
        None => None,
    };
    warnings.extend(session.iter().flat_map(Part::colon_warnings));
    let mut choose = |key, inline| choose(key, inline, session.as_ref(), warnings);
    let start_url = choose("sso_start_url", inline_url);
    let region = choose("sso_region", layers.find("sso_region"));
    let use_device_code = choose(DEVICE, layers.find(DEVICE));

    let lacks = |lacks| ConfigError::IncompleteSso { lacks, origin: origin.clone() };
    let start_url = parse_with("sso_start_url", start_url, parse_plain)?;
    let start_url = start_url.ok_or_else(|| lacks("sso_start_url"))?;
    let region = parse_with("sso_region", region, Region::parse)?.ok_or_else(|| lacks("sso_region"))?.value;
    if let Some(account) = account_id.as_ref().filter(|account| AccountId::parse(&account.value).is_err()) {
        let origin = account.origin.clone();
        warnings.push(Warning::AccountIdForm { key: "sso_account_id", origin });
    }
    let sso = Sso {
        session: name.map(|name| name.value),
        start_url,
        region,
        account_id,
        role_name,
        registration_scopes: session.as_ref().map(read_scopes).unwrap_or_default(),
        use_device_code: parse_device(use_device_code)?,
        urls: Box::new(find_sso_urls(config, layers, overrides)?),
    };
    Ok(Some(Sourced { value: sso, origin }))
}

/// Returns the settings of the `[sso-session]` with this name alone, for a sign-in without a profile.
///
/// # Errors
/// If there is no such section, or a required key is missing.
pub fn resolve_sso_session(config: &Config, name: &str, overrides: &Overrides) -> Result<Sso, ConfigError> {
    let no_place = Origin::Default;
    let session = read_session(config, &Sourced { value: name.to_owned(), origin: no_place })?;
    let origin = session.origin(session.place.line);
    let lacks = |lacks| ConfigError::IncompleteSso { lacks, origin: origin.clone() };
    let start_url = parse_with("sso_start_url", session.find("sso_start_url"), parse_plain)?;
    let region = parse_with("sso_region", session.find("sso_region"), Region::parse)?;
    let env = &overrides.endpoint;
    let ignored = parse_with("ignore_configured_endpoint_urls", env.ignore_configured.clone(), parse_bool)?;
    let of_service = |own: &Option<Sourced<String>>| match &ignored {
        Some(ignored) if ignored.value => None,
        _ => own.as_ref().or(env.url.as_ref()).map(|url| url.value.clone()),
    };
    Ok(Sso {
        session: Some(name.to_owned()),
        start_url: start_url.ok_or_else(|| lacks("sso_start_url"))?,
        region: region.ok_or_else(|| lacks("sso_region"))?.value,
        account_id: None,
        role_name: None,
        registration_scopes: read_scopes(&session),
        use_device_code: parse_device(session.find(DEVICE))?,
        urls: Box::new(SsoUrls { oidc: of_service(&env.sso_oidc_url), portal: of_service(&env.sso_url) }),
    })
}

fn read_scopes(session: &Part<'_>) -> Vec<String> {
    let scopes = session.find("sso_registration_scopes");
    scopes
        .iter()
        .flat_map(|scopes| scopes.value.split(','))
        .map(|scope| scope.trim().to_owned())
        .filter(|scope| !scope.is_empty())
        .collect()
}

fn parse_device(said: Option<Sourced<String>>) -> Result<bool, ConfigError> {
    Ok(parse_with(DEVICE, said, parse_bool)?.is_some_and(|said| said.value))
}

fn read_session<'a>(config: &'a Config, name: &Sourced<String>) -> Result<Part<'a>, ConfigError> {
    match read_part(config, FileKind::Config, SectionKind::SsoSession, &name.value) {
        Some((part, None)) => {
            let empty = part.empty_identity().next();
            empty.map_or(Ok(part), |(key, origin)| Err(ConfigError::EmptyIdentity { key, origin }))
        }
        Some((_, Some(bad))) => Err(bad),
        None => Err(ConfigError::MissingSection {
            key: "sso_session",
            word: "sso-session",
            name: name.value.clone(),
            nearest: config.nearest_section(SectionKind::SsoSession, &name.value),
            origin: name.origin.clone(),
        }),
    }
}

fn choose(
    key: &'static str,
    inline: Option<Sourced<String>>,
    session: Option<&Part<'_>>,
    warnings: &mut Vec<Warning>,
) -> Option<Sourced<String>> {
    match (session.and_then(|session| session.find(key)), inline) {
        (Some(wins), Some(inline)) => {
            if wins.value != inline.value {
                let by = session.map_or_else(String::new, |session| format!("`[{}]`", session.section));
                warnings.push(Warning::Loses { key, by, origin: inline.origin });
            }
            Some(wins)
        }
        (wins, inline) => wins.or(inline),
    }
}
