//! Resolves the layers of text into the checked settings of one profile.

use super::checked::{parse_plain, parse_with};
use super::error::ConfigError;
use super::files::Config;
use super::guard::{is_own, resolve_guard};
use super::known_keys::is_known_key;
use super::layers::{Layers, collect_layers};
use super::origin::{Origin, Place, Sourced};
use super::overrides::{Overrides, TargetOverrides};
use super::problem::Warning;
use super::profile::{
    CredentialSource, Durations, Endpoint, MetadataMode, Profile, StaticKeys, StsRegional, WebIdentity,
};
use super::service_url::find_services_url;
use super::sso::resolve_sso;
use super::value::{
    ValueError, parse_bool, parse_endpoint_url, parse_external_id, parse_session_name, parse_session_tags,
    parse_transitive_tags,
};
use hatbox_types::duration::parse_duration;
use hatbox_types::name::{AccountId, MfaSerial, ProfileName, Region, RoleArn};
use hatbox_types::secret::{AccessKey, SecretString};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The role of a profile in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The requested profile, to which `AWS_ROLE_ARN` and similar variables apply.
    Target,
    /// A profile that another one uses as its source.
    Source,
}

/// Applies all layers to the profile `name` and checks each value.
///
/// A profile in neither file is not an error here, as a key may be stored for its name: it gets the values from flags,
/// environment and `[default]`, and [`Profile::defined_at`] is `None`. If no key is stored either,
/// [`Config::unknown_profile`] creates the error.
///
/// # Errors
/// If a line of the profile or of an included one is invalid, if an include is missing or a loop, if AWS would reject a
/// value, if a section that a key names is missing, or if keys contradict each other.
pub fn resolve_profile(
    config: &Config,
    name: &ProfileName,
    overrides: &Overrides,
    which: Which,
) -> Result<Profile, ConfigError> {
    let mut layers = collect_layers(config, name)?;
    layers.check_identity()?;
    let mut warnings = std::mem::take(&mut layers.warnings);
    let no_overrides = TargetOverrides::default();
    let target = match which {
        Which::Target => &overrides.target,
        Which::Source => &no_overrides,
    };
    let env_or = |said: &Option<Sourced<String>>, key| said.clone().or_else(|| layers.find(key));
    let command = |key| layers.find(key).map(|said| said.map(|text| text.replace('\n', " ")));

    let region = overrides.region.clone().or_else(|| layers.find_or_default("region"));
    let source_profile = parse_with("source_profile", layers.find("source_profile"), ProfileName::parse)?;
    let credential_source =
        parse_with("credential_source", layers.find("credential_source"), parse_credential_source)?;
    if let (Some(_), Some(other)) = (&source_profile, &credential_source) {
        let origin = other.origin.clone();
        return Err(ConfigError::Conflict { one: "source_profile", other: "credential_source", origin });
    }
    let is_own_source = source_profile.as_ref().is_some_and(|said| said.value == *name);
    let mfa_serial = parse_with("mfa_serial", env_or(&overrides.mfa_serial, "mfa_serial"), MfaSerial::parse)?;
    if let Some(said) = mfa_serial.as_ref().filter(|said| said.value.is_user_arn()) {
        let key = if let Origin::Env(name) = said.origin { name } else { "mfa_serial" };
        warnings.push(Warning::UserArnAsMfaSerial { key, origin: said.origin.clone() });
    }

    // Only such profiles use these keys, and `exec` should not search every section for them.
    let is_on_instance =
        credential_source.as_ref().is_some_and(|said| said.value == CredentialSource::Ec2InstanceMetadata);
    let of_instance = |key| is_on_instance.then(|| layers.find(key)).flatten();

    let Keys { unknown, has_own, has_account } = find_keys(&layers);
    let account_id = if has_account { resolve_account_id(&layers, &mut warnings) } else { None };
    let guard = if has_own { resolve_guard(&layers)?.map(Box::new) } else { None };
    Ok(Profile {
        name: Some(name.clone()),
        defined_at: layers.defined_at,
        region: parse_with("region", region, Region::parse)?,
        output: parse_with("output", layers.find_or_default("output"), parse_plain)?,
        role_arn: parse_with("role_arn", env_or(&target.role_arn, "role_arn"), RoleArn::parse)?,
        replaced_role_arn: target.role_arn.as_ref().and_then(|_| layers.find("role_arn")),
        source_profile: source_profile.filter(|_| !is_own_source),
        is_own_source,
        credential_source,
        role_session_name: parse_with(
            "role_session_name",
            env_or(&target.role_session_name, "role_session_name"),
            parse_session_name,
        )?,
        external_id: parse_with("external_id", layers.find("external_id"), parse_external_id)?,
        session_tags: parse_with(
            "session_tags",
            env_or(&target.session_tags, "session_tags"),
            parse_session_tags,
        )?,
        transitive_session_tags: parse_with(
            "transitive_session_tags",
            env_or(&target.transitive_session_tags, "transitive_session_tags"),
            parse_transitive_tags,
        )?,
        source_identity: parse_with(
            "source_identity",
            env_or(&target.source_identity, "source_identity"),
            parse_session_name,
        )?,
        mfa_serial,
        mfa_process: command("mfa_process"),
        durations: resolve_durations(&layers, overrides, &mut warnings)?,
        account_id,
        static_keys: resolve_static_keys(&layers)?,
        credential_process: command("credential_process"),
        web_identity: resolve_web_identity(&layers, &mut warnings)?,
        sso: resolve_sso(config, &layers, overrides, &mut warnings)?,
        login_session: parse_with("login_session", layers.find("login_session"), parse_plain)?,
        endpoint: resolve_endpoint(config, &layers, overrides)?,
        metadata_endpoint: parse_with(METADATA_ENDPOINT, of_instance(METADATA_ENDPOINT), parse_endpoint_url)?,
        metadata_mode: parse_with(METADATA_MODE, of_instance(METADATA_MODE), MetadataMode::parse)?,
        guard,
        unknown,
        warnings,
    })
}

