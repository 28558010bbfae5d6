//! The values from flags and environment variables, as text: collected once, and checked when they are used.

use super::origin::{Origin, Sourced};

/// The flags that change a profile's settings, unparsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--region`.
    pub region: Option<String>,
    /// `-d`, `--duration`.
    pub duration: Option<String>,
}

/// The values from flags and environment that change profiles. Empty variables are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--region`, `AWS_REGION`, `AWS_DEFAULT_REGION`.
    pub region: Option<Sourced<String>>,
    /// `-d`, `HATBOX_DURATION`, `AWS_VAULT_DURATION`: for every duration.
    pub duration: Option<Sourced<String>>,
    /// `AWS_ASSUME_ROLE_TTL`.
    pub assume_role_ttl: Option<Sourced<String>>,
    /// `AWS_SESSION_TOKEN_TTL`.
    pub session_token_ttl: Option<Sourced<String>>,
    /// `AWS_CHAINED_SESSION_TOKEN_TTL`.
    pub chained_session_token_ttl: Option<Sourced<String>>,
    /// `AWS_FEDERATION_TOKEN_TTL`.
    pub federation_token_ttl: Option<Sourced<String>>,
    /// `AWS_MFA_SERIAL`: for every profile of the chain.
    pub mfa_serial: Option<Sourced<String>>,
    /// Values for the target profile only, not for its source profiles.
    pub target: TargetOverrides,
    /// Endpoints.
    pub endpoint: EndpointOverrides,
    /// An identity in the environment itself, as in an EKS pod. Not a setting of a profile, but an input of the plan.
    pub ambient_web_identity: Option<AmbientWebIdentity>,
}

/// Environment values for the target profile only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetOverrides {
    /// `AWS_ROLE_ARN`, unless it belongs to an [`AmbientWebIdentity`].
    pub role_arn: Option<Sourced<String>>,
    /// `AWS_ROLE_SESSION_NAME`, unless it belongs to an [`AmbientWebIdentity`].
    pub role_session_name: Option<Sourced<String>>,
    /// `AWS_SESSION_TAGS`.
    pub session_tags: Option<Sourced<String>>,
    /// `AWS_TRANSITIVE_TAGS`.
    pub transitive_session_tags: Option<Sourced<String>>,
    /// `AWS_SOURCE_IDENTITY`.
    pub source_identity: Option<Sourced<String>>,
}

