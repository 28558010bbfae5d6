//! The credential endpoint of ECS tasks and EKS pods.

use subtle::ConstantTimeEq;

use super::credentials::{grant_machine_session, no_machine};
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;

/// The session name of a task.
const TASK_ID: &str = "0123456789abcdef0123456789abcdef";

/// Returns credentials of the role to clients that send the container's token.
pub(super) fn get_credentials(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let sent = context.request.header("authorization").unwrap_or_default();
    let machine = context.world.machine.as_ref().ok_or_else(no_machine)?;
    if !bool::from(sent.as_bytes().ct_eq(machine.container_token.expose().as_bytes())) {
        return Err(ErrorResponse::new(403, "AccessDenied", "the Authorization header is missing or wrong"));
    }
    let answer = grant_machine_session(context, TASK_ID)?;
    Ok(Reply::json(&answer.into()))
}
