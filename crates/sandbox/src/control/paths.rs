//! Answers requests to the control paths.

use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::wire::{CodeShown, Denial, PREFIX, Status, TOKEN_HEADER};
use super::{sign_in, tokens};
use crate::clock::CENTURY;
use crate::encoding::parse_base32;
use crate::http::{Received, Reply};
use crate::sandbox::Sandbox;
use crate::totp;
use crate::world::{KeyStatus, LoginState};

/// What the server does in response to a control request.
pub(crate) enum ControlReply {
    /// Sends this reply and keeps running.
    Reply(Reply),
    /// Sends this reply and stops.
    Stop(Reply),
}

/// Answers a request to a control path. The caller has already checked the `Host` header.
pub(crate) fn answer(sandbox: &mut Sandbox, request: &Received) -> ControlReply {
    // Security: browsers always send `Origin` with a cross-site POST; our own clients never do.
    let token = request.header(TOKEN_HEADER).unwrap_or_default();
    if request.header("origin").is_some()
        || !bool::from(token.as_bytes().ct_eq(sandbox.control_token.as_bytes()))
    {
        return ControlReply::Reply(Reply::text(403, "the control token is missing or wrong"));
    }
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let reply = match (request.method.as_str(), path) {
        ("GET", "log") => {
            let after = request.query_params().get("after").and_then(|text| text.parse().ok()).unwrap_or(0);
            Reply::json(&json!(sandbox.log.after(after)))
        }
        ("GET", "status") => Reply::json(&json!(status(sandbox))),
        ("GET", "code") => code(sandbox, request.query_params().get("serial").unwrap_or_default()),
        ("GET", "denial") => denial(sandbox, request.query_params().get("number").unwrap_or_default()),
        ("POST", "clock") => set_clock(sandbox, request),
        ("POST", "fault") => add_fault(sandbox, request),
        ("DELETE", "fault") => {
            sandbox.faults.clear();
            Reply::json(&json!({}))
        }
        ("POST", "key") => set_key(sandbox, request),
        ("POST", "token") => tokens::mint_token(sandbox, request),
        ("POST", "logins") => set_logins(sandbox, request),
        ("POST", "sign-in") => sign_in::sign_in(sandbox, request),
        ("POST", "accounts") => sign_in::add_accounts(sandbox, request),
        ("POST", "revoke") => sign_in::revoke(sandbox, request),
        ("POST", "assignment") => sign_in::assign(sandbox, request),
        ("POST", "stop") => return ControlReply::Stop(Reply::json(&json!({}))),
        _ => Reply::text(404, "there is no such control path"),
    };
    ControlReply::Reply(reply)
}

fn status(sandbox: &Sandbox) -> Status {
    Status {
        id: sandbox.world.id.clone(),
        pid: std::process::id(),
        now: sandbox.now(),
        clock_offset_seconds: sandbox.world.clock_offset_seconds,
        calls: sandbox.log.after(0).len() as u64,
        faults: sandbox.faults.due().to_vec(),
    }
}

fn code(sandbox: &Sandbox, serial: &str) -> Reply {
    let mut devices = sandbox.world.accounts.values().flat_map(|account| &account.mfa_devices);
    let Some((serial, device)) = devices.find(|(of_device, _)| *of_device == serial) else {
        return Reply::text(404, "there is no such MFA device");
    };
    let now = sandbox.now();
    let step = totp::step_at(now);
    let seed = parse_base32(device.seed.expose()).unwrap_or_default();
    Reply::json(&json!(CodeShown {
        serial: serial.clone(),
        code: totp::render_code(&seed, step),
        seconds_left: (step + 1) * totp::STEP_SECONDS - now.as_second(),
        is_used: device.last_step.is_some_and(|last| last >= step),
    }))
}

/// Returns the encoded authorization message of the call `number`.
fn denial(sandbox: &Sandbox, number: &str) -> Reply {
    let entry =
        number.parse::<u64>().ok().and_then(|number| sandbox.log.after(number.checked_sub(1)?).first());
    match entry.and_then(|entry| sandbox.denials.encode(entry)) {
        Some(Ok(encoded_message)) => Reply::json(&json!(Denial { encoded_message })),
        Some(Err(error)) => Reply::text(500, &error.to_string()),
        None => Reply::text(404, "there is no call of this number that policies refused"),
    }
}

/// Moves the clock: `{"offset_seconds": N}` sets its offset, `{"advance_seconds": N}` adds to it.
fn set_clock(sandbox: &mut Sandbox, request: &Received) -> Reply {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let number = |name: &str| body.get(name).and_then(Value::as_i64);
    let before = sandbox.world.clock_offset_seconds;
    let after = match (number("offset_seconds"), number("advance_seconds")) {
        (Some(offset), None) => Some(offset),
        (None, Some(more)) => before.checked_add(more),
        _ => None,
    };
    let Some(after) = after.filter(|offset| (-CENTURY..=CENTURY).contains(offset)) else {
        return Reply::text(
            400,
            "give either `offset_seconds` or `advance_seconds`, a whole number within a century",
        );
    };
    sandbox.world.clock_offset_seconds = after;
    saved(sandbox)
}

fn add_fault(sandbox: &mut Sandbox, request: &Received) -> Reply {
    match serde_json::from_slice(&request.body) {
        Ok(fault) => {
            sandbox.faults.add(fault);
            Reply::json(&json!({}))
        }
        Err(error) => Reply::text(400, &format!("no fault: {error}")),
    }
}

/// Activates or deactivates an access key: `{"access_key_id": "...", "status": "Inactive"}`.
fn set_key(sandbox: &mut Sandbox, request: &Received) -> Reply {
    #[derive(Deserialize)]
    struct KeyChange {
        access_key_id: String,
        status: KeyStatus,
    }
    let change: KeyChange = match serde_json::from_slice(&request.body) {
        Ok(change) => change,
        Err(error) => return Reply::text(400, &format!("no key status: {error}")),
    };
    let Some(key) = sandbox.world.find_key_mut(&change.access_key_id) else {
        return Reply::text(404, "there is no such access key");
    };
    key.status = change.status;
    saved(sandbox)
}

/// Sets the state of all `aws login` sessions: `{"state": "Revoked"}`.
fn set_logins(sandbox: &mut Sandbox, request: &Received) -> Reply {
    #[derive(Deserialize)]
    struct LoginChange {
        state: LoginState,
    }
    let change: LoginChange = match serde_json::from_slice(&request.body) {
        Ok(change) => change,
        Err(error) => return Reply::text(400, &format!("no state of a login session: {error}")),
    };
    sandbox.world.logins.sessions.values_mut().for_each(|session| session.state = change.state);
    saved(sandbox)
}

fn saved(sandbox: &mut Sandbox) -> Reply {
    match sandbox.save() {
        Ok(()) => Reply::json(&json!({})),
        Err(error) => Reply::text(500, &error.to_string()),
    }
}
