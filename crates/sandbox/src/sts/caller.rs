//! Checks which kinds of callers may call STS, whatever the policies say.

use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::sigv4::Caller;
use crate::world::SessionKind;

/// Checks the caller's kind of credentials, and the region of the signature.
pub(crate) fn check_caller(context: &RequestContext, caller: &Caller) -> Result<(), ErrorResponse> {
    check_allowed_for(caller, &context.entry.action)?;
    check_region(context, caller, &context.entry.action)
}

/// Credentials of GetSessionToken can call only AssumeRole and GetCallerIdentity; those of GetFederationToken only the
/// latter. Credentials of a role, of AssumeRoot or of `aws login` cannot call GetSessionToken and GetFederationToken.
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

/// Calls that return credentials require STS to be active in the region for the caller's account.
/// Source: "Managing AWS STS in an AWS Region" in the IAM user guide.
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
