//! Calls to access keys: what rotation needs.

use super::{Call, no_such_entity, text};
use crate::clock::{render_iso, whole_seconds};
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::turn::Turn;
use crate::world::{Key, KeyOwner, KeyStatus, User};

const QUOTA: usize = 2;

fn render_status(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "Active",
        KeyStatus::Inactive => "Inactive",
    }
}

fn no_such_key(id: &str) -> Refusal {
    no_such_entity(&format!("The Access Key with id {id} cannot be found."))
}

fn find<'a>(user: &'a mut User, id: &str) -> Result<&'a mut Key, Refusal> {
    user.keys.iter_mut().find(|key| key.id == id).ok_or_else(|| no_such_key(id))
}

pub(super) fn create_access_key(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let name = call.user_name(turn)?;
    let key = turn.world.mint_key(whole_seconds(turn.now))?;
    let user = call.authorize_user(turn, &name)?;
    if user.keys.len() >= QUOTA {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for AccessKeysPerUser: {QUOTA}"),
        ));
    }
    user.keys.push(key.clone());
    Ok(turn.render(|xml| {
        xml.nest("AccessKey", |xml| {
            xml.element("UserName", &name)
                .element("AccessKeyId", &key.id)
                .element("Status", render_status(key.status))
                .element("SecretAccessKey", key.secret.expose())
                .element("CreateDate", &render_iso(key.created_at));
        });
    }))
}

pub(super) fn list_access_keys(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let name = call.user_name(turn)?;
    let keys = call.authorize_user(turn, &name)?.keys.clone();
    Ok(turn.render(|xml| {
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

pub(super) fn update_access_key(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (name, id) = (call.user_name(turn)?, text(turn, "AccessKeyId"));
    let status = match turn.params.get("Status") {
        Some("Active") => KeyStatus::Active,
        Some("Inactive") => KeyStatus::Inactive,
        other => {
            let value = other.unwrap_or_default();
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value '{value}' at 'status' failed to satisfy constraint: \
                 Member must satisfy enum value set: [Active, Inactive]"
            )));
        }
    };
    find(call.authorize_user(turn, &name)?, &id)?.status = status;
    Ok(turn.render_nothing())
}

pub(super) fn delete_access_key(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let (name, id) = (call.user_name(turn)?, text(turn, "AccessKeyId"));
    let user = call.authorize_user(turn, &name)?;
    find(user, &id)?;
    user.keys.retain(|key| key.id != id);
    Ok(turn.render_nothing())
}

pub(super) fn get_access_key_last_used(turn: &mut Turn, call: &Call) -> Result<Reply, Refusal> {
    let id = text(turn, "AccessKeyId");
    let owner = turn.world.find_key(&id).and_then(|(owner, _)| match owner {
        KeyOwner::User(account, name) if account == call.account_id() => Some(name.to_owned()),
        _ => None,
    });
    // A key of nobody is asked about as if it were the caller's own, so that a refusal tells nothing.
    let name = owner.clone().map_or_else(|| call.user_name(turn), Ok)?;
    let user = call.authorize_user(turn, &name)?;
    let used = find(user, &id)?.last_used.clone();
    Ok(turn.render(|xml| {
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
