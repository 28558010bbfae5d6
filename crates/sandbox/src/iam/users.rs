//! Calls to users.

use std::collections::BTreeMap;

use super::page::Page;
use super::{
    Call, already_exists, delete_conflict, parse_boundary, parse_path, parse_tags, text, write_boundary,
    write_tags,
};
use crate::clock::{render_iso, whole_seconds};
use crate::http::Reply;
use crate::mint::mint_unique_id;
use crate::refusal::Refusal;
use crate::turn::Turn;
use crate::world::{User, user_arn};
use crate::xml::Xml;

/// What lists tell of a user.
fn write_user(xml: &mut Xml, account: &str, name: &str, user: &User) {
    xml.element("Path", &user.path)
        .element("UserName", name)
        .element("UserId", &user.user_id)
        .element("Arn", &user_arn(account, &user.path, name))
        .element("CreateDate", &render_iso(user.created_at));
}

/// What a user's own calls tell of it.
fn write_whole_user(xml: &mut Xml, account: &str, name: &str, user: &User) {
    write_user(xml, account, name, user);
    write_boundary(xml, user.boundary.as_ref());
    write_tags(xml, &user.tags);
}

pub(super) fn create_user(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (name, path) = (text(turn, "UserName"), parse_path(turn)?);
    call.authorize(turn, &user_arn(call.account_id(), &path, &name))?;
    let user = User {
        path,
        user_id: mint_unique_id("AIDA")?,
        created_at: whole_seconds(turn.now),
        keys: Vec::new(),
        policies: BTreeMap::new(),
        boundary: parse_boundary(turn, call)?,
        tags: parse_tags(turn),
    };
    let users = &mut call.account(turn).users;
    // Names differ by more than case.
    if users.keys().any(|there| there.eq_ignore_ascii_case(&name)) {
        return Err(already_exists(&format!("User with name {name} already exists.")));
    }
    users.insert(name.clone(), user.clone());
    Ok(turn.render(|xml| {
        xml.nest("User", |xml| write_whole_user(xml, call.account_id(), &name, &user));
    }))
}

pub(super) fn get_user(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let name = call.user_name(turn)?;
    let user = call.authorize_user(turn, &name)?.clone();
    Ok(turn.render(|xml| {
        xml.nest("User", |xml| write_whole_user(xml, call.account_id(), &name, &user));
    }))
}

pub(super) fn list_users(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    call.authorize(turn, &user_arn(call.account_id(), "/", ""))?;
    let prefix = turn.params.get("PathPrefix").unwrap_or("/");
    let users = call.account(turn).users.clone();
    let listed = users.iter().filter(|(_, user)| user.path.starts_with(prefix));
    let page = Page::of(turn, listed.map(|(name, user)| (name.clone(), (name, user))).collect())?;
    Ok(turn.render(|xml| {
        xml.nest("Users", |xml| {
            for (name, user) in &page.items {
                xml.nest("member", |xml| write_user(xml, call.account_id(), name, user));
            }
        });
        page.write_end(xml);
    }))
}

pub(super) fn delete_user(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let name = text(turn, "UserName");
    let user = call.authorize_user(turn, &name)?;
    if !user.keys.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete access keys first."));
    }
    if !user.policies.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    let account = call.account(turn);
    if account.attachments.values().any(|to| to.users.contains(&name)) {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if account.mfa_devices.values().any(|device| device.user.as_ref() == Some(&name)) {
        return Err(delete_conflict("Cannot delete entity, must delete MFA device first."));
    }
    if account.groups.values().any(|group| group.members.contains(&name)) {
        return Err(delete_conflict("Cannot delete entity, must remove users from group first."));
    }
    account.users.remove(&name);
    Ok(turn.render_nothing())
}
