//! Calls that tell who somebody is: GetCallerIdentity, GetAccessKeyInfo, DecodeAuthorizationMessage.

use super::table::rules_of;
use crate::authorize::{Ask, CodeGiven};
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::rules::check_params;
use crate::sigv4::Caller;
use crate::turn::Turn;

/// GetCallerIdentity. No policy is asked: not even an explicit Deny forbids it.
pub(super) fn get_caller_identity(turn: &mut Turn, caller: &Caller) -> Reply {
    turn.keys(caller, CodeGiven::No);
    let arn = caller.principal.arn(turn.world);
    let id = caller.principal.user_id(turn.world);
    turn.render(|xml| {
        xml.element("Arn", &arn).element("UserId", &id).element("Account", caller.principal.account());
    })
}

/// GetAccessKeyInfo: the account of a key that the sandbox minted.
pub(super) fn get_access_key_info(turn: &mut Turn, caller: &Caller) -> Result<Reply, Refusal> {
    check_params(&rules_of("GetAccessKeyInfo"), turn.params)?;
    turn.authorize(caller, &Ask::new("sts:GetAccessKeyInfo", "*", caller.principal.account()), "")?;
    let id = turn.params.get("AccessKeyId").unwrap_or_default();
    let of_key = turn.world.find_key(id).map(|(owner, _)| match owner {
        crate::world::KeyOwner::User(account, _) | crate::world::KeyOwner::Root(account) => account,
    });
    let of_session = turn.world.sessions.get(id).map(|session| session.principal.account());
    let account = of_key
        .or(of_session)
        .ok_or_else(|| Refusal::validation("The access key id is not one that this sandbox minted."))?
        .to_owned();
    Ok(turn.render(|xml| {
        xml.element("Account", &account);
    }))
}

/// DecodeAuthorizationMessage: of messages that this server encoded.
pub(super) fn decode_authorization_message(turn: &mut Turn, caller: &Caller) -> Result<Reply, Refusal> {
    check_params(&rules_of("DecodeAuthorizationMessage"), turn.params)?;
    turn.authorize(caller, &Ask::new("sts:DecodeAuthorizationMessage", "*", caller.principal.account()), "")?;
    let message = turn.params.get("EncodedMessage").and_then(|encoded| turn.denials.decode(encoded));
    let message = message.ok_or_else(|| {
        Refusal::new(
            400,
            "InvalidAuthorizationMessageException",
            "Message is not a valid encoded authorization message.",
        )
    })?;
    Ok(turn.render(|xml| {
        xml.element("DecodedMessage", &message);
    }))
}
