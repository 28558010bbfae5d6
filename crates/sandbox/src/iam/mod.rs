//! IAM, as far as it takes to set a scene, to rotate keys, and to read and mend trust policies: users, access
//! keys, MFA devices, roles, inline policies, identity providers. All calls act on the caller's account.

mod account;
mod keys;
mod mfa;
mod page;
mod policies;
mod providers;
mod roles;
mod table;
mod trust;
mod users;

use std::collections::BTreeMap;

use hatbox_iam::policy::document::Policy;

use crate::authorize::Ask;
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::rules::check_params;
use crate::sigv4::{Caller, Dialect};
use crate::turn::Turn;
use crate::world::{Account, Principal, Role, SessionKind, User, role_arn, user_arn};
use crate::xml::Xml;

/// The namespace of IAM's XML.
pub(crate) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// The version of IAM's protocol.
pub(crate) const VERSION: &str = "2010-05-08";

/// Carries out a call.
pub(crate) fn perform(turn: &mut Turn) -> Result<Reply, Refusal> {
    let caller = turn.verify(Dialect::Query("iam"))?.caller;
    check_session(&caller)?;
    let action = turn.entry.action.clone();
    let call = Call { caller: &caller };
    check_params(&table::rules_of(&action), turn.params)?;
    match action.as_str() {
        "CreateUser" => users::create_user(turn, &call),
        "GetUser" => users::get_user(turn, &call),
        "ListUsers" => users::list_users(turn, &call),
        "DeleteUser" => users::delete_user(turn, &call),
        "CreateAccessKey" => keys::create_access_key(turn, &call),
        "ListAccessKeys" => keys::list_access_keys(turn, &call),
        "UpdateAccessKey" => keys::update_access_key(turn, &call),
        "DeleteAccessKey" => keys::delete_access_key(turn, &call),
        "GetAccessKeyLastUsed" => keys::get_access_key_last_used(turn, &call),
        "CreateVirtualMFADevice" => mfa::create_device(turn, &call),
        "EnableMFADevice" => mfa::enable_device(turn, &call),
        "DeactivateMFADevice" => mfa::deactivate_device(turn, &call),
        "DeleteVirtualMFADevice" => mfa::delete_device(turn, &call),
        "ListMFADevices" => mfa::list_devices(turn, &call),
        "ListVirtualMFADevices" => mfa::list_virtual_devices(turn, &call),
        "CreateRole" => roles::create_role(turn, &call),
        "GetRole" => roles::get_role(turn, &call),
        "ListRoles" => roles::list_roles(turn, &call),
        "GetAccountAuthorizationDetails" => account::get_details(turn, &call),
        "ListAccountAliases" => account::list_aliases(turn, &call),
        "UpdateAssumeRolePolicy" => roles::update_trust(turn, &call),
        "UpdateRole" => roles::update_role(turn, &call),
        "DeleteRole" => roles::delete_role(turn, &call),
        "CreateOpenIDConnectProvider" => providers::create_provider(turn, &call),
        "GetOpenIDConnectProvider" => providers::get_provider(turn, &call),
        "ListOpenIDConnectProviders" => providers::list_providers(turn, &call),
        "DeleteOpenIDConnectProvider" => providers::delete_provider(turn, &call),
        "EnableOutboundWebIdentityFederation" => providers::enable_outbound(turn, &call),
        "GetOutboundWebIdentityFederationInfo" => providers::get_outbound_info(turn, &call),
        "PutUserPolicy" | "PutRolePolicy" => policies::put_policy(turn, &call),
        "GetUserPolicy" | "GetRolePolicy" => policies::get_policy(turn, &call),
        "ListUserPolicies" | "ListRolePolicies" => policies::list_policies(turn, &call),
        "DeleteUserPolicy" | "DeleteRolePolicy" => policies::delete_policy(turn, &call),
        _ => Err(Refusal::new(
            400,
            "InvalidAction",
            format!("Could not find operation {action} for version {VERSION}"),
        )),
    }
}

/// Credentials of GetSessionToken open IAM only when an MFA code was given for them; those of
/// GetFederationToken never.
fn check_session(caller: &Caller) -> Result<(), Refusal> {
    let why = match caller.session.as_ref().map(|session| session.kind) {
        Some(SessionKind::GetSessionToken { mfa_at: None }) => {
            "GetSessionToken without MFA does not open IAM"
        }
        Some(SessionKind::GetFederationToken) => "GetFederationToken does not open IAM",
        _ => return Ok(()),
    };
    Err(Refusal::new(403, "InvalidClientTokenId", "The security token included in the request is invalid")
        .because(why))
}

/// A signed request to IAM.
struct Call<'a> {
    caller: &'a Caller,
}

