//! Causes in MFA: no code, a wrong device, a used code, a passkey, role chaining, an old session.

use super::{not_said, render_seconds};
use crate::assume::device::{Device, any_gives_codes, gives_codes};
use crate::denial::attempt::{Around, CodeSent, SignedBy, StartKind};
use crate::denial::aws_error::AwsError;
use crate::denial::cause::{Cause, EITHER_SIDE, Evidence, Fix, WeighedCause};
use crate::denial::known::Sourced;
use crate::denial::view::{View, last_part};
use crate::denial::what_if::Lack;
use crate::policy::arn::Arn;
use hatbox_types::text::shell::quote_word;

/// A session older than this, in seconds, may be too old for a role that limits the age of the MFA.
const OLD: i64 = 3600;

const NO_MFA: &str = "credentials of a role never carry MFA";

pub(super) fn no_code(view: &View<'_>) -> WeighedCause {
    let cause = Cause::NoCode;
    if view.has_mfa() {
        let how =
            if view.attempt.code == CodeSent::No { "by the session that signed" } else { "with a code" };
        return WeighedCause::ruled_out(cause, Evidence::Computed, format!("the call had MFA, {how}"));
    }
    if view.is_chained() {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            "a role signed, which cannot present a code",
        );
    }
    let section = view.section();
    let why = match &view.attempt.signer {
        SignedBy::SessionToken { .. } => {
            format!("the session of `{}` was obtained without one", view.attempt.base.profile)
        }
        _ => format!("[{section}] has no mfa_serial"),
    };
    if let Some(devices) = without_codes(view) {
        return WeighedCause::open(
            cause,
            format!("none was sent, and no device of {} gives one ({})", view.who, devices.origin),
        );
    }
    let has_none = view.known.devices.as_ref().is_some_and(|devices| devices.value.is_empty());
    let with_fix = |weighed: WeighedCause| match serial_of(view) {
        _ if has_none => weighed.fix(register(view)).fix(Fix::Words(format!(
            "{} has no MFA device; name the new one by mfa_serial in {}, [{section}]",
            view.who, view.attempt.around.config
        ))),
        Some(serial) => {
            let weighed = weighed.fix(view.setting(format!("mfa_serial = {serial}")));
            // The default name of a user's first device is only a guess.
            if known_serial(view).is_some() { weighed } else { weighed.fix(list_devices(view)) }
        }
        None => weighed
            .fix(Fix::Words(format!("set mfa_serial in {}, [{section}]", view.attempt.around.config)))
            .fix(list_devices(view)),
    };
    if let Some(origin) = view.lacks(Lack::Mfa) {
        let text = format!("no MFA code was sent: {why}, and the role requires MFA ({origin})");
        return with_fix(WeighedCause::computed(cause, text));
    }
    if let Some(origin) = view.does_not_lack(Lack::Mfa) {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("MFA would not help: the role's trust policy requires something else ({origin})"),
        );
    }
    // An explicit deny is most often a Deny of all calls without MFA.
    if view.reason().is_some_and(|reason| reason.is_explicit) && !view.may_be_trust() {
        return with_fix(WeighedCause::likely(
            cause,
            60,
            format!("no MFA code was sent: {why}; policies that deny whatever comes without MFA are common"),
        ));
    }
    if !view.may_be_trust() {
        return WeighedCause::open(cause, "no MFA code was sent, and AWS named another policy type");
    }
    if view.is_open_to_all() {
        let text = format!("{} may require MFA, and no MFA code was sent: {why}", view.whom);
        return with_fix(WeighedCause::likely(cause, EITHER_SIDE - 2, text));
    }
    let weight = if view.attempt.around.devices.is_empty() { 70 } else { 85 };
    with_fix(WeighedCause::likely(
        cause,
        weight,
        format!("no MFA code was sent: {why}, and the role may require MFA"),
    ))
}

/// Returns the command that lists the devices of the user whose access key signs.
fn list_devices(view: &View<'_>) -> Fix {
    let profile = quote_word(&view.attempt.base.profile);
    Fix::Command(format!("hatbox mfa list {profile}     shows the user's devices"))
}

