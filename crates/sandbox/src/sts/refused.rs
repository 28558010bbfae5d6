//! Calls that are always refused: what they need does not exist here.

use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::sigv4::Caller;

/// AssumeRoleWithSAML.
///
/// An assertion is XML with a signature over a canonical form of a part of it, and what makes such signatures
/// safe or not are details that a stand-in would have to get as right as AWS does. The world has no SAML
/// providers, and this call says so.
pub(super) fn assume_role_with_saml(_: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    Err(ErrorResponse::new(400, "InvalidIdentityToken", "Specified provider doesn't exist")
        .because("the sandbox has no SAML providers"))
}

/// GetDelegatedAccessToken: a product's credentials for an account that delegated a task to it.
///
/// Trade-in tokens come from a request that was approved in AWS's console. There is none here, so no
/// trade-in token is a good one, and each is refused with the only word that AWS has for that.
pub(super) fn get_delegated_access_token(_: &mut RequestContext, _: &Caller) -> Result<Reply, ErrorResponse> {
    let text = "The trade-in token is expired and cannot be exchanged for credentials.";
    Err(ErrorResponse::new(400, "ExpiredTradeInTokenException", text)
        .because("the sandbox gives out no trade-in tokens"))
}
