//! AssumeRoleWithSAML: its parameters are judged, and then it is refused.
//!
//! An assertion is XML with a signature over a canonical form of a part of it, and what makes such signatures
//! safe or not are details that a stand-in would have to get as right as AWS does. The world has no SAML
//! providers, and this call says so.

use super::table::rules_of;
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::rules::check_params;
use crate::turn::Turn;

pub(super) fn assume_role_with_saml(turn: &mut Turn) -> Result<Reply, Refusal> {
    turn.entry.resource = turn.params.get("RoleArn").map(str::to_owned);
    check_params(&rules_of("AssumeRoleWithSAML"), turn.params)?;
    Err(Refusal::new(400, "InvalidIdentityToken", "Specified provider doesn't exist")
        .because("the sandbox has no SAML providers"))
}
