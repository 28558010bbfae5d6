//! Calls that always fail, as the sandbox lacks what they need.

use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;

/// AssumeRoleWithSAML.
///
/// A SAML assertion is XML with a signature over the canonical form of one of its parts. Verifying it safely depends on
/// details that a stand-in would have to get exactly right. The world therefore has no SAML providers, and this call
/// reports that.
pub(super) fn assume_role_with_saml(_: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    Err(ErrorResponse::new(400, "InvalidIdentityToken", "Specified provider doesn't exist")
        .because("the sandbox has no SAML providers"))
}

/// GetDelegatedAccessToken: credentials for a product to which an account delegated a task.
///
/// Trade-in tokens come from a request that was approved in AWS's console. The sandbox does not implement that, so no
/// trade-in token is valid, and all are rejected with the only error that AWS defines for that.
pub(super) fn get_delegated_access_token(_: &mut RequestContext, _: &Caller) -> Result<Reply, ErrorResponse> {
    let text = "The trade-in token is expired and cannot be exchanged for credentials.";
    Err(ErrorResponse::new(400, "ExpiredTradeInTokenException", text)
        .because("the sandbox gives out no trade-in tokens"))
}
