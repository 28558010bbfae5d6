//! The rules, with the id, level and description of each.

use hatbox_types::level::Level;

/// A rule. The order of the variants is the order of findings at the same position; it has no other meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "RULES says what each is about")]
pub enum Rule {
    MfaMissing,
    MfaIfExists,
    MfaDenyBool,
    MfaNull,
    MfaForAllValues,
    MfaAgeIfExists,
    MfaSecondStatement,
    MfaInverted,
    MfaUnsatisfiable,
    UnknownConditionKey,
    PublicPrincipal,
    PublicPrincipalConditioned,
    PartialWildcard,
    NotPrincipal,
    MissingPrincipal,
    ResourceElement,
    GroupPrincipal,
    CanonicalUser,
    InvalidPrincipal,
    DeletedPrincipal,
    PrincipalArnSession,
    LiteralWildcard,
    VersionVariables,
    SessionNameVariable,
    ExternalIdIfExists,
    TagSessionMissing,
    TooLong,
    SelfAssume,
    OidcSubjectMissing,
    OidcSubjectWide,
    FederatedKeyMismatch,
    ConfusedDeputy,
    ActionMismatch,
    UnknownAction,
    UnknownService,
    InvalidSid,
    DuplicateSid,
    EmptyList,
    NeverMatches,
    PrivateIp,
    UnclosedVariable,
    NoOneAdmitted,
}

/// Every rule with its id, level and description. A finding of `too-long` may also be an error.
pub const RULES: &[(Rule, &str, Level, &str)] = &[
    (Rule::MfaMissing, "mfa-missing", Level::Warning, "Users can assume the role without MFA."),
    (Rule::MfaIfExists, "mfa-ifexists", Level::Error, "An Allow accepts requests without the MFA key."),
    (
        Rule::MfaDenyBool,
        "mfa-deny-bool",
        Level::Error,
        "A Deny for callers without MFA does not apply to access keys.",
    ),
    (
        Rule::MfaNull,
        "mfa-null",
        Level::Error,
        "A condition tests whether the MFA key exists, not whether it is true.",
    ),
    (
        Rule::MfaForAllValues,
        "mfa-forallvalues",
        Level::Error,
        "ForAllValues accepts requests without the MFA key.",
    ),
    (
        Rule::MfaAgeIfExists,
        "mfa-age-ifexists",
        Level::Error,
        "A limit on the age of MFA does not apply to callers without MFA.",
    ),
    (
        Rule::MfaSecondStatement,
        "mfa-second-statement",
        Level::Error,
        "A second Allow accepts the same callers without MFA.",
    ),
    (
        Rule::MfaInverted,
        "mfa-inverted",
        Level::Error,
        "The MFA condition denies callers with MFA, or allows those without.",
    ),
    (
        Rule::MfaUnsatisfiable,
        "mfa-unsatisfiable",
        Level::Error,
        "MFA is required of callers that never have it.",
    ),
    (
        Rule::UnknownConditionKey,
        "unknown-condition-key",
        Level::Error,
        "No request carries this condition key.",
    ),
    (
        Rule::PublicPrincipal,
        "public-principal",
        Level::Error,
        "Anyone in any AWS account can assume the role.",
    ),
    (
        Rule::PublicPrincipalConditioned,
        "public-principal-conditioned",
        Level::Info,
        "Every account is trusted, limited by a condition.",
    ),
    (Rule::PartialWildcard, "partial-wildcard", Level::Error, "A principal contains a wildcard."),
    (Rule::NotPrincipal, "not-principal", Level::Error, "A trust policy cannot use NotPrincipal."),
    (Rule::MissingPrincipal, "missing-principal", Level::Error, "A statement has no Principal."),
    (Rule::ResourceElement, "resource-element", Level::Error, "A trust policy cannot use Resource."),
    (Rule::GroupPrincipal, "group-principal", Level::Error, "A group cannot be a principal."),
    (Rule::CanonicalUser, "canonical-user", Level::Error, "A trust policy cannot use CanonicalUser."),
    (Rule::InvalidPrincipal, "invalid-principal", Level::Error, "A principal is not valid."),
    (Rule::DeletedPrincipal, "deleted-principal", Level::Warning, "A trusted user or role was deleted."),
    (
        Rule::PrincipalArnSession,
        "principalarn-session",
        Level::Error,
        "aws:PrincipalArn never has this value.",
    ),
    (Rule::LiteralWildcard, "literal-wildcard", Level::Error, "The operator compares `*` and `?` literally."),
    (Rule::VersionVariables, "version-variables", Level::Error, "Policy variables need Version 2012-10-17."),
    (
        Rule::SessionNameVariable,
        "session-name-variable",
        Level::Info,
        "The session name must be the user name, which excludes role chaining.",
    ),
    (Rule::ExternalIdIfExists, "external-id-ifexists", Level::Error, "The external ID is optional."),
    (
        Rule::TagSessionMissing,
        "tagsession-missing",
        Level::Warning,
        "A required tag or source identity cannot be sent.",
    ),
    (Rule::TooLong, "too-long", Level::Warning, "The policy is longer than AWS accepts."),
    (Rule::SelfAssume, "self-assume", Level::Info, "The role trusts itself."),
    (
        Rule::OidcSubjectMissing,
        "oidc-subject-missing",
        Level::Error,
        "No condition limits which tokens of an identity provider are accepted.",
    ),
    (
        Rule::OidcSubjectWide,
        "oidc-subject-wide",
        Level::Error,
        "A condition on an identity provider's tokens accepts those of strangers.",
    ),
    (
        Rule::FederatedKeyMismatch,
        "federated-key-mismatch",
        Level::Error,
        "A condition uses a key of an identity provider that the statement does not trust.",
    ),
    (
        Rule::ConfusedDeputy,
        "confused-deputy",
        Level::Info,
        "An account outside the sources can assume the role without an external ID.",
    ),
    (
        Rule::ActionMismatch,
        "action-mismatch",
        Level::Error,
        "A principal does not assume roles with the action that the statement allows.",
    ),
    (Rule::UnknownAction, "unknown-action", Level::Error, "A trust policy cannot have this action."),
    (Rule::UnknownService, "unknown-service", Level::Error, "No service has this name."),
    (
        Rule::InvalidSid,
        "invalid-sid",
        Level::Error,
        "A Sid contains other characters than letters and digits.",
    ),
    (Rule::DuplicateSid, "duplicate-sid", Level::Error, "Two statements have the same Sid."),
    (Rule::EmptyList, "empty-list", Level::Error, "A list has no entries."),
    (Rule::NeverMatches, "never-matches", Level::Error, "A condition value has the wrong type, or is over."),
    (Rule::PrivateIp, "private-ip", Level::Warning, "aws:SourceIp is never a private address."),
    (Rule::UnclosedVariable, "unclosed-variable", Level::Error, "A policy variable has no closing brace."),
    (Rule::NoOneAdmitted, "no-one-admitted", Level::Warning, "No one can assume the role."),
];

