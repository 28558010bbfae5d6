//! What the control paths answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Fault, PREFIX, TOKEN_HEADER, tokens};
use crate::encoding::{is_equal_constant_time, parse_base32};
use crate::http::{Received, Reply};
use crate::sandbox::Sandbox;
use crate::totp;
use crate::world::KeyStatus;

/// How a running sandbox is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The sandbox's id.
    pub id: String,
    /// The process that serves it.
    pub pid: u32,
    /// The time, by its clock.
    pub now: Timestamp,
    /// How far its clock is ahead of the system's, in seconds.
    pub clock_offset_seconds: i64,
    /// Calls since it started.
    pub calls: u64,
    /// Faults that are still due.
    pub faults: Vec<Fault>,
}

/// What an MFA device shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeShown {
    /// The device's serial number.
    pub serial: String,
    /// The code of this half minute.
    pub code: String,
    /// How long it is still shown.
    pub seconds_left: i64,
    /// Whether it, or a later one, was used: then AWS refuses it.
    pub is_used: bool,
}

impl std::fmt::Debug for CodeShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "CodeShown({}, [redacted], {} s left, used: {})",
            self.serial, self.seconds_left, self.is_used
        )
    }
}

/// The encoded authorization message of a refused call.
#[derive(Serialize, Deserialize)]
pub(crate) struct Denial {
    pub(crate) encoded_message: String,
}

/// What the server does after a control request.
pub(crate) enum Answered {
    /// Sends this and goes on.
    Reply(Reply),
    /// Sends this and stops.
    Stop(Reply),
}

/// Answers a request to a control path. The Host was checked before.
pub(crate) fn answer(sandbox: &mut Sandbox, request: &Received) -> Answered {
    // Security: a browser always sends Origin with a POST to another site; no program of ours does.
    let token = request.header(TOKEN_HEADER).unwrap_or_default();
    if request.header("origin").is_some()
        || !is_equal_constant_time(token.as_bytes(), sandbox.control_token.as_bytes())
    {
        return Answered::Reply(text(403, "the control token is missing or wrong"));
    }
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let reply = match (request.method.as_str(), path) {
        ("GET", "log") => {
            let after = request.query_params().get("after").and_then(|text| text.parse().ok()).unwrap_or(0);
            json_reply(&json!(sandbox.log.after(after)))
        }
        ("GET", "status") => json_reply(&json!(status(sandbox))),
        ("GET", "code") => code(sandbox, request.query_params().get("serial").unwrap_or_default()),
        ("GET", "denial") => denial(sandbox, request.query_params().get("number").unwrap_or_default()),
        ("POST", "clock") => set_clock(sandbox, request),
        ("POST", "fault") => add_fault(sandbox, request),
        ("DELETE", "fault") => {
            sandbox.faults.clear();
            json_reply(&json!({}))
        }
        ("POST", "key") => set_key(sandbox, request),
        ("POST", "token") => tokens::mint_token(sandbox, request),
        ("POST", "stop") => return Answered::Stop(json_reply(&json!({}))),
        _ => text(404, "there is no such control path"),
    };
    Answered::Reply(reply)
}

pub(super) fn text(status: u16, text: &str) -> Reply {
    Reply { body: text.to_owned().into(), ..Reply::empty(status) }.with("content-type", "text/plain")
}

pub(super) fn json_reply(value: &Value) -> Reply {
    Reply { body: value.to_string().into(), ..Reply::empty(200) }.with("content-type", "application/json")
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
        return text(404, "there is no such MFA device");
    };
    let now = sandbox.now();
    let step = totp::step_at(now);
    let seed = parse_base32(device.seed.expose()).unwrap_or_default();
    json_reply(&json!(CodeShown {
        serial: serial.clone(),
        code: totp::render_code(&seed, step),
        seconds_left: (step + 1) * totp::STEP_SECONDS - now.as_second(),
        is_used: device.last_step.is_some_and(|last| last >= step),
    }))
}

/// The encoded authorization message of a call by its number.
fn denial(sandbox: &Sandbox, number: &str) -> Reply {
    let entry =
        number.parse::<u64>().ok().and_then(|number| sandbox.log.after(number.checked_sub(1)?).first());
    match entry.and_then(|entry| sandbox.denials.encode(entry)) {
        Some(Ok(encoded_message)) => json_reply(&json!(Denial { encoded_message })),
        Some(Err(error)) => text(500, &error.to_string()),
        None => text(404, "there is no call of this number that policies refused"),
    }
}

/// A century either way is enough for any test, and keeps every time within what can be written.
pub(super) const CENTURY: i64 = 100 * 365 * 24 * 3600;

/// Moves the clock: `{"offset_seconds": N}` sets it, `{"advance_seconds": N}` moves it further.
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
        return text(
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
            json_reply(&json!({}))
        }
        Err(error) => text(400, &format!("no fault: {error}")),
    }
}

/// Makes an access key active or not: `{"access_key_id": "...", "status": "Inactive"}`.
fn set_key(sandbox: &mut Sandbox, request: &Received) -> Reply {
    #[derive(Deserialize)]
    struct Asked {
        access_key_id: String,
        status: KeyStatus,
    }
    let asked: Asked = match serde_json::from_slice(&request.body) {
        Ok(asked) => asked,
        Err(error) => return text(400, &format!("no key status: {error}")),
    };
    let Some(key) = sandbox.world.find_key_mut(&asked.access_key_id) else {
        return text(404, "there is no such access key");
    };
    key.status = asked.status;
    saved(sandbox)
}

fn saved(sandbox: &mut Sandbox) -> Reply {
    match sandbox.save() {
        Ok(()) => json_reply(&json!({})),
        Err(error) => text(500, &error.to_string()),
    }
}