impl Call<'_> {
    fn account_id(&self) -> &str {
        self.caller.principal.account()
    }

    /// The caller's account.
    fn account<'w>(&self, turn: &'w mut Turn) -> &'w mut Account {
        turn.world.accounts.entry(self.account_id().to_owned()).or_default()
    }

    /// Asks whether the caller may make the call of this turn to `arn`.
    fn authorize(&self, turn: &mut Turn, arn: &str) -> Result<(), Refusal> {
        let action = format!("iam:{}", turn.entry.action);
        turn.authorize(self.caller, &Ask::new(&action, arn, self.account_id()), "")
    }

    /// `UserName`, or the caller where it is left out.
    fn user_name(&self, turn: &Turn) -> Result<String, Refusal> {
        match (turn.params.get("UserName"), &self.caller.principal) {
            (Some(name), _) => Ok(name.to_owned()),
            (None, Principal::User { name, .. }) => Ok(name.clone()),
            _ => Err(Refusal::validation("Must specify userName when calling with non-User credentials")),
        }
    }

    /// Authorises the call on the user that it names, and finds the user.
    fn authorize_user<'w>(&self, turn: &'w mut Turn, name: &str) -> Result<&'w mut User, Refusal> {
        let path = self.account(turn).users.get(name).map_or("/".to_owned(), |user| user.path.clone());
        self.authorize(turn, &user_arn(self.account_id(), &path, name))?;
        let user = self.account(turn).users.get_mut(name);
        user.ok_or_else(|| no_such_entity(&format!("The user with name {name} cannot be found.")))
    }

    /// Authorises the call on the role that it names, and finds the role.
    fn authorize_role<'w>(&self, turn: &'w mut Turn) -> Result<(String, &'w mut Role), Refusal> {
        let name = text(turn, "RoleName");
        let path = self.account(turn).roles.get(&name).map_or("/".to_owned(), |role| role.path.clone());
        self.authorize(turn, &role_arn(self.account_id(), &path, &name))?;
        match self.account(turn).roles.get_mut(&name) {
            Some(role) => Ok((name, role)),
            None => Err(no_such_entity(&format!("The role with name {name} cannot be found."))),
        }
    }
}

/// A required parameter; the table has seen to it that it is there.
fn text(turn: &Turn, name: &str) -> String {
    turn.params.get(name).unwrap_or_default().to_owned()
}

/// A list of texts.
fn text_members(turn: &Turn, name: &str) -> Vec<String> {
    let text = |member: &crate::http::Params| member.get("").map(str::to_owned);
    turn.params.list(name).iter().filter_map(text).collect()
}

fn no_such_entity(message: &str) -> Refusal {
    Refusal::new(404, "NoSuchEntity", message)
}

fn already_exists(message: &str) -> Refusal {
    Refusal::new(409, "EntityAlreadyExists", message)
}

fn delete_conflict(message: &str) -> Refusal {
    Refusal::new(409, "DeleteConflict", message)
}

/// Writes the permissions boundary, where there is one.
fn write_boundary(xml: &mut Xml, boundary: Option<&String>) {
    let Some(arn) = boundary else { return };
    xml.nest("PermissionsBoundary", |xml| {
        xml.element("PermissionsBoundaryType", "Policy").element("PermissionsBoundaryArn", arn);
    });
}

/// Writes the tags, where there are any.
fn write_tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
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

/// `Path`, which begins and ends with a slash.
fn parse_path(turn: &Turn) -> Result<String, Refusal> {
    let path = turn.params.get("Path").unwrap_or("/");
    if path.starts_with('/') && path.ends_with('/') {
        return Ok(path.to_owned());
    }
    Err(Refusal::validation(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ))
}

/// A policy of at most `limit` characters, blanks not counted.
fn parse_document(turn: &Turn, name: &str, limit: usize) -> Result<String, Refusal> {
    let text = text(turn, name);
    if count_characters(&text) > limit {
        let message = format!("Maximum policy size of {limit} bytes exceeded");
        return Err(Refusal::new(409, "LimitExceeded", message));
    }
    parse_policy(&text)?;
    Ok(text)
}

fn parse_policy(text: &str) -> Result<Policy, Refusal> {
    Policy::parse(text).map_err(|error| {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let message = if is_json { "Syntax errors in policy." } else { "This policy contains invalid Json" };
        malformed(message).because(error.to_string())
    })
}

/// How long a policy is to AWS, which counts no blanks.
fn count_characters(policy: &str) -> usize {
    policy.chars().filter(|c| !c.is_whitespace()).count()
}

fn malformed(message: &str) -> Refusal {
    Refusal::new(400, "MalformedPolicyDocument", message)
}

/// The managed policy that `PermissionsBoundary` names.
fn parse_boundary(turn: &mut Turn, call: &Call) -> Result<Option<String>, Refusal> {
    let Some(arn) = turn.params.get("PermissionsBoundary") else { return Ok(None) };
    let account = call.account(turn).clone();
    if turn.world.managed_policy(&account, arn).is_none() {
        return Err(no_such_entity(&format!("Scope ARN: {arn} does not exist or is not attachable.")));
    }
    Ok(Some(arn.to_owned()))
}

fn parse_tags(turn: &Turn) -> BTreeMap<String, String> {
    let tags = turn.params.list("Tags");
    let field = |tag: &crate::http::Params, name| tag.get(name).unwrap_or_default().to_owned();
    tags.iter().map(|tag| (field(tag, "Key"), field(tag, "Value"))).collect()
}
