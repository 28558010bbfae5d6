//! Identity providers: which ones serve many customers, and which claim of their tokens identifies a customer.
//!
//! The shared providers are those of the IAM User Guide, "Identity-provider controls for shared OIDC providers", and
//! similar ones that the guide does not list.

use crate::policy::arn::Arn;
use crate::policy::operator::Test;
use crate::policy::variable::Template;

/// Who can get a token from a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tenancy {
    /// Anyone with an account at the provider.
    Shared,
    /// Any workload of one organization or cluster.
    Own,
    /// Unknown.
    Unknown,
}

/// The properties of an OIDC provider.
#[derive(Debug, Clone, Copy)]
pub(super) struct Issuer {
    host: &'static str,
    pub(super) tenancy: Tenancy,
    /// The claims that identify a tenant. The first is the recommended one.
    pub(super) claims: &'static [&'static str],
    /// How a `sub` names a tenant: the text before the tenant's name, and the character that ends the name.
    tenants: &'static [(&'static str, char)],
    /// An example value of the first claim, which identifies one tenant.
    pub(super) example: &'static str,
}

const SUB: &[&str] = &["sub"];

/// `host` is the complete issuer, or its prefix if `host` ends with `/` or `.`.
const ISSUERS: [Issuer; 24] = [
    Issuer {
        host: "token.actions.githubusercontent.com",
        tenancy: Tenancy::Shared,
        claims: &[
            "sub",
            "repository",
            "repository_id",
            "repository_owner",
            "repository_owner_id",
            "enterprise",
            "enterprise_id",
        ],
        tenants: &[
            ("repo:", '/'),
            ("repository:", '/'),
            ("repository_id:", ':'),
            ("repository_owner:", ':'),
            ("repository_owner_id:", ':'),
            ("job_workflow_ref:", '/'),
            ("enterprise:", ':'),
            ("enterprise_id:", ':'),
        ],
        example: "repo:OWNER/REPOSITORY:*",
    },
    shared("gitlab.com", SUB, &[("project_path:", '/')], "project_path:GROUP/PROJECT:*"),
    shared("app.terraform.io", SUB, &[("organization:", ':')], "organization:ORGANIZATION:*"),
    shared("app.eu.terraform.io", SUB, &[("organization:", ':')], "organization:ORGANIZATION:*"),
    shared("agent.buildkite.com", SUB, &[("organization:", ':')], "organization:ORGANIZATION:*"),
    shared("oidc.codefresh.io", SUB, &[("account:", ':')], "account:ACCOUNT:*"),
    shared("scalr.io", SUB, &[("account:", ':')], "account:ACCOUNT:*"),
    shared("proidc.upbound.io", SUB, &[("mcp:", '/')], "mcp:ORGANIZATION/*"),
    shared("studio.datachain.ai/api", SUB, &[("credentials:", '/')], "credentials:TEAM/*"),
    shared("tokens.cloud.shisho.dev", SUB, &[("job:", ':')], "job:ORGANIZATION:*"),
    shared("oidc-configuration.audit-log.githubusercontent.com", SUB, &[], "https://github.com/ENTERPRISE"),
    shared("vstoken.actions.githubusercontent.com", SUB, &[("repo:", '/')], "repo:OWNER/REPOSITORY:*"),
    shared("api.pulumi.com/oidc", &["aud", "sub"], &[("pulumi:deploy:org:", ':')], "aws:ORGANIZATION"),
    shared("oidc.vercel.com", &["aud", "sub"], &[("owner:", ':')], "https://vercel.com/TEAM"),
    shared("sandboxes.cloud", &["aud"], &[], "AUDIENCE"),
    shared("accounts.google.com", &["aud", "sub", "oaud", "email"], &[], "CLIENT_ID"),
    shared("graph.facebook.com", &["app_id", "id"], &[], "APP_ID"),
    shared("www.amazon.com", &["app_id", "user_id"], &[], "APP_ID"),
    shared("cognito-identity.amazonaws.com", &["aud", "sub"], &[], "IDENTITY_POOL_ID"),
    shared("cognito-identity-us-gov.amazonaws.com", &["aud", "sub"], &[], "IDENTITY_POOL_ID"),
    shared("cognito-identity.cn-north-1.amazonaws.com.cn", &["aud", "sub"], &[], "IDENTITY_POOL_ID"),
    own("oidc.circleci.com/org/", &[], "org/ORGANIZATION/project/PROJECT/*"),
    own("api.bitbucket.org/2.0/workspaces/", &[], "{REPOSITORY_UUID}:*"),
    own(EKS, &[("system:serviceaccount:", ':')], "system:serviceaccount:NAMESPACE:NAME"),
];