/// Returns the command that registers a device whose codes STS accepts.
fn register(view: &View<'_>) -> Fix {
    let profile = quote_word(&view.attempt.base.profile);
    Fix::Command(format!("hatbox mfa register {profile}     adds a virtual MFA device"))
}

/// Returns the device to suggest: a known one, or else the usual name of a user's first virtual device.
fn serial_of(view: &View<'_>) -> Option<String> {
    known_serial(view).or_else(|| {
        let arn = view.caller.as_deref().and_then(Arn::parse)?;
        let name = arn.resource.strip_prefix("user/").map(last_part)?;
        Some(format!("arn:{}:iam::{}:mfa/{name}", arn.partition, arn.account))
    })
}

fn known_serial(view: &View<'_>) -> Option<String> {
    let devices = view.known.devices.as_ref();
    if let Some(serial) = devices.and_then(|devices| devices.value.iter().find(|serial| gives_codes(serial)))
    {
        return Some(serial.clone());
    }
    let Around { chain, devices, .. } = &view.attempt.around;
    let is_own = |serial: &str| view.user().is_some_and(|user| last_part(serial) == user);
    let of_chain = devices.iter().find(|(profile, _)| chain.contains(profile));
    // If another profile with the same source names a device, the user name in its ARN shows whose it is.
    let kin = || devices.iter().find(|(_, serial)| is_own(serial) && gives_codes(serial));
    of_chain.or_else(kin).map(|(_, serial)| serial.clone())
}

/// Returns the caller's devices, if there are some and none of them produces codes.
fn without_codes<'v>(view: &View<'v>) -> Option<&'v Sourced<Vec<String>>> {
    view.known
        .devices
        .as_ref()
        .filter(|devices| !devices.value.is_empty() && !any_gives_codes(&devices.value))
}

/// Returns why none of these devices produces codes for API calls, if the reason is their kind.
fn why_no_code<'s>(serials: impl IntoIterator<Item = &'s str>) -> Option<&'static str> {
    let kinds: Vec<Device> = serials.into_iter().map(Device::of).collect();
    let has = |kind| kinds.contains(&kind);
    if has(Device::Codes) {
        return None;
    }
    match (has(Device::Passkey), has(Device::TextMessages)) {
        (true, false) => Some("a passkey gives no code, and AWS's API accepts only codes"),
        (false, true) => Some("the code of a text message (SMS) signs in to the console only"),
        (true, true) => Some("neither a passkey nor a text message (SMS) gives a code for AWS's API"),
        (false, false) => None,
    }
}

pub(super) fn wrong_serial(view: &View<'_>) -> WeighedCause {
    let cause = Cause::WrongSerial;
    if *view.aws_error != AwsError::WrongDevice {
        return not_said(cause, "AWS did not complain about the device");
    }
    let Some(serial) = view.attempt.serial.as_deref() else {
        return WeighedCause::said(cause, "AWS does not know the MFA device");
    };
    match Device::of(serial) {
        Device::Passkey => return WeighedCause::open(cause, "the device is a passkey"),
        Device::TextMessages => return WeighedCause::open(cause, "the device receives text messages (SMS)"),
        Device::Codes | Device::User => {}
    }
    if Device::of(serial) == Device::User {
        let device = serial.replacen(":user/", ":mfa/", 1);
        return WeighedCause::computed(
            cause,
            format!("`mfa_serial` is a user ARN; the device is probably `{device}`"),
        )
        .fix(view.setting(format!("mfa_serial = {device}")));
    }
    if let Some(devices) = &view.known.devices {
        let list = devices.value.join(", ");
        if devices.value.iter().any(|device| device == serial) {
            return WeighedCause::said(cause, format!("{serial} is {}'s device ({}), and AWS could not check its code: it is out of step, or was tried too often", view.who, devices.origin))
                .fix(Fix::Words("wait some minutes, or resynchronize the device".to_owned()));
        }
        let weighed = WeighedCause::computed(
            cause,
            format!(
                "{serial} is not a device of {}; {} ({})",
                view.who,
                if list.is_empty() { "there is none".to_owned() } else { format!("there is {list}") },
                devices.origin
            ),
        );
        return match devices.value.iter().find(|device| gives_codes(device)) {
            Some(device) => weighed.fix(view.setting(format!("mfa_serial = {device}"))),
            None => weighed.fix(register(view)),
        };
    }
    let other =
        view.attempt.around.devices.iter().find(|(_, device)| device != serial && gives_codes(device));
    let weighed = WeighedCause::said(
        cause,
        format!("a code of {serial} could not be checked: it must be a device of the user whose key signs"),
    );
    let weighed = match other {
        Some((profile, device)) => weighed.fix(Fix::Words(format!("`{profile}` names another: {device}"))),
        None => weighed,
    };
    weighed.fix(list_devices(view))
}

