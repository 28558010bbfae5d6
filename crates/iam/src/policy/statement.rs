//! Matches one statement against one request, or against an action alone.

use std::borrow::Cow;

use super::answer::{Answer, Fact, Layer};
use super::condition::Condition;
use super::document::{Effect, Element, Policy, Statement};
use super::matching::{Case, is_match, is_resource_match};
use super::principal::{Principal, PrincipalKind, Route};
use super::request::{Caller, Context, Lookup, Request};
use super::variable::{Filled, Template};

const ASSUME_ROLE: &str = "sts:AssumeRole";

/// Whether a statement applies to a request.
pub(super) struct Applies<'p> {
    pub(super) truth: Answer,
    /// What does not match, if the answer is *no*.
    pub(super) miss: Option<Miss<'p>>,
}

/// The element of a statement that does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss<'p> {
    Principal,
    Action,
    Resource,
    Condition { condition: &'p Condition, has_key: bool },
}

/// Whether `statement` of `layer` applies to `action` in `request`. Ignores the principals.
pub(super) fn applies<'p>(
    statement: &'p Statement,
    layer: Layer,
    request: &Request,
    action: &str,
) -> Applies<'p> {
    let no = |miss| Applies { truth: Answer::No, miss: Some(miss) };
    if !covers_action(&statement.actions, action) {
        return no(Miss::Action);
    }
    let mut truth = covers_resource(statement, layer, request);
    if truth.is_no() {
        return no(Miss::Resource);
    }
    for condition in &statement.conditions {
        let holds = condition.holds(&request.context);
        if holds.is_no() {
            let has_key = matches!(request.context.find_lower(&condition.lower_key), Lookup::Values(_));
            return no(Miss::Condition { condition, has_key });
        }
        truth = truth.and(holds);
    }
    Applies { truth, miss: None }
}

/// Whether the actions of a statement include `action`.
pub(super) fn covers_action(actions: &Element<Template>, action: &str) -> bool {
    actions.entries.iter().any(|entry| is_action_like(entry, action)) != actions.is_negated
}

/// Whether an entry of `Action` matches `action`. Variables have no values here, so no request is needed.
pub(crate) fn is_action_like(entry: &Template, action: &str) -> bool {
    match entry.fill(&Context::default()) {
        Filled::Tokens(pattern) => is_match(&pattern, action, Case::Insensitive),
        Filled::NoValue | Filled::Unknown(_) => false,
    }
}

/// A trust policy has no `Resource`. IAM does not accept an identity-based policy without one; if there is one, its
/// Allow matches nothing and its Deny everything.
fn covers_resource(statement: &Statement, layer: Layer, request: &Request) -> Answer {
    let Some(resources) = &statement.resources else {
        return (matches!(layer, Layer::Trust | Layer::Rcp) || statement.effect == Effect::Deny).into();
    };
    let is_named = Answer::any(resources.entries.iter().map(|entry| match entry.fill(&request.context) {
        Filled::Tokens(pattern) => is_resource_match(&pattern, &request.resource).into(),
        Filled::NoValue => Answer::No,
        Filled::Unknown(name) => Answer::unknown(Fact::key(name)),
    }));
    if resources.is_negated { is_named.not() } else { is_named }
}

/// The ways in which a statement may name a caller, each with whether it does name the caller.
pub(super) type Routes = Cow<'static, [(Route, Answer)]>;

static EVERYONE: [(Route, Answer); 1] = [(Route::Everyone, Answer::Yes)];

/// Returns the ways in which `statement` names `caller`; empty if it does not. Without a principal element, a statement
/// applies to every caller in an identity-based policy, and to none in a resource-based policy.
pub(super) fn routes(statement: &Statement, layer: Layer, caller: &Caller) -> Routes {
    match &statement.principals {
        None if layer == Layer::Trust => Cow::Borrowed(&[]),
        None => Cow::Borrowed(&EVERYONE),
        Some(element) if element.is_negated => {
            let is_meant = match statement.effect {
                Effect::Deny => is_listed_in_full(&element.entries, caller).not(),
                Effect::Allow => is_listed_at_all(&element.entries, caller).not(),
            };
            if is_meant.is_no() { Cow::Borrowed(&[]) } else { Cow::Owned(vec![(Route::Everyone, is_meant)]) }
        }
        Some(element) => element.entries.iter().filter_map(|principal| principal.fits(caller)).collect(),
    }
}