const METADATA_ENDPOINT: &str = "ec2_metadata_service_endpoint";
const METADATA_MODE: &str = "ec2_metadata_service_endpoint_mode";

fn parse_credential_source(text: &str) -> Result<CredentialSource, ValueError> {
    match text {
        "Environment" => Ok(CredentialSource::Environment),
        "Ec2InstanceMetadata" => Ok(CredentialSource::Ec2InstanceMetadata),
        "EcsContainer" => Ok(CredentialSource::EcsContainer),
        _ => Err(ValueError::Choice("`Environment`, `Ec2InstanceMetadata`, `EcsContainer`")),
    }
}

fn parse_sts_regional(text: &str) -> Result<StsRegional, ValueError> {
    match text.to_ascii_lowercase().as_str() {
        "regional" => Ok(StsRegional::Regional),
        "legacy" => Ok(StsRegional::Legacy),
        _ => Err(ValueError::Choice("`regional`, `legacy`")),
    }
}

fn resolve_durations(
    layers: &Layers<'_>,
    overrides: &Overrides,
    warnings: &mut Vec<Warning>,
) -> Result<Durations, ConfigError> {
    let read = |said: Option<Sourced<String>>| parse_with("duration_seconds", said, parse_duration);
    let every = read(overrides.duration.clone())?;
    let either =
        |said: Option<Sourced<String>>| Ok(read(said)?.filter(|_| every.is_none()).or(every.clone()));

    let in_file = layers.find("duration_seconds");
    let seconds = read(in_file.clone())?;
    if let (Some(text), Some(parsed)) = (in_file, &seconds)
        && !text.value.bytes().all(|b| b.is_ascii_digit())
    {
        warnings.push(Warning::DurationForm { seconds: parsed.value.as_secs(), origin: text.origin });
    }
    let assume_role: Option<_> = either(overrides.assume_role_ttl.clone())?;
    Ok(Durations {
        assume_role: assume_role.or(seconds),
        session_token: either(overrides.session_token_ttl.clone())?,
        chained_session_token: either(overrides.chained_session_token_ttl.clone())?,
        federation_token: either(overrides.federation_token_ttl.clone())?,
    })
}

/// Returns the pair from the layer with the highest precedence that has a key, as the halves must not come from two
/// places.
fn resolve_static_keys(layers: &Layers<'_>) -> Result<Option<Sourced<StaticKeys>>, ConfigError> {
    const ID: &str = "aws_access_key_id";
    const SECRET: &str = "aws_secret_access_key";
    for part in &layers.parts {
        let (id, secret) = match (part.find(ID), part.find(SECRET)) {
            (None, None) => continue,
            (Some(id), Some(secret)) => (id, secret),
            (Some(id), None) => {
                return Err(ConfigError::HalfKey { has: ID, lacks: SECRET, origin: id.origin });
            }
            (None, Some(secret)) => {
                return Err(ConfigError::HalfKey { has: SECRET, lacks: ID, origin: secret.origin });
            }
        };
        let secret = SecretString::new(secret.value);
        let origin = id.origin;
        return match AccessKey::parse(&id.value, secret.expose()) {
            Ok(key) => {
                let token = part.find("aws_session_token").or_else(|| part.find("aws_security_token"));
                let session_token = token.map(|token| SecretString::new(token.value));
                let expires_at = EXPIRATION.iter().find_map(|name| parse_expiration(&part.find(name)?.value));
                Ok(Some(Sourced { value: StaticKeys { key, session_token, expires_at }, origin }))
            }
            Err(reason) => Err(ConfigError::StaticKeys { reason, origin }),
        };
    }
    Ok(None)
}