impl Rule {
    fn row(self) -> Option<&'static (Self, &'static str, Level, &'static str)> {
        RULES.iter().find(|(rule, ..)| *rule == self)
    }

    /// Returns the rule's id.
    pub fn id(self) -> &'static str {
        self.row().map_or("", |(_, id, ..)| id)
    }

    /// Returns the default level of the rule's findings.
    pub fn level(self) -> Level {
        self.row().map_or(Level::Error, |(_, _, level, _)| *level)
    }

    /// Whether `hatbox trust require-mfa` fixes findings of this rule.
    pub fn is_fixed_by_require_mfa(self) -> bool {
        matches!(
            self,
            Self::MfaMissing
                | Self::MfaIfExists
                | Self::MfaDenyBool
                | Self::MfaNull
                | Self::MfaForAllValues
                | Self::MfaAgeIfExists
                | Self::MfaSecondStatement
                | Self::MfaInverted
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_a_row_and_an_id_of_its_own() {
        let mut ids: Vec<_> = RULES
            .iter()
            .map(|(rule, id, ..)| {
                assert_eq!(rule.id(), *id);
                *id
            })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len());
        let rules: Vec<usize> = RULES.iter().map(|(rule, ..)| *rule as usize).collect();
        assert_eq!(rules, (0..RULES.len()).collect::<Vec<_>>(), "in the order of the variants");
        assert_eq!(Rule::NoOneAdmitted as usize + 1, RULES.len(), "a rule without a row");
    }

    #[test]
    fn each_rule_is_in_the_table_of_the_documentation() {
        let documentation = include_str!("../../../../docs/lint-in-ci.md");
        for (_, id, ..) in RULES {
            assert!(documentation.contains(&format!("`{id}`")), "{id}");
        }
    }
}
