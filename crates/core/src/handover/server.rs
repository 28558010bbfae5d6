//! Hands over a credential server instead of credentials: the change to the child's environment, and the server's
//! responses in the formats of AWS's container credential provider and of EC2 instance metadata.

use jiff::Timestamp;

use hatbox_types::name::{ProfileName, Region};
use hatbox_types::secret::SessionCredentials;
use zeroize::Zeroizing;

use super::credentials::render_time;
use super::env::{EnvChange, is_store_secret, plain, resolve_change};
use super::format::FormatError;
use super::json::push_string;
use super::marks::Marked;

/// What is handed over with a credential server. Nothing in it is secret.
#[derive(Debug, Clone, Copy)]
pub struct ServerHandover<'a> {
    /// The profile that the user asked for.
    pub profile: &'a ProfileName,
    /// The address that the SDKs call.
    pub address: ServerAddress<'a>,
    /// The account of the credentials, if it is known without a call.
    pub account: Option<&'a str>,
    /// The region, if one was resolved.
    pub region: Option<&'a Region>,
    /// The endpoint for all services, if one was resolved.
    pub endpoint_url: Option<&'a str>,
    /// The copy of the config file that replaces the original.
    pub config_file: Option<&'a str>,
    /// The copy of the credentials file that replaces the original.
    pub credentials_file: Option<&'a str>,
}

/// The address of a server, with what its clients need.
#[derive(Debug, Clone, Copy)]
pub enum ServerAddress<'a> {
    /// A server with the protocol of container credentials.
    Container {
        /// The URL that the SDKs call.
        uri: &'a str,
        /// The path of the file with the token that the SDKs send.
        token_file: &'a str,
    },
    /// A server of EC2 instance metadata.
    Metadata {
        /// The URL before the paths of the metadata, without a trailing slash.
        endpoint: &'a str,
    },
}

/// Variables that can keep an SDK from using instance metadata, with the value that does not.
const METADATA_OVERRIDES: [(&str, &str); 2] =
    [("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4"), ("AWS_EC2_METADATA_DISABLED", "false")];

/// Resolves the change that makes a child call the server. `inherited` is as in [`super::resolve_env_change`].
pub fn resolve_server_env_change<'a>(
    handover: ServerHandover<'_>,
    inherited: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> EnvChange {
    let profile = handover.profile.as_str();
    let mut set = vec![("AWS_VAULT", plain(profile)), ("HATBOX", plain(profile))];
    set.extend(handover.endpoint_url.map(|url| ("AWS_ENDPOINT_URL", plain(url))));
    match handover.address {
        ServerAddress::Container { uri, token_file } => {
            set.push(("AWS_CONTAINER_CREDENTIALS_FULL_URI", plain(uri)));
            set.push(("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", plain(token_file)));
        }
        ServerAddress::Metadata { endpoint } => {
            set.push(("AWS_EC2_METADATA_SERVICE_ENDPOINT", plain(endpoint)));
            set.push(("AWS_EC2_METADATA_V1_DISABLED", plain("true")));
            // Overwritten instead of removed: the marks then keep the former value for a nested hatbox.
            let is_inherited = |name: &str| inherited.clone().into_iter().any(|(n, _)| n == name);
            set.extend(
                METADATA_OVERRIDES
                    .into_iter()
                    .filter(|(name, _)| is_inherited(name))
                    .map(|(name, value)| (name, plain(value))),
            );
        }
    }
    for (name, file) in [
        ("AWS_CONFIG_FILE", handover.config_file),
        ("AWS_SHARED_CREDENTIALS_FILE", handover.credentials_file),
    ] {
        set.extend(file.map(|file| (name, plain(file))));
    }
    if let Some(region) = handover.region {
        set.push(("AWS_REGION", plain(region.as_str())));
        set.push(("AWS_DEFAULT_REGION", plain(region.as_str())));
    }
    set.extend(handover.account.map(|account| ("AWS_ACCOUNT_ID", plain(account))));
    resolve_change(set, inherited)
}

