//! The rules: id, level, and what each is about.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Perhaps not meant.
    Warning,
    /// A hole, or something that cannot work.
    Error,
}

impl Level {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A rule.
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
}

/// Every rule with its id, its level, and what it is about. `too-long` may be an error too.
pub const RULES: [(Rule, &str, Level, &str); 32] = [
    (Rule::MfaMissing, "mfa-missing", Level::Warning, "An Allow lets people in without MFA."),
    (Rule::MfaIfExists, "mfa-ifexists", Level::Error, "An Allow takes an absent MFA key for MFA."),
    (
        Rule::MfaDenyBool,
        "mfa-deny-bool",
        Level::Error,
        "A Deny against callers without MFA spares access keys.",
    ),
    (
        Rule::MfaNull,
        "mfa-null",
        Level::Error,
        "It is asked whether the MFA key is there, not whether it is true.",
    ),
    (
        Rule::MfaForAllValues,
        "mfa-forallvalues",
        Level::Error,
        "ForAllValues takes an absent MFA key for MFA.",
    ),
    (
        Rule::MfaAgeIfExists,
        "mfa-age-ifexists",
        Level::Error,
        "A limit on the age of MFA spares who has none.",
    ),
    (
        Rule::MfaSecondStatement,
        "mfa-second-statement",
        Level::Error,
        "A second Allow lets the same callers in without MFA.",
    ),
    (Rule::MfaInverted, "mfa-inverted", Level::Error, "Callers with MFA are shut out, others let in."),
    (
        Rule::MfaUnsatisfiable,
        "mfa-unsatisfiable",
        Level::Error,
        "MFA is asked of somebody who can never have it.",
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
    (Rule::PartialWildcard, "partial-wildcard", Level::Error, "A principal has a wildcard within."),
    (Rule::NotPrincipal, "not-principal", Level::Error, "A trust policy takes no NotPrincipal."),
    (
        Rule::MissingPrincipal,
        "missing-principal",
        Level::Error,
        "A statement of a trust policy names a Principal.",
    ),
    (Rule::ResourceElement, "resource-element", Level::Error, "A trust policy takes no Resource."),
    (Rule::GroupPrincipal, "group-principal", Level::Error, "A group is no principal."),
    (Rule::CanonicalUser, "canonical-user", Level::Error, "A trust policy takes no CanonicalUser."),
    (Rule::InvalidPrincipal, "invalid-principal", Level::Error, "A principal names nobody."),
    (Rule::DeletedPrincipal, "deleted-principal", Level::Warning, "A trusted user or role was deleted."),
    (
        Rule::PrincipalArnSession,
        "principalarn-session",
        Level::Error,
        "aws:PrincipalArn never has this value.",
    ),
    (
        Rule::LiteralWildcard,
        "literal-wildcard",
        Level::Error,
        "This operator takes `*` and `?` as plain signs.",
    ),
    (Rule::VersionVariables, "version-variables", Level::Error, "Variables need Version 2012-10-17."),
    (
        Rule::SessionNameVariable,
        "session-name-variable",
        Level::Info,
        "The session's name must be the user's: no chaining.",
    ),
    (Rule::ExternalIdIfExists, "external-id-ifexists", Level::Error, "The external id need not be sent."),
    (Rule::TagSessionMissing, "tagsession-missing", Level::Warning, "What is asked for may not be sent."),
    (Rule::TooLong, "too-long", Level::Warning, "The policy is longer than AWS takes."),
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
];

impl Rule {
    fn row(self) -> Option<&'static (Self, &'static str, Level, &'static str)> {
        RULES.iter().find(|(rule, ..)| *rule == self)
    }

    /// Its id.
    pub fn id(self) -> &'static str {
        self.row().map_or("", |(_, id, ..)| id)
    }

    /// The level that its findings have.
    pub fn level(self) -> Level {
        self.row().map_or(Level::Error, |(_, _, level, _)| *level)
    }

    /// Whether `hatbox trust require-mfa` mends what it finds.
    pub fn is_mended_by_require_mfa(self) -> bool {
        self <= Self::MfaInverted
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
        let last = Rule::ConfusedDeputy as usize;
        assert_eq!(last + 1, RULES.len(), "a rule without a row");
    }
}
