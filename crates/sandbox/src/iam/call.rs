//! What all IAM calls share: authorization on a user or role, parameters, errors.

use std::collections::BTreeMap;

use hatbox_iam::policy::document::Policy;

use crate::authorize::Ask;
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Params;
use crate::sigv4::Caller;
use crate::world::{Account, Principal, Role, SessionKind, User, role_arn, user_arn};
use crate::xml::Xml;

/// Checks the kind of credentials: those of GetSessionToken can call IAM only if an MFA code was given for them, those
/// of GetFederationToken never.
pub(crate) fn check_caller(caller: &Caller) -> Result<(), ErrorResponse> {
    let why = match caller.session.as_ref().map(|session| session.kind) {
        Some(SessionKind::GetSessionToken { mfa_at: None }) => {
            "GetSessionToken without MFA does not open IAM"
        }
        Some(SessionKind::GetFederationToken) => "GetFederationToken does not open IAM",
        _ => return Ok(()),
    };
    Err(ErrorResponse::new(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid",
    )
    .because(why))
}

/// Returns the caller's account.
pub(super) fn account_of<'w>(context: &'w mut RequestContext, caller: &Caller) -> &'w mut Account {
    context.world.accounts.entry(caller.account().to_owned()).or_default()
}

/// Checks that the caller may make the call of this request on `arn`.
pub(super) fn authorize(
    context: &mut RequestContext,
    caller: &Caller,
    arn: &str,
) -> Result<(), ErrorResponse> {
    let action = format!("iam:{}", context.entry.action);
    context.authorize(caller, &Ask::new(&action, arn, caller.account()), "")
}

/// Returns `UserName`, or the name of the caller if it is omitted.
pub(super) fn user_name(context: &RequestContext, caller: &Caller) -> Result<String, ErrorResponse> {
    match (context.params.get("UserName"), &caller.principal) {
        (Some(name), _) => Ok(name.to_owned()),
        (None, Principal::User { name, .. }) => Ok(name.clone()),
        _ => Err(ErrorResponse::validation("Must specify userName when calling with non-User credentials")),
    }
}

/// Authorizes the call on `UserName`, and returns that user.
pub(super) fn authorize_user<'w>(
    context: &'w mut RequestContext,
    caller: &Caller,
    name: &str,
) -> Result<&'w mut User, ErrorResponse> {
    let path = account_of(context, caller).users.get(name).map_or("/".to_owned(), |user| user.path.clone());
    authorize(context, caller, &user_arn(caller.account(), &path, name))?;
    let user = account_of(context, caller).users.get_mut(name);
    user.ok_or_else(|| no_such_entity(&format!("The user with name {name} cannot be found.")))
}

/// Authorizes the call on `RoleName`, and returns that role.
pub(super) fn authorize_role<'w>(
    context: &'w mut RequestContext,
    caller: &Caller,
) -> Result<(String, &'w mut Role), ErrorResponse> {
    let name = text(context, "RoleName");
    let path = account_of(context, caller).roles.get(&name).map_or("/".to_owned(), |role| role.path.clone());
    authorize(context, caller, &role_arn(caller.account(), &path, &name))?;
    match account_of(context, caller).roles.get_mut(&name) {
        Some(role) => Ok((name, role)),
        None => Err(no_such_entity(&format!("The role with name {name} cannot be found."))),
    }
}

/// Returns a parameter that the rules of the call require.
pub(super) fn text(context: &RequestContext, name: &str) -> String {
    context.params.get(name).unwrap_or_default().to_owned()
}

/// Returns the members of a list of texts.
pub(super) fn text_members(context: &RequestContext, name: &str) -> Vec<String> {
    let text = |member: &Params| member.get("").map(str::to_owned);
    context.params.list(name).iter().filter_map(text).collect()
}

pub(super) fn no_such_entity(message: &str) -> ErrorResponse {
    ErrorResponse::new(404, "NoSuchEntity", message)
}

pub(super) fn already_exists(message: &str) -> ErrorResponse {
    ErrorResponse::new(409, "EntityAlreadyExists", message)
}

pub(super) fn delete_conflict(message: &str) -> ErrorResponse {
    ErrorResponse::new(409, "DeleteConflict", message)
}

/// Writes the permissions boundary, if there is one.
pub(super) fn write_boundary(xml: &mut Xml, boundary: Option<&String>) {
    let Some(arn) = boundary else { return };
    xml.nest("PermissionsBoundary", |xml| {
        xml.element("PermissionsBoundaryType", "Policy").element("PermissionsBoundaryArn", arn);
    });
}

/// Writes the tags, if there are any.
pub(super) fn write_tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    if tags.is_empty() {
        return;
    }
    xml.nest("Tags", |xml| {
        for (key, value) in tags {
            xml.nest("member", |xml| {
                xml.element("Key", key).element("Value", value);
            });
        }
    });
}

/// Parses `Path`, which begins and ends with a slash.
pub(super) fn parse_path(context: &RequestContext) -> Result<String, ErrorResponse> {
    let path = context.params.get("Path").unwrap_or("/");
    if path.starts_with('/') && path.ends_with('/') {
        return Ok(path.to_owned());
    }
    Err(ErrorResponse::validation(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ))
}

/// Parses a policy of at most `limit` characters, not counting whitespace.
pub(super) fn parse_document(
    context: &RequestContext,
    name: &str,
    limit: usize,
) -> Result<String, ErrorResponse> {
    let text = text(context, name);
    if count_characters(&text) > limit {
        let message = format!("Maximum policy size of {limit} bytes exceeded");
        return Err(ErrorResponse::new(409, "LimitExceeded", message));
    }
    parse_policy(&text)?;
    Ok(text)
}

pub(super) fn parse_policy(text: &str) -> Result<Policy, ErrorResponse> {
    Policy::parse(text).map_err(|error| {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let message = if is_json { "Syntax errors in policy." } else { "This policy contains invalid Json" };
        malformed(message).because(error.to_string())
    })
}

/// Returns the length of a policy as AWS measures it, without whitespace.
pub(super) fn count_characters(policy: &str) -> usize {
    policy.chars().filter(|c| !c.is_whitespace()).count()
}

pub(super) fn malformed(message: &str) -> ErrorResponse {
    ErrorResponse::new(400, "MalformedPolicyDocument", message)
}

/// Parses `PermissionsBoundary`, the ARN of a managed policy.
pub(super) fn parse_boundary(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Option<String>, ErrorResponse> {
    let Some(arn) = context.params.get("PermissionsBoundary") else { return Ok(None) };
    let account = account_of(context, caller).clone();
    if context.world.managed_policy(&account, arn).is_none() {
        return Err(no_such_entity(&format!("Scope ARN: {arn} does not exist or is not attachable.")));
    }
    Ok(Some(arn.to_owned()))
}

pub(super) fn parse_tags(context: &RequestContext) -> BTreeMap<String, String> {
    let tags = context.params.list("Tags");
    let field = |tag: &Params, name| tag.get(name).unwrap_or_default().to_owned();
    tags.iter().map(|tag| (field(tag, "Key"), field(tag, "Value"))).collect()
}
