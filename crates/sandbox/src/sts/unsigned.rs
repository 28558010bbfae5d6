//! Calls whose parameters are judged and which are then refused, because the world has no identity
//! providers that speak SAML and no organization: AssumeRoleWithSAML, AssumeRoot.

use super::table::rules_of;
use crate::authorize::Ask;
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::rules::check_params;
use crate::sigv4::Caller;
use crate::turn::Turn;

pub(super) fn assume_role_with_saml(turn: &mut Turn) -> Result<Reply, Refusal> {
    check_params(&rules_of("AssumeRoleWithSAML"), turn.params)?;
    turn.entry.resource = turn.params.get("RoleArn").map(str::to_owned);
    Err(Refusal::new(400, "InvalidIdentityToken", "Specified provider doesn't exist")
        .because("the sandbox has no SAML providers"))
}

pub(super) fn assume_root(turn: &mut Turn, caller: &Caller) -> Result<Reply, Refusal> {
    check_params(&rules_of("AssumeRoot"), turn.params)?;
    let target = turn.params.get("TargetPrincipal").unwrap_or_default().to_owned();
    turn.authorize(caller, &Ask::new("sts:AssumeRoot", &target, caller.principal.account()), "")?;
    Err(Refusal::denied("Centralized root access is not enabled in the organization.")
        .because("the sandbox has no organizations"))
}
