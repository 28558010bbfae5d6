//! Calls about the inline policies of users and roles.

use std::collections::BTreeMap;

use super::call::{authorize_role, authorize_user, no_such_entity, parse_document, text};
use crate::context::RequestContext;
use crate::encoding::render_percent;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;

/// Whether a call is about policies of a user or of a role.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    User,
    Role,
}

impl Owner {
    /// Returns the maximum number of characters of a policy.
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

/// Authorizes the caller, and returns the policies of the user or role in the request.
fn find<'w>(
    context: &'w mut RequestContext,
    caller: &Caller,
    owner: Owner,
) -> Result<&'w mut BTreeMap<String, String>, ErrorResponse> {
    match owner {
        Owner::Role => authorize_role(context, caller).map(|(_, role)| &mut role.policies),
        Owner::User => {
            let name = text(context, "UserName");
            authorize_user(context, caller, &name).map(|user| &mut user.policies)
        }
    }
}

fn no_such_policy(name: &str) -> ErrorResponse {
    no_such_entity(&format!("The policy with name {name} cannot be found."))
}

pub(super) fn put_policy(
    context: &mut RequestContext,
    caller: &Caller,
    owner: Owner,
) -> Result<Reply, ErrorResponse> {
    let name = text(context, "PolicyName");
    let document = parse_document(context, "PolicyDocument", owner.limit());
    let policies = find(context, caller, owner)?;
    policies.insert(name, document?);
    Ok(context.render_nothing())
}

pub(super) fn get_policy(
    context: &mut RequestContext,
    caller: &Caller,
    owner: Owner,
) -> Result<Reply, ErrorResponse> {
    let (of, name) = (text(context, owner.name_element()), text(context, "PolicyName"));
    let document = find(context, caller, owner)?.get(&name).cloned().ok_or_else(|| no_such_policy(&name))?;
    Ok(context.render(|xml| {
        xml.element(owner.name_element(), &of)
            .element("PolicyName", &name)
            .element("PolicyDocument", &render_percent(document.as_bytes()));
    }))
}

pub(super) fn list_policies(
    context: &mut RequestContext,
    caller: &Caller,
    owner: Owner,
) -> Result<Reply, ErrorResponse> {
    let names: Vec<String> = find(context, caller, owner)?.keys().cloned().collect();
    Ok(context.render(|xml| {
        xml.nest("PolicyNames", |xml| {
            for name in &names {
                xml.element("member", name);
            }
        });
        xml.element("IsTruncated", "false");
    }))
}

pub(super) fn delete_policy(
    context: &mut RequestContext,
    caller: &Caller,
    owner: Owner,
) -> Result<Reply, ErrorResponse> {
    let name = text(context, "PolicyName");
    find(context, caller, owner)?.remove(&name).ok_or_else(|| no_such_policy(&name))?;
    Ok(context.render_nothing())
}
