//! Rules about identity providers: whether the role is limited to the tokens of one customer, project or workload.

use hatbox_types::level::Level;

use super::finding::{Finding, Spot};
use super::issuer::{Issuer, Provider, Tenancy};
use super::limits::{judge_limit, passes_absent};
use super::rule::Rule;
use super::whole::Whole;
use crate::policy::condition::Condition;
use crate::policy::condition_keys::is_of_provider;
use crate::policy::document::{Effect, Policy, Statement};
use crate::policy::operator::{Quantifier, Test};
use crate::policy::principal::{Principal, PrincipalKind};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// Checks which tokens of identity providers a statement accepts.
pub(super) fn find_federation(spot: Spot, whole: &Whole) -> Vec<Finding> {
    if spot.statement.effect != Effect::Allow {
        return Vec::new();
    }
    let mut found: Vec<_> = find_mismatch(spot);
    if spot.statement.covers_action(ACTION) {
        for principal in providers(spot.statement) {
            if let Some(Provider::Oidc(name)) = Provider::parse(&principal.text) {
                found.extend(find_open(spot, principal, name, whole));
            }
        }
    }
    found
}

/// Whether anyone with an account at the shared provider `principal` can assume the role.
pub(crate) fn is_open_to_strangers(policy: &Policy, principal: &str) -> bool {
    let whole = Whole::of(policy);
    Spot::all(&policy.statements).any(|spot| {
        let is_named = providers(spot.statement).any(|of| of.text == principal);
        let is_open = |finding: &Finding| {
            matches!(finding.rule, Rule::OidcSubjectMissing | Rule::OidcSubjectWide)
                && finding.level == Level::Error
        };
        is_named && find_federation(spot, &whole).iter().any(is_open)
    })
}

fn providers(statement: &Statement) -> impl Iterator<Item = &Principal> {
    let element = statement.principals.as_ref().filter(|element| !element.is_negated);
    element
        .into_iter()
        .flat_map(|element| &element.entries)
        .filter(|principal| principal.kind == PrincipalKind::Federated)
}

/// Finds a statement without a condition on a claim that identifies a tenant, or with a value that also matches other
/// tenants.
fn find_open(spot: Spot, principal: &Principal, name: &str, whole: &Whole) -> Option<Finding> {
    let issuer = Issuer::of(name);
    let provider = Provider::Oidc(name);
    let is_asked = |condition: &&Condition| {
        let claim = provider.claim_of(&condition.key);
        claim.is_some_and(|claim| issuer.claims.iter().any(|of| of.eq_ignore_ascii_case(claim)))
    };
    let conditions = &spot.statement.conditions;
    let asked: Vec<_> = conditions.iter().filter(is_asked).collect();
    let is_limited = asked.iter().any(|condition| is_limit(issuer, provider, condition))
        || whole.denies.iter().any(|deny| denies_all_but_some(deny, issuer, provider))
        || conditions.iter().any(|condition| judge_limit(condition).is_ok());
    if is_limited {
        return None;
    }
    let claim = issuer.claims.first().copied().unwrap_or("sub");
    let fix = format!("add \"StringLike\": {{ \"{name}:{claim}\": \"{}\" }}.", issuer.example);
    let level = if issuer.tenancy == Tenancy::Shared { Level::Error } else { Level::Warning };
    let who = match issuer.tenancy {
        Tenancy::Shared => format!("anyone with an account at {name} can assume the role"),
        Tenancy::Own | Tenancy::Unknown => format!("every token of {name} is accepted"),
    };
    if let Some(condition) = asked.first() {
        let operator = condition.operator;
        let message = if operator.is_negated {
            format!(
                "{} excludes some values of {} and allows all others: {who}.",
                condition.operator_name, condition.key
            )
        } else if passes_absent(condition) || operator.test == Test::Null {
            format!("{} does not require a value of {}: {who}.", condition.operator_name, condition.key)
        } else {
            let value = condition.values.iter().find(|value| {
                let claim = provider.claim_of(&condition.key).unwrap_or_default();
                !issuer.is_fixed(claim, operator.test, value)
            });
            let value = value.map(|value| value.text.as_str()).unwrap_or_default();
            format!("`{value}` also matches tokens that are not yours: {who}.")
        };
        let fix = format!(
            "write a value that names what you trust, such as `{}`, with {}.",
            issuer.example,
            like(issuer)
        );
        let finding = spot.on_condition(Rule::OidcSubjectWide, condition, message, fix);
        return Some(Finding { level, ..finding });
    }
    // A provider of one organization may be trusted as a whole, if its audience is checked.
    let asks_anything = conditions
        .iter()
        .any(|condition| provider.claim_of(&condition.key).is_some() && !passes_absent(condition));
    if issuer.tenancy == Tenancy::Unknown && asks_anything {
        return None;
    }
    let message = format!("No condition on {name}:{claim}: {who}.");
    let finding = spot.on_principal(Rule::OidcSubjectMissing, principal, message, fix);
    Some(Finding { level, ..finding })
}

