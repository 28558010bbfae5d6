//! Calls to the inline policies of users and roles.

use std::collections::BTreeMap;

use super::{Call, no_such_entity, parse_document, text};
use crate::encoding::render_percent;
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::turn::Turn;

/// Whose policies a call is about.
#[derive(Clone, Copy)]
enum Owner {
    User,
    Role,
}

impl Owner {
    fn of(turn: &Turn) -> Self {
        if turn.entry.action.contains("Role") { Self::Role } else { Self::User }
    }

    /// How many characters a policy may have.
    fn limit(self) -> usize {
        match self {
            Self::User => 2048,
            Self::Role => 10_240,
        }
    }

    fn name_element(self) -> &'static str {
        match self {
            Self::User => "UserName",
            Self::Role => "RoleName",
        }
    }
}

/// Authorises the call, and finds the policies of the user or role that it names.
fn find<'w>(
    turn: &'w mut Turn,
    call: &Call,
    owner: Owner,
) -> Result<&'w mut BTreeMap<String, String>, Refusal> {
    match owner {
        Owner::Role => call.authorize_role(turn).map(|(_, role)| &mut role.policies),
        Owner::User => {
            let name = text(turn, "UserName");
            call.authorize_user(turn, &name).map(|user| &mut user.policies)
        }
    }
}

fn no_such_policy(name: &str) -> Refusal {
    no_such_entity(&format!("The policy with name {name} cannot be found."))
}

pub(super) fn put_policy(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let owner = Owner::of(turn);
    let name = text(turn, "PolicyName");
    let document = parse_document(turn, "PolicyDocument", owner.limit());
    let policies = find(turn, call, owner)?;
    policies.insert(name, document?);
    Ok(turn.render_nothing())
}

pub(super) fn get_policy(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let owner = Owner::of(turn);
    let (of, name) = (text(turn, owner.name_element()), text(turn, "PolicyName"));
    let document = find(turn, call, owner)?.get(&name).cloned().ok_or_else(|| no_such_policy(&name))?;
    Ok(turn.render(|xml| {
        xml.element(owner.name_element(), &of)
            .element("PolicyName", &name)
            .element("PolicyDocument", &render_percent(document.as_bytes()));
    }))
}

pub(super) fn list_policies(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let owner = Owner::of(turn);
    let names: Vec<String> = find(turn, call, owner)?.keys().cloned().collect();
    Ok(turn.render(|xml| {
        xml.nest("PolicyNames", |xml| {
            for name in &names {
                xml.element("member", name);
            }
        });
        xml.element("IsTruncated", "false");
    }))
}

pub(super) fn delete_policy(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let owner = Owner::of(turn);
    let name = text(turn, "PolicyName");
    find(turn, call, owner)?.remove(&name).ok_or_else(|| no_such_policy(&name))?;
    Ok(turn.render_nothing())
}
