//! AssumeRoot: a session of a member account's root user for one task, called from the account that runs the
//! organization.
//!
//! Source: the STS reference, and "Centralize root access for member accounts" of the IAM user guide.

use hatbox_types::name::AccountId;

use super::grant::{Grant, mint_session};
use crate::authorize::{Ask, not_authorized};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;
use crate::world::{Principal, RootSessions, SessionKind, task_policy};

const DEFAULT_SECONDS: i64 = 900;

pub(super) fn assume_root(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let target = parse_target(context.params.get("TargetPrincipal").unwrap_or_default())?;
    let task = context.params.get("TaskPolicyArn.arn").unwrap_or_default();
    let document = task_policy(task).ok_or_else(|| {
        ErrorResponse::validation(format!("{task} is not a policy for a task of a root user"))
    })?;
    let principal = Principal::Root { account: target.as_str().to_owned() };
    let arn = principal.arn(context.world);
    let refused = |context: &RequestContext, why: &str| {
        let who = not_authorized(context.world, caller, "sts:AssumeRoot");
        ErrorResponse::denied(format!("{who} on resource: {arn}")).because(why)
    };
    if matches!(caller.principal, Principal::Root { .. }) {
        return Err(refused(context, "a root user cannot call AssumeRoot"));
    }
    // The caller's own policies decide, as if the resource were in the caller's account.
    let mut ask = Ask::new("sts:AssumeRoot", &arn, caller.account());
    ask.keys.insert("aws:resourceaccount".to_owned(), vec![target.as_str().to_owned()]);
    ask.keys.insert("sts:taskpolicyarn".to_owned(), vec![task.to_owned()]);
    context.authorize(caller, &ask, "")?;
    let run = context.world.organization.as_ref();
    let Some(organization) = run.filter(|run| run.is_run_by(caller.account())) else {
        return Err(refused(context, "the caller's account does not run an organization"));
    };
    if organization.root_sessions == RootSessions::Disabled {
        return Err(ErrorResponse::denied("Centralized root access is not enabled in the organization."));
    }
    if !organization.member_accounts.contains(target.as_str()) {
        return Err(refused(context, "the account is not a member of the organization"));
    }
    let seconds = context.params.get("DurationSeconds").and_then(|text| text.parse().ok());
    let source_identity = caller.session.as_ref().and_then(|session| session.source_identity.clone());
    let credentials = mint_session(
        context,
        Grant {
            policies: Some(vec![document]),
            source_identity: source_identity.clone(),
            ..Grant::new(principal, SessionKind::AssumeRoot, seconds.unwrap_or(DEFAULT_SECONDS))
        },
    )?;
    Ok(context.render(|xml| {
        credentials(xml);
        xml.element_if("SourceIdentity", source_identity.as_deref());
    }))
}

/// Parses an account: its digits, or the ARN of its root user.
fn parse_target(text: &str) -> Result<AccountId, ErrorResponse> {
    let digits = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    AccountId::parse(digits.unwrap_or(text))
        .map_err(|_| ErrorResponse::validation(format!("{text} is invalid")))
}
