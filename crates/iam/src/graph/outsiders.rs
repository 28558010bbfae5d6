//! Trusted callers that the sources do not describe: other accounts, identity providers, anyone.
//!
//! Their own policies are unknown and are taken to allow the call: an edge means that the role trusts them.

use std::collections::BTreeMap;

use super::model::{Edge, Kind, Mfa, Node};
use super::words::conditions_of;
use crate::accounts::Accounts;
use crate::assume::context::{Assumptions, KnownCall, Named, Sent, USUAL_AGE};
use crate::assume::credentials::Credentials;
use crate::assume::entity::{Entity, Session};
use crate::assume::target::Target;
use crate::lint::is_open_to_strangers;
use crate::policy::answer::Answer;
use crate::policy::arn::Arn;
use crate::policy::document::{Effect, Policy};
use crate::policy::evaluate::{Caller, Layers, Request, decide};
use crate::policy::principal::{Principal, PrincipalKind};

const ALLOW_ALL: &str = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
/// A placeholder for an unknown account.
const NOWHERE: &str = "000000000000";

/// A trusted caller that the sources do not describe.
struct Outsider {
    node: Node,
    caller: Caller,
    named: Named,
    /// The actions with which it can assume a role.
    actions: &'static [&'static str],
}

/// Adds the outside callers and their edges to the roles, whose indexes start at `first_role`.
pub(super) fn outsiders(
    accounts: &Accounts,
    targets: &[Target],
    assumptions: &Assumptions,
    first_role: usize,
    nodes: &mut Vec<Node>,
    edges: &mut Vec<Edge>,
) {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (target, to) in targets.iter().zip(first_role..) {
        let Some(trust) = &target.trust else { continue };
        let statements = trust.statements.iter().filter(|statement| statement.effect == Effect::Allow);
        let elements = statements.filter_map(|statement| statement.principals.as_ref());
        let found = elements.flat_map(|element| {
            if element.is_negated {
                return vec![anyone()];
            }
            element.entries.iter().filter_map(|one| outsider(accounts, one)).collect()
        });
        for outsider in found {
            let Some((mfa, conditions)) = judge(&outsider, target, trust, assumptions) else { continue };
            let from = *places.entry(outsider.node.id.clone()).or_insert_with(|| {
                nodes.push(outsider.node);
                nodes.len() - 1
            });
            edges.push(Edge { from, to, mfa, conditions, unknown: Vec::new() });
        }
    }
}

fn anyone() -> Outsider {
    let node = Node {
        kind: Kind::Outside,
        account: None,
        name: "anyone".to_owned(),
        id: "*".to_owned(),
        members: Vec::new(),
        has_more: false,
    };
    Outsider { node, caller: user_of(NOWHERE), named: Named::NotAtAll, actions: &["sts:AssumeRole"] }
}

fn user_of(account: &str) -> Caller {
    Caller::User { arn: format!("arn:aws:iam::{account}:user/anyone") }
}

