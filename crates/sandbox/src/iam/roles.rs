//! Calls to roles.

use std::collections::BTreeMap;

use super::page::Page;
use super::trust::{check_modifiable, parse_trust};
use super::{
    Call, already_exists, delete_conflict, parse_boundary, parse_path, parse_tags, text, write_boundary,
    write_tags,
};
use crate::clock::{render_iso, whole_seconds};
use crate::encoding::render_percent;
use crate::http::Reply;
use crate::mint::mint_unique_id;
use crate::refusal::Refusal;
use crate::turn::Turn;
use crate::world::{Role, role_arn};
use crate::xml::Xml;

/// What lists tell of a role.
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

/// What a role's own calls tell of it.
fn write_whole_role(xml: &mut Xml, account: &str, name: &str, role: &Role) {
    write_role(xml, account, name, role);
    write_boundary(xml, role.boundary.as_ref());
    write_tags(xml, &role.tags);
}

fn max_session(turn: &Turn) -> Option<i64> {
    turn.params.get("MaxSessionDuration").and_then(|text| text.parse().ok())
}

pub(super) fn create_role(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (name, path) = (text(turn, "RoleName"), parse_path(turn)?);
    call.authorize(turn, &role_arn(call.account_id(), &path, &name))?;
    let role = Role {
        path,
        role_id: mint_unique_id("AROA")?,
        created_at: whole_seconds(turn.now),
        trust: parse_trust(turn, "AssumeRolePolicyDocument")?,
        description: text(turn, "Description"),
        policies: BTreeMap::new(),
        boundary: parse_boundary(turn, call)?,
        max_session_seconds: max_session(turn).unwrap_or(3600),
        tags: parse_tags(turn),
    };
    let roles = &mut call.account(turn).roles;
    if roles.keys().any(|there| there.eq_ignore_ascii_case(&name)) {
        return Err(already_exists(&format!("Role with name {name} already exists.")));
    }
    roles.insert(name.clone(), role.clone());
    Ok(turn.render(|xml| {
        xml.nest("Role", |xml| write_whole_role(xml, call.account_id(), &name, &role));
    }))
}

pub(super) fn get_role(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (name, role) = call.authorize_role(turn)?;
    let role = role.clone();
    Ok(turn.render(|xml| {
        xml.nest("Role", |xml| write_whole_role(xml, call.account_id(), &name, &role));
    }))
}

pub(super) fn list_roles(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    call.authorize(turn, &role_arn(call.account_id(), "/", ""))?;
    let prefix = turn.params.get("PathPrefix").unwrap_or("/");
    let roles = call.account(turn).roles.clone();
    let listed = roles.iter().filter(|(_, role)| role.path.starts_with(prefix));
    let page = Page::of(turn, listed.map(|(name, role)| (name.clone(), (name, role))).collect())?;
    Ok(turn.render(|xml| {
        xml.nest("Roles", |xml| {
            for (name, role) in &page.items {
                xml.nest("member", |xml| write_role(xml, call.account_id(), name, role));
            }
        });
        page.write_end(xml);
    }))
}

pub(super) fn update_trust(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let document = parse_trust(turn, "PolicyDocument");
    let (name, role) = call.authorize_role(turn)?;
    check_modifiable(&role.path, &name)?;
    role.trust = document?;
    Ok(turn.render_nothing())
}

pub(super) fn update_role(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (seconds, description) = (max_session(turn), turn.params.get("Description").map(str::to_owned));
    let (name, role) = call.authorize_role(turn)?;
    check_modifiable(&role.path, &name)?;
    role.max_session_seconds = seconds.unwrap_or(role.max_session_seconds);
    if let Some(description) = description {
        role.description = description;
    }
    Ok(turn.render(|_| {}))
}

pub(super) fn delete_role(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (name, role) = call.authorize_role(turn)?;
    check_modifiable(&role.path, &name)?;
    if !role.policies.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    if call.account(turn).attachments.values().any(|to| to.roles.contains(&name)) {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    call.account(turn).roles.remove(&name);
    Ok(turn.render_nothing())
}
