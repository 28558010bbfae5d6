//! Checks the MFA code of a call and marks it as used.

use crate::authorize::CodeGiven;
use crate::context::RequestContext;
use crate::encoding::parse_base32;
use crate::error_response::ErrorResponse;
use crate::faults::FaultKind;
use crate::sigv4::Caller;
use crate::totp;
use crate::world::Principal;

const INCOMPLETE: &str =
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
const WRONG_CODE: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
// The two spaces are in AWS's message.
const WRONG_SERIAL: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  \
                            Please verify your MFA serial number is valid and associated with this user.";

/// Checks `SerialNumber` and `TokenCode`. A valid code is used up, even if the call fails later.
pub(super) fn check_code(context: &mut RequestContext, caller: &Caller) -> Result<CodeGiven, ErrorResponse> {
    let (serial, code) = match (context.params.get("SerialNumber"), context.params.get("TokenCode")) {
        (None, None) => return Ok(CodeGiven::No),
        (Some(serial), Some(code)) => (serial, code),
        _ => return Err(ErrorResponse::denied(INCOMPLETE)),
    };
    let wrong_serial = |why: &str| Err(ErrorResponse::denied(WRONG_SERIAL).because(why));
    let Principal::User { account, name } = &caller.principal else {
        return wrong_serial("only a user has MFA devices");
    };
    if context.faults.take_one(&context.entry.action, &FaultKind::DeviceOutOfSync) {
        return wrong_serial("a fault was asked for: the device is out of sync");
    }
    let devices = context.world.accounts.get_mut(account).map(|account| &mut account.mfa_devices);
    let Some(device) = devices.and_then(|devices| devices.get_mut(serial)) else {
        return wrong_serial("the account has no MFA device of this serial number");
    };
    if device.user.as_ref() != Some(name) {
        return wrong_serial("the MFA device is not enabled for this user");
    }
    let seed = parse_base32(device.seed.expose()).unwrap_or_default();
    match totp::match_step(&seed, code, context.now, device.last_step) {
        Some(step) => {
            device.last_step = Some(step);
            Ok(CodeGiven::Yes)
        }
        None if totp::match_step(&seed, code, context.now, None).is_some() => {
            Err(ErrorResponse::denied(WRONG_CODE).because("the MFA code, or a later one, was used before"))
        }
        None => {
            Err(ErrorResponse::denied(WRONG_CODE).because("the MFA code is not that of this half minute"))
        }
    }
}