/// Resolves the change that makes any shell call the server, whatever variables it has. Sets no marks, and keeps the
/// variables that open the store.
pub fn resolve_server_shell_change(handover: ServerHandover<'_>) -> EnvChange {
    // Names that `exec` removes only if it finds them, and that the SDKs prefer to the server or its token.
    const PREFERRED: [&str; 3] = [
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ];
    let mut change = resolve_server_env_change(handover, PREFERRED.map(|name| (name, "set")));
    change.set.retain(|(name, _)| !["AWS_VAULT", "HATBOX"].contains(name) && !Marked::is_own(name));
    change.remove.retain(|name| !is_store_secret(name));
    change
}

/// Renders the response of a container credential server.
///
/// # Errors
/// If a value contains a control character.
pub fn render_container_answer(
    credentials: &SessionCredentials,
    account: Option<&str>,
) -> Result<Zeroizing<String>, FormatError> {
    render_answer(&[], credentials, account)
}

/// Renders the credentials of an instance's role, obtained at `updated_at`.
///
/// # Errors
/// If a value contains a control character.
pub fn render_metadata_answer(
    credentials: &SessionCredentials,
    account: Option<&str>,
    updated_at: Timestamp,
) -> Result<Zeroizing<String>, FormatError> {
    let updated_at = render_time(updated_at);
    let first = [("Code", "Success"), ("LastUpdated", updated_at.as_str()), ("Type", "AWS-HMAC")];
    render_answer(&first, credentials, account)
}

