//! Calls to roles.

use std::collections::BTreeMap;

use super::{
    Call, already_exists, delete_conflict, parse_boundary, parse_document, parse_path, parse_tags, text,
};
use crate::clock::{render_iso, whole_seconds};
use crate::encoding::render_percent;
use crate::http::Reply;
use crate::mint::mint_unique_id;
use crate::refusal::Refusal;
use crate::turn::Turn;
use crate::world::{Role, role_arn};
use crate::xml::Xml;

/// A trust policy may have so many characters.
const TRUST_LIMIT: usize = 2048;

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
        trust: parse_document(turn, "AssumeRolePolicyDocument", TRUST_LIMIT)?,
        description: text(turn, "Description"),
        policies: BTreeMap::new(),
        boundary: parse_boundary(turn)?,
        max_session_seconds: max_session(turn).unwrap_or(3600),
        tags: parse_tags(turn),
    };
    let roles = &mut call.account(turn).roles;
    if roles.keys().any(|there| there.eq_ignore_ascii_case(&name)) {
        return Err(already_exists(&format!("Role with name {name} already exists.")));
    }
    roles.insert(name.clone(), role.clone());
    Ok(turn.render(|xml| {
        xml.nest("Role", |xml| write_role(xml, call.account_id(), &name, &role));
    }))
}

pub(super) fn get_role(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (name, role) = call.authorize_role(turn)?;
    let role = role.clone();
    Ok(turn.render(|xml| {
        xml.nest("Role", |xml| write_role(xml, call.account_id(), &name, &role));
    }))
}

pub(super) fn list_roles(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    call.authorize(turn, &role_arn(call.account_id(), "/", ""))?;
    let prefix = turn.params.get("PathPrefix").unwrap_or("/");
    let roles = call.account(turn).roles.clone();
    Ok(turn.render(|xml| {
        xml.nest("Roles", |xml| {
            for (name, role) in roles.iter().filter(|(_, role)| role.path.starts_with(prefix)) {
                xml.nest("member", |xml| write_role(xml, call.account_id(), name, role));
            }
        });
        xml.element("IsTruncated", "false");
    }))
}

pub(super) fn update_trust(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let document = parse_document(turn, "PolicyDocument", TRUST_LIMIT);
    let (_, role) = call.authorize_role(turn)?;
    role.trust = document?;
    Ok(turn.render_nothing())
}

pub(super) fn update_role(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (seconds, description) = (max_session(turn), turn.params.get("Description").map(str::to_owned));
    let (_, role) = call.authorize_role(turn)?;
    role.max_session_seconds = seconds.unwrap_or(role.max_session_seconds);
    if let Some(description) = description {
        role.description = description;
    }
    Ok(turn.render(|_| {}))
}

pub(super) fn delete_role(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (name, role) = call.authorize_role(turn)?;
    if !role.policies.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    call.account(turn).roles.remove(&name);
    Ok(turn.render_nothing())
}
