//! GetSessionToken and GetFederationToken: temporary credentials of a user.

use std::collections::BTreeMap;

use super::grant::{Grant, mint_session};
use super::mfa;
use super::session_policy::parse_session_policy;
use crate::authorize::{Ask, CodeGiven};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::{Principal, SessionKind};

const DEFAULT_SECONDS: i64 = 43_200;
/// The maximum duration for the root user, whatever the request says.
const ROOT_SECONDS: i64 = 3600;

fn seconds(context: &RequestContext, caller: &Caller) -> i64 {
    let asked = context.params.get("DurationSeconds").and_then(|text| text.parse().ok());
    let seconds = asked.unwrap_or(DEFAULT_SECONDS);
    if matches!(caller.principal, Principal::Root { .. }) { seconds.min(ROOT_SECONDS) } else { seconds }
}

/// GetSessionToken. No policy is evaluated: none can allow or deny it.
pub(super) fn get_session_token(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let code = mfa::check_code(context, caller)?;
    context.keys(caller, code);
    let kind = SessionKind::GetSessionToken { mfa_at: (code == CodeGiven::Yes).then_some(context.now) };
    let grant = Grant::new(caller.principal.clone(), kind, seconds(context, caller));
    let credentials = mint_session(context, grant)?;
    Ok(context.render(credentials))
}

/// GetFederationToken: the user's permissions, limited by the policies of the call; without policies, no permissions.
pub(super) fn get_federation_token(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let name = context.params.get("Name").unwrap_or_default().to_owned();
    let limits = parse_session_policy(context)?;
    let account = caller.account().to_owned();
    let user = match &caller.principal {
        Principal::User { name, .. } => Some(name.clone()),
        _ => None,
    };
    let principal = Principal::Federated { account: account.clone(), user, name };
    let arn = principal.arn(context.world);
    let id = principal.user_id(context.world);
    let tags: BTreeMap<String, String> = context
        .params
        .list("Tags")
        .iter()
        .map(|tag| {
            (tag.get("Key").unwrap_or_default().to_owned(), tag.get("Value").unwrap_or_default().to_owned())
        })
        .collect();
    let mut ask = Ask::new("sts:GetFederationToken", &arn, &account);
    if !tags.is_empty() {
        ask.also_actions.push("sts:TagSession".to_owned());
        ask.keys.insert("aws:tagkeys".to_owned(), tags.keys().cloned().collect());
        for (key, value) in &tags {
            ask.keys.insert(format!("aws:requesttag/{}", key.to_lowercase()), vec![value.clone()]);
        }
    }
    context.authorize(caller, &ask, "")?;
    let packed = limits.packed_percent;
    let grant = Grant {
        policies: Some(limits.policies.unwrap_or_default()),
        tags,
        ..Grant::new(principal, SessionKind::GetFederationToken, seconds(context, caller))
    };
    let credentials = mint_session(context, grant)?;
    Ok(context.render(|xml| {
        credentials(xml);
        xml.nest("FederatedUser", |xml| {
            xml.element("FederatedUserId", &id).element("Arn", &arn);
        });
        if packed > 0 {
            xml.element("PackedPolicySize", &packed.to_string());
        }
    }))
}
