//! Calls that identify a caller or a key, or decode a denial: GetCallerIdentity, GetAccessKeyInfo,
//! DecodeAuthorizationMessage.

use crate::authorize::{Ask, CodeGiven};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::KeyOwner;

/// GetCallerIdentity. No policy is evaluated: not even an explicit Deny applies.
pub(super) fn get_caller_identity(context: &mut RequestContext, caller: &Caller) -> Reply {
    context.keys(caller, CodeGiven::No);
    let arn = caller.principal.arn(context.world);
    let id = caller.principal.user_id(context.world);
    context.render(|xml| {
        xml.element("Arn", &arn).element("UserId", &id).element("Account", caller.account());
    })
}

/// GetAccessKeyInfo: returns the account of a key that the sandbox minted.
pub(super) fn get_access_key_info(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    context.authorize(caller, &Ask::new("sts:GetAccessKeyInfo", "*", caller.account()), "")?;
    let id = context.params.get("AccessKeyId").unwrap_or_default();
    let of_key = context.world.find_key(id).map(|(owner, _)| match owner {
        KeyOwner::User(account, _) | KeyOwner::Root(account) => account,
    });
    let of_session = context.world.sessions.get(id).map(|session| session.principal.account());
    let account = of_key
        .or(of_session)
        .ok_or_else(|| ErrorResponse::validation("The access key id is not one that this sandbox minted."))?
        .to_owned();
    Ok(context.render(|xml| {
        xml.element("Account", &account);
    }))
}

/// DecodeAuthorizationMessage: decodes messages that this server encoded.
pub(super) fn decode_authorization_message(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    context.authorize(caller, &Ask::new("sts:DecodeAuthorizationMessage", "*", caller.account()), "")?;
    let message = context.params.get("EncodedMessage").and_then(|encoded| context.denials.decode(encoded));
    let message = message.ok_or_else(|| {
        ErrorResponse::new(
            400,
            "InvalidAuthorizationMessageException",
            "Message is not a valid encoded authorization message.",
        )
    })?;
    Ok(context.render(|xml| {
        xml.element("DecodedMessage", &message);
    }))
}