pub(super) fn wrong_code(view: &View<'_>) -> WeighedCause {
    let cause = Cause::WrongCode;
    if *view.aws_error != AwsError::WrongCode {
        return not_said(cause, "AWS did not complain about a code");
    }
    let text = match view.attempt.code {
        CodeSent::Process => "`mfa_process` printed a code that is wrong, too late, or was already used",
        CodeSent::Seed => "the code made from the stored TOTP seed is wrong, too late, or was already used",
        _ => "the MFA code is wrong, too late, or was already used",
    };
    let wait = 30 - view.now.as_second().rem_euclid(30);
    let weighed = WeighedCause::said(cause, text)
        .fix(Fix::Words(format!("each code works once; wait {wait} s for the next")));
    match view.attempt.clock_ahead.filter(|seconds| seconds.abs() >= 20) {
        Some(seconds) => {
            let word = if seconds > 0 { "ahead" } else { "behind" };
            weighed
                .fix(Fix::Words(format!(
                    "your clock is {} s {word}: a code made on this machine is then wrong",
                    seconds.abs()
                )))
                .fix(Fix::Command("sudo timedatectl set-ntp true".to_owned()))
        }
        None => weighed.fix(Fix::Words("if that does not help, check the clock of the device".to_owned())),
    }
}

pub(super) fn only_passkey(view: &View<'_>) -> WeighedCause {
    let cause = Cause::OnlyPasskey;
    let sent = view.attempt.serial.as_deref();
    if let Some((serial, why)) = sent.and_then(|serial| Some((serial, why_no_code([serial])?))) {
        return WeighedCause::computed(cause, format!("{why}: `mfa_serial` is {serial}"))
            .fix(register(view))
            .weigh(99);
    }
    if let Some(devices) = without_codes(view) {
        let why = why_no_code(devices.value.iter().map(String::as_str)).unwrap_or("no device gives codes");
        let text = format!("{why}: {} has no other device ({})", view.who, devices.origin);
        // It matters only if the role requires MFA.
        return if view.lacks(Lack::Mfa).is_some() || *view.aws_error == AwsError::WrongDevice {
            WeighedCause::computed(cause, text).fix(register(view)).weigh(95)
        } else {
            WeighedCause::likely(cause, 86, text).fix(register(view))
        };
    }
    match &view.known.devices {
        Some(devices) => {
            let count = devices.value.iter().filter(|device| gives_codes(device)).count();
            let text = match (count, devices.value.len()) {
                (_, 0) => format!("{} has no device at all ({})", view.who, devices.origin),
                (1, 1) => format!("the only device gives codes ({})", devices.origin),
                (1, total) => format!("1 of {total} devices gives codes ({})", devices.origin),
                (count, total) => format!("{count} of {total} devices give codes ({})", devices.origin),
            };
            WeighedCause::ruled_out(cause, Evidence::Computed, text)
        }
        None if view.attempt.serial.is_some() => WeighedCause::ruled_out(
            cause,
            Evidence::Likely,
            "the device of mfa_serial looks like one that gives codes",
        ),
        None => WeighedCause::open(cause, "the devices are not known"),
    }
}