/// A Deny with `NotPrincipal` exempts a caller only if all of the caller's names are listed: account and user, or
/// account, role and session.
fn is_listed_in_full(listed: &[Principal], caller: &Caller) -> Answer {
    let has = |route| {
        let fits = listed.iter().filter_map(|principal| principal.fits(caller));
        Answer::any(fits.filter(|(found, _)| *found == route).map(|(_, truth)| truth))
    };
    let is_everyone = listed.iter().any(|principal| principal.kind == PrincipalKind::Everyone);
    let in_full = match caller {
        Caller::User { .. } => has(Route::Account).and(has(Route::User)),
        Caller::RoleSession { .. } => has(Route::Account).and(has(Route::Role)).and(has(Route::Session)),
        Caller::Root(_) => has(Route::Account),
        Caller::Service(_) | Caller::Federated(_) => has(Route::Outsider),
        Caller::Anonymous => Answer::No,
    };
    in_full.or(is_everyone.into())
}

fn is_listed_at_all(listed: &[Principal], caller: &Caller) -> Answer {
    Answer::any(listed.iter().filter_map(|principal| principal.fits(caller)).map(|(_, truth)| truth))
}

impl Statement {
    /// Whether the actions of the statement include `action`; ignores its other elements.
    pub(crate) fn covers_action(&self, action: &str) -> bool {
        covers_action(&self.actions, action)
    }
}

impl Policy {
    /// Returns the resources on which this identity-based policy may allow `sts:AssumeRole`, ignoring conditions.
    /// `None` if a statement uses wildcards, variables or `NotResource` instead of naming each role.
    pub fn assumable_roles(&self) -> Option<impl Iterator<Item = &str>> {
        let is_about = |statement: &&Statement| {
            statement.effect == Effect::Allow && covers_action(&statement.actions, ASSUME_ROLE)
        };
        let elements: Vec<_> =
            self.statements.iter().filter(is_about).filter_map(|s| s.resources.as_ref()).collect();
        // An ARN with fewer parts counts as having wildcards at its end.
        let is_one = |text: &str| !text.contains(['*', '?', '$']) && text.matches(':').count() >= 5;
        let is_plain = |element: &&Element<Template>| {
            !element.is_negated && element.entries.iter().all(|entry| is_one(&entry.text))
        };
        let all_plain = elements.iter().all(is_plain);
        all_plain.then(|| {
            elements.into_iter().flat_map(|element| &element.entries).map(|entry| entry.text.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(statement: &str) -> Option<Vec<String>> {
        let policy =
            Policy::parse(&format!(r#"{{"Version": "2012-10-17", "Statement": {{{statement}}}}}"#)).unwrap();
        policy.assumable_roles().map(|roles| roles.map(str::to_owned).collect())
    }

    #[test]
    fn roles_are_known_only_where_each_is_named() {
        let ops = "arn:aws:iam::444455556666:role/Ops";
        let allow = |action: &str, resource: &str| {
            roles(&format!(r#""Effect": "Allow", "Action": "{action}", "Resource": {resource}"#))
        };
        assert_eq!(allow("sts:Assume*", &format!("[\"{ops}\"]")), Some(vec![ops.to_owned()]));
        assert_eq!(allow("s3:*", "\"*\""), Some(Vec::new()), "about something else");
        for wide in ["\"*\"", "\"arn:aws:iam::444455556666:role/${aws:username}\"", "\"arn:aws:iam\""] {
            assert_eq!(allow("sts:*", wide), None, "{wide}");
        }
        let but = format!(r#""Effect": "Allow", "Action": "sts:*", "NotResource": "{ops}""#);
        assert_eq!(roles(&but), None);
        let deny = r#""Effect": "Deny", "Action": "*", "Resource": "*""#;
        assert_eq!(roles(deny), Some(Vec::new()), "a Deny allows nothing");
    }
}