fn render_answer(
    first: &[(&'static str, &str)],
    credentials: &SessionCredentials,
    account: Option<&str>,
) -> Result<Zeroizing<String>, FormatError> {
    let end = render_time(credentials.expires_at);
    let members = [
        ("AccessKeyId", credentials.access_key_id.as_str()),
        ("SecretAccessKey", credentials.secret_access_key.expose()),
        ("Token", credentials.session_token.expose()),
        ("Expiration", end.as_str()),
    ];
    let members = first.iter().copied().chain(members).chain(account.map(|account| ("AccountId", account)));
    // Security: reserve enough (an escape takes two bytes), as a buffer that grows leaves an unwiped copy behind.
    let length: usize = members.clone().map(|(name, value)| name.len() + 2 * value.len() + 8).sum();
    let mut text = Zeroizing::new(String::with_capacity(length + 2));
    for (name, value) in members {
        if value.chars().any(char::is_control) {
            return Err(FormatError::Control(name));
        }
        let start = if text.is_empty() { "{\"" } else { ",\"" };
        text.push_str(start);
        text.push_str(name);
        text.push_str("\":");
        push_string(&mut text, value);
    }
    text.push('}');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use hatbox_types::name::AccessKeyId;
    use hatbox_types::secret::SecretString;

    use super::*;

    fn session(token: &str) -> SessionCredentials {
        SessionCredentials {
            access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").unwrap(),
            secret_access_key: SecretString::new("a/b+c\"\\".to_owned()),
            session_token: SecretString::new(token.to_owned()),
            expires_at: "2009-02-04T21:00:57.9-08:00".parse().unwrap(),
        }
    }

    #[test]
    fn an_answer_has_the_members_that_the_sdks_read() {
        let text = render_container_answer(&session("token"), Some("444455556666")).unwrap();
        assert_eq!(
            &**text,
            "{\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"a/b+c\\\"\\\\\",\
             \"Token\":\"token\",\"Expiration\":\"2009-02-05T05:00:57Z\",\"AccountId\":\"444455556666\"}"
        );
        let without = render_container_answer(&session("token"), None).unwrap();
        assert!(without.ends_with("05:00:57Z\"}"), "{}", *without);
        assert!(render_container_answer(&session("a\nb"), None).is_err());
        let of_instance =
            render_metadata_answer(&session("token"), None, "2009-02-05T04:00:57.3Z".parse().unwrap())
                .unwrap();
        let first = "{\"Code\":\"Success\",\"LastUpdated\":\"2009-02-05T04:00:57Z\",\"Type\":\"AWS-HMAC\",";
        assert_eq!(*of_instance, format!("{first}{}", &without[1..]));
    }

    #[test]
    fn a_child_gets_the_server_and_no_credentials() {
        let profile = ProfileName::parse("a").unwrap();
        let region = Region::parse("r-1").unwrap();
        let handover = ServerHandover {
            profile: &profile,
            address: ServerAddress::Container { uri: "http://127.0.0.1:4/a", token_file: "/run/token" },
            account: Some("444455556666"),
            region: Some(&region),
            endpoint_url: None,
            config_file: None,
            credentials_file: Some("/run/credentials"),
        };
        let inherited = [
            ("AWS_ACCESS_KEY_ID", "old"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/old"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/home/credentials"),
            ("AWS_CONFIG_FILE", "/home/config"),
        ];
        let change = resolve_server_env_change(handover, inherited);
        let set: Vec<_> =
            change.set.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect();
        assert_eq!(
            set,
            [
                "AWS_VAULT=a",
                "HATBOX=a",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:4/a",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/run/token",
                "AWS_SHARED_CREDENTIALS_FILE=/run/credentials",
                "AWS_REGION=r-1",
                "AWS_DEFAULT_REGION=r-1",
                "AWS_ACCOUNT_ID=444455556666",
                "HATBOX_ORIG_AWS_SHARED_CREDENTIALS_FILE=/home/credentials",
                "HATBOX_SET=AWS_SHARED_CREDENTIALS_FILE=/run/credentials AWS_REGION=r-1 \
                 AWS_DEFAULT_REGION=r-1 AWS_ACCOUNT_ID=444455556666",
            ]
        );
        for (name, is_removed) in [
            ("AWS_ACCESS_KEY_ID", true),
            ("AWS_SESSION_TOKEN", true),
            ("AWS_PROFILE", true),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", true),
            ("AWS_CONFIG_FILE", false),
        ] {
            assert_eq!(change.remove.iter().any(|removed| removed == name), is_removed, "{name}");
        }
    }

    #[test]
    fn a_child_gets_a_server_of_metadata_that_nothing_inherited_keeps_it_from() {
        let profile = ProfileName::parse("a").unwrap();
        let handover = ServerHandover {
            profile: &profile,
            address: ServerAddress::Metadata { endpoint: "http://127.0.0.1:4" },
            account: None,
            region: None,
            endpoint_url: None,
            config_file: None,
            credentials_file: None,
        };
        let set = |inherited: &[(&str, &str)]| {
            let change = resolve_server_env_change(handover, inherited.iter().copied());
            assert!(change.remove.iter().any(|name| name == "AWS_ACCESS_KEY_ID"));
            let set = change.set.iter().map(|(name, value)| format!("{name}={}", value.expose()));
            (set.skip(2).collect::<Vec<_>>(), change.remove)
        };
        let endpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:4";
        let version_1 = "AWS_EC2_METADATA_V1_DISABLED=true";
        assert_eq!(set(&[]).0, [endpoint, version_1, &format!("HATBOX_SET={endpoint}")]);
        let (set, removed) = set(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://old"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://[::1]:1"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"),
        ]);
        assert_eq!(
            set,
            [
                endpoint,
                version_1,
                "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv4",
                "AWS_EC2_METADATA_DISABLED=false",
                "HATBOX_ORIG_AWS_EC2_METADATA_SERVICE_ENDPOINT=http://[::1]:1",
                "HATBOX_ORIG_AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6",
                "HATBOX_ORIG_AWS_EC2_METADATA_DISABLED=true",
                &format!(
                    "HATBOX_SET={endpoint} AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv4 AWS_EC2_METADATA_DISABLED=false"
                ),
            ]
        );
        assert!(removed.iter().any(|name| name == "AWS_CONTAINER_CREDENTIALS_FULL_URI"));
    }
}
