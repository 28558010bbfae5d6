//! Credentials of the machine's role, in the form that both services return.

use serde_json::{Map, Value};

use crate::clock;
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::sts::{Grant, grant_session};
use crate::world::{Principal, SessionKind, role_arn};

/// AWS issues them for about six hours, whatever the maximum of the role.
const LIFE_SECONDS: i64 = 6 * 3600;
/// AWS makes new credentials available at least five minutes before the old ones expire.
const OVERLAP_SECONDS: i64 = 300;

/// Returns the current credentials until shortly before they expire, then new ones; `session` is the session name.
pub(super) fn grant_machine_session(
    context: &mut RequestContext,
    session: &str,
) -> Result<Map<String, Value>, ErrorResponse> {
    let machine = context.world.machine.as_mut().ok_or_else(no_machine)?;
    let (account, role) = (machine.account.clone(), machine.role.clone());
    if let Some(new) = machine.new_role.take() {
        context.world.accounts.entry(account.clone()).or_default().roles.entry(role.clone()).or_insert(new);
    }
    let Some(found) = context.world.role(&account, &role) else {
        return Err(ErrorResponse::new(404, "NotFound", "the machine's role does not exist"));
    };
    context.entry.resource = Some(role_arn(&account, &found.path, &role));
    let principal = Principal::RoleSession { account: account.clone(), role, session: session.to_owned() };
    let end = clock::later(context.now, OVERLAP_SECONDS);
    let current = context
        .world
        .sessions
        .iter()
        .find(|(_, session)| session.principal == principal && session.expires_at > end)
        .map(|(key_id, session)| (key_id.clone(), session.clone()));
    let (key_id, session) = match current {
        Some(current) => current,
        None => grant_session(context, Grant::new(principal, SessionKind::AssumeRole, LIFE_SECONDS))?,
    };
    let members = [
        ("AccessKeyId", key_id),
        ("SecretAccessKey", session.secret.expose().to_owned()),
        ("Token", session.token.expose().to_owned()),
        ("Expiration", clock::render_iso(session.expires_at)),
        ("AccountId", account),
    ];
    Ok(members.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect())
}

/// Returns the error of a world without a machine.
pub(super) fn no_machine() -> ErrorResponse {
    ErrorResponse::new(404, "NotFound", "this world has no machine with a role")
}
