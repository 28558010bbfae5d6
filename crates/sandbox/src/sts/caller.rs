//! Who may call STS at all, whatever policies say.

use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::sigv4::Caller;
use crate::world::SessionKind;

/// Checks the caller's kind of credentials, and the region that it signed for.
pub(crate) fn check_caller(context: &RequestContext, caller: &Caller) -> Result<(), ErrorResponse> {
    check_allowed_for(caller, &context.entry.action)?;
    check_region(context, caller, &context.entry.action)
}

/// GetSessionToken's credentials open only AssumeRole and GetCallerIdentity; those of
/// GetFederationToken only the latter; a role's, AssumeRoot's and those of `aws login` open neither of the two that make tokens
/// of a user.
fn check_allowed_for(caller: &Caller, action: &str) -> Result<(), ErrorResponse> {
    let is_refused = match caller.session.as_ref().map(|session| session.kind) {
        None => false,
        Some(SessionKind::AssumeRole | SessionKind::AssumeRoot | SessionKind::Login) => {
            matches!(action, "GetSessionToken" | "GetFederationToken")
        }
        Some(SessionKind::GetSessionToken { .. }) => !matches!(action, "AssumeRole" | "GetCallerIdentity"),
        Some(SessionKind::GetFederationToken) => action != "GetCallerIdentity",
    };
    if is_refused {
        return Err(ErrorResponse::denied(format!("Cannot call {action} with session credentials")));
    }
    Ok(())
}

/// Calls that give credentials want STS to be active in the region, for the account that calls.
/// Source: "Managing AWS STS in an AWS Region" of the IAM user guide.
fn check_region(context: &RequestContext, caller: &Caller, action: &str) -> Result<(), ErrorResponse> {
    let gives_credentials = matches!(
        action,
        "AssumeRole" | "AssumeRoot" | "GetSessionToken" | "GetFederationToken" | "GetDelegatedAccessToken"
    );
    let account = caller.account();
    let is_disabled = context
        .world
        .accounts
        .get(account)
        .is_some_and(|account| account.disabled_regions.contains(&caller.region));
    if gives_credentials && is_disabled {
        return Err(ErrorResponse::new(
            403,
            "RegionDisabledException",
            format!(
                "STS is not activated in this region for account:{account}. Your account administrator can \
                 activate STS in this region using the IAM Console."
            ),
        ));
    }
    Ok(())
}
