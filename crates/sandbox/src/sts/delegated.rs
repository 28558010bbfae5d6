//! GetDelegatedAccessToken: a product's credentials for an account that delegated a task to it.
//!
//! Trade-in tokens come from a request that somebody approved in AWS's console. There is none here, so no
//! trade-in token is a good one, and each is refused with the only word that AWS has for that.

use super::table::rules_of;
use crate::http::Reply;
use crate::refusal::Refusal;
use crate::rules::check_params;
use crate::turn::Turn;

pub(super) fn get_delegated_access_token(turn: &Turn) -> Result<Reply, Refusal> {
    check_params(&rules_of("GetDelegatedAccessToken"), turn.params)?;
    let text = "The trade-in token is expired and cannot be exchanged for credentials.";
    Err(Refusal::new(400, "ExpiredTradeInTokenException", text)
        .because("the sandbox gives out no trade-in tokens"))
}
