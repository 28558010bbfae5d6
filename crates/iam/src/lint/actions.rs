//! Rules about actions: which ones a trust policy can have, and which one each kind of principal needs.

use super::finding::{Finding, Spot};
use super::issuer::Provider;
use super::rule::Rule;
use super::whole::Whole;
use crate::policy::document::Effect;
use crate::policy::principal::{Principal, PrincipalKind};
use crate::policy::statement::is_action_like;
use hatbox_types::text::suggest::nearest_name;

const ASSUME: &str = "sts:AssumeRole";
const WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";
const SAML: &str = "sts:AssumeRoleWithSAML";
const TAG: &str = "sts:TagSession";
const SOURCE_IDENTITY: &str = "sts:SetSourceIdentity";

/// All actions that a trust policy can allow.
const ACTIONS: [&str; 6] = [ASSUME, WEB_IDENTITY, SAML, TAG, SOURCE_IDENTITY, "sts:SetContext"];

/// Services whose call to assume a role needs more actions than `sts:AssumeRole`.
const NEEDY_SERVICES: [(&str, &[&str]); 2] =
    [("rolesanywhere.amazonaws.com", &[TAG, SOURCE_IDENTITY]), ("pods.eks.amazonaws.com", &[TAG])];

/// Checks the actions of one statement.
pub(super) fn find_actions(spot: Spot, whole: &Whole) -> Vec<Finding> {
    let mut found: Vec<_> = find_unknown(spot);
    if spot.statement.effect == Effect::Allow {
        let principals = spot.statement.principals.as_ref().filter(|element| !element.is_negated);
        for principal in principals.into_iter().flat_map(|element| &element.entries) {
            found.extend(find_mismatch(spot, principal));
            found.extend(find_needy(spot, principal, whole));
        }
    }
    found
}

fn find_unknown(spot: Spot) -> Vec<Finding> {
    let actions = &spot.statement.actions;
    let name = if actions.is_negated { "NotAction" } else { "Action" };
    let unknown =
        actions.entries.iter().filter(|entry| !ACTIONS.iter().any(|known| is_action_like(entry, known)));
    unknown
        .map(|entry| {
            let message =
                format!("`{}` is not an action of trust policies; AWS rejects the policy.", entry.text);
            let fix = match nearest_name(&entry.text, ACTIONS) {
                Some(meant) => format!("write {meant}."),
                None => "remove it; what the role may do belongs in its permissions policies.".to_owned(),
            };
            spot.at(Rule::UnknownAction, entry.place, name.to_owned(), message, fix)
        })
        .collect()
}

/// Finds a principal that can only assume the role by an action that the statement does not allow.
fn find_mismatch(spot: Spot, principal: &Principal) -> Option<Finding> {
    let (who, own) = match principal.kind {
        PrincipalKind::Service => ("A service", ASSUME),
        PrincipalKind::Account { .. } | PrincipalKind::Arn => ("A user or role", ASSUME),
        PrincipalKind::Federated => match Provider::parse(&principal.text)? {
            Provider::Oidc(_) => ("A web identity", WEB_IDENTITY),
            Provider::Saml => ("A SAML identity", SAML),
        },
        PrincipalKind::Everyone | PrincipalKind::NoOne | PrincipalKind::CanonicalUser => return None,
    };
    let allows = |action: &str| spot.statement.covers_action(action);
    let other = [ASSUME, WEB_IDENTITY, SAML].into_iter().find(|action| allows(action))?;
    if allows(own) {
        return None;
    }
    let message = format!("{who} assumes a role with {own}, but this statement allows only {other}.");
    Some(spot.on_principal(Rule::ActionMismatch, principal, message, format!("write {own}.")))
}

/// Finds a service whose call needs further actions that no statement allows.
fn find_needy(spot: Spot, principal: &Principal, whole: &Whole) -> Option<Finding> {
    let (name, needed) = NEEDY_SERVICES.iter().find(|(name, _)| *name == principal.text)?;
    let missing: Vec<&str> = needed.iter().filter(|action| !whole.can_send(action)).copied().collect();
    if missing.is_empty() || !spot.statement.covers_action(ASSUME) {
        return None;
    }
    let missing = missing.join(" and ");
    let message = format!("{name} also needs {missing}, which no statement allows.");
    Some(spot.on_principal(
        Rule::TagSessionMissing,
        principal,
        message,
        format!("add {missing} to the Action."),
    ))
}
