//! Calls about roles.

use std::collections::BTreeMap;

use super::call::{
    account_of, already_exists, authorize, authorize_role, delete_conflict, parse_boundary, parse_path,
    parse_tags, text, write_boundary, write_tags,
};
use super::page::Page;
use super::trust::{check_modifiable, parse_trust};
use crate::clock::{render_iso, whole_seconds};
use crate::context::RequestContext;
use crate::encoding::render_percent;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::mint::mint_unique_id;
use crate::sigv4::Caller;
use crate::world::{Role, role_arn};
use crate::xml::Xml;

/// Writes the fields of a role that lists contain.
fn write_role(xml: &mut Xml, account: &str, name: &str, role: &Role) {
    xml.element("Path", &role.path)
        .element("RoleName", name)
        .element("RoleId", &role.role_id)
        .element("Arn", &role_arn(account, &role.path, name))
        .element("CreateDate", &render_iso(role.created_at))
        .element("AssumeRolePolicyDocument", &render_percent(role.trust.as_bytes()));
    if !role.description.is_empty() {
        xml.element("Description", &role.description);
    }
    xml.element("MaxSessionDuration", &role.max_session_seconds.to_string());
}

/// Writes all fields of a role.
fn write_whole_role(xml: &mut Xml, account: &str, name: &str, role: &Role) {
    write_role(xml, account, name, role);
    write_boundary(xml, role.boundary.as_ref());
    write_tags(xml, &role.tags);
}

fn max_session(context: &RequestContext) -> Option<i64> {
    context.params.get("MaxSessionDuration").and_then(|text| text.parse().ok())
}

pub(super) fn create_role(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let (name, path) = (text(context, "RoleName"), parse_path(context)?);
    authorize(context, caller, &role_arn(caller.account(), &path, &name))?;
    let role = Role {
        path,
        role_id: mint_unique_id("AROA")?,
        created_at: whole_seconds(context.now),
        trust: parse_trust(context, "AssumeRolePolicyDocument")?,
        description: text(context, "Description"),
        policies: BTreeMap::new(),
        boundary: parse_boundary(context, caller)?,
        max_session_seconds: max_session(context).unwrap_or(3600),
        tags: parse_tags(context),
    };
    let roles = &mut account_of(context, caller).roles;
    if roles.keys().any(|there| there.eq_ignore_ascii_case(&name)) {
        return Err(already_exists(&format!("Role with name {name} already exists.")));
    }
    roles.insert(name.clone(), role.clone());
    Ok(context.render(|xml| {
        xml.nest("Role", |xml| write_whole_role(xml, caller.account(), &name, &role));
    }))
}

pub(super) fn get_role(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let (name, role) = authorize_role(context, caller)?;
    let role = role.clone();
    Ok(context.render(|xml| {
        xml.nest("Role", |xml| write_whole_role(xml, caller.account(), &name, &role));
    }))
}

pub(super) fn list_roles(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize(context, caller, &role_arn(caller.account(), "/", ""))?;
    let prefix = context.params.get("PathPrefix").unwrap_or("/");
    let roles = account_of(context, caller).roles.clone();
    let listed = roles.iter().filter(|(_, role)| role.path.starts_with(prefix));
    let page = Page::of(context, listed.map(|(name, role)| (name.clone(), (name, role))).collect())?;
    Ok(context.render(|xml| {
        xml.nest("Roles", |xml| {
            for (name, role) in &page.items {
                xml.nest("member", |xml| write_role(xml, caller.account(), name, role));
            }
        });
        page.write_end(xml);
    }))
}

pub(super) fn update_trust(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let document = parse_trust(context, "PolicyDocument");
    let (name, role) = authorize_role(context, caller)?;
    check_modifiable(&role.path, &name)?;
    role.trust = document?;
    Ok(context.render_nothing())
}

pub(super) fn update_role(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let (seconds, description) = (max_session(context), context.params.get("Description").map(str::to_owned));
    let (name, role) = authorize_role(context, caller)?;
    check_modifiable(&role.path, &name)?;
    role.max_session_seconds = seconds.unwrap_or(role.max_session_seconds);
    if let Some(description) = description {
        role.description = description;
    }
    Ok(context.render(|_| {}))
}

pub(super) fn delete_role(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let (name, role) = authorize_role(context, caller)?;
    check_modifiable(&role.path, &name)?;
    if !role.policies.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    if account_of(context, caller).attachments.values().any(|to| to.roles.contains(&name)) {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    account_of(context, caller).roles.remove(&name);
    Ok(context.render_nothing())
}