fn like(issuer: Issuer) -> &'static str {
    if issuer.example.contains('*') { "StringLike" } else { "StringEquals" }
}

fn is_limit(issuer: Issuer, provider: Provider, condition: &Condition) -> bool {
    let operator = condition.operator;
    let asks = !operator.is_negated
        && !operator.if_exists
        && operator.quantifier != Some(Quantifier::All)
        && operator.test != Test::Null;
    asks && names_tenants(issuer, provider, condition)
}

fn names_tenants(issuer: Issuer, provider: Provider, condition: &Condition) -> bool {
    let Some(claim) = provider.claim_of(&condition.key) else { return false };
    issuer.claims.iter().any(|of| of.eq_ignore_ascii_case(claim))
        && condition.values.iter().all(|value| issuer.is_fixed(claim, condition.operator.test, value))
}

/// Whether a Deny matches all tokens except those of known tenants.
fn denies_all_but_some(statement: &Statement, issuer: Issuer, provider: Provider) -> bool {
    let [limit] = statement.conditions.as_slice() else { return false };
    let is_everyone = statement.principals.as_ref().is_some_and(|element| {
        let is_hit = |of: &Principal| {
            of.kind == PrincipalKind::Everyone || Provider::parse(&of.text) == Some(provider)
        };
        !element.is_negated && element.entries.iter().any(is_hit)
    });
    is_everyone
        && statement.covers_action(ACTION)
        && limit.operator.is_negated
        && (limit.operator.if_exists || limit.operator.quantifier != Some(Quantifier::Any))
        && names_tenants(issuer, provider, limit)
}

/// Finds conditions on a claim of a provider that the statement does not trust.
fn find_mismatch(spot: Spot) -> Vec<Finding> {
    let Some(element) = spot.statement.principals.as_ref().filter(|element| !element.is_negated) else {
        return Vec::new();
    };
    if element.entries.is_empty() || element.entries.iter().any(|principal| principal.text == "*") {
        return Vec::new();
    }
    let trusted: Vec<_> =
        providers(spot.statement).filter_map(|principal| Provider::parse(&principal.text)).collect();
    let is_foreign = |condition: &&Condition| {
        is_of_provider(&condition.key)
            && !trusted.iter().any(|provider| provider.claim_of(&condition.key).is_some())
    };
    let foreign = spot.statement.conditions.iter().filter(is_foreign);
    foreign
        .map(|condition| {
            let effect = if passes_absent(condition) {
                "so the condition always holds"
            } else {
                "so this statement allows no one"
            };
            let key = &condition.key;
            let claim = key.rsplit_once(':').map_or("sub", |(_, claim)| claim);
            let (message, fix) = match trusted.first() {
                Some(provider) => {
                    let (carrier, own) = match provider {
                        Provider::Oidc(name) => (format!("Tokens of {name}"), format!("{name}:{claim}")),
                        Provider::Saml => ("SAML assertions".to_owned(), "saml:aud".to_owned()),
                    };
                    (format!("{carrier} carry no {key}, {effect}."), format!("write {own}."))
                }
                None => (
                    format!("Only requests of an identity provider carry {key}, {effect}."),
                    "trust the provider with \"Federated\", or remove the condition.".to_owned(),
                ),
            };
            spot.on_condition(Rule::FederatedKeyMismatch, condition, message, fix)
        })
        .collect()
}

/// Suggests a value to use instead of one that would match tokens of other tenants if its wildcards worked.
pub(super) fn suggest_value(spot: Spot, condition: &Condition) -> Option<&'static str> {
    let (provider, claim) = providers(spot.statement)
        .filter_map(|principal| Provider::parse(&principal.text))
        .find_map(|provider| Some((provider, provider.claim_of(&condition.key)?)))?;
    let Provider::Oidc(name) = provider else { return None };
    let issuer = Issuer::of(name);
    let is_open = condition.values.iter().any(|value| !issuer.is_fixed(claim, Test::TextLike, value));
    (issuer.claims.first() == Some(&claim) && is_open).then_some(issuer.example)
}
