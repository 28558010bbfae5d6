//! IAM Identity Center: the OIDC service, which registers clients and issues tokens, its pages for the browser, and the
//! portal, which accepts the tokens.
//!
//! These calls are not signed: client secrets, codes and tokens authenticate them. Codes and refresh tokens can be used
//! only once.

mod actions;
mod oauth_error;
mod target;

mod consent;
mod page;
mod scopes;

mod register;

mod authorize;
mod device;

mod portal;
mod token;

pub(crate) use actions::{OIDC_ACTIONS, PORTAL_ACTIONS};
pub(crate) use authorize::{answer_request, parse_request};
pub use consent::Consent;
pub(crate) use device::answer_user_code;
pub(crate) use oauth_error::render_error;
pub(crate) use target::parse_target;

use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::world::IdentityCenter;
use oauth_error::OauthError;

/// Returns the instance of this world.
fn center<'w>(context: &'w mut RequestContext) -> Result<&'w mut IdentityCenter, ErrorResponse> {
    let center = context.world.identity_center.as_mut();
    center.ok_or_else(|| OauthError::InvalidRequest.because("this sandbox has no Identity Center"))
}