/// Names for the expiry of temporary keys in a file: those of saml2aws and others, aws-azure-login, hatbox and
/// aws-vault, aws-mfa. No SDK reads any of them.
const EXPIRATION: [&str; 5] = [
    "x_security_token_expires",
    "aws_expiration",
    "aws_session_expiration",
    "aws_credential_expiration",
    "expiration",
];

/// Parses a time with its offset, or in UTC without one. Returns `None` for anything else.
fn parse_expiration(text: &str) -> Option<Timestamp> {
    let of_utc =
        || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(of_utc)
}

fn resolve_web_identity(
    layers: &Layers<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Sourced<WebIdentity>>, ConfigError> {
    const FILE: &str = "web_identity_token_file";
    const PROCESS: &str = "web_identity_token_process";
    let file = parse_with(FILE, layers.find(FILE), parse_plain)?.map(|said| said.map(WebIdentity::File));
    let process =
        layers.find(PROCESS).map(|said| said.map(|text| WebIdentity::Process(text.replace('\n', " "))));
    if let (Some(_), Some(process)) = (&file, &process) {
        let (by, origin) = (format!("`{FILE}`"), process.origin.clone());
        warnings.push(Warning::Loses { key: PROCESS, by, origin });
    }
    Ok(file.or(process))
}

fn resolve_endpoint(
    config: &Config,
    layers: &Layers<'_>,
    overrides: &Overrides,
) -> Result<Endpoint, ConfigError> {
    let env = &overrides.endpoint;
    let flag = |said: &Option<Sourced<String>>, key| {
        parse_with(key, said.clone().or_else(|| layers.find(key)), parse_bool)
    };
    let url = |said: Option<Sourced<String>>| parse_with("endpoint_url", said, parse_endpoint_url);

    let is_ignored =
        flag(&env.ignore_configured, "ignore_configured_endpoint_urls")?.is_some_and(|said| said.value);
    let env_url = env.url.clone();
    let in_profile = layers.find("endpoint_url");
    let of_service = |service, own: &Option<Sourced<String>>| match own.clone().or_else(|| env_url.clone()) {
        Some(said) => Ok(Some(said)),
        None => find_services_url(config, layers, service).map(|found| found.or_else(|| in_profile.clone())),
    };
    let (sts_url, iam_url, signin_url, url) = if is_ignored {
        (None, None, None, None)
    } else {
        let for_sts = url(of_service("sts", &env.sts_url)?)?;
        let for_all = url(env_url.clone().or_else(|| in_profile.clone()))?;
        // Not parsed, as a command that only calls STS should not fail because of it.
        let signin = of_service("signin", &env.signin_url)?;
        (for_sts, of_service("iam", &env.iam_url)?, signin, for_all)
    };
    let ca_bundle = env.ca_bundle.clone().or_else(|| layers.find("ca_bundle"));
    let sts_regional = env.sts_regional.clone().or_else(|| layers.find("sts_regional_endpoints"));
    Ok(Endpoint {
        sts_url,
        iam_url,
        signin_url,
        url,
        use_fips: flag(&env.use_fips, "use_fips_endpoint")?,
        use_dualstack: flag(&env.use_dualstack, "use_dualstack_endpoint")?,
        ca_bundle: parse_with("ca_bundle", ca_bundle, parse_plain)?,
        sts_regional: parse_with("sts_regional_endpoints", sts_regional, parse_sts_regional)?,
    })
}

/// The result of a scan of all keys.
struct Keys {
    /// Keys that neither AWS's tools nor hatbox read.
    unknown: Vec<(String, Place)>,
    /// Whether there are keys of hatbox's own.
    has_own: bool,
    /// Whether `aws_account_id` is set. Few profiles have it, so the others need not be searched for it.
    has_account: bool,
}

const ACCOUNT: &str = "aws_account_id";

fn find_keys(layers: &Layers<'_>) -> Keys {
    let mut keys = Keys { unknown: Vec::new(), has_own: false, has_account: false };
    for part in &layers.parts {
        for entry in &part.entries {
            keys.has_own |= entry.nested.iter().any(|nested| is_own(nested.key));
            if is_known_key(entry.key) {
                keys.has_account |= entry.key.eq_ignore_ascii_case(ACCOUNT);
            } else if is_own(entry.key) {
                keys.has_own = true;
            } else {
                keys.unknown.push((entry.key.to_owned(), Place { file: part.file, line: entry.line }));
            }
        }
    }
    keys
}

/// The SDKs do not check it: an invalid one is ignored, with a warning.
fn resolve_account_id(layers: &Layers<'_>, warnings: &mut Vec<Warning>) -> Option<Sourced<AccountId>> {
    let said = layers.find(ACCOUNT)?;
    let Ok(value) = AccountId::parse(&said.value) else {
        warnings.push(Warning::AccountIdForm { key: ACCOUNT, origin: said.origin });
        return None;
    };
    Some(Sourced { value, origin: said.origin })
}
