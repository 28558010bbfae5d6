//! The condition keys of a request to assume a role, and how their values are known.
//!
//! [`KnownCall::context`] is the only place that fills in a context. `trust can`, `who`, `reach`, `graph` and `lint`
//! use it as it is; `why` adds what else it knows.
//!
//! | key | value |
//! |---|---|
//! | `aws:SecureTransport` | true: STS is called over HTTPS |
//! | `aws:ViaAWSService`, `aws:PrincipalIsAWSService` | false, unless a service calls |
//! | `aws:CurrentTime`, `aws:EpochTime` | now |
//! | `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:username` | the caller's |
//! | `aws:MultiFactorAuthPresent`, `aws:MultiFactorAuthAge` | from the [`Credentials`] |
//! | `aws:TokenIssueTime` | from the age of temporary credentials; absent with access keys |
//! | `aws:SourceArn`, `aws:CalledVia` and others that services set | absent, unless a service calls |
//! | `sts:ExternalId`, `aws:RequestTag/...` and others that the caller sends | absent or unknown, see [`Sent`] |
//! | a key that AWS does not define | absent |
//! | `saml:...`, `accounts.google.com:...` and others from an identity provider's token | absent for a user |
//! | all others: `aws:SourceIp`, `aws:RequestedRegion`, `sts:RoleSessionName` | unknown |

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::{SignedDuration, Timestamp};

use super::caller::KnownCaller;
use super::credentials::Credentials;
use super::entity::{Entity, EntityKind};
use crate::accounts::{Accounts, Organization};
use crate::policy::evaluate::{Caller, Context, PossibleKeys};

/// Facts about the request that the user provides.
#[derive(Debug, Clone, Default)]
pub struct Assumptions {
    /// Condition keys with their values.
    pub context: Vec<(String, Vec<String>)>,
    /// The time of the request.
    pub now: Timestamp,
}

impl Assumptions {
    pub(crate) fn set_keys(&self, context: &mut Context) {
        for (name, values) in &self.context {
            context.set(name, values.iter().map(String::as_str));
        }
    }
}

/// The assumed age of a hypothetical session, in seconds.
pub(crate) const USUAL_AGE: i64 = 600;

/// Keys that exist only if the caller sends them with the request.
pub(crate) const SENDABLE: [&str; 5] =
    ["sts:externalid", "sts:sourceidentity", "sts:transitivetagkeys", "aws:requesttag/", "aws:tagkeys"];

/// Prefixes of keys that exist only if a service calls.
const OF_SERVICES: [&str; 7] = [
    "aws:calledvia",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "sts:awsservicename",
];

/// Keys that are absent for a user.
const NOT_OF_USERS: [&str; 2] = ["aws:federatedprovider", "aws:sourceidentity"];

const OF_ROLE_ACCOUNT: &str = "aws:resourceaccount";
const OF_ROLE_TAGS: &str = "aws:resourcetag/";

/// Whether the keys that a caller can send count as absent or as unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Nothing,
    Anything,
}

/// How much of the caller's ARN is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// All of it.
    InFull,
    /// Only the account: the ARN represents any user or role in it.
    ByAccount,
    /// Nothing: the ARN represents any caller.
    NotAtAll,
}

/// The known facts about a call to assume a role, independent of the role.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownCall<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) named: Named,
    /// `None` if the call is not signed with AWS credentials: by a service, or with an identity provider's token.
    pub(crate) credentials: Option<Credentials>,
    /// The age of the session, in seconds.
    pub(crate) age: Option<i64>,
    pub(crate) sent: Sent,
    pub(crate) now: Timestamp,
}

