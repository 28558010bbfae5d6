//! The device flow: StartDeviceAuthorization, and the page on which the user compares the code and answers.

use jiff::Timestamp;
use serde_json::json;

use super::center;
use super::consent::{Consent, check_origin, parse_consent};
use super::oauth_error::OauthError;
use super::page::{Button, escape, render_form, render_hidden, render_message};
use super::register::{check_client, text};
use crate::clock;
use crate::context::RequestContext;
use crate::error_response::ErrorResponse;
use crate::http::{Params, Reply};
use crate::mint;
use crate::world::{DeviceAuthorization, GrantType, IdentityCenter, Verdict, WorldSecret, digest_of};

/// The lifetime of a device code.
const DEVICE_SECONDS: i64 = 600;
/// How long the client must wait between two polls.
const INTERVAL_SECONDS: i64 = 1;

pub(super) fn start_device_authorization(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let (now, params) = (context.now, context.params);
    let sandbox = context.world.id.clone();
    let host = context.request.header("host").unwrap_or_default().to_owned();
    let center = center(context)?;
    let (client_id, client) = check_client(center, params, now)?;
    if !client.grant_types.contains(&GrantType::DeviceCode) {
        return Err(OauthError::UnauthorizedClient.because("the client did not register for device codes"));
    }
    if !center.is_at(text(params, "startUrl")?) {
        return Err(OauthError::InvalidRequest.because("the start URL is not this instance's"));
    }
    let device_code = mint::mint_sso_token("device", &sandbox)?;
    let user_code = mint::mint_user_code()?;
    center.prune(now);
    center.devices.insert(
        digest_of(&device_code),
        DeviceAuthorization {
            client_id,
            user_code: WorldSecret::new(user_code.clone()),
            verdict: Verdict::Pending,
            expires_at: clock::later(now, DEVICE_SECONDS),
            asked_at: None,
            interval_seconds: INTERVAL_SECONDS,
        },
    );
    Ok(Reply::json(&json!({
        "deviceCode": device_code,
        "userCode": user_code,
        "verificationUri": format!("http://{host}/device"),
        "verificationUriComplete": format!("http://{host}/device?user_code={user_code}"),
        "expiresIn": DEVICE_SECONDS,
        "interval": INTERVAL_SECONDS,
    })))
}

/// Shows the page: a field for the code, or the code with the question.
pub(super) fn verify_device(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    let (now, params) = (context.now, context.params);
    let center = center(context)?;
    let Some(code) = params.get("user_code").filter(|code| !code.is_empty()) else {
        return Ok(render_form(
            "Authorize a device",
            &["Enter the code that your device shows.".to_owned()],
            "<input name=\"user_code\" autocomplete=\"off\" autofocus>",
            ("get", "/device"),
            &[Button::Next],
        ));
    };
    let (_, device) = find_device(center, code, now)?;
    let client = center.clients.get(&device.client_id);
    let name = client.map(|client| client.name.as_str()).unwrap_or_default();
    let shown = device.user_code.expose();
    let hidden = render_hidden("user_code", shown);
    let lines = [
        format!("{} wants to use your accounts.", escape(name)),
        format!("Check that it shows this code: <strong id=\"user-code\">{shown}</strong>"),
        format!("You sign in as <strong>{}</strong>.", escape(&center.browser_user)),
    ];
    Ok(render_form(
        "Authorize a device",
        &lines,
        &hidden,
        ("post", "/device"),
        &[Button::Allow, Button::Deny],
    ))
}

/// Handles the user's answer on the page.
pub(super) fn answer_verify_device(context: &mut RequestContext) -> Result<Reply, ErrorResponse> {
    check_origin(context.request)?;
    let (now, params) = (context.now, context.params);
    let center = center(context)?;
    let consent = parse_consent(params)?;
    answer_user_code(center, text(params, "user_code")?, consent, now)?;
    Ok(match consent {
        Consent::Allow => render_message(200, "Request approved", "You can close this window."),
        Consent::Deny => render_message(200, "Request denied", "You can close this window."),
    })
}

/// Answers the device with the code `user_code`, and returns the name of its client.
pub(crate) fn answer_user_code(
    center: &mut IdentityCenter,
    user_code: &str,
    consent: Consent,
    now: Timestamp,
) -> Result<String, ErrorResponse> {
    let (key, device) = find_device(center, user_code, now)?;
    let (key, client_id) = (key.clone(), device.client_id.clone());
    let verdict = match consent {
        Consent::Allow => Verdict::Allowed(center.browser_user.clone()),
        Consent::Deny => Verdict::Denied,
    };
    if let Some(device) = center.devices.get_mut(&key) {
        device.verdict = verdict;
    }
    Ok(center.clients.get(&client_id).map(|client| client.name.clone()).unwrap_or_default())
}

/// Finds the unanswered device with a user code.
fn find_device<'c>(
    center: &'c IdentityCenter,
    user_code: &str,
    now: Timestamp,
) -> Result<(&'c String, &'c DeviceAuthorization), ErrorResponse> {
    let wanted = letters_of(user_code);
    let is_it = |device: &DeviceAuthorization| {
        device.verdict == Verdict::Pending
            && now < device.expires_at
            && letters_of(device.user_code.expose()) == wanted
    };
    center.devices.iter().find(|(_, device)| is_it(device)).ok_or_else(|| {
        ErrorResponse::new(400, "InvalidRequestException", "The code is wrong, was used, or has expired.")
            .because("no device that waits shows this user code")
    })
}

/// Normalizes a user code for comparison: upper case, without separators.
fn letters_of(user_code: &str) -> String {
    user_code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// Returns the user who allowed the device, or the error for this poll. Removes the code once the user has answered.
pub(super) fn take_device(
    center: &mut IdentityCenter,
    params: &Params,
    client_id: &str,
    now: Timestamp,
) -> Result<String, ErrorResponse> {
    let key = digest_of(text(params, "deviceCode")?);
    let device = center.devices.get_mut(&key).filter(|device| device.client_id == client_id);
    let device = device.ok_or_else(|| {
        OauthError::InvalidGrant.because("the device code is unknown, used, or another client's")
    })?;
    if now >= device.expires_at {
        return Err(OauthError::ExpiredToken.because("the device code has expired"));
    }
    // Tolerates half of the interval as jitter of timers and the network.
    let is_early = device.asked_at.is_some_and(|asked_at| {
        let waited = now.as_millisecond() - asked_at.as_millisecond();
        (0..device.interval_seconds * 500).contains(&waited)
    });
    device.asked_at = Some(now);
    match device.verdict.clone() {
        Verdict::Pending if is_early => {
            // RFC 8628, section 3.5: the longer interval applies to this and all later polls.
            device.interval_seconds += 5;
            Err(OauthError::SlowDown.because("asked again before the interval had passed"))
        }
        Verdict::Pending => Err(OauthError::AuthorizationPending.because("no one has answered yet")),
        Verdict::Denied => {
            center.devices.remove(&key);
            Err(OauthError::AccessDenied.because("the user denied it"))
        }
        Verdict::Allowed(user) => {
            center.devices.remove(&key);
            Ok(user)
        }
    }
}
