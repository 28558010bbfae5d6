//! The condition keys of a request to put on a role: what is known of them, by how it is signed.
//!
//! | signed with | `aws:MultiFactorAuthPresent` | `aws:MultiFactorAuthAge` |
//! |---|---|---|
//! | access keys | absent | absent |
//! | access keys and an MFA code | true | 0 |
//! | a session of a role | false | absent |
//!
//! Keys that exist only when they are sent (`sts:ExternalId`, `aws:RequestTag/...`) are absent unless given.
//! What depends on the network (`aws:SourceIp`) or on the session's name is not known.

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;

use crate::accounts::{Accounts, Organization};
use crate::assume::caller::Caller;
use crate::assume::entity::{Entity, EntityKind};
use crate::policy::evaluate::Context;

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signing {
    /// A user's access keys, without an MFA code.
    AccessKeys,
    /// A user's access keys and a code of an MFA device.
    WithMfaCode,
    /// A session of a role: it never carries MFA.
    RoleSession,
}

/// What a question leaves open, given by the person who asks.
#[derive(Debug, Clone, Default)]
pub struct Assumptions {
    /// Condition keys with their values.
    pub context: Vec<(String, Vec<String>)>,
    /// The time.
    pub now: Timestamp,
}

/// Absent unless they are sent with the request.
pub(crate) const SENDABLE: [&str; 5] =
    ["sts:externalid", "sts:sourceidentity", "sts:transitivetagkeys", "aws:requesttag/", "aws:tagkeys"];

/// Absent unless they are set by a service that calls.
const OF_SERVICES: [&str; 5] =
    ["aws:calledvia", "aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"];

const OF_ROLE_ACCOUNT: &str = "aws:resourceaccount";
const OF_ROLE_TAGS: &str = "aws:resourcetag/";

/// Absent for a user.
const NOT_OF_USERS: [&str; 5] =
    ["aws:federatedprovider", "aws:sourceidentity", "aws:tokenissuetime", "saml:", "aws:multifactorauthage"];

/// The keys that hang on the caller; [`set_role`] adds those that hang on the role.
pub(crate) fn context_of(
    accounts: &Accounts,
    caller: &Caller,
    signing: Signing,
    given: &Assumptions,
) -> Context {
    let mut context = Context::default();
    let mut set = |name: &str, value: &str| context.set(name, [value]);
    set("aws:PrincipalArn", &caller.entity.arn);
    set("aws:SecureTransport", "true");
    set("aws:ViaAWSService", "false");
    set("aws:PrincipalIsAWSService", "false");
    set("aws:CurrentTime", &given.now.to_string());
    set("aws:EpochTime", &given.now.as_second().to_string());
    if let Some(account) = &caller.entity.account {
        set("aws:PrincipalAccount", account.as_str());
    }
    let mut absent: Vec<String> = SENDABLE.iter().chain(&OF_SERVICES).map(|key| (*key).to_owned()).collect();
    match caller.entity.kind {
        EntityKind::User => {
            set("aws:PrincipalType", "User");
            set("aws:username", &caller.entity.name);
            if let Some(id) = &caller.id {
                set("aws:userid", id);
            }
            absent.extend(NOT_OF_USERS.map(str::to_owned));
        }
        EntityKind::Role => {
            set("aws:PrincipalType", "AssumedRole");
            absent.push("aws:username".to_owned());
            absent.push("aws:multifactorauthage".to_owned());
        }
    }
    match signing {
        Signing::AccessKeys => absent.push("aws:multifactorauth".to_owned()),
        Signing::WithMfaCode => {
            set("aws:MultiFactorAuthPresent", "true");
            set("aws:MultiFactorAuthAge", "0");
        }
        Signing::RoleSession => set("aws:MultiFactorAuthPresent", "false"),
    }
    set_tags(
        &mut context,
        &mut absent,
        "aws:PrincipalTag/",
        caller.tags.known().filter(|_| is_tagged(caller)),
    );
    match &accounts.organization {
        Organization::None => absent.push("aws:principalorg".to_owned()),
        Organization::Known(policies) => {
            let account = caller.entity.account.as_ref();
            if let Some(id) = policies.id.as_ref().filter(|_| account.is_some_and(|id| policies.has(id))) {
                context.set("aws:PrincipalOrgID", [id.as_str()]);
            }
        }
        Organization::NotGiven => {}
    }
    for (name, values) in &given.context {
        context.set(name, values.iter().map(String::as_str));
    }
    context.absent = absent;
    context
}

/// Sets the keys that hang on the role, in the place of those of another.
pub(crate) fn set_role(context: &mut Context, accounts: &Accounts, role: &Entity, given: &Assumptions) {
    let is_set = |context: &Context, account: &str| {
        context.values.get(OF_ROLE_ACCOUNT).is_some_and(|values| values == &[account])
    };
    match &role.account {
        Some(account) if is_set(context, account.as_str()) => {}
        Some(account) => context.set(OF_ROLE_ACCOUNT, [account.as_str()]),
        None => drop(context.values.remove(OF_ROLE_ACCOUNT)),
    }
    let account = role.account.as_ref().and_then(|id| accounts.accounts.get(id));
    let tags = account.and_then(|account| account.roles.get(&role.arn)).and_then(|role| role.tags.known());
    set_role_tags(context, tags);
    for (name, values) in &given.context {
        let lower = name.to_lowercase();
        if lower == OF_ROLE_ACCOUNT || lower.starts_with(OF_ROLE_TAGS) {
            context.set(name, values.iter().map(String::as_str));
        }
    }
}

fn set_role_tags(context: &mut Context, tags: Option<&BTreeMap<String, String>>) {
    let from_first = (Bound::Included(OF_ROLE_TAGS), Bound::Unbounded);
    let first = context.values.range::<str, _>(from_first).next();
    if first.is_some_and(|(name, _)| name.starts_with(OF_ROLE_TAGS)) {
        context.values.retain(|name, _| !name.starts_with(OF_ROLE_TAGS));
    }
    for (key, value) in tags.into_iter().flatten() {
        context.set(&format!("{OF_ROLE_TAGS}{key}"), [value.as_str()]);
    }
    // Of a role whose tags are known, those that it has not are absent.
    match (tags, context.absent.iter().position(|start| start == OF_ROLE_TAGS)) {
        (Some(_), None) => context.absent.push(OF_ROLE_TAGS.to_owned()),
        (None, Some(place)) => drop(context.absent.remove(place)),
        (Some(_), Some(_)) | (None, None) => {}
    }
}

/// A session of a role may carry tags of its own, which nobody knows before it is there.
fn is_tagged(caller: &Caller) -> bool {
    caller.entity.kind == EntityKind::User
}

fn set_tags(
    context: &mut Context,
    absent: &mut Vec<String>,
    start: &str,
    tags: Option<&BTreeMap<String, String>>,
) {
    let Some(tags) = tags else { return };
    for (key, value) in tags {
        context.set(&format!("{start}{key}"), [value.as_str()]);
    }
    absent.push(start.to_lowercase());
}