/// The prefix of the issuer of an EKS cluster, before the region.
const EKS: &str = "oidc.eks.";

const UNKNOWN: Issuer =
    Issuer { host: "", tenancy: Tenancy::Unknown, claims: SUB, tenants: &[], example: "SUBJECT" };

const fn shared(
    host: &'static str,
    claims: &'static [&'static str],
    tenants: &'static [(&'static str, char)],
    example: &'static str,
) -> Issuer {
    Issuer { host, tenancy: Tenancy::Shared, claims, tenants, example }
}

const fn own(host: &'static str, tenants: &'static [(&'static str, char)], example: &'static str) -> Issuer {
    Issuer { host, tenancy: Tenancy::Own, claims: SUB, tenants, example }
}

/// The kind of provider that a `Federated` principal names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider<'p> {
    /// An OIDC provider, with the prefix of its condition keys.
    Oidc(&'p str),
    /// A SAML provider.
    Saml,
}

impl<'p> Provider<'p> {
    /// Parses the principal; `None` if it does not name a provider.
    pub(super) fn parse(text: &'p str) -> Option<Self> {
        let Some(arn) = Arn::parse(text) else {
            return (text.contains('.') && !text.contains(['*', '?'])).then_some(Self::Oidc(text));
        };
        match arn.resource.split_once('/') {
            Some(("oidc-provider", issuer)) => Some(Self::Oidc(issuer.trim_end_matches('/'))),
            Some(("saml-provider", _)) => Some(Self::Saml),
            _ => None,
        }
    }

    /// Returns the claim that `key` compares, if `key` belongs to this provider.
    pub(super) fn claim_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        let (issuer, claim) = key.rsplit_once(':')?;
        let own = match self {
            Self::Oidc(own) => own,
            Self::Saml => "saml",
        };
        issuer.trim_end_matches('/').eq_ignore_ascii_case(own).then_some(claim)
    }
}

impl Issuer {
    /// Returns the properties of the issuer with this name.
    pub(super) fn of(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let is_it = |known: &&Self| {
            lower == known.host || (known.host.ends_with(['/', '.']) && lower.starts_with(known.host))
        };
        ISSUERS.iter().find(is_it).copied().unwrap_or(UNKNOWN)
    }

    /// Whether a comparison of `claim` with `value` by `test` limits tokens to one tenant.
    pub(super) fn is_fixed(&self, claim: &str, test: Test, value: &Template) -> bool {
        let text = value.text.as_str();
        // A literal comparison with a wildcard matches no token, as no claim contains one.
        let is_literal = matches!(test, Test::Text | Test::TextIgnoreCase);
        if is_literal && text.contains(['*', '?']) {
            return true;
        }
        let end = match test {
            Test::TextLike | Test::Arn => text.find(['*', '?']),
            Test::Text | Test::TextIgnoreCase => None,
            _ => return false,
        };
        let variable = if value.variables().next().is_some() { text.find("${") } else { None };
        let end = end.into_iter().chain(variable).min();
        let literal = end.and_then(|end| text.get(..end)).unwrap_or(text);
        if claim.eq_ignore_ascii_case("sub") && !self.tenants.is_empty() {
            return self.names_tenant(literal, end.is_none());
        }
        if claim.eq_ignore_ascii_case("repository") {
            return literal.split_once('/').is_some_and(|(owner, _)| !owner.is_empty());
        }
        match self.tenancy {
            Tenancy::Shared => end.is_none() && !text.is_empty(),
            // All tokens belong to one organization, so any value that excludes some of them is a limit.
            Tenancy::Own | Tenancy::Unknown => !text.chars().all(|c| c == '*' || c == '?'),
        }
    }

    /// Whether a colon-separated part of `literal` contains the complete name of a tenant.
    fn names_tenant(&self, literal: &str, is_whole: bool) -> bool {
        self.tenants.iter().any(|(marker, end)| {
            let starts = literal
                .match_indices(marker)
                .filter(|(at, _)| *at == 0 || literal.get(..*at).is_some_and(|before| before.ends_with(':')));
            let mut names = starts.filter_map(|(at, _)| literal.get(at + marker.len()..));
            names.any(|rest| match rest.split_once(*end) {
                Some((name, _)) => !name.is_empty(),
                None => is_whole && *end == ':' && !rest.is_empty(),
            })
        })
    }
}