impl KnownCall<'_> {
    /// Returns the condition keys that follow from these facts.
    pub(crate) fn context(&self) -> Context {
        let mut context = Context { possible: PossibleKeys::OfSts, ..Context::default() };
        let is_service = matches!(self.caller, Caller::Service(_));
        context.set("aws:SecureTransport", ["true"]);
        context.set("aws:ViaAWSService", ["false"]);
        context.set("aws:PrincipalIsAWSService", [is_service.to_string()]);
        context.set("aws:CurrentTime", [self.now.to_string()]);
        context.set("aws:EpochTime", [self.now.as_second().to_string()]);
        if !is_service {
            context.absent.extend(OF_SERVICES.map(str::to_owned));
        }
        if self.sent == Sent::Nothing {
            context.absent.extend(SENDABLE.map(str::to_owned));
        }
        self.set_caller(&mut context);
        match self.credentials {
            Some(credentials) => {
                credentials.set_mfa(&mut context, self.age);
                self.set_issue_time(&mut context, credentials);
            }
            None => context.absent.push("aws:multifactorauth".to_owned()),
        }
        context
    }

    fn set_caller(&self, context: &mut Context) {
        if let Some(account) = self.caller.account().filter(|_| self.named != Named::NotAtAll) {
            context.set("aws:PrincipalAccount", [account]);
        }
        match self.caller {
            _ if self.named != Named::InFull => {}
            Caller::User { arn } => {
                context.possible = PossibleKeys::OfStsWithoutToken;
                context.set("aws:PrincipalArn", [arn.as_str()]);
                context.set("aws:PrincipalType", ["User"]);
                context.set("aws:username", arn.rsplit('/').take(1));
                context.absent.extend(NOT_OF_USERS.map(str::to_owned));
            }
            Caller::RoleSession { role_arn, .. } => {
                context.set("aws:PrincipalArn", [role_arn.as_str()]);
                context.set("aws:PrincipalType", ["AssumedRole"]);
                context.absent.push("aws:username".to_owned());
            }
            Caller::Root(_) => context.set("aws:PrincipalType", ["Account"]),
            Caller::Anonymous => context.set("aws:PrincipalType", ["Anonymous"]),
            Caller::Service(_) | Caller::Federated(_) => {}
        }
    }

    fn set_issue_time(&self, context: &mut Context, credentials: Credentials) {
        let issued = self.age.and_then(|age| self.now.checked_sub(SignedDuration::from_secs(age)).ok());
        match issued {
            _ if !credentials.is_temporary() => context.set("aws:TokenIssueTime", [] as [&str; 0]),
            Some(issued) => context.set("aws:TokenIssueTime", [issued.to_string()]),
            None => {}
        }
    }
}

/// Returns the keys that depend on the caller; [`set_role`] adds those that depend on the role.
pub(crate) fn context_of(
    accounts: &Accounts,
    caller: &KnownCaller,
    credentials: Credentials,
    sent: Sent,
    assumptions: &Assumptions,
) -> Context {
    let call = KnownCall {
        caller: &caller.entity.caller(),
        named: Named::InFull,
        credentials: Some(credentials),
        age: Some(USUAL_AGE),
        sent,
        now: assumptions.now,
    };
    let mut context = call.context();
    // The id and tags of a role session differ from the role's, and are not known in advance.
    if caller.entity.kind == EntityKind::User {
        if let Some(id) = &caller.id {
            context.set("aws:userid", [id.as_str()]);
        }
        set_tags(&mut context, "aws:PrincipalTag/", caller.tags.known());
    }
    match &accounts.organization {
        Organization::None => context.absent.push("aws:principalorg".to_owned()),
        Organization::Known(policies) => {
            let account = caller.entity.account.as_ref();
            if let Some(id) = policies.id.as_ref().filter(|_| account.is_some_and(|id| policies.has(id))) {
                context.set("aws:PrincipalOrgID", [id.as_str()]);
            }
        }
        Organization::NotGiven => {}
    }
    assumptions.set_keys(&mut context);
    context
}

/// Sets the keys that depend on the role, replacing those of another role.
pub(crate) fn set_role(context: &mut Context, accounts: &Accounts, role: &Entity, assumptions: &Assumptions) {
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
    for (name, values) in &assumptions.context {
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
    // If the role's tags are known, all other tags are absent.
    match (tags, context.absent.iter().position(|start| start == OF_ROLE_TAGS)) {
        (Some(_), None) => context.absent.push(OF_ROLE_TAGS.to_owned()),
        (None, Some(place)) => drop(context.absent.remove(place)),
        (Some(_), Some(_)) | (None, None) => {}
    }
}

fn set_tags(context: &mut Context, start: &str, tags: Option<&BTreeMap<String, String>>) {
    let Some(tags) = tags else { return };
    for (key, value) in tags {
        context.set(&format!("{start}{key}"), [value.as_str()]);
    }
    context.absent.push(start.to_lowercase());
}
