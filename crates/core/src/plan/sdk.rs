//! Which source AWS's own tools would choose, if a profile names several. The tools disagree.

/// A tool, or a family of tools, that reads `~/.aws/config`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    /// boto3 and the AWS CLI, both with botocore. hatbox follows their order.
    Python,
    /// The SDK for Go v2, which terraform uses.
    Go,
    /// The SDK for Java 2.x.
    Java,
    /// The SDK for JavaScript v3.
    JavaScript,
    /// The SDK for Rust.
    Rust,
}

/// A source of credentials in a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// `source_profile` with `role_arn`.
    RoleOfProfile,
    /// `credential_source` with `role_arn`.
    RoleOfEnvironment,
    /// `source_profile` alone: in aws-vault and the SDK for Go, this means the other profile's credentials.
    ProfileAlone,
    /// `credential_source` alone.
    EnvironmentAlone,
    /// `web_identity_token_file`.
    TokenFile,
    /// `web_identity_token_process`, which no SDK supports.
    TokenProcess,
    /// `sso_account_id`, `sso_role_name`.
    Sso,
    /// Keys in `~/.aws/credentials`.
    CredentialsFileKeys,
    /// Keys in `~/.aws/config`.
    ConfigFileKeys,
    /// `login_session`.
    LoginSession,
    /// `credential_process`.
    CredentialProcess,
}

use SourceKind as S;

/// hatbox's order: that of botocore, then the sources that botocore does not support.
pub(super) const OWN_ORDER: [SourceKind; 11] = [
    S::RoleOfProfile,
    S::RoleOfEnvironment,
    S::TokenFile,
    S::TokenProcess,
    S::Sso,
    S::CredentialsFileKeys,
    S::LoginSession,
    S::CredentialProcess,
    S::ConfigFileKeys,
    S::ProfileAlone,
    S::EnvironmentAlone,
];

impl Sdk {
    /// All tools, in the order of messages.
    pub const ALL: [Self; 5] = [Self::Python, Self::Go, Self::Java, Self::JavaScript, Self::Rust];

    /// Returns its name for use in a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::JavaScript => "JavaScript",
            Self::Rust => "Rust",
        }
    }

    /// Returns its order of sources within one profile, without those that it ignores.
    fn order(self) -> &'static [SourceKind] {
        match self {
            Self::Python => &[
                S::RoleOfProfile,
                S::RoleOfEnvironment,
                S::TokenFile,
                S::Sso,
                S::CredentialsFileKeys,
                S::LoginSession,
                S::CredentialProcess,
                S::ConfigFileKeys,
            ],
            Self::Go => &[
                S::RoleOfProfile,
                S::ProfileAlone,
                S::CredentialsFileKeys,
                S::ConfigFileKeys,
                S::RoleOfEnvironment,
                S::EnvironmentAlone,
                S::TokenFile,
                S::Sso,
                S::LoginSession,
                S::CredentialProcess,
            ],
            Self::Java => &[
                S::TokenFile,
                S::Sso,
                S::RoleOfProfile,
                S::RoleOfEnvironment,
                S::LoginSession,
                S::CredentialProcess,
                S::CredentialsFileKeys,
                S::ConfigFileKeys,
            ],
            Self::JavaScript => &[
                S::RoleOfProfile,
                S::RoleOfEnvironment,
                S::CredentialsFileKeys,
                S::ConfigFileKeys,
                S::TokenFile,
                S::CredentialProcess,
                S::Sso,
                S::LoginSession,
            ],
            Self::Rust => &[
                S::RoleOfProfile,
                S::RoleOfEnvironment,
                S::TokenFile,
                S::Sso,
                S::LoginSession,
                S::CredentialProcess,
                S::CredentialsFileKeys,
                S::ConfigFileKeys,
            ],
        }
    }

    /// Returns the source that it would choose from these. botocore skips a role with a source profile if there is also
    /// a token file.
    pub(super) fn choose(self, present: &[SourceKind]) -> Option<SourceKind> {
        let has_token = present.contains(&S::TokenFile);
        let is_role = |kind: SourceKind| matches!(kind, S::RoleOfProfile | S::RoleOfEnvironment);
        let is_passed_over = |kind: SourceKind| self == Self::Python && has_token && is_role(kind);
        self.order().iter().copied().find(|kind| present.contains(kind) && !is_passed_over(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the choice of a tool, then its choice without that one, and so on.
    fn order_of(sdk: Sdk, kinds: &[SourceKind]) -> Vec<SourceKind> {
        let mut left = kinds.to_vec();
        let choose = || {
            let chosen = sdk.choose(&left)?;
            left.retain(|kind| *kind != chosen);
            Some(chosen)
        };
        std::iter::from_fn(choose).collect()
    }

    #[test]
    fn the_tools_disagree_about_keys_and_roles_beside_other_sources() {
        let kinds = [S::TokenFile, S::Sso, S::RoleOfProfile, S::ConfigFileKeys, S::CredentialProcess];
        for (sdk, expected) in [
            (Sdk::Python, [S::TokenFile, S::RoleOfProfile, S::Sso, S::CredentialProcess, S::ConfigFileKeys]),
            (Sdk::Go, [S::RoleOfProfile, S::ConfigFileKeys, S::TokenFile, S::Sso, S::CredentialProcess]),
            (Sdk::Java, [S::TokenFile, S::Sso, S::RoleOfProfile, S::CredentialProcess, S::ConfigFileKeys]),
            (
                Sdk::JavaScript,
                [S::RoleOfProfile, S::ConfigFileKeys, S::TokenFile, S::CredentialProcess, S::Sso],
            ),
            (Sdk::Rust, [S::RoleOfProfile, S::TokenFile, S::Sso, S::CredentialProcess, S::ConfigFileKeys]),
        ] {
            assert_eq!(order_of(sdk, &kinds), expected, "{sdk:?}");
        }
        let files = [S::ConfigFileKeys, S::LoginSession, S::CredentialsFileKeys];
        let python = [S::CredentialsFileKeys, S::LoginSession, S::ConfigFileKeys];
        assert_eq!(order_of(Sdk::Python, &files), python);
    }

    #[test]
    fn only_go_follows_a_source_profile_without_a_role_and_none_knows_a_token_process() {
        for sdk in Sdk::ALL {
            let alone = sdk.choose(&[S::ProfileAlone, S::TokenProcess]);
            assert_eq!(alone, (sdk == Sdk::Go).then_some(S::ProfileAlone), "{sdk:?}");
        }
    }

    #[test]
    fn what_python_knows_hatbox_takes_in_pythons_order() {
        let known: Vec<_> = OWN_ORDER.into_iter().filter(|kind| Sdk::Python.order().contains(kind)).collect();
        assert_eq!(known, Sdk::Python.order());
    }
}
