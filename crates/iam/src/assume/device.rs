//! MFA devices, and which of them produce codes that AssumeRole and GetSessionToken accept.

use super::entity::Entity;
use crate::accounts::Accounts;
use crate::policy::arn::Arn;

/// What a serial number identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// A virtual device or a hardware token, which produces codes.
    Codes,
    /// A passkey or security key: `arn:aws:iam::A:u2f/...`.
    Passkey,
    /// A phone: `arn:aws:iam::A:sms-mfa/...`. Its codes only work for console sign-in.
    TextMessages,
    /// A user, given by mistake instead of the user's device.
    User,
}

impl Device {
    /// Classifies a serial number: the ARN of a device, or the number on a hardware token.
    pub(crate) fn of(serial: &str) -> Self {
        let kind = Arn::parse(serial).and_then(|arn| arn.resource.split_once('/')).map(|(kind, _)| kind);
        match kind {
            Some("u2f") => Self::Passkey,
            Some("sms-mfa") => Self::TextMessages,
            Some("user") => Self::User,
            _ => Self::Codes,
        }
    }
}

/// Whether the device produces codes.
pub(crate) fn gives_codes(serial: &str) -> bool {
    Device::of(serial) == Device::Codes
}

/// Whether at least one of the devices produces codes.
pub(crate) fn any_gives_codes(serials: &[String]) -> bool {
    serials.iter().any(|serial| gives_codes(serial))
}

/// Whether a user has a device that produces codes; `None` if the devices are unknown.
pub(crate) fn has_code_device(accounts: &Accounts, user: &Entity) -> Option<bool> {
    let account = accounts.accounts.get(user.account.as_ref()?)?;
    let serials = account.users.get(&user.arn)?.mfa_devices.known()?;
    Some(any_gives_codes(serials))
}
