//! The condition keys of a request to assume a role, by the kind of its credentials.

use jiff::SignedDuration;

use super::{Asked, Candidate, Kind};
use crate::assume::condition_keys::{is_known, is_of_provider};
use crate::policy::arn::Arn;
use crate::policy::evaluate::Context;

/// How old the credentials of a session are, in seconds.
const AGE: i64 = 600;

/// Set only where a service calls, or in the requests of services.
const OF_SERVICES: [&str; 10] = [
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "sts:AWSServiceName",
];

/// What a request of `kind` tells. `keys` are the keys that the policy speaks of: of these, such as AWS does
/// not know or only a provider's token carries are absent. Any other key may be there or not.
pub(super) fn context_of(candidate: &Candidate, kind: Kind, asked: &Asked, keys: &[String]) -> Context {
    let mut context = Context::default();
    for key in keys {
        if !is_known(key) || is_of_provider(key) {
            set_absent(&mut context, key);
        }
    }
    for key in OF_SERVICES {
        set_absent(&mut context, key);
    }
    context.set("aws:SecureTransport", ["true"]);
    context.set("aws:ViaAWSService", ["false"]);
    context.set("aws:PrincipalIsAWSService", ["false"]);
    context.set("aws:CurrentTime", [asked.now.to_string()]);
    context.set("aws:EpochTime", [asked.now.as_second().to_string()]);
    let arn = if kind == Kind::RoleSession {
        context.set("aws:PrincipalType", ["AssumedRole"]);
        set_absent(&mut context, "aws:username");
        candidate.role.as_str()
    } else {
        context.set("aws:PrincipalType", ["User"]);
        context.set("aws:username", candidate.user.rsplit('/').take(1));
        set_absent(&mut context, "aws:SourceIdentity");
        set_absent(&mut context, "aws:FederatedProvider");
        candidate.user.as_str()
    };
    context.set("aws:PrincipalArn", [arn]);
    context.set("aws:PrincipalAccount", Arn::parse(arn).map(|arn| arn.account));
    let (present, age, is_temporary) = match kind {
        Kind::AccessKeys => (None, None, false),
        Kind::AccessKeysWithMfa => (Some("true"), Some(0), false),
        Kind::SessionToken | Kind::RoleSession => (Some("false"), None, true),
        Kind::SessionTokenWithMfa => (Some("true"), Some(AGE), true),
    };
    context.set("aws:MultiFactorAuthPresent", present);
    context.set("aws:MultiFactorAuthAge", age.map(|age| age.to_string()));
    let issued = asked.now.checked_sub(SignedDuration::from_secs(AGE)).unwrap_or(asked.now);
    context.set("aws:TokenIssueTime", is_temporary.then(|| issued.to_string()));
    if let Some(name) = &asked.role_session_name {
        context.set("sts:RoleSessionName", [name.as_str()]);
    }
    for (name, values) in &asked.context {
        context.set(name, values.iter().map(String::as_str));
    }
    context
}

fn set_absent(context: &mut Context, key: &str) {
    context.set(key, [] as [&str; 0]);
}