fn outsider(accounts: &Accounts, principal: &Principal) -> Option<Outsider> {
    let text = &principal.text;
    let node = |account: Option<&str>, name: &str| Node {
        kind: Kind::Outside,
        account: account.map(str::to_owned),
        name: name.to_owned(),
        id: text.clone(),
        members: Vec::new(),
        has_more: false,
    };
    let actions: &[&str] = &["sts:AssumeRole"];
    let named = Named::InFull;
    match &principal.kind {
        PrincipalKind::Everyone => Some(anyone()),
        PrincipalKind::Account { account, .. } => {
            let is_known = accounts.account(account).is_some();
            let node = Node { id: account.clone(), ..node(Some(account), "any user or role") };
            (!is_known).then(|| Outsider { node, caller: user_of(account), named: Named::ByAccount, actions })
        }
        PrincipalKind::Arn => {
            if let Some(Session { account, role: name, name: session }) = Session::parse(text) {
                let role_arn = format!("arn:aws:iam::{account}:role/{name}");
                let known = accounts.account(account);
                let is_known = known.is_some_and(|(_, known)| known.roles.values().any(|r| r.name == name));
                let caller = Caller::RoleSession { session_arn: Some(text.clone()), role_arn };
                let name = format!("{name}/{session}");
                return (!is_known).then(|| Outsider {
                    node: node(Some(account), &name),
                    caller,
                    named,
                    actions,
                });
            }
            let entity = Entity::of_arn(text)?;
            let account = entity.account.as_ref()?;
            let known = accounts.accounts.get(account);
            let is_known =
                known.is_some_and(|known| known.users.contains_key(text) || known.roles.contains_key(text));
            let caller = entity.caller();
            (!is_known).then(|| Outsider {
                node: node(Some(account.as_str()), &entity.name),
                caller,
                named,
                actions,
            })
        }
        PrincipalKind::Federated => {
            let name = Arn::parse(text).map_or(text.as_str(), |arn| arn.resource);
            let name = name.split_once('/').map_or(name, |(_, name)| name);
            let actions: &[&str] = &["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"];
            Some(Outsider { node: node(None, name), caller: Caller::Federated(text.clone()), named, actions })
        }
        PrincipalKind::Service | PrincipalKind::NoOne | PrincipalKind::CanonicalUser => None,
    }
}

/// Returns whether the outside caller needs MFA and the conditions; `None` if the trust policy denies it.
fn judge(
    outsider: &Outsider,
    target: &Target,
    trust: &Policy,
    assumptions: &Assumptions,
) -> Option<(Mfa, Vec<String>)> {
    let layers = Layers {
        trust: Some(trust.clone()),
        identity: Policy::parse(ALLOW_ALL).into_iter().collect(),
        ..Layers::default()
    };
    let ask = |action: &str, credentials: Option<Credentials>| -> Option<Answer> {
        let (age, sent) = (Some(USUAL_AGE), Sent::Anything);
        let caller = &outsider.caller;
        let call = KnownCall { caller, named: outsider.named, credentials, age, sent, now: assumptions.now };
        let mut context = call.context();
        assumptions.set_keys(&mut context);
        let nowhere = hatbox_types::name::AccountId::parse(NOWHERE).ok();
        let request = Request {
            caller: outsider.caller.clone(),
            action: action.to_owned(),
            also_actions: Vec::new(),
            resource: target.entity.arn.clone(),
            resource_account: target.entity.account.clone().or(nowhere)?,
            context,
        };
        Some(decide(&request, &layers).into())
    };
    if let Caller::Federated(provider) = &outsider.caller {
        let mut found = outsider.actions.iter().filter_map(|action| ask(action, None));
        let answer = found.find(|answer| !answer.is_no())?;
        // AWS does not know whether the provider required MFA. If strangers can get tokens, it does not matter.
        let mfa = if is_open_to_strangers(trust, provider) { Mfa::NotRequired } else { Mfa::Unknown };
        return Some((mfa, conditions_of(answer.facts())));
    }
    let action = outsider.actions.first()?;
    if let Caller::RoleSession { .. } = outsider.caller {
        let session = ask(action, Some(Credentials::RoleSession))?;
        return (!session.is_no()).then(|| (Mfa::NotRequired, conditions_of(session.facts())));
    }
    let plain = ask(action, Some(Credentials::AccessKeys))?;
    let with_code = ask(action, Some(Credentials::AccessKeysWithMfa))?;
    if plain.is_no() && with_code.is_no() {
        return None;
    }
    let mfa = mfa(&plain);
    let answer = if mfa == Mfa::NotRequired { plain } else { with_code };
    Some((mfa, conditions_of(answer.facts())))
}

/// Returns whether MFA is required, for a caller that can assume the role with MFA. It is not required if the call
/// without MFA is allowed, even under conditions.
fn mfa(plain: &Answer) -> Mfa {
    if plain.is_no() { Mfa::Required } else { Mfa::NotRequired }
}
