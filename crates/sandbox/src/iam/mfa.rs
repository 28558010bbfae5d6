//! Calls about MFA devices.

use super::call::{
    account_of, already_exists, authorize, authorize_user, delete_conflict, no_such_entity, parse_path, text,
    user_name,
};
use super::page::Page;
use crate::clock::{render_iso, whole_seconds};
use crate::context::RequestContext;
use crate::encoding::{parse_base32, render_base32, render_base64};
use crate::error_response::ErrorResponse;
use crate::http::Reply;
use crate::mint::mint_bytes;
use crate::sigv4::Caller;
use crate::totp;
use crate::world::{MfaDevice, WorldSecret, user_arn};

/// The maximum number of devices per user.
const QUOTA: usize = 8;

fn no_such_device(serial: &str) -> ErrorResponse {
    no_such_entity(&format!("VirtualMFADevice with serial number {serial} doesn't exist."))
}

pub(super) fn create_device(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let (name, path) = (text(context, "VirtualMFADeviceName"), parse_path(context)?);
    let serial = format!("arn:aws:iam::{}:mfa{path}{name}", caller.account());
    authorize(context, caller, &serial)?;
    let seed = render_base32(&mint_bytes::<40>()?);
    let devices = &mut account_of(context, caller).mfa_devices;
    if devices.contains_key(&serial) {
        return Err(already_exists("MFADevice entity at the same path and name already exists."));
    }
    let device =
        MfaDevice { seed: WorldSecret::new(seed.clone()), user: None, enabled_at: None, last_step: None };
    devices.insert(serial.clone(), device);
    Ok(context.render(|xml| {
        xml.nest("VirtualMFADevice", |xml| {
            xml.element("SerialNumber", &serial).element("Base32StringSeed", &render_base64(seed.as_bytes()));
        });
    }))
}

/// Requires two consecutive codes, the second at most one step ahead of the current time.
pub(super) fn enable_device(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let (name, serial) = (text(context, "UserName"), text(context, "SerialNumber"));
    authorize_user(context, caller, &name)?;
    let (first, second) = (text(context, "AuthenticationCode1"), text(context, "AuthenticationCode2"));
    let now = whole_seconds(context.now);
    let current = totp::step_at(context.now);
    let devices = &mut account_of(context, caller).mfa_devices;
    let count = devices.values().filter(|device| device.user.as_ref() == Some(&name)).count();
    let device = devices.get_mut(&serial).ok_or_else(|| no_such_device(&serial))?;
    if device.user.is_some() {
        return Err(already_exists(&format!("MFA Device {serial} is already in use.")));
    }
    if count >= QUOTA {
        return Err(ErrorResponse::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for MFADevicesPerUser: {QUOTA}"),
        ));
    }
    let seed = parse_base32(device.seed.expose()).unwrap_or_default();
    let is_right = |step: &i64| {
        device.last_step.is_none_or(|last| *step > last)
            && totp::render_code(&seed, *step) == first
            && totp::render_code(&seed, step + 1) == second
    };
    let Some(step) = (current - 2..=current).find(is_right) else {
        return Err(ErrorResponse::new(
            403,
            "InvalidAuthenticationCode",
            "Authentication code for device is not valid.",
        ));
    };
    device.last_step = Some(step + 1);
    device.user = Some(name);
    device.enabled_at = Some(now);
    Ok(context.render_nothing())
}

pub(super) fn deactivate_device(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    let (name, serial) = (user_name(context, caller)?, text(context, "SerialNumber"));
    authorize_user(context, caller, &name)?;
    let device = account_of(context, caller).mfa_devices.get_mut(&serial);
    let device = device.filter(|device| device.user.as_ref() == Some(&name));
    let device = device.ok_or_else(|| no_such_device(&serial))?;
    device.user = None;
    device.enabled_at = None;
    Ok(context.render_nothing())
}

pub(super) fn delete_device(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let serial = text(context, "SerialNumber");
    authorize(context, caller, &serial)?;
    let devices = &mut account_of(context, caller).mfa_devices;
    let device = devices.get(&serial).ok_or_else(|| no_such_device(&serial))?;
    if device.user.is_some() {
        return Err(delete_conflict("MFA VirtualDevice in use. Must deactivate first."));
    }
    devices.remove(&serial);
    Ok(context.render_nothing())
}

pub(super) fn list_devices(context: &mut RequestContext, caller: &Caller) -> Result<Reply, ErrorResponse> {
    let name = user_name(context, caller)?;
    authorize_user(context, caller, &name)?;
    let devices = account_of(context, caller).mfa_devices.clone();
    let listed = devices.iter().filter(|(_, device)| device.user.as_ref() == Some(&name));
    let page =
        Page::of(context, listed.map(|(serial, device)| (serial.clone(), (serial, device))).collect())?;
    Ok(context.render(|xml| {
        xml.nest("MFADevices", |xml| {
            for (serial, device) in &page.items {
                xml.nest("member", |xml| {
                    xml.element("UserName", &name).element("SerialNumber", serial);
                    xml.element_if("EnableDate", device.enabled_at.map(render_iso).as_deref());
                });
            }
        });
        page.write_end(xml);
    }))
}

pub(super) fn list_virtual_devices(
    context: &mut RequestContext,
    caller: &Caller,
) -> Result<Reply, ErrorResponse> {
    authorize(context, caller, &format!("arn:aws:iam::{}:mfa/", caller.account()))?;
    let account = account_of(context, caller).clone();
    let wanted = context.params.get("AssignmentStatus").unwrap_or("Any");
    let listed = account.mfa_devices.iter().filter(|(_, device)| match wanted {
        "Assigned" => device.user.is_some(),
        "Unassigned" => device.user.is_none(),
        _ => true,
    });
    let page =
        Page::of(context, listed.map(|(serial, device)| (serial.clone(), (serial, device))).collect())?;
    Ok(context.render(|xml| {
        xml.nest("VirtualMFADevices", |xml| {
            for (serial, device) in &page.items {
                xml.nest("member", |xml| {
                    xml.element("SerialNumber", serial);
                    xml.element_if("EnableDate", device.enabled_at.map(render_iso).as_deref());
                    let user = device.user.as_ref().and_then(|name| Some((name, account.users.get(name)?)));
                    if let Some((name, user)) = user {
                        xml.nest("User", |xml| {
                            xml.element("UserName", name)
                                .element("UserId", &user.user_id)
                                .element("Arn", &user_arn(caller.account(), &user.path, name));
                        });
                    }
                });
            }
        });
        page.write_end(xml);
    }))
}
