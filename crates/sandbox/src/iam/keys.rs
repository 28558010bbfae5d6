//! Calls about access keys, as key rotation needs them.

use super::call::{authorize_user, no_such_entity, text, user_name};
use crate::clock::{render_iso, whole_seconds};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::{Key, KeyOwner, KeyStatus, User};

const QUOTA: usize = 2;

fn render_status(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "Active",
        KeyStatus::Inactive => "Inactive",
    }
}

fn no_such_key(id: &str) -> ErrorResponse {
    no_such_entity(&format!("The Access Key with id {id} cannot be found."))
}

fn find<'a>(user: &'a mut User, id: &str) -> Result<&'a mut Key, ErrorResponse> {
    user.keys.iter_mut().find(|key| key.id == id).ok_or_else(|| no_such_key(id))
}

pub(super) fn create_access_key(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let name = user_name(context, caller)?;
    let key = context.world.mint_key(whole_seconds(context.now))?;
    let user = authorize_user(context, caller, &name)?;
    if user.keys.len() >= QUOTA {
        return Err(ErrorResponse::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for AccessKeysPerUser: {QUOTA}"),
        ));
    }
    user.keys.push(key.clone());
    Ok(context.render(|xml| {
        xml.nest("AccessKey", |xml| {
            xml.element("UserName", &name)
                .element("AccessKeyId", &key.id)
                .element("Status", render_status(key.status))
                .element("SecretAccessKey", key.secret.expose())
                .element("CreateDate", &render_iso(key.created_at));
        });
    }))
}

pub(super) fn list_access_keys(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let name = user_name(context, caller)?;
    let keys = authorize_user(context, caller, &name)?.keys.clone();
    Ok(context.render(|xml| {
        xml.nest("AccessKeyMetadata", |xml| {
            for key in &keys {
                xml.nest("member", |xml| {
                    xml.element("UserName", &name)
                        .element("AccessKeyId", &key.id)
                        .element("Status", render_status(key.status))
                        .element("CreateDate", &render_iso(key.created_at));
                });
            }
        });
        xml.element("IsTruncated", "false");
    }))
}

pub(super) fn update_access_key(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let (name, id) = (user_name(context, caller)?, text(context, "AccessKeyId"));
    let status = match context.params.get("Status") {
        Some("Active") => KeyStatus::Active,
        Some("Inactive") => KeyStatus::Inactive,
        other => {
            let value = other.unwrap_or_default();
            return Err(ErrorResponse::validation(format!(
                "1 validation error detected: Value '{value}' at 'status' failed to satisfy constraint: \
                 Member must satisfy enum value set: [Active, Inactive]"
            )));
        }
    };
    find(authorize_user(context, caller, &name)?, &id)?.status = status;
    Ok(context.render_nothing())
}

pub(super) fn delete_access_key(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let (name, id) = (user_name(context, caller)?, text(context, "AccessKeyId"));
    let user = authorize_user(context, caller, &name)?;
    find(user, &id)?;
    user.keys.retain(|key| key.id != id);
    Ok(context.render_nothing())
}

pub(super) fn get_access_key_last_used(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let id = text(context, "AccessKeyId");
    let owner = context.world.find_key(&id).and_then(|(owner, _)| match owner {
        KeyOwner::User(account, name) if account == caller.account() => Some(name.to_owned()),
        _ => None,
    });
    // A key that does not exist is treated as the caller's own, so that the error does not reveal which keys exist.
    let name = owner.clone().map_or_else(|| user_name(context, caller), Ok)?;
    let user = authorize_user(context, caller, &name)?;
    let used = find(user, &id)?.last_used.clone();
    Ok(context.render(|xml| {
        xml.element("UserName", &name);
        xml.nest("AccessKeyLastUsed", |xml| match &used {
            Some(used) => {
                xml.element("LastUsedDate", &render_iso(used.at))
                    .element("ServiceName", &used.service)
                    .element("Region", &used.region);
            }
            None => {
                xml.element("ServiceName", "N/A").element("Region", "N/A");
            }
        });
    }))
}
