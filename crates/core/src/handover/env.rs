//! Resolves the change to a child's environment: the variables to set and to remove.

use std::collections::BTreeSet;

use hatbox_types::secret::SecretString;

use super::credentials::{Handover, render_time};
use super::marks::{Marked, is_emptied, render_marks};

/// Variables that give an AWS SDK an identity, or describe an identity that is replaced.
const AWS_NAMES: [&str; 16] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    // Names of the first AWS SDK for Java, which some tools still read.
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_CREDENTIAL_FILE",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_SESSION_EXPIRATION",
    // The SDKs build account-based endpoints from it.
    "AWS_ACCOUNT_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SDK_LOAD_CONFIG",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
];

/// Variables that open stores: hatbox's own, and those that aws-vault reads.
///
/// 1Password's own `OP_SERVICE_ACCOUNT_TOKEN` and similar stay, as other tools of the user need them.
const STORE_SECRETS: [&str; 7] = [
    "HATBOX_PASSPHRASE_FD",
    "HATBOX_PASSPHRASE_FILE",
    "HATBOX_FILE_PASSPHRASE",
    "AWS_VAULT_FILE_PASSPHRASE",
    "AWS_VAULT_OP_CONNECT_TOKEN",
    "AWS_VAULT_OP_SERVICE_ACCOUNT_TOKEN",
    "PROTON_PASS_PERSONAL_ACCESS_TOKEN",
];

/// Prefixes of variables for container credentials, and for bearer tokens, which take precedence over signatures.
const AWS_PREFIXES: [&str; 2] = ["AWS_CONTAINER_", "AWS_BEARER_TOKEN_"];

