//! The portal: lists what the user of an access token may access, returns role credentials, and signs out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::scopes::opens_portal;
use crate::context::RequestContext;
use crate::encoding::{parse_base64_url, render_base64_url};
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::log::SignedWith;
use crate::sts::{Grant, grant_session};
use crate::world::{
    IdentityCenter, Principal, ROLE_PATH, SessionKind, digest_of, reserved_role_name, role_arn,
};

const TOKEN_HEADER: &str = "x-amz-sso_bearer_token";
/// The default number of entries in a page.
const PAGE: usize = 20;

pub(super) fn get_role_credentials(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let user = check_token(context)?;
    let (role, account) = (required(context, "role_name")?, required(context, "account_id")?);
    context.entry.resource = Some(role_arn(&account, ROLE_PATH, &reserved_role_name(&account, &role)));
    let center = context.world.identity_center.as_ref();
    if !center.is_some_and(|center| center.is_assigned(&user, &account, &role)) {
        let why = format!("{role} in {account} is not assigned to {user}");
        return Err(ErrorResponse::new(403, "ForbiddenException", "No access").because(why));
    }
    let provisioned = context.world.provision_role(&account, &role, context.now)?;
    let (name, seconds) = provisioned.ok_or_else(|| not_found("the permission set is gone"))?;
    let principal = Principal::RoleSession { account, role: name, session: user };
    let grant = Grant::new(principal, SessionKind::AssumeRole, seconds);
    let (key_id, session) = grant_session(context, grant)?;
    context.entry.because.push(format!("{role} is assigned"));
    Ok(Reply::json(&json!({
        "roleCredentials": {
            "accessKeyId": key_id,
            "secretAccessKey": session.secret.expose(),
            "sessionToken": session.token.expose(),
            "expiration": session.expires_at.as_millisecond(),
        }
    })))
}

pub(super) fn list_accounts(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let user = check_token(context)?;
    let center = context.world.identity_center.iter().flat_map(|center| &center.assignments);
    let ids: BTreeSet<&str> =
        center.filter(|assigned| assigned.user == user).map(|assigned| assigned.account.as_str()).collect();
    let (page, next) = page_of(context, "accounts", ids)?;
    let shown = |id: &str| {
        let account = context.world.accounts.get(id);
        let name = account.and_then(|account| account.name.clone()).unwrap_or_else(|| id.to_owned());
        let email = format!("{}@sandbox.example", name.to_lowercase().replace(' ', "-"));
        json!({ "accountId": id, "accountName": name, "emailAddress": email })
    };
    let list: Vec<Value> = page.into_iter().map(shown).collect();
    Ok(listed("accountList", list, next))
}

pub(super) fn list_account_roles(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let user = check_token(context)?;
    let account = required(context, "account_id")?;
    if !context.world.accounts.contains_key(&account) {
        return Err(not_found("there is no such account"));
    }
    let assigned = context.world.identity_center.iter().flat_map(|center| &center.assignments);
    let names: BTreeSet<&str> = assigned
        .filter(|assigned| assigned.user == user && assigned.account == account)
        .map(|assigned| assigned.permission_set.as_str())
        .collect();
    if names.is_empty() {
        let why = format!("nothing in {account} is assigned to {user}");
        return Err(ErrorResponse::new(403, "ForbiddenException", "No access").because(why));
    }
    let (page, next) = page_of(context, &account, names)?;
    let shown = |name: &str| json!({ "roleName": name, "accountId": account });
    let list: Vec<Value> = page.into_iter().map(shown).collect();
    Ok(listed("roleList", list, next))
}

pub(super) fn logout(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    check_token(context)?;
    let digest = digest_of(context.request.header(TOKEN_HEADER).unwrap_or_default());
    if let Some(center) = &mut context.world.identity_center
        && let Some(id) = center.access_tokens.get(&digest).map(|token| token.session.clone())
    {
        center.end_session(&id);
    }
    Ok(Reply::empty(200))
}

/// Checks the access token of the request and returns its user.
fn check_token(context: &mut RequestContext) -> Result<String, ErrorResponse> {
    let refused = |why: &str| {
        ErrorResponse::new(401, "UnauthorizedException", "Session token not found or invalid").because(why)
    };
    let token = context.request.header(TOKEN_HEADER).unwrap_or_default();
    if token.is_empty() {
        return Err(refused("the request has no access token"));
    }
    let now = context.now;
    let center: Option<&IdentityCenter> = context.world.identity_center.as_ref();
    let session = center.and_then(|center| center.session_of(token, now));
    let session = session.ok_or_else(|| refused("the access token is unknown, expired or revoked"))?;
    if !opens_portal(&session.scopes) {
        return Err(refused("the access token has no scope for the portal"));
    }
    let user = session.user.clone();
    context.entry.caller = Some(user.clone());
    context.entry.signed_with = SignedWith::SsoToken;
    Ok(user)
}

fn required(context: &RequestContext, name: &str) -> Result<String, ErrorResponse> {
    let value = context.params.get(name).filter(|value| !value.is_empty());
    value.map(str::to_owned).ok_or_else(|| invalid(&format!("`{name}` is missing")))
}

fn invalid(why: &str) -> ErrorResponse {
    ErrorResponse::new(400, "InvalidRequestException", "Invalid request").because(why)
}

fn not_found(why: &str) -> ErrorResponse {
    ErrorResponse::new(404, "ResourceNotFoundException", "The requested resource was not found").because(why)
}

/// Returns the requested page of a sorted list and the token of the next page. `list` names the list, so that a token
/// is valid only for its own list.
fn page_of<'a>(
    context: &RequestContext,
    list: &str,
    all: BTreeSet<&'a str>,
) -> Result<(Vec<&'a str>, Option<String>), ErrorResponse> {
    let size = match context.params.get("max_result") {
        None => PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=100).contains(size))
            .ok_or_else(|| invalid("`max_result` is not a number from 1 to 100"))?,
    };
    let after = match context.params.get("next_token") {
        None => None,
        Some(token) => Some(
            parse_base64_url(token)
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .and_then(|text| text.strip_prefix(&format!("{list}\n")).map(str::to_owned))
                .ok_or_else(|| invalid("`next_token` is not of this list"))?,
        ),
    };
    let mut rest = all.into_iter().filter(|name| after.as_deref().is_none_or(|after| *name > after));
    let page: Vec<&str> = rest.by_ref().take(size).collect();
    let last = page.last().filter(|_| rest.next().is_some());
    let next = last.map(|last| render_base64_url(format!("{list}\n{last}").as_bytes()));
    Ok((page, next))
}

fn listed(name: &str, list: Vec<Value>, next: Option<String>) -> Reply {
    let fields: BTreeMap<&str, Value> =
        [(name, Value::Array(list)), ("nextToken", next.map_or(Value::Null, Value::String))].into();
    Reply::json(&json!(fields))
}
