//! Calls about users.

use std::collections::BTreeMap;

use super::call::{
    account_of, already_exists, authorize, authorize_user, delete_conflict, parse_boundary, parse_path,
    parse_tags, text, user_name, write_boundary, write_tags,
};
use super::page::Page;
use crate::clock::{render_iso, whole_seconds};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::mint::mint_unique_id;
use crate::sigv4::Caller;
use crate::world::{User, user_arn};
use crate::xml::Xml;

/// Writes the fields of a user that lists contain.
fn write_user(xml: &mut Xml, account: &str, name: &str, user: &User) {
    xml.element("Path", &user.path)
        .element("UserName", name)
        .element("UserId", &user.user_id)
        .element("Arn", &user_arn(account, &user.path, name))
        .element("CreateDate", &render_iso(user.created_at));
}

/// Writes all fields of a user.
fn write_whole_user(xml: &mut Xml, account: &str, name: &str, user: &User) {
    write_user(xml, account, name, user);
    write_boundary(xml, user.boundary.as_ref());
    write_tags(xml, &user.tags);
}

pub(super) fn create_user(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let (name, path) = (text(context, "UserName"), parse_path(context)?);
    authorize(context, caller, &user_arn(caller.account(), &path, &name))?;
    let user = User {
        path,
        user_id: mint_unique_id("AIDA")?,
        created_at: whole_seconds(context.now),
        keys: Vec::new(),
        policies: BTreeMap::new(),
        boundary: parse_boundary(context, caller)?,
        tags: parse_tags(context),
    };
    let users = &mut account_of(context, caller).users;
    // User names are unique regardless of case.
    if users.keys().any(|there| there.eq_ignore_ascii_case(&name)) {
        return Err(already_exists(&format!("User with name {name} already exists.")));
    }
    users.insert(name.clone(), user.clone());
    Ok(context.render(|xml| {
        xml.nest("User", |xml| write_whole_user(xml, caller.account(), &name, &user));
    }))
}

pub(super) fn get_user(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let name = user_name(context, caller)?;
    let user = authorize_user(context, caller, &name)?.clone();
    Ok(context.render(|xml| {
        xml.nest("User", |xml| write_whole_user(xml, caller.account(), &name, &user));
    }))
}

pub(super) fn list_users(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    authorize(context, caller, &user_arn(caller.account(), "/", ""))?;
    let prefix = context.params.get("PathPrefix").unwrap_or("/");
    let users = account_of(context, caller).users.clone();
    let listed = users.iter().filter(|(_, user)| user.path.starts_with(prefix));
    let page = Page::of(context, listed.map(|(name, user)| (name.clone(), (name, user))).collect())?;
    Ok(context.render(|xml| {
        xml.nest("Users", |xml| {
            for (name, user) in &page.items {
                xml.nest("member", |xml| write_user(xml, caller.account(), name, user));
            }
        });
        page.write_end(xml);
    }))
}

pub(super) fn delete_user(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let name = text(context, "UserName");
    let user = authorize_user(context, caller, &name)?;
    if !user.keys.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete access keys first."));
    }
    if !user.policies.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    let account = account_of(context, caller);
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
    Ok(context.render_nothing())
}