/// Whether a variable with this name must not reach the child, unless hatbox sets it.
///
/// Ignores case on every system, as names on Windows are not case-sensitive.
pub fn is_scrubbed(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    AWS_NAMES.contains(&name.as_str())
        || STORE_SECRETS.contains(&name.as_str())
        || Marked::is_own(&name)
        || AWS_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a variable with this name opens a store. Helper programs do not get such variables.
pub fn is_store_secret(name: &str) -> bool {
    STORE_SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// The variables of a child's environment to set and to remove. `Debug` prints names only.
#[derive(Debug, Clone, Default)]
pub struct EnvChange {
    /// Names and values, in the order in which `export` prints them.
    pub set: Vec<(&'static str, SecretString)>,
    /// Names, sorted, none of which is in `set`.
    pub remove: Vec<String>,
}

/// Resolves the change that hands `handover` to a child. `inherited` is the current environment. Removes its variables
/// that [`is_scrubbed`] covers and, whether inherited or not, every fixed name that is not set, so the change is right
/// for any environment.
///
/// Also removes an empty region or endpoint that is not replaced: the SDKs disagree on whether empty means unset.
pub fn resolve_env_change<'a>(
    handover: Handover<'_>,
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> EnvChange {
    let mut set =
        vec![("AWS_VAULT", plain(handover.profile.as_str())), ("HATBOX", plain(handover.profile.as_str()))];
    let [endpoint, account] = place_variables(handover);
    set.extend(endpoint);
    set.extend(credential_variables(handover));
    set.extend(account);
    resolve_change(set, inherited)
}

/// Resolves the change that sets `set` with marks, and removes every other identity.
pub(super) fn resolve_change<'a>(
    mut set: Vec<(&'static str, SecretString)>,
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> EnvChange {
    let former = |name: &str| inherited.clone().into_iter().find(|(n, _)| *n == name).map(|(_, value)| value);
    set.extend(render_marks(&set, former));
    let is_set = |name: &str| set.iter().any(|(set, _)| *set == name);
    let is_unwanted =
        |(name, value): &(&str, &str)| is_scrubbed(name) || (value.is_empty() && is_emptied(name));
    let inherited = inherited.into_iter().filter(is_unwanted).map(|(name, _)| name);
    let remove: BTreeSet<&str> =
        AWS_NAMES.into_iter().chain(STORE_SECRETS).chain(inherited).filter(|name| !is_set(name)).collect();
    let remove = remove.into_iter().map(str::to_owned).collect();
    EnvChange { set, remove }
}

/// Returns the variables that `export` prints too, in its order.
pub(super) fn credential_variables(handover: Handover<'_>) -> Vec<(&'static str, SecretString)> {
    let credentials = handover.credentials;
    let mut set = vec![
        ("AWS_ACCESS_KEY_ID", plain(credentials.id().as_str())),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret().clone()),
    ];
    if let Some((token, expires_at)) = credentials.session() {
        set.push(("AWS_SESSION_TOKEN", token.clone()));
        if let Some(end) = expires_at {
            set.push(("AWS_CREDENTIAL_EXPIRATION", plain(&render_time(end))));
        }
    }
    if let Some(region) = handover.region {
        // Some SDKs read only one of the two.
        set.push(("AWS_REGION", plain(region.as_str())));
        set.push(("AWS_DEFAULT_REGION", plain(region.as_str())));
    }
    set
}

/// Returns the endpoint and the account, which say where the credentials apply.
pub(super) fn place_variables(handover: Handover<'_>) -> [Option<(&'static str, SecretString)>; 2] {
    let variable = |name, value: Option<&str>| value.map(|value| (name, plain(value)));
    [variable("AWS_ENDPOINT_URL", handover.endpoint_url), variable("AWS_ACCOUNT_ID", handover.account)]
}

pub(super) fn plain(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::credentials::Credentials;
    use super::*;
    use hatbox_types::name::{AccessKeyId, ProfileName, Region};
    use hatbox_types::secret::{AccessKey, SessionCredentials};

    fn key() -> Credentials {
        Credentials::AccessKey(AccessKey::parse("AKIAIOSFODNN7EXAMPLE", "the-secret").unwrap())
    }

    fn session() -> Credentials {
        Credentials::Session(SessionCredentials {
            access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").unwrap(),
            secret_access_key: plain("the-secret"),
            session_token: plain("the-token"),
            expires_at: "2009-02-04T21:00:57.9-08:00".parse::<Timestamp>().unwrap(),
        })
    }

    /// Returns the child's environment, starting from one in which each of `inherited` is set to `old`.
    fn child(credentials: &Credentials, inherited: &[&str], has_places: bool) -> Vec<(String, String)> {
        let profile = ProfileName::parse("a").unwrap();
        let region = Region::parse("r-1").unwrap();
        let handover = Handover {
            profile: &profile,
            credentials,
            account: has_places.then_some("444455556666"),
            region: has_places.then_some(&region),
            endpoint_url: has_places.then_some("http://127.0.0.1:4"),
        };
        let change = resolve_env_change(handover, inherited.iter().map(|name| (*name, "old")));
        let mut env: std::collections::BTreeMap<String, String> =
            inherited.iter().map(|name| ((*name).to_owned(), "old".to_owned())).collect();
        for name in &change.remove {
            env.remove(name);
        }
        for (name, value) in change.set {
            assert!(!change.remove.iter().any(|removed| removed == name), "{name}");
            env.insert(name.to_owned(), value.expose().to_owned());
        }
        env.into_iter().collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_child_gets_these_credentials_and_no_others() {
        let key_variables = [
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "the-secret"),
            ("AWS_VAULT", "a"),
            ("HATBOX", "a"),
        ];
        for (name, is_kept, why) in [
            ("AWS_SESSION_TOKEN", false, "a long-lived key has none"),
            ("AWS_SECURITY_TOKEN", false, "its old name"),
            ("AWS_PROFILE", false, "a profile comes before the environment in some tools"),
            ("AWS_DEFAULT_PROFILE", false, "its old name"),
            ("AWS_CREDENTIAL_FILE", false, "a file with other keys"),
            ("AWS_SDK_LOAD_CONFIG", false, "as aws-vault does"),
            ("AWS_CREDENTIAL_EXPIRATION", false, "a past one stops aws and boto3 before any call"),
            ("AWS_SESSION_EXPIRATION", false, "the name of old aws-vault versions"),
            ("AWS_ACCOUNT_ID", false, "another account's endpoints"),
            ("AWS_ACCESS_KEY", false, "old Java"),
            ("AWS_SECRET_KEY", false, "old Java"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", false, "another identity"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", false, "another identity"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", false, "the key to it"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", false, "the key to it"),
            ("AWS_CONTAINER_SOMETHING_NEW", false, "whatever comes"),
            ("AWS_BEARER_TOKEN_BEDROCK", false, "comes before signatures"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", false, "another identity"),
            ("AWS_ROLE_ARN", false, "another identity"),
            ("AWS_ROLE_SESSION_NAME", false, "its name"),
            ("HATBOX_PASSPHRASE_FD", false, "opens the store"),
            ("HATBOX_PASSPHRASE_FILE", false, "opens the store"),
            ("HATBOX_FILE_PASSPHRASE", false, "opens the store"),
            ("AWS_VAULT_FILE_PASSPHRASE", false, "opens the store"),
            ("AWS_VAULT_OP_CONNECT_TOKEN", false, "opens aws-vault's store"),
            ("AWS_VAULT_OP_SERVICE_ACCOUNT_TOKEN", false, "opens aws-vault's store"),
            ("PROTON_PASS_PERSONAL_ACCESS_TOKEN", false, "opens aws-vault's store"),
            ("aws_session_token", false, "Windows does not tell case apart"),
            ("HATBOX_SET", false, "marks of another run"),
            ("HATBOX_ORIG_AWS_REGION", false, "what another run replaced"),
            ("AWS_CONFIG_FILE", true, "the user's files"),
            ("AWS_SHARED_CREDENTIALS_FILE", true, "the user's files"),
            ("AWS_REGION", true, "none was resolved, so none is set over it"),
            ("AWS_ENDPOINT_URL", true, "none was resolved"),
            ("AWS_CA_BUNDLE", true, "no identity"),
            ("AWS_VAULT_BACKEND", true, "no secret"),
            ("OP_SERVICE_ACCOUNT_TOKEN", true, "the user's own, for other tools"),
            ("PATH", true, "no business of ours"),
        ] {
            let mut expected = pairs(&key_variables);
            if is_kept {
                expected.push((name.to_owned(), "old".to_owned()));
                expected.sort();
            }
            assert_eq!(child(&key(), &[name], false), expected, "{name}: {why}");
        }
    }

    #[test]
    fn a_session_is_set_whole_over_what_was_there() {
        let old = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SESSION_TOKEN",
            "AWS_CREDENTIAL_EXPIRATION",
            "AWS_REGION",
            "AWS_VAULT",
            "HATBOX",
        ];
        assert_eq!(
            child(&session(), &old, true),
            pairs(&[
                ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
                ("AWS_ACCOUNT_ID", "444455556666"),
                ("AWS_CREDENTIAL_EXPIRATION", "2009-02-05T05:00:57Z"),
                ("AWS_DEFAULT_REGION", "r-1"),
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:4"),
                ("AWS_REGION", "r-1"),
                ("AWS_SECRET_ACCESS_KEY", "the-secret"),
                ("AWS_SESSION_TOKEN", "the-token"),
                ("AWS_VAULT", "a"),
                ("HATBOX", "a"),
                ("HATBOX_ORIG_AWS_REGION", "old"),
                (
                    "HATBOX_SET",
                    "AWS_ENDPOINT_URL=http://127.0.0.1:4 AWS_REGION=r-1 AWS_DEFAULT_REGION=r-1 \
                     AWS_ACCOUNT_ID=444455556666",
                ),
            ])
        );
    }

    #[test]
    fn an_empty_region_or_endpoint_does_not_reach_the_child() {
        let profile = ProfileName::parse("a").unwrap();
        let region = Region::parse("r-1").unwrap();
        let names = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"];
        for (region, removed) in [(None, &names[..]), (Some(&region), &names[2..])] {
            let handover = Handover {
                profile: &profile,
                credentials: &key(),
                account: None,
                region,
                endpoint_url: None,
            };
            let empty = names.into_iter().chain(["AWS_PAGER"]).map(|name| (name, ""));
            let change = resolve_env_change(handover, empty);
            for name in names {
                assert_eq!(change.remove.iter().any(|n| n == name), removed.contains(&name), "{name}");
            }
            assert!(!change.remove.iter().any(|name| name == "AWS_PAGER"), "empty means something there");
        }
    }

    #[test]
    fn a_change_holds_without_knowing_what_is_inherited() {
        let profile = ProfileName::parse("a").unwrap();
        let handover = Handover {
            profile: &profile,
            credentials: &key(),
            account: None,
            region: None,
            endpoint_url: None,
        };
        let change = resolve_env_change(handover, []);
        for name in ["AWS_SESSION_TOKEN", "AWS_PROFILE", "HATBOX_FILE_PASSPHRASE"] {
            assert!(change.remove.iter().any(|removed| removed == name), "{name}");
        }
        assert!(!format!("{change:?}").contains("the-secret"));
    }
}