pub(super) fn chained_without_mfa(view: &View<'_>) -> WeighedCause {
    let cause = Cause::ChainedWithoutMfa;
    if !view.is_chained() {
        return WeighedCause::ruled_out(cause, Evidence::Computed, "no role signed the call");
    }
    let fix = |weighed: WeighedCause| {
        if view.attempt.base.kind == StartKind::Other {
            let words = "start from a user's access key: no other identity can present a code";
            return weighed.fix(Fix::Words(words.to_owned()));
        }
        let weighed = weighed.fix(view.setting(format!("source_profile = {}", view.attempt.base.profile)));
        match known_serial(view) {
            Some(serial) => weighed.fix(view.setting(format!("mfa_serial = {serial}"))),
            None => weighed,
        }
    };
    let source = match &view.attempt.signer {
        SignedBy::Role { arn: Some(arn) } => {
            format!("the source is the role {}", last_part(arn))
        }
        _ => "the source is a role".to_owned(),
    };
    if let Some(origin) = view.lacks(Lack::Mfa) {
        return fix(WeighedCause::computed(
            cause,
            format!("{source}, and {NO_MFA}; {} requires it ({origin})", view.whom),
        ));
    }
    if let Some(origin) = view.does_not_lack(Lack::Mfa) {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("the role requires no MFA ({origin})"),
        );
    }
    if !view.may_be_trust() {
        return WeighedCause::open(cause, format!("{source}, and AWS named another policy type"));
    }
    let weight = match (view.is_open_to_all(), view.attempt.around.devices.is_empty()) {
        (true, _) => EITHER_SIDE - 2,
        (false, true) => 60,
        (false, false) => 80,
    };
    fix(WeighedCause::likely(cause, weight, format!("{source}, and {NO_MFA}; {} may require it", view.whom)))
}

pub(super) fn old_mfa(view: &View<'_>) -> WeighedCause {
    let cause = Cause::OldMfa;
    let SignedBy::SessionToken { serial: Some(_), age } = &view.attempt.signer else {
        return WeighedCause::ruled_out(cause, Evidence::Computed, "no cached MFA session signed the call");
    };
    if view.attempt.code != CodeSent::No {
        return WeighedCause::ruled_out(cause, Evidence::Computed, "the code was sent with the call itself");
    }
    let aged = |age: &i64| render_seconds(u64::try_from(*age).unwrap_or_default() / 60 * 60);
    let again = || {
        Fix::Command(format!(
            "hatbox exec --fresh {} -- ...     asks for a new code",
            quote_word(&view.attempt.profile)
        ))
    };
    if let (Some(origin), Some((trust, _))) = (view.lacks(Lack::RecentMfa), &view.trust) {
        let limit = trust.max_age.map_or_else(
            || "more recent MFA".to_owned(),
            |max| format!("MFA within {}", render_seconds(u64::try_from(max).unwrap_or_default())),
        );
        let is = age.as_ref().map_or_else(|| "older".to_owned(), |age| format!("{} old", aged(age)));
        return WeighedCause::computed(
            cause,
            format!("the role requires {limit} ({origin}); the cached session is {is}"),
        )
        .fix(again());
    }
    if let Some(origin) = view.does_not_lack(Lack::RecentMfa) {
        return WeighedCause::ruled_out(
            cause,
            Evidence::Computed,
            format!("the age of the MFA is not why the role denies it ({origin})"),
        );
    }
    match age {
        Some(age) if *age >= OLD && view.may_be_trust() => WeighedCause::likely(
            cause,
            55,
            format!("the cached MFA session is {} old, and the role may require a newer one", aged(age)),
        )
        .fix(again()),
        Some(age) => {
            WeighedCause::ruled_out(cause, Evidence::Likely, format!("the MFA is {} old", aged(age)))
        }
        None => WeighedCause::open(cause, "the age of the MFA is not known"),
    }
}