/// Environment values about endpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointOverrides {
    /// `AWS_ENDPOINT_URL`.
    pub url: Option<Sourced<String>>,
    /// `AWS_ENDPOINT_URL_STS`.
    pub sts_url: Option<Sourced<String>>,
    /// `AWS_ENDPOINT_URL_IAM`.
    pub iam_url: Option<Sourced<String>>,
    /// `AWS_ENDPOINT_URL_SSO`.
    pub sso_url: Option<Sourced<String>>,
    /// `AWS_ENDPOINT_URL_SSO_OIDC`.
    pub sso_oidc_url: Option<Sourced<String>>,
    /// `AWS_ENDPOINT_URL_SIGNIN`.
    pub signin_url: Option<Sourced<String>>,
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`.
    pub ignore_configured: Option<Sourced<String>>,
    /// `AWS_USE_FIPS_ENDPOINT`.
    pub use_fips: Option<Sourced<String>>,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    pub use_dualstack: Option<Sourced<String>>,
    /// `AWS_CA_BUNDLE`.
    pub ca_bundle: Option<Sourced<String>>,
    /// `AWS_STS_REGIONAL_ENDPOINTS`.
    pub sts_regional: Option<Sourced<String>>,
}

/// `AWS_WEB_IDENTITY_TOKEN_FILE` and the variables that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmbientWebIdentity {
    /// `AWS_WEB_IDENTITY_TOKEN_FILE`.
    pub token_file: Sourced<String>,
    /// `AWS_ROLE_ARN`.
    pub role_arn: Option<Sourced<String>>,
    /// `AWS_ROLE_SESSION_NAME`.
    pub role_session_name: Option<Sourced<String>>,
}

impl Overrides {
    /// Collects `flags`, and the variables from `lookup`. Checks nothing yet.
    ///
    /// If `AWS_WEB_IDENTITY_TOKEN_FILE` is set, `AWS_ROLE_ARN` and `AWS_ROLE_SESSION_NAME` belong to it: a pod's own
    /// role must not replace the role of the requested profile.
    pub fn from_env(flags: Flags, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let env = |name: &'static str| {
            let value = lookup(name).filter(|value| !value.is_empty())?;
            Some(Sourced { value, origin: Origin::Env(name) })
        };
        let flag =
            |name, value: Option<String>| value.map(|value| Sourced { value, origin: Origin::Flag(name) });

        let mut role_arn = env("AWS_ROLE_ARN");
        let mut role_session_name = env("AWS_ROLE_SESSION_NAME");
        let ambient_web_identity = env("AWS_WEB_IDENTITY_TOKEN_FILE").map(|token_file| AmbientWebIdentity {
            token_file,
            role_arn: role_arn.take(),
            role_session_name: role_session_name.take(),
        });
        Self {
            region: flag("--region", flags.region)
                .or_else(|| env("AWS_REGION"))
                .or_else(|| env("AWS_DEFAULT_REGION")),
            duration: flag("--duration", flags.duration)
                .or_else(|| env("HATBOX_DURATION"))
                .or_else(|| env("AWS_VAULT_DURATION")),
            assume_role_ttl: env("AWS_ASSUME_ROLE_TTL"),
            session_token_ttl: env("AWS_SESSION_TOKEN_TTL"),
            chained_session_token_ttl: env("AWS_CHAINED_SESSION_TOKEN_TTL"),
            federation_token_ttl: env("AWS_FEDERATION_TOKEN_TTL"),
            mfa_serial: env("AWS_MFA_SERIAL"),
            target: TargetOverrides {
                role_arn,
                role_session_name,
                session_tags: env("AWS_SESSION_TAGS"),
                transitive_session_tags: env("AWS_TRANSITIVE_TAGS"),
                source_identity: env("AWS_SOURCE_IDENTITY"),
            },
            endpoint: EndpointOverrides {
                url: env("AWS_ENDPOINT_URL"),
                sts_url: env("AWS_ENDPOINT_URL_STS"),
                iam_url: env("AWS_ENDPOINT_URL_IAM"),
                sso_url: env("AWS_ENDPOINT_URL_SSO"),
                sso_oidc_url: env("AWS_ENDPOINT_URL_SSO_OIDC"),
                signin_url: env("AWS_ENDPOINT_URL_SIGNIN"),
                ignore_configured: env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
                use_fips: env("AWS_USE_FIPS_ENDPOINT"),
                use_dualstack: env("AWS_USE_DUALSTACK_ENDPOINT"),
                ca_bundle: env("AWS_CA_BUNDLE"),
                sts_regional: env("AWS_STS_REGIONAL_ENDPOINTS"),
            },
            ambient_web_identity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(flags: Flags, variables: &[(&str, &str)]) -> Overrides {
        Overrides::from_env(flags, |name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn said(value: &str, origin: Origin) -> Sourced<String> {
        Sourced { value: value.to_owned(), origin }
    }

    #[test]
    fn a_flag_beats_our_variable_beats_that_of_aws_vault() {
        let variables = [("HATBOX_DURATION", "2h"), ("AWS_VAULT_DURATION", "3h")];
        let flags = Flags { duration: Some("1h".to_owned()), region: None };
        assert_eq!(from(flags, &variables).duration, Some(said("1h", Origin::Flag("--duration"))));
        assert_eq!(
            from(Flags::default(), &variables).duration,
            Some(said("2h", Origin::Env("HATBOX_DURATION")))
        );
        assert_eq!(
            from(Flags::default(), &[("HATBOX_DURATION", ""), ("AWS_VAULT_DURATION", "3h")]).duration,
            Some(said("3h", Origin::Env("AWS_VAULT_DURATION")))
        );
    }

    #[test]
    fn the_role_of_a_pod_is_not_that_of_the_target() {
        let role = ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/pod");
        assert!(from(Flags::default(), &[role]).target.role_arn.is_some());
        let pod = from(Flags::default(), &[role, ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")]);
        assert_eq!(pod.target.role_arn, None);
        assert_eq!(pod.ambient_web_identity.unwrap().role_arn, Some(said(role.1, Origin::Env(role.0))));
    }
}
